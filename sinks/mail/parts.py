"""Parts of a body: texts, files and inline images, each with the header that tells what it is. No I/O."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from sinks.mail import encodings
from sinks.mail.encodings import Encoded
from sinks.mail.fields import LINE, fold
from sinks.mail.file_types import UNKNOWN, type_of
from sinks.mail.letter import Attachment, RefusedError

LONGEST_FILE_NAME: Final = 255  # what file systems take
LONGEST_TYPE: Final = 300  # RFC 6838 section 4.2 gives a type 127 characters; the rest is for parameters
LARGEST_KEPT: Final = 1_000_000  # a file that goes with many mails is encoded once, if it is not larger

_word = r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+"
_media_type = re.compile(rf"({_word}/{_word})((?: *; *{_word}=(?:{_word}|\"[ !#-\[\]-~]*\"))*) *").fullmatch
_parameter = re.compile(rf"({_word})=({_word}|\"[ !#-\[\]-~]*\")").findall
# Controls, and what turns the direction of text: `photo\u202egpj.exe` looks like a picture.
_invisible = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_quotable = re.compile(r"[ !#-:<-\[\]-~]+").fullmatch  # without `;`, where some readers end it
# RFC 2231 section 7 and RFC 5987 section 3.2.1: what stands for itself in an extended value.
_attribute = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~")
_percent: Final = tuple(chr(byte) if byte in _attribute else f"%{byte:02X}" for byte in range(256))
_ours = frozenset({"boundary", "name"})  # parameters that nobody else may set
_cid = re.compile(r"[A-Za-z0-9!#$&'*+\-./=?^_`{|}~@]+").fullmatch

heads: Final = {
    (kind, encoding): (
        f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding.decode()}\r\n\r\n"
    ).encode()
    for kind in ("plain", "html")
    for encoding in (b"7bit", b"quoted-printable", b"base64")
}


class Part(NamedTuple):
    """A part with its header. `open` says that its content is not encoded: it may hold any text."""

    content: bytes
    open: bool = False
    eight_bit: bool = False


def of_text(kind: str, text: str) -> Part:
    """A text part, `plain` or `html`."""
    encoding, data = encodings.of_text(text)
    return Part(heads[kind, encoding] + data, open=encoding == b"7bit")


def of_file(file: Attachment, content_id: str, at: str) -> Part:
    """A file: with a `content_id` as an image that the HTML shows, without as an attachment."""
    make = _kept if len(file.content) <= LARGEST_KEPT else _of_file
    part = make(file, "inline" if content_id else "attachment", at)
    return part._replace(content=f"Content-ID: <{content_id}>\r\n".encode() + part.content) if content_id else part


@lru_cache(maxsize=8)
def _kept(file: Attachment, disposition: str, at: str) -> Part:
    return _of_file(file, disposition, at)


def _of_file(file: Attachment, disposition: str, at: str) -> Part:
    name = file_name(file.name, f"{at}.name")
    media_type, parameters = _type(file, name, f"{at}.type")
    encoding, data = _encode(file.content, media_type)
    if encoding == b"base64" and media_type == "message/rfc822":
        media_type = UNKNOWN  # RFC 2046 section 5.2.1 lets a message have no encoding of its own
    if media_type.startswith("text/") and "charset" not in parameters and (charset := _charset(file.content)):
        parameters["charset"] = charset
    head = (
        f"{fold('Content-Type', _pieces(media_type, [f'{key}={value}' for key, value in parameters.items()]))}"
        f"Content-Transfer-Encoding: {encoding.decode()}\r\n"
        f"{fold('Content-Disposition', _pieces(disposition, _file_name(name)))}\r\n"
    )
    return Part(head.encode() + data, open=encoding in {b"7bit", b"8bit"}, eight_bit=encoding == b"8bit")


def _pieces(value: str, parameters: list[str]) -> list[str]:
    whole = [value, *parameters]
    last = len(whole) - 1
    return [f" {one};" if index < last else f" {one}" for index, one in enumerate(whole)]


def _type(file: Attachment, name: str, at: str) -> tuple[str, dict[str, str]]:
    """The media type and its parameters; what is none is a file of an unknown kind."""
    given = file.type or type_of(name)
    found = _media_type(given) if len(given) <= LONGEST_TYPE else None
    if found is None:
        return UNKNOWN, {}
    media_type = found[1].lower()
    if media_type.startswith("multipart/"):
        raise RefusedError(at, "a file cannot be `multipart`")
    if media_type.startswith("message/") and media_type != "message/rfc822":
        return UNKNOWN, {}
    parameters = {key.lower(): value for key, value in _parameter(found[2])}
    return media_type, {key: parameters[key] for key in parameters if key.partition("*")[0] not in _ours}


def _charset(content: bytes) -> str | None:
    if content.isascii():
        return "us-ascii"
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _encode(content: bytes, media_type: str) -> Encoded:
    if media_type != "message/rfc822":
        return encodings.of_file(content, text=media_type.startswith("text/"))
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if b"\0" in lines or not encodings.has_short_lines(lines):
        return encodings.of_bytes(content)
    return b"7bit" if lines.isascii() else b"8bit", lines


def file_name(name: str, at: str) -> str:
    """A name without folders, without what cannot be seen."""
    seen = _invisible.sub("", name)
    base = seen.replace("\\", "/").rpartition("/")[2].strip(" .")
    if len(base) > LONGEST_FILE_NAME:
        raise RefusedError(at, f"more than {LONGEST_FILE_NAME} characters")
    return base or "attachment"


def _file_name(name: str) -> list[str]:
    """The parameter `filename`: quoted if it is ASCII, extended (RFC 2231) if not, in sections if it is long."""
    if _quotable(name):
        whole = f'filename="{name}"'
        if len(whole) < LINE - 1 and "=?" not in name:
            return [whole]
    characters = ["".join([_percent[byte] for byte in one.encode()]) for one in name]
    sections = ["utf-8''"]
    for one in characters:  # some readers decode each section by itself, so no character is broken
        if len(sections[-1]) + len(one) > LINE - len(" filename*999*=;"):
            sections.append("")
        sections[-1] += one
    if len(sections) == 1:
        return [f"filename*={sections[0]}"]
    return [f"filename*{index}*={section}" for index, section in enumerate(sections)]


def cid_fault(cid: str) -> str | None:
    """Why an image cannot have this name in the HTML; None if it can."""
    return None if _cid(cid) else "a `cid` has letters, digits and `.-_@` only"
