"""From the checked configuration of a sink of text messages to what its maker needs; templates are read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sinks.mail.people import Guards
from sinks.mail.ways import compiled_for, way_of
from sinks.sms.maker import SmsSettings, numbers_of
from systems.sms import sender_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.template.watched import Saw
    from sinks.sms.config import SmsConfig


def sms_settings(
    config: SmsConfig, root: str, guards: Guards, given: Given | None = None, saw: Saw | None = None
) -> SmsSettings:
    """The settings of a sink of the project in the folder `root`, or `UnusableError`.

    `guards` are those of the run, in the place of the sink's. With what was `given` faults show file and line; `saw` is
    told what templates reach.
    """
    documents, templates = compiled_for(config, root, given, saw)
    return SmsSettings(
        system=config.system,
        sender=sender_of(config.from_number) or config.from_number,
        templates=templates,
        body=way_of(config, "body_template", documents, given),
        numbers=numbers_of(config.recipients).found,
        property=config.recipients_property or "recipients",
        guards=Guards(guards.redirect_to or config.redirect_to, guards.only_to or tuple(config.only_to)),
        skip_deleted=config.skip_deleted,
        at_most_once=config.delivery == "at_most_once",
    )
