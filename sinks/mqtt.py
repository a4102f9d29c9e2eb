"""A topic of MQTT as a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SinkContext
from sinks.publishing import PublishingConfig
from systems.brokers.config import MqttConfig

if TYPE_CHECKING:
    from sinks.batches import BatchSink


class MqttSinkConfig(PublishingConfig):
    """Each entity is published to a topic, as JSON, with QoS 1."""

    type: Literal["mqtt"]
    """`mqtt`."""
    system: Annotated[str, Refers("system", MqttConfig, "speak MQTT")]
    """The `_id` of the broker."""
    topic: str = Field(min_length=1, pattern=r"^[^+#]+$")
    """The topic."""
    retain: bool = False
    """Whether the broker keeps the last one for those who subscribe later."""

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from systems.brokers.mqtt import Mqtt  # noqa: PLC0415 - the client is for those who connect

        system = context.system(self.system, Mqtt)
        return self.publishing(context, system, lambda: system.publisher(self.topic, retain=self.retain))
