"""The sink of text messages as declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Advice, Many, Refers
from pipeline.entity import Entity
from sinks.mail.template_rules import unmet_variables
from sinks.outgoing import OutgoingConfig
from sinks.sms.rules import faults
from systems.sms import SmsSystemConfig

if TYPE_CHECKING:
    from pipeline.component import SinkContext, Wishes
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from pipeline.template.faults import Where
    from pipeline.template.templates import Templates
    from pipeline.template.watched import Saw
    from sinks.mail.maker import Makes

Numbers = Annotated[str | None, Advice(help=('write the numbers in one text with commas: "+4799887766,+4611223344"',))]
_of_patterns = Advice(help=('write a list: ["+47*"]',))


class SmsConfig(OutgoingConfig):
    """Each entity becomes a text message, one for each of its numbers."""

    type: Literal["sms"]
    """`sms`."""
    system: Annotated[str, Refers("system", SmsSystemConfig, "carry text messages")]
    """The `_id` of the system that carries the messages: a `system:twilio`."""
    from_number: str = Field(min_length=1)
    """Who the messages are from: a telephone number `+4766554433`, a short code, a name of up to 11 letters and
    digits, or the id of a service of Twilio, `MG…`."""
    recipients: Numbers = None
    """Who gets every message: telephone numbers with commas between them, each with the code of its country."""
    recipients_property: str | None = None
    """The property of the entity that holds the numbers: a text with commas, or a list. Default: `recipients`."""
    body_template: str | None = None
    """The text, as a Jinja2 template."""
    body_template_property: str | None = None
    """The property of the entity that holds the template. Default: `body_template`."""
    body_template_file: str | None = None
    """A file in the project's `templates` folder with the template."""
    body_template_file_property: str | None = None
    """The property of the entity that names such a file."""
    only_to: Annotated[Many[str], _of_patterns] = ()
    """Patterns of numbers (`+47*`) that may get messages. Those to others are `held`: nothing of them is sent."""
    redirect_to: str | None = None
    """A number that gets all messages in the place of those they are for, which stand before the text. For projects
    that are being tried out."""

    @property
    def sender(self) -> str:
        """Who the messages are from, for people."""
        return self.from_number

    def maker(
        self, context: SinkContext, run: str, wishes: Wishes, given: Given | None = None, saw: Saw | None = None
    ) -> Makes:
        """What makes the messages."""
        from sinks.mail.build import guards  # noqa: PLC0415 # a check needs nothing of what sends
        from sinks.sms.maker import SmsMaker  # noqa: PLC0415 # as above
        from sinks.sms.settings import sms_settings  # noqa: PLC0415 # as above

        return SmsMaker(sms_settings(self, context.root, guards(wishes), given, saw), context.pipe, run)

    def templates(self, root: str, given: Given | None) -> tuple[Templates, Sequence[tuple[str, Where]]]:
        """The templates of the project, and the one that is fixed."""
        from sinks.mail.people import Guards  # noqa: PLC0415 # as above
        from sinks.sms.settings import sms_settings  # noqa: PLC0415 # as above

        found = sms_settings(self, root, Guards(), given)
        return found.templates, [] if found.body.fixed is None else [(found.body.fixed, found.body.where)]

    @classmethod
    def tried(cls, given: Given, entities: Sequence[Entity]) -> Iterable[Problem]:
        """Variables of the template that none of the project's own entities has."""
        return unmet_variables(given, entities)

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Numbers, templates, and properties that exclude each other."""
        return faults(given)
