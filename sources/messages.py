"""What sources that read message brokers have in common, as declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field

from pipeline.component import Advice, Many, SourceConfig
from sources.message_entities import Shape
from sources.parts import OnError

# More than any sink gathers before it writes.
PREFETCH: Final = 10_000
Prefetch = Annotated[int, Advice("too few or too many", usual=(PREFETCH,)), Field(ge=1, le=65_535)]

if TYPE_CHECKING:
    from sources.broker_read import Taking


class MessagesConfig(SourceConfig):
    """Messages of a broker."""

    listens: ClassVar[bool] = True

    primary_key: str | Annotated[Many[str], Field(min_length=1)] | None = None
    """The property that becomes the `_id`, or a list of properties: their values are joined with `:`. Default: `_id`,
    else the key of the message, else what the broker counts it by."""
    message_property: str | None = None
    """The property that gets what else is known of the message, such as its topic, time and headers. Default: none."""
    wait: Annotated[float, Advice("not a time", ("write seconds: 1 or 0.5",)), Field(gt=0, le=60)] = 1
    """How many seconds a run waits for one more message before it ends."""
    on_error: OnError = "stop"
    """What is done with a message that is no entity. `stop`: the run ends there, what came before it is delivered, and
    the next run begins with it. `skip`: it is logged, counted and left out."""

    def taking(self, name: str, *, fields: bool = False, deletes: bool = False, window: int = PREFETCH) -> Taking:
        """The plain values; `name` is where messages come from, for people."""
        from sources.broker_read import Taking  # noqa: PLC0415 - for those who read

        keys = (self.primary_key,) if isinstance(self.primary_key, str) else self.primary_key or ()
        shape = Shape(keys, self.message_property, fields=fields, deletes=deletes)
        return Taking(name, shape, self.on_error, self.wait, window)
