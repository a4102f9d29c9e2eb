"""What sinks have in common that make messages of entities and see them through the outbox."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Advice, Many, SinkConfig
from sinks.mail.config_parts import RetryConfig, Seconds

if TYPE_CHECKING:
    from pipeline.component import SinkContext, Wishes
    from pipeline.config.given import Given
    from pipeline.template.faults import Where
    from pipeline.template.templates import Templates
    from pipeline.template.watched import Saw
    from sinks.mail.digest import Digest
    from sinks.mail.maker import Makes
    from sinks.mail.sink import MailSink

_of_patterns = Advice(help=('write a list: ["*@example.com"]',))


class OutgoingConfig(SinkConfig):
    """Each entity becomes a message."""

    system: str
    """The `_id` of the system that carries the messages."""
    unhandled_template_variable_replacement: Literal["strict", "empty_string", "debug"] = "strict"
    """What a template shows for a property that the entity does not have: `strict` rejects the message, `empty_string`
    shows nothing, `debug` shows the raw `{{ name }}`."""
    only_to: Annotated[Many[str], _of_patterns] = ()
    """Patterns of recipients (`*@example.com`) that may get messages. Those to others are `held`: nothing of them is
    sent."""
    redirect_to: str | None = None
    """Who gets all messages in the place of those they are for. For projects that are being tried out."""
    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"
    """What happens when no answer came after all of a message was handed over: `at_least_once` tries again, at most
    three times, `at_most_once` never does and lists the message as `in_doubt`."""
    retry: RetryConfig = Field(default_factory=RetryConfig)
    """How patient the sink is with servers that turn messages away for now."""
    expires_after: Seconds | None = None
    """After how many seconds a message that still waits is of no use to anybody: it becomes `dead`. Default: never."""
    skip_deleted: bool = True
    """Whether deleted entities are left alone."""
    batch_size: int | None = Field(default=None, ge=1)
    """How many entities are composed together."""

    @property
    @abstractmethod
    def sender(self) -> str:
        """Who the messages are from, for people."""

    @abstractmethod
    def maker(
        self, context: SinkContext, run: str, wishes: Wishes, given: Given | None = None, saw: Saw | None = None
    ) -> Makes:
        """What makes the messages: for a run, a preview, a dry run or a test.

        With what was `given` faults show file and line; `saw` is told what templates reach.
        """

    @abstractmethod
    def templates(self, root: str, given: Given | None) -> tuple[Templates, Sequence[tuple[str, Where]]]:
        """The templates of the project in the folder `root`, and those of them that the sink fixes, where they stand.

        `UnusableError` if they cannot be used.
        """

    def gathers(self) -> Digest | None:
        """How entities are gathered into one message, if they are."""
        return None

    def build(self, context: SinkContext) -> MailSink:
        """The sink in a run."""
        from sinks.mail.build import sink_of  # noqa: PLC0415 # a check needs nothing of what sends

        return sink_of(self, context, self.maker(context, context.run.name, context.run.wishes))
