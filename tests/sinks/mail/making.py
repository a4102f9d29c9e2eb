"""What tests of makers share: the settings of a sink with fixed values, and what becomes of an entity."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from sinks.mail.config import MailConfig
from sinks.mail.maker import Made, Maker
from sinks.mail.people import Guards
from sinks.mail.settings import NO_GUARDS, settings

AT = 1_800_000_000.0
ANN: dict[str, Any] = {"_id": "c1", "email": "ann@example.org", "name": "Ann"}
USUAL: dict[str, Any] = {
    "type": "mail",
    "system": "office",
    "mail_from": "Example <post@example.com>",
    "recipients_property": "email",
    "subject_template": "Hello {{ name }}",
    "body_template": "Dear {{ name }},\n\nwelcome.\n",
}


def maker(root: object = "/nowhere", guards: Guards = NO_GUARDS, **sink: Any) -> Maker:
    """A maker of a sink with these properties; None takes a usual one out."""
    values = {name: value for name, value in {**USUAL, **sink}.items() if value is not None}
    return Maker(settings(MailConfig(**values), str(root), guards), "welcome", "run-1")


def one(maker: Maker, entity: dict[str, Any], **more: Any) -> Made:
    """What becomes of an entity that is one mail."""
    (made,) = maker.make(entity, AT, **more)
    return made


def mail(made: Made) -> EmailMessage:
    """The mail as Python's own reader sees it."""
    assert made.message is not None, made.problem
    parsed = message_from_bytes(made.message.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def why(made: Made) -> tuple[str, str]:
    """Why there is none: code and words."""
    assert made.problem is not None
    assert made.message is None
    return made.problem.code, made.problem.told
