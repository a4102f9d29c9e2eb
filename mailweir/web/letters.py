"""A mail as a request has it: who it is from and for, and what it says. No I/O."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from mailweir.mail_of_parts import boxes
from mailweir.web.asked import object_of
from mailweir.web.route import RefusedError
from pipeline.config.near import near
from sinks.mail.letter import Attachment, Mailbox
from sinks.mail.maker import Said
from sinks.mail.people import Named
from sinks.mail.texts import Texts

# As many as a sink takes of one entity, and far more than a person attaches.
MOST_PEOPLE: Final = 1000
MOST_FILES: Final = 100

_people: Final = {
    "oneOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_PEOPLE},
    ]
}
SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "from": {"type": "string", "description": "who it is from; else as the pipe says"},
        "to": _people,
        "cc": _people,
        "bcc": _people,
        "reply_to": _people,
        "subject": {"type": "string"},
        "text": {"type": "string"},
        "html": {"type": "string", "description": "without `text` a plain text is made of it and goes along"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "attachments": {
            "type": "array",
            "maxItems": MOST_FILES,
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "content": {"type": "string", "contentEncoding": "base64"},
                    "type": {"type": "string", "description": "a media type; else as the name says"},
                },
                "required": ["name", "content"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["to"],
    "anyOf": [{"required": ["text"]}, {"required": ["html"]}],
    "additionalProperties": False,
}


class Handed(NamedTuple):
    """A mail that was handed in."""

    named: Named
    said: Said


def handed(body: bytes) -> Handed:
    """The mail of a request; `RefusedError` names the property that is not right."""
    given = object_of(body, SCHEMA["properties"])
    if "to" not in given:
        raise RefusedError(400, "`to` is missing")
    if "text" not in given and "html" not in given:
        raise RefusedError(400, "`text` or `html` is missing")
    senders = _boxes(given, "from", one=True)
    people = [_boxes(given, name) for name in ("to", "cc", "bcc", "reply_to")]
    if sum(map(len, people)) > MOST_PEOPLE:
        raise RefusedError(400, f"a mail is for {MOST_PEOPLE} at most")
    texts = Texts(_text(given, "subject") or "", _text(given, "text"), _text(given, "html"))
    to, cc, bcc, reply_to = people
    named = Named(to, cc, bcc, reply_to, senders[0] if senders else None)
    return Handed(named, Said(texts, _headers(given), (), _files(given)))


def _text(given: Mapping[str, Any], name: str) -> str | None:
    found = given.get(name)
    if name in given and not isinstance(found, str):
        raise RefusedError(400, f"`{name}` is a text")
    if isinstance(found, str) and not _is_whole(found):
        raise RefusedError(400, f"`{name}` has half a character")
    return found


def _is_whole(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def _boxes(given: Mapping[str, Any], name: str, *, one: bool = False) -> tuple[Mailbox, ...]:
    if name not in given:
        return ()
    found = given[name]
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, list) or (one and found is texts):
        raise RefusedError(400, f"`{name}` is {'an address' if one else 'an address, or a list of addresses'}")
    made: list[Mailbox] = []
    for place, text in enumerate(texts):
        at = name if found is not texts else f"{name}.{place}"
        if not isinstance(text, str) or not _is_whole(text):
            raise RefusedError(400, f"`{at}` is an address, as text")
        try:
            boxed = boxes(at, text)
        except ValueError as error:
            raise RefusedError(400, str(error)) from None
        if not boxed:
            raise RefusedError(400, f"`{at}` names nobody")
        made += boxed
    if one and len(made) > 1:
        raise RefusedError(400, f"`{name}` is one address")
    return tuple(made)


def _headers(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = given.get("headers", {})
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise RefusedError(400, "`headers` is an object of texts")
    for name, value in found.items():
        if not _is_whole(name + value):
            raise RefusedError(400, "`headers` has half a character")
    return tuple(found.items())


def _files(given: Mapping[str, Any]) -> tuple[Attachment, ...]:
    found = given.get("attachments", [])
    if not isinstance(found, list) or len(found) > MOST_FILES:
        raise RefusedError(400, f"`attachments` is a list of {MOST_FILES} files at most")
    return tuple(_file(place, one) for place, one in enumerate(found))


_known: Final[Sequence[str]] = ("name", "content", "type")


def _file(place: int, given: object) -> Attachment:
    at = f"attachments.{place}"
    if not isinstance(given, dict):
        raise RefusedError(400, f"`{at}` is an object with `name` and `content`")
    for name, value in given.items():
        if name not in _known:
            close = near(name, _known, most=1)
            raise RefusedError(
                400, f"`{at}` has no property `{name}`." + (f" Did you mean `{close[0]}`?" if close else "")
            )
        if not isinstance(value, str) or not _is_whole(value):
            raise RefusedError(400, f"`{at}.{name}` is a text")
    for name in _known[:2]:
        if name not in given:
            raise RefusedError(400, f"`{at}.{name}` is missing")
    if not given["name"]:
        raise RefusedError(400, f"`{at}.name` is empty")
    try:
        content = b64decode(given["content"], validate=True)
    except (Error, ValueError):
        raise RefusedError(400, f"`{at}.content` is no base64") from None
    return Attachment(given["name"], content, given.get("type", ""))
