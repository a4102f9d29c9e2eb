"""A mail as the catcher got it, and what can be read in it. What a sender writes breaks nothing here. No I/O."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from functools import cached_property
from typing import Final

from pipeline.config.glyphs import visible

# A line for people: more than this of a subject or an address is read by nobody.
MOST_SHOWN: Final = 120
MOST_RECIPIENTS_SHOWN: Final = 3

# RFC 2047 section 2. No part of it can hold a `?`, so the search never goes back.
_encoded_word: Final = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,60})?\?([bBqQ])\?([^?\s]*)\?=")
# Codecs of Python's that are no charsets; some take a time that grows with the square of the text.
_no_charsets: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape"})
_between_encoded_words: Final = re.compile(r"(\?=)\s+(?==\?)")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the text of the mail. The size is that of the decoded content."""

    name: str | None
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class Body:
    """What the content says. `parsed` is false for content that the standard library's parser fails on."""

    text: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    parsed: bool = True


@dataclass(frozen=True)
class Caught:
    """A mail as it came: the envelope, and the content to the byte. The sender of a report is `""`."""

    number: int
    time: datetime
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    login: str | None = None
    tls: str | None = None

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names and values in their order: unfolded, encoded words read."""
        return tuple(_headers(self.content))

    @property
    def subject(self) -> str:
        """The subject, or nothing."""
        return self.header("subject") or ""

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    @cached_property
    def message(self) -> Message:
        """All parts, as the standard library reads them; it promises no kind of error for what means it ill."""
        return BytesParser().parsebytes(self.content)

    @cached_property
    def body(self) -> Body:
        """The texts and attachments."""
        try:
            return _body(self.message)
        except Exception:  # noqa: BLE001 - the parser promises no kind of error for content that means it ill
            return Body(parsed=False)

    @property
    def text(self) -> str | None:
        """The first plain text, its lines ending in LF."""
        return self.body.text

    @property
    def html(self) -> str | None:
        """The first HTML, its lines ending in LF."""
        return self.body.html

    def document(self) -> dict[str, object]:
        """Everything as one JSON value."""
        headers: dict[str, tuple[str, list[str]]] = {}
        for name, value in self.headers:
            headers.setdefault(name.lower(), (name, []))[1].append(value)
        return {
            "schema_version": 1,
            "command": "catch",
            "number": self.number,
            "time": self.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "sender": self.sender,
            "recipients": list(self.recipients),
            "login": self.login,
            "tls": self.tls,
            "size": len(self.content),
            "subject": self.subject,
            "headers": dict(headers.values()),
            "text": self.body.text,
            "html": self.body.html,
            "attachments": [{"name": a.name, "type": a.type, "size": a.size} for a in self.body.attachments],
            "parsed": self.body.parsed,
        }

    def line(self) -> str:
        """A line for people, whatever the mail holds."""
        more = len(self.recipients) - MOST_RECIPIENTS_SHOWN
        shown = ", ".join(_clipped(address) for address in self.recipients[:MOST_RECIPIENTS_SHOWN])
        if more > 0:
            shown += f" and {more} more"
        size = len(self.content)
        amount = f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"
        subject = _clipped(self.subject) or "(no subject)"
        return f"{self.time:%H:%M:%S}  {_clipped(self.sender) or '<>'} → {shown}  {amount}  {subject}"


def _clipped(text: str) -> str:
    return visible(text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…")


def _headers(content: bytes) -> Iterator[tuple[str, str]]:
    head = b"" if content.startswith(b"\r\n") else content.partition(b"\r\n\r\n")[0]
    for field in re.split(rb"\r\n(?![ \t])", head):
        name, colon, value = field.partition(b":")
        if colon:
            text = value.replace(b"\r\n", b"").decode(errors="replace").strip(" \t")
            yield name.decode(errors="replace").rstrip(" \t"), _unencoded(text)


def _unencoded(value: str) -> str:
    """A value with its encoded words read; those that cannot be read stay as they are."""
    if "=?" not in value:
        return value
    return _encoded_word.sub(_word, _between_encoded_words.sub(r"\1", value))


def _word(found: re.Match[str]) -> str:
    charset, way, text = found.groups()
    try:
        padded = text + "=" * (-len(text) % 4)
        return _decoded(binascii.a2b_base64(padded) if way in "bB" else binascii.a2b_qp(text, header=True), charset)
    except (LookupError, ValueError):
        return found[0]


def _decoded(data: bytes, charset: str) -> str:
    """Bytes as text; a `LookupError` for a charset that is not known."""
    if charset.lower().replace("-", "_") in _no_charsets:
        raise LookupError(charset)
    return data.decode(charset, "replace")


def _body(message: Message) -> Body:
    text = html = None
    attachments = []
    for part in leaves(message):
        kind = part.get_content_type()
        name = part.get_filename()
        if name is None and part.get_content_disposition() != "attachment":
            if kind == "text/plain" and text is None:
                text = _text(part)
                continue
            if kind == "text/html" and html is None:
                html = _text(part)
                continue
        attachments.append(Attachment(_unencoded(name) if name else None, kind, _size(part)))
    return Body(text, html, tuple(attachments))


def leaves(message: Message) -> Iterator[Message]:
    """The parts that hold no others, in their order; a message within the message is one of them."""
    waiting: list[Message] = [message]
    while waiting:
        part = waiting.pop()
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting.extend(one for one in reversed(inner) if isinstance(one, Message))
        else:
            yield part


def payload(part: Message) -> bytes:
    """The bytes of a part as they were before they were encoded for the way."""
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _size(part: Message) -> int:
    inner = part.get_payload()
    if isinstance(inner, list):
        return sum(len(one.as_bytes()) for one in inner if isinstance(one, Message))
    return len(payload(part))


def _text(part: Message) -> str:
    data = payload(part)
    try:
        text = _decoded(data, part.get_content_charset("utf-8"))
    except LookupError:
        text = data.decode(errors="replace")
    return text.replace("\r\n", "\n")
