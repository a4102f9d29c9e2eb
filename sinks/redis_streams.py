"""A stream of Redis as a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SinkContext
from sinks.publishing import PublishingConfig
from systems.brokers.config import RedisConfig

if TYPE_CHECKING:
    from sinks.batches import BatchSink


class RedisStreamsSinkConfig(PublishingConfig):
    """Each entity becomes an entry of a stream, as JSON."""

    type: Literal["redis_streams"]
    """`redis_streams`."""
    system: Annotated[str, Refers("system", RedisConfig, "speak to Redis")]
    """The `_id` of the server."""
    stream: str = Field(min_length=1)
    """The key of the stream. It is made if it is not there."""
    field: str = Field(default="entity", min_length=1)
    """The field of the entry that gets the JSON."""
    max_length: int | None = Field(default=None, ge=1)
    """About how many entries the stream keeps; older ones go, read or not. Default: all."""

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from systems.brokers.redis import Redis  # noqa: PLC0415 - the client is for those who connect

        system = context.system(self.system, Redis)
        return self.publishing(context, system, lambda: system.publisher(self.stream, self.field, self.max_length))
