"""A topic of Kafka as a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SinkContext
from sinks.publishing import PublishingConfig
from systems.brokers.config import KafkaConfig

if TYPE_CHECKING:
    from sinks.batches import BatchSink


class KafkaSinkConfig(PublishingConfig):
    """Each entity is published to a topic, as JSON, with its `_id` as the key."""

    type: Literal["kafka"]
    """`kafka`."""
    system: Annotated[str, Refers("system", KafkaConfig, "speak to Kafka")]
    """The `_id` of the cluster."""
    topic: str = Field(min_length=1, max_length=249)
    """The name of the topic."""

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from systems.brokers.kafka import Kafka  # noqa: PLC0415 - the client is for those who connect

        system = context.system(self.system, Kafka)
        return self.publishing(context, system, lambda: system.publisher(self.topic))
