"""A topic of a bus as a sink."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import Refers, SinkContext
from sinks.publishing import PublishingConfig
from systems.bus.config import BusConfig, topic_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sinks.batches import BatchSink


class BusSinkConfig(PublishingConfig):
    """Each entity is published to a topic, as JSON."""

    type: Literal["bus"]
    """`bus`."""
    system: Annotated[str, Refers("system", BusConfig, "be published to as a bus")]
    """The `_id` of the bus."""
    topic: str
    """The topic, such as `SERVICE.MAILER`."""
    topic_property: str | None = None
    """The property of the entity that names its topic; an entity without it goes to `topic`."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The topic is the name of one."""
        return topic_faults(given)

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from sinks.batches import BatchSink  # noqa: PLC0415 - for those who publish
        from sinks.bus_write import BusWriter  # noqa: PLC0415 - as above
        from systems.bus.system import Bus  # noqa: PLC0415 - as above

        topics = context.system(self.system, Bus).topics

        def writer() -> BusWriter:
            return BusWriter(topics, self.topic, self.topic_property, skip_deleted=self.skip_deleted)

        return BatchSink(context.pipe, writer, self.batch_size, context.run)
