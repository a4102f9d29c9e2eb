"""An exchange of AMQP as a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SinkContext
from sinks.publishing import PublishingConfig
from systems.brokers.config import AmqpConfig

if TYPE_CHECKING:
    from sinks.batches import BatchSink


class AmqpSinkConfig(PublishingConfig):
    """Each entity is published to an exchange, as JSON, and outlasts a restart of the broker."""

    type: Literal["amqp"]
    """`amqp`."""
    system: Annotated[str, Refers("system", AmqpConfig, "speak AMQP")]
    """The `_id` of the broker."""
    exchange: str = Field(default="", max_length=255)
    """The exchange. Default: the one that hands a message to the queue that `routing_key` names."""
    routing_key: str = Field(max_length=255)
    """By what the exchange routes the message: the name of a queue, or what its bindings ask for."""
    declare: bool = False
    """Whether the queue that `routing_key` names is made, durable, if it is not there."""

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from systems.brokers.amqp import Amqp, Target  # noqa: PLC0415 - the client is for those who connect

        system = context.system(self.system, Amqp)
        target = Target(self.exchange, self.routing_key, self.declare)
        return self.publishing(context, system, lambda: system.publisher(target))
