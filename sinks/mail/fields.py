"""Header fields: encoded and folded, and never more than the one field that was asked for. No I/O.

A field is text that ends with CR LF. Lines have at most 78 characters where what stands in them can be folded
(RFC 5322 section 2.1.1); what cannot, a URL or an identifier, stays whole up to 998.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Sequence
from typing import Final

from sinks.mail.letter import RefusedError

LINE: Final = 76  # RFC 2047 section 2 gives lines with encoded words two characters less
LONGEST_LINE: Final = 998
LONGEST_WORD: Final = 75  # RFC 2047 section 2
LONGEST_NAME: Final = 64  # the longest registered name of a field has 37 characters
LONGEST_VALUE: Final = 8192
LONGEST_SUBJECT: Final = 2000

_around = len("=?utf-8?q??=")
_control = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_half = re.compile("[\ud800-\udfff]")
_spaced = re.compile(r" *[^ ]+").findall
_field_name = re.compile(r"[!-9;-~]+").fullmatch  # RFC 5322 section 3.6.8
_url = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#-;=?-\[\]_a-z~]+").fullmatch

# What a phrase may hold as it is is the strictest of the sets of RFC 2047, so it is used everywhere.
_plain = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_q: Final = tuple(chr(byte) if byte in _plain else "_" if byte == 0x20 else f"={byte:02X}" for byte in range(256))

# Fields that programs read: no encoded words, folded at their spaces only.
_for_programs = frozenset(
    {
        "auto-submitted",
        "feedback-id",
        "in-reply-to",
        "list-archive",
        "list-help",
        "list-owner",
        "list-post",
        "list-subscribe",
        "precedence",
        "priority",
        "references",
    }
)

# Fields with a property of their own, or which nobody may set: what to say instead.
_reserved: Final = {
    "bcc": "`bcc`",
    "cc": "`cc`",
    "dkim-signature": "`dkim`",
    "from": "`mail_from`",
    "importance": "`importance`",
    "list-unsubscribe": "`list_unsubscribe`",
    "list-unsubscribe-post": "`list_unsubscribe`",
    "message-id": "`message_id_domain`",
    "reply-to": "`reply_to`",
    "return-path": "`return_path`",
    "subject": "`subject_template`",
    "to": "`recipients`",
    "x-priority": "`importance`",
}
_never = frozenset(
    {
        "authentication-results",
        "date",
        "domainkey-signature",
        "mime-version",
        "received",
        "sender",
        "x-google-dkim-signature",
    }
)
_never_with = ("arc-", "content-", "resent-", "received-")


def fault_of_name(name: str) -> str | None:
    """Why a further header cannot have this name; None if it can."""
    if not _field_name(name):
        return "empty" if not name else "a header's name has letters, digits and `-` only"
    if len(name) > LONGEST_NAME:
        return f"more than {LONGEST_NAME} characters"
    lower = name.lower()
    if lower in _reserved:
        return f"this header has a property of its own: {_reserved[lower]}"
    if lower in _never or lower.startswith(_never_with):
        return "this header is written by Mailweir or by servers"
    return None


def clean(at: str, text: str) -> str:
    """Text fit for one line: a control character is refused, half a character (a lone surrogate) becomes U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    found = _control.search(text)
    if found:
        raise RefusedError(at, "a line break or control character", found.start())
    return _half.sub("\ufffd", text)


def field(name: str, value: str, at: str, *, utf8: bool = False) -> str:
    """A field of free text; without a value there is none. With `utf8` it may hold any character (RFC 6532)."""
    if value.isascii() and value.isprintable() and len(name) + len(value) < LINE and "=?" not in value:
        value = value.strip(" ")
        return f"{name}: {value}\r\n" if value else ""
    value = clean(at, value).strip(" ")
    if not value:
        return ""
    most = LONGEST_SUBJECT if at == "subject" else LONGEST_VALUE
    if len(value) > most:
        raise RefusedError(at, f"more than {most} characters")
    if name.lower() in _for_programs:
        return _for_program(name, value, at)
    if stands_as_it_is(value, utf8=utf8):
        pieces = _pieces(value)
        if not any(_too_long(name, piece) for piece in pieces):
            return fold(name, pieces)
    return fold(name, words(value, len(name) + 2))


