"""The mail sink as declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Advice, Refers, SinkConfig
from pipeline.entity import Entity
from sinks.mail.rules import faults
from sinks.mail.template_rules import unmet_variables
from systems.mail import MailSystemConfig

if TYPE_CHECKING:
    from pipeline.component import SinkContext
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sinks.mail.sink import MailSink


class MailConfig(SinkConfig):
    """Each entity becomes a mail."""

    type: Literal["mail"]
    """`mail`."""
    system: Annotated[str, Refers("system", MailSystemConfig, "carry mail")]
    """The `_id` of the system that carries the mail."""
    mail_from: str
    """Who the mails are from: `post@example.com` or `Example <post@example.com>`."""
    recipients: Annotated[
        str | None,
        Advice(help=('write the addresses in one text with commas: "a@example.com, Ann Lee <ann@example.com>"',)),
    ] = None
    """Who gets every mail: addresses with commas between them."""
    recipients_property: str | None = None
    """The property of the entity that holds the recipients. Default: `recipients`."""
    subject_template: str | None = None
    """The subject, as a Jinja2 template."""
    subject_template_property: str | None = None
    """The property of the entity that holds the subject's template. Default: `subject_template`."""
    subject_template_file: str | None = None
    """A file in the project's `templates` folder with the template of the subject."""
    subject_template_file_property: str | None = None
    """The property of the entity that names such a file."""
    body_template: str | None = None
    """The body, HTML or text, as a Jinja2 template; with `text_body_template` it is the HTML part."""
    body_template_property: str | None = None
    """The property of the entity that holds the body's template. Default: `body_template`."""
    body_template_file: str | None = None
    """A file in the project's `templates` folder with the template of the body."""
    body_template_file_property: str | None = None
    """The property of the entity that names such a file."""
    text_body_template: str | None = None
    """The plain text part, as a Jinja2 template."""
    text_body_template_property: str | None = None
    """The property of the entity that holds the template of the plain text part. Default: `text_body_template`."""
    text_body_template_file: str | None = None
    """A file in the project's `templates` folder with the template of the plain text part."""
    text_body_template_file_property: str | None = None
    """The property of the entity that names such a file."""
    unhandled_template_variable_replacement: Literal["strict", "empty_string", "debug"] = "strict"
    """What a template shows for a property that the entity does not have: `strict` rejects the mail,
    `empty_string` shows nothing, `debug` shows the raw `{{ name }}`."""
    skip_deleted: bool = True
    """Whether deleted entities are left alone rather than mailed."""
    batch_size: int | None = Field(default=None, ge=1)
    """How many entities are composed together."""

    def build(self, context: SinkContext) -> MailSink:
        """The sink in a run."""
        from sinks.mail.build import build  # noqa: PLC0415 # a check needs nothing of what sends

        return build(self, context)

    @classmethod
    def tried(cls, given: Given, entities: Sequence[Entity]) -> Iterable[Problem]:
        """Variables of the templates that none of the project's own entities has."""
        return unmet_variables(given, entities)

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Addresses, templates, and properties that exclude each other."""
        return faults(given)
