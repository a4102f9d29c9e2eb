"""Mails as tests compare them: read from the bytes that would go out. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import getaddresses
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from mailweir.caught import Caught, payload
from mailweir.testing.matchers import name_of
from sinks.mail.outbound import restored

if TYPE_CHECKING:
    from email.message import Message

    from sinks.mail.maker import Made

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What has a name of its own, or is made of the rest.
_shown: Final = frozenset(
    {"from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "mime-version", "content-type"}
    | {"content-transfer-encoding", "auto-submitted"}
)
_tag: Final = re.compile(r"(?<=>)|(?=<)")


def document(made: Made, outcome: str) -> dict[str, Any]:
    """One mail, with what became of it; of what is empty there is nothing."""
    new = made.new
    if made.problem is not None:
        return rejected(new.entity_id, made.problem.code, made.problem.told)
    mail = Caught(1, _EPOCH, restored(new.envelope).sender, new.recipients, new.content)
    to, cc = _people(mail, "to"), _people(mail, "cc")
    named = {address for _, address in (*to, *cc)}
    found = {
        "_id": new.entity_id,
        "from": ", ".join(map(_written, _people(mail, "from"))),
        "to": [*map(_written, to)],
        "cc": [*map(_written, cc)],
        "bcc": [one for one in new.recipients if one not in named],
        "reply_to": [*map(_written, _people(mail, "reply-to"))],
        "subject": mail.subject,
        "text": None if mail.text is None else text_lines(mail.text),
        "html": None if mail.html is None else html_lines(mail.html),
        "headers": {name: value for name, value in mail.headers if name.lower() not in _shown},
        "attachments": _attachments(mail),
        "system": new.system,
        "outcome": outcome,
    }
    return {name: value for name, value in found.items() if value or name in {"subject", "to"}}


def rejected(entity_id: str, code: str, message: str) -> dict[str, Any]:
    """What becomes no mail."""
    found = {"_id": entity_id, "outcome": "rejected", "code": code, "message": message}
    return {name: value for name, value in found.items() if value}


def raw(made: Made) -> str:
    """The whole message, with its lines ending in LF."""
    return made.new.content.decode("utf-8", "backslashreplace").replace("\r\n", "\n")


def text_lines(text: str) -> list[str]:
    """The lines of a body; an end of line at its end is none of its own."""
    return text.removesuffix("\n").split("\n")


def html_lines(html: str) -> list[str]:
    """HTML with one tag a line."""
    pieces = (piece.strip() for line in html.split("\n") for piece in _tag.split(line))
    return [piece for piece in pieces if piece]


def as_expected(mail: Any) -> Any:
    """A mail that somebody expects, with bodies that are one string in lines."""
    if not isinstance(mail, dict) or name_of(mail) is not None:
        return mail
    lines = {"text": text_lines, "html": html_lines}
    return {
        name: lines[name](value) if name in lines and isinstance(value, str) else value for name, value in mail.items()
    }


def _people(mail: Caught, header: str) -> Sequence[tuple[str, str]]:
    values = [value for name, value in mail.headers if name.lower() == header]
    return [(name, address) for name, address in getaddresses(values) if address]


def _written(person: tuple[str, str]) -> str:
    name, address = person
    return f"{name} <{address}>" if name else address


def _attachments(mail: Caught) -> list[dict[str, Any]]:
    """All parts but the two texts."""
    found = []
    texts: set[str] = set()
    for part in mail.message.walk():
        kind = part.get_content_type()
        if part.is_multipart():
            continue
        name = part.get_filename()
        if name is None and kind in {"text/plain", "text/html"} and kind not in texts:
            texts.add(kind)
            continue
        found.append(_attachment(part, name, kind))
    return found


def _attachment(part: Message, name: object, kind: str) -> dict[str, Any]:
    data = payload(part)
    facts = {"name": name, "type": kind, "size": len(data), "sha256": sha256(data).hexdigest()}
    return {key: value for key, value in facts.items() if value is not None}
