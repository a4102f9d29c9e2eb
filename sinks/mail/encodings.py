"""How content crosses servers that take 7-bit lines of 998 characters: as it is, quoted or in base64. No I/O."""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from typing import Final, Literal

from sinks.mail.fields import LONGEST_LINE

_WIDTH: Final = 76  # RFC 2045 sections 6.7 and 6.8
_replacement = "\ufffd".encode()
_half = re.compile("[\ud800-\udfff]")
_from = re.compile(rb"^From ", re.MULTILINE)
# `b2a_qp` makes a line of 77 of one with a blank at its end.
_too_long = re.compile(rb"^([^\r\n]{74})(=20|=09)(?=\r\n|\Z)", re.MULTILINE).sub
# What quoted-printable leaves alone, so that deleting it leaves what costs three characters for one.
# What is left without them are the ends of lines, and NUL.
_within = bytes(set(range(256)) - set(b"\r\n\0"))
_apart = re.compile(rb"\r[^\n]").search
# The same, and CR LF before a dot; the last of all lines is found too.
_apart_or_dot = re.compile(rb"\r(?!\n[^.])").search
_blanks: Final = b" \t"
# One byte, as a number, is looked for ten times as fast as several.
_tab: Final = ord("\t")
_first: Final = ord("F")
_cheap = bytes([*range(0x20, 0x3D), *range(0x3E, 0x7F), 0x09, 0x0A, 0x0D])


Encoded = tuple[bytes, bytes]
"""The name of a Content-Transfer-Encoding, and content in it. It ends without a line break of its own."""


def of_text(text: str) -> Encoded:
    """Text of a body: any line ends in, CR LF out; what is no character becomes U+FFFD."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        data = text.replace("\n", "\r\n").encode()
    except UnicodeEncodeError:
        data = _half.sub("\ufffd", text).replace("\n", "\r\n").encode()
    if 0 in data:
        data = data.replace(b"\0", _replacement)
    return of_lines(data)


def of_lines(data: bytes) -> Encoded:
    """Text in bytes whose lines end with CR LF."""
    if data.isascii() and has_short_lines(data) and not _mistaken(data):
        return (b"7bit", data)
    costly = len(data.translate(None, _cheap))
    if costly * 2 > len(data) // 3 + len(data) // _WIDTH:
        return of_bytes(data)
    quoted = b2a_qp(data)
    if data.find(b"\r\n") < 0:  # then its soft line breaks are LF alone
        quoted = quoted.replace(b"\n", b"\r\n")
    if data.find(b" \r\n") >= 0 or (_tab in data and data.find(b"\t\r\n") >= 0) or data[-1] in _blanks:
        quoted = _too_long(rb"\1=\r\n\2", quoted)
    if _mistaken(quoted):
        quoted = _from.sub(b"=46rom =\r\n", quoted)
    return (b"quoted-printable", quoted)


def of_bytes(data: bytes) -> Encoded:
    """Any bytes, to the byte."""
    whole = b2a_base64(data, newline=False)
    return (b"base64", b"\r\n".join([whole[at : at + _WIDTH] for at in range(0, len(whole), _WIDTH)]))


def of_file(data: bytes, *, text: bool) -> Encoded:
    """A file, to the byte: readable if it is `text` with the line ends of mail."""
    return of_lines(data) if text and mail_lines(data) else of_bytes(data)


def mail_lines(data: bytes) -> Literal["wire", "dots", ""]:
    """`""` if a CR or LF stands alone or there is a NUL; `dots` if a line begins with one. The last may have no end."""
    ends = data.translate(None, _within)
    if ends != b"\r\n" * (len(ends) // 2):
        return ""
    found = _apart_or_dot(data)
    dot = data[:1] == b"."
    if found is None or found.start() == len(data) - 2:
        return "dots" if dot else "wire"
    return "" if _apart(data) else "dots"


def has_short_lines(data: bytes) -> bool:
    """Whether no line is longer than 998 bytes, looked at a thousand bytes at a time."""
    size = len(data)
    start = 0
    while size - start > LONGEST_LINE:
        start = data.rfind(b"\n", start, start + LONGEST_LINE + 2) + 1
        if not start:
            return False
    return True


def _mistaken(data: bytes) -> bool:
    """Whether a line begins as messages in mailboxes do: some programs would put `>` before it."""
    return _first in data and (data.find(b"\nFrom ") >= 0 or data.startswith(b"From "))
