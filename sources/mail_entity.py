"""A mail that came in as an entity: headers, text, HTML, attachments. Whatever the bytes are, there is one. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.headerregistry import AddressHeader, DateHeader
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser, BytesParser
from typing import Any, Final

from pipeline.entity import Datetime, Entity

# Parts behind these are told in no mail that people write.
_MOST_PARTS: Final = 1000
_ADDRESSES: Final = {"from": "From", "to": "To", "cc": "Cc", "reply_to": "Reply-To", "sender": "Sender"}
# What the standard library raises for bytes that are no mail: it checks little before it reads on.
_FAULTS: Final = (MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError, RecursionError)


def mail_entity(data: bytes) -> Entity:
    """What a mail says. Where its parts cannot be told apart it has `fault` and all its bytes as `raw`."""
    try:
        message = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
        return _headers(message) | _body(message)
    except _FAULTS as error:
        return heading_entity(data) | {"fault": f"{type(error).__name__}: {error}", "raw": data}


def heading_entity(data: bytes) -> Entity:
    """What the headers alone say."""
    try:
        return _headers(BytesHeaderParser(EmailMessage, policy=policy.default).parsebytes(data))
    except _FAULTS:
        return {}


def _headers(message: Message) -> Entity:
    made: Entity = {}
    headers: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        headers.setdefault(_clean(name), []).append(_clean(" ".join(str(value).split())))
    for name in ("Subject", "Message-ID"):
        if (told := _header(message, name)) is not None:
            made[name.lower().replace("-", "_")] = _clean(str(told)).strip()
    for name, header in _ADDRESSES.items():
        found = _header(message, header)
        if isinstance(found, AddressHeader):
            addresses = [_address(one) for one in found.addresses]
            made[name] = addresses[0] if name in {"from", "sender"} and len(addresses) == 1 else addresses
    sent = _header(message, "Date")
    if isinstance(sent, DateHeader) and isinstance(sent.datetime, datetime):
        with suppress(ValueError, OverflowError):
            made["date"] = Datetime.of(sent.datetime)
    return made | {"headers": {name: values[0] if len(values) == 1 else values for name, values in headers.items()}}


def _header(message: Message, name: str) -> object:
    """A header as the standard library understands it; as it stands where it does not."""
    try:
        return message[name]
    except _FAULTS:
        found = [value for key, value in message.raw_items() if key.lower() == name.lower()]
        return str(found[0]) if found else None


def _address(one: Any) -> Entity:  # noqa: ANN401 - typed by nobody
    address = _clean(f"{one.username}@{one.domain}" if one.domain else one.username)
    return {"name": _clean(one.display_name), "address": address} if one.display_name else {"address": address}


def _body(message: Message) -> Entity:
    made: Entity = {}
    attachments: list[Entity] = []
    for number, part in enumerate(_leaves(message)):
        if number == _MOST_PARTS:
            raise ValueError(f"it has more than {_MOST_PARTS} parts")
        kind, name = part.get_content_type(), _file_name(part)
        body = kind in {"text/plain", "text/html"} and name is None and part.get_content_disposition() != "attachment"
        if body:
            into = "text" if kind == "text/plain" else "html"
            made[into] = f"{made[into]}\n{_text(part)}" if into in made else _text(part)
            continue
        attachment: Entity = {"type": kind, "content": _bytes(part)}
        if name is not None:
            attachment["name"] = name
        if (id_ := _header(part, "Content-ID")) is not None:
            attachment["content_id"] = _clean(str(id_)).strip("<> ")
        attachments.append(attachment)
    return made | ({"attachments": attachments} if attachments else {})


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that have no parts; an attached mail is one."""
    ahead = [message]
    while ahead:
        part = ahead.pop()
        inner: Any = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            ahead += reversed(inner)
        else:
            yield part


def _file_name(part: Message) -> str | None:
    try:
        name = part.get_filename()
    except _FAULTS:
        return None
    # A path is what a sender wants of the disk of the receiver.
    return None if not name else _clean(name.replace("\\", "/").rsplit("/", 1)[-1]) or None


def _bytes(part: Message) -> bytes:
    inner: Any = part.get_payload()
    if isinstance(inner, list):
        return b"".join(one.as_bytes(policy=policy.compat32) for one in inner)
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _text(part: Message) -> str:
    data = _bytes(part)
    try:
        text = data.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    return _clean(text.replace("\r\n", "\n"))


def _clean(text: str) -> str:
    """Without halves of characters: bytes that are none come as such."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if not text.isascii() else text
