"""What sinks that publish to message brokers have in common, as declared."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from pipeline.component import SinkConfig, SinkContext
from sinks.batches import BatchSink
from systems.brokers.messages import Publisher
from systems.brokers.settings import Broker


class PublishingConfig(SinkConfig):
    """Each entity is published as JSON. Values that JSON lacks are strings with a tag."""

    batch_size: int = Field(default=100, ge=1, le=100_000)
    """How many entities are published before the broker has confirmed them."""
    skip_deleted: bool = False
    """Whether deleted entities are left out. Otherwise they are published with `"_deleted": true`."""

    def publishing(self, context: SinkContext, system: Broker, opened: Callable[[], Publisher]) -> BatchSink:
        """The sink itself."""
        from sinks.broker_write import BrokerWriter  # noqa: PLC0415 - for those who publish

        def writer() -> BrokerWriter:
            return BrokerWriter(system.settings, opened, skip_deleted=self.skip_deleted)

        return BatchSink(context.pipe, writer, self.batch_size, context.run)
