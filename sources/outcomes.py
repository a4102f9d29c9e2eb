"""What became of a pipe's messages as a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.component import Many, SourceConfig, SourceContext

if TYPE_CHECKING:
    from sources.outcomes_read import OutcomesSource


class OutcomesConfig(SourceConfig):
    """What became of the mails or text messages that a pipe sends: an entity for each recipient, once it is settled."""

    listens: ClassVar[bool] = True

    type: Literal["outcomes"]
    """`outcomes`."""
    pipe: str
    """The `_id` of the pipe that sends."""
    properties: Many[str] = ()
    """Properties of the entity that a message was made of which its outcomes have too, such as `reply_topic`. They are
    known as long as the entity is kept: a day for what was sent."""
    start: Literal["first", "new"] = "first"
    """Where the first run begins: with all that is on record, or with what becomes of messages from then on."""

    def build(self, context: SourceContext) -> OutcomesSource:
        """The source itself."""
        from pathlib import Path  # noqa: PLC0415 - for those who read

        from pipeline.clock import MachineClock  # noqa: PLC0415 - as above
        from pipeline.state.sqlite.outcomes import SqliteOutcomes  # noqa: PLC0415 - as above
        from sources.outcomes_read import OutcomesSource, Reader  # noqa: PLC0415 - as above

        return OutcomesSource(
            SqliteOutcomes(Path(context.state), MachineClock()),
            Reader(self.pipe, context.pipe, tuple(self.properties), from_first=self.start == "first"),
            context.on_record if context.runs else None,
            sends=context.sends(self.pipe),
        )
