"""A subject of NATS as a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SinkContext
from sinks.publishing import PublishingConfig
from systems.brokers.config import NatsConfig

if TYPE_CHECKING:
    from sinks.batches import BatchSink


class NatsSinkConfig(PublishingConfig):
    """Each entity is published to a subject that a JetStream stream takes, as JSON."""

    type: Literal["nats"]
    """`nats`."""
    system: Annotated[str, Refers("system", NatsConfig, "speak to NATS")]
    """The `_id` of the server."""
    subject: str = Field(min_length=1, pattern=r"^[^\s*>]+$")
    """The subject. A stream that takes it is there already."""

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from systems.brokers.nats import Nats  # noqa: PLC0415 - the client is for those who connect

        system = context.system(self.system, Nats)
        return self.publishing(context, system, lambda: system.publisher(self.subject))
