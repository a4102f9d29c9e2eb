"""A topic of a bus as a source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.component import Advice, Many, Refers, SourceConfig, SourceContext
from sources.messages import PREFETCH, Prefetch
from systems.bus.config import BusConfig, topic_faults

if TYPE_CHECKING:
    from pipeline.component import Context, Transform
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.broker_read import QueueSource
    from sources.bus_read import Reading


class BusSourceConfig(SourceConfig):
    """Messages of a topic, each once.

    A message is the mail or entity itself, as a JSON object, or a key under which it was put into the registry of the
    bus. What is neither becomes a dead letter, and holds nothing up.
    """

    listens: ClassVar[bool] = True

    type: Literal["bus"]
    """`bus`."""
    system: Annotated[str, Refers("system", BusConfig, "be read as a bus")]
    """The `_id` of the bus."""
    topic: str
    """The topic, such as `SERVICE.MAILER`."""
    reader: str | None = Field(default=None, min_length=1, max_length=100)
    """Under which name the messages are read: each reader of a topic gets all of them. Default: the `_id` of the
    pipe."""
    primary_key: str | Annotated[Many[str], Field(min_length=1)] | None = None
    """The property that becomes the `_id`, or a list of properties: their values are joined with `:`. Default: `_id`,
    else the key of the registry, else what the bus counts the message by."""
    message_property: str | None = None
    """The property that gets what else is known of the message, such as its topic and time. Default: none."""
    prefetch: Prefetch = PREFETCH
    """How many messages may be on their way to the sink."""
    wait: Annotated[float, Advice("not a time", ("write seconds: 1 or 0.5",)), Field(gt=0, le=60)] = 1
    """How many seconds a run waits for one more message before it ends."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The topic is the name of one."""
        return topic_faults(given)

    def first(self, context: Context) -> Transform:
        """What takes another look at messages of which there was no entity before."""
        from sources.bus_read import Unwrapping  # noqa: PLC0415 - for those who run

        return Unwrapping(lambda: self._reading(context))

    def build(self, context: SourceContext) -> QueueSource:
        """The source itself."""
        from sources.broker_read import QueueSource, Taking  # noqa: PLC0415 - for those who read
        from sources.bus_read import Opening  # noqa: PLC0415 - as above
        from systems.bus.system import Bus  # noqa: PLC0415 - as above

        bus = context.system(self.system, Bus)
        reading = self._reading(context)
        reader = self.reader or context.pipe
        return QueueSource(
            bus.topics.settings,
            Taking(reading.name, wait=self.wait, window=self.prefetch),
            Opening(bus, reading, lambda: bus.topics.queue(self.topic, reader, self.prefetch)),
            context.on_record,
            f"{context.now():x}",
            reading.entity,
        )

    def _reading(self, context: Context) -> Reading:
        from sources.bus_read import Reading  # noqa: PLC0415 - as above
        from sources.message_entities import Shape  # noqa: PLC0415 - as above
        from systems.bus.system import Bus  # noqa: PLC0415 - as above

        keys = (self.primary_key,) if isinstance(self.primary_key, str) else self.primary_key or ()
        shape = Shape(keys, self.message_property)
        return Reading(f"{self.system}/{self.topic}", shape, context.system(self.system, Bus).get)
