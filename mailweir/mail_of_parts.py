"""One mail made of what a caller gives: addresses, text, files, or bytes that are a message already. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from email.message import Message as StandardMessage
from email.policy import SMTP
from typing import Final

from sinks.mail.compose import Composer
from sinks.mail.encodings import of_bytes
from sinks.mail.letter import Attachment, Heading, Letter, Mailbox, RefusedError
from systems.address import split
from systems.mail import Envelope, Message

Addresses = str | Iterable[str]
Headers = Mapping[str, str] | Iterable[str | tuple[str, str]]
File = tuple[str, bytes] | tuple[str, bytes, str]

_plain: Final = "text/plain"
_html: Final = "text/html"
# Headers for which a caller has an argument of its own.
_arguments: Final = {"from": "sender", "to": "recipients", "cc": "cc", "bcc": "bcc", "subject": "subject"}
_body_fields: Final = b"\r\nContent-Type: "


def boxes(what: str, given: Addresses) -> tuple[Mailbox, ...]:
    """Addresses as people write them; `ValueError` names the first that is none."""
    found = []
    if given is None or isinstance(given, bytes):
        raise ValueError(f"{what}: an address was expected, as text")
    for text in [given] if isinstance(given, str) else given:
        if not isinstance(text, str):
            raise ValueError(f"{what}: an address was expected, as text")  # noqa: TRY004 - as all that is wrong
        for one in split(text):
            if one.fault is not None:
                if not one.address and "," in text and not one.name:
                    continue  # a comma too many
                raise ValueError(f"{what}: {text[one.start : one.end]!r} is not an address: {one.fault}")
            found.append(Mailbox(one.name, one.address))
    return tuple(found)


def ready(key: str, sender: str, recipients: Addresses, content: bytes | str | StandardMessage) -> Message:
    """A message that is whole: its bytes are not changed, but for line ends."""
    if isinstance(content, StandardMessage):
        content = content.as_bytes(policy=SMTP)
    elif isinstance(content, str):
        content = content.encode()
    return Message(key, Envelope(_sender(sender), _distinct(boxes("recipients", recipients))), content)


def composed(
    key: str,
    at: int,
    *,
    sender: str,
    recipients: Addresses,
    body: str,
    subject: str = "",
    cc: Addresses = (),
    bcc: Addresses = (),
    headers: Headers = (),
    content_type: str = _plain,
    charset: str = "utf-8",
    attachments: Sequence[File] = (),
) -> Message:
    """A message of these parts; `ValueError` says what is wrong with one of them."""
    shown = boxes("sender", sender)
    if len(shown) != 1:
        raise ValueError("sender: one address, as in 'a@example.com' or 'Shop <a@example.com>'")
    if not isinstance(body, str):
        raise ValueError("body: text was expected; bytes that are a whole mail are a `message`")  # noqa: TRY004
    if not _media_type(content_type):
        raise ValueError(f"content_type: {content_type!r} is no media type, such as text/plain or text/html")
    further, reply_to = _headers(headers)
    kind = content_type.partition(";")[0].strip().lower()
    usual = kind in {_plain, _html} and charset.lower() in {"utf-8", "utf8", "us-ascii", "ascii"}
    if not usual and attachments:
        raise ValueError(f"content_type {content_type!r} in {charset} cannot have attachments: give a whole `message`")
    letter = Letter(
        key,
        at,
        to=boxes("recipients", recipients),
        subject=subject,
        text=body if kind != _html or not usual else None,
        html=body if kind == _html and usual else None,
        cc=boxes("cc", cc),
        bcc=boxes("bcc", bcc),
        reply_to=reply_to,
        attachments=tuple(Attachment(*file) for file in attachments),
    )
    try:
        made = Composer(Heading(shown[0], headers=further, auto_submitted="")).compose(letter)
    except RefusedError as refused:
        made = refused.refusal
    if isinstance(made, Message):
        return made if usual else _of_another_kind(made, body, content_type, charset)
    raise ValueError(f"{'recipients' if made.at == 'to' else made.at}: {made.text}")


def _of_another_kind(made: Message, body: str, content_type: str, charset: str) -> Message:
    """The same mail with a body of a kind of its own, in base64: nothing of it can be taken for anything else."""
    try:
        data = body.encode(charset)
    except (LookupError, UnicodeEncodeError) as error:
        raise ValueError(f"charset: the body cannot be written in {charset!r}: {error}") from None
    if not (content_type + charset).isascii() or not (content_type + charset).isprintable():
        raise ValueError("content_type: printable ASCII")
    head = made.content.partition(_body_fields)[0]
    encoding, encoded = of_bytes(data)
    kind = content_type if "charset=" in content_type.lower() else f"{content_type}; charset={charset}"
    fields = b"\r\nContent-Type: %b\r\nContent-Transfer-Encoding: %b\r\n\r\n" % (kind.encode(), encoding)
    return Message(made.key, made.envelope, head + fields + encoded + b"\r\n")


def _headers(given: Headers) -> tuple[tuple[tuple[str, str], ...], tuple[Mailbox, ...]]:
    """Further headers, and the addresses of Reply-To among them."""
    further: list[tuple[str, str]] = []
    reply_to: list[Mailbox] = []
    for one in given.items() if isinstance(given, Mapping) else [given] if isinstance(given, str) else given:
        name, colon, value = one.partition(":") if isinstance(one, str) else (one[0], ":", one[1])
        if not colon:
            raise ValueError(f"headers: {one!r} has no colon")
        name, value = name.strip(), value.strip()
        if name.lower() in _arguments:
            raise ValueError(f"headers.{name}: this header is made of `{_arguments[name.lower()]}`")
        if name.lower() == "reply-to":
            reply_to += boxes("headers.Reply-To", value)
        else:
            further.append((name, value))
    return tuple(further), tuple(reply_to)


def _media_type(text: str) -> bool:
    kind, slash, rest = text.partition(";")[0].strip().partition("/")
    return bool(kind and slash and rest) and "/" not in rest and " " not in kind + rest


def _sender(text: str) -> str:
    if not text:
        return ""  # the null return path
    found = boxes("sender", text)
    if len(found) != 1:
        raise ValueError("sender: one address, or '' for none")
    return found[0].address


def _distinct(found: Sequence[Mailbox]) -> tuple[str, ...]:
    if not found:
        raise ValueError("recipients: none")
    return tuple(dict.fromkeys(box.address for box in found))