def stands_as_it_is(value: str, *, utf8: bool) -> bool:
    """Whether clean text needs no encoded words. Spaces that are not ASCII do: lines of them look empty."""
    return "=?" not in value and (value.isascii() or (utf8 and value.isprintable()))


def _for_program(name: str, value: str, at: str) -> str:
    if not value.isascii():
        index = next(index for index, one in enumerate(value) if not one.isascii())
        raise RefusedError(at, f"`{name}` can hold ASCII characters only", index)
    pieces = _pieces(value)
    if any(_too_long(name, piece) for piece in pieces):
        raise RefusedError(at, f"more than {LONGEST_LINE} characters without a space")
    return fold(name, pieces)


def urls(name: str, addresses: Sequence[str], at: str) -> str:
    """A field of URLs in angle brackets (RFC 2369), each whole."""
    last = len(addresses) - 1
    pieces = []
    for index, address in enumerate(addresses):
        if not _url(address):
            wrong = "characters that a URL cannot hold: write them as %XX" if ":" in address else "not a URL"
            raise RefusedError(f"{at}.{index}", wrong)
        piece = f" <{address}>{',' * (index < last)}"
        if _too_long(name, piece):
            raise RefusedError(f"{at}.{index}", f"more than {LONGEST_LINE - len(name) - 5} characters")
        pieces.append(piece)
    return fold(name, pieces)


def _pieces(value: str) -> list[str]:
    found: list[str] = _spaced(f" {value}")
    return found


def _too_long(name: str, piece: str) -> bool:
    return len(piece) > LONGEST_LINE // 4 and len(name) + 1 + len(piece.encode()) > LONGEST_LINE


def fold(name: str, pieces: Iterable[str]) -> str:
    """The field with these pieces. Each begins with a space, where the line may break."""
    line = f"{name}:"
    lines = []
    first = True
    for piece in pieces:
        if len(line) + len(piece) > LINE and (not first or piece.startswith(" =?")):
            lines.append(line)
            line = piece
        else:
            line += piece
        first = False
    return "\r\n".join((*lines, line)) + "\r\n" if lines else f"{line}\r\n"


def words(text: str, used: int) -> list[str]:
    """The text as encoded words (RFC 2047), quoted or in base64; `used` is how long what stands before the first is.

    Each holds whole characters, as its section 5 demands.
    """
    data = text.encode()
    quoted = "".join([_q[byte] for byte in data])
    is_quoted = len(quoted) <= len(data) * 2  # half as long again as base64 for what can be read as it stands
    # Too little room on the first line: then the field begins on the next.
    room = min(LONGEST_WORD, LINE - used if used < LINE // 2 else LONGEST_WORD) - _around
    if is_quoted:
        return [f" =?utf-8?q?{one}?=" for one in _quoted_words(quoted, room)]
    return [f" =?utf-8?{one}?=" for one in _base64_words(data, room)]


def _quoted_words(quoted: str, room: int) -> list[str]:
    done = []
    start = 0
    while len(quoted) - start > room:
        end = start + room
        mark = quoted.rfind("=", end - 2, end)
        if mark >= 0:  # in the middle of `=XX`
            end = mark
        while quoted[end] == "=" and quoted[end + 1] in "89AB":  # in the middle of a character
            end -= 3
        done.append(quoted[start:end])
        start = end
        room = LONGEST_WORD - _around
    return [*done, quoted[start:]]


def _base64_words(data: bytes, room: int) -> list[str]:
    """No word but the last is padded: some readers join words before they decode, and stop at the first padding."""
    done = []
    start = 0
    while start < len(data):
        end = min(start + room // 4 * 3, len(data))
        if end < len(data):
            while end > start and data[end] & 0xC0 == 0x80:  # in the middle of a character
                end -= 3
        if end > start:
            done.append(f"b?{b2a_base64(data[start:end], newline=False).decode()}")
        else:  # the next character, so that those after it stand better
            end = start + 1
            while end < len(data) and data[end] & 0xC0 == 0x80:
                end += 1
            done.append(f"q?{''.join([_q[byte] for byte in data[start:end]])}")
        start = end
        room = LONGEST_WORD - _around
    return done
