"""Queues of AMQP as a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SourceContext
from sources.messages import PREFETCH, MessagesConfig, Prefetch
from systems.brokers.config import AmqpConfig

if TYPE_CHECKING:
    from sources.broker_read import QueueSource


class AmqpSourceConfig(MessagesConfig):
    """Entities from the messages of a queue. Each is acknowledged when it is on record."""

    type: Literal["amqp"]
    """`amqp`."""
    system: Annotated[str, Refers("system", AmqpConfig, "speak AMQP")]
    """The `_id` of the broker."""
    queue: str = Field(min_length=1, max_length=255)
    """The name of the queue."""
    declare: bool = False
    """Whether the queue is made, durable, if it is not there. Otherwise it is there already."""
    prefetch: Prefetch = PREFETCH
    """How many messages may be on their way to the sink. Others that read the queue get none of them."""

    def build(self, context: SourceContext) -> QueueSource:
        """The source itself."""
        from sources.broker_read import QueueSource  # noqa: PLC0415 - clients are for those who connect
        from systems.brokers.amqp import Amqp  # noqa: PLC0415 - as above

        system = context.system(self.system, Amqp)
        return QueueSource(
            system.settings,
            self.taking(f"{self.system}/{self.queue}", window=self.prefetch),
            lambda: system.queue(self.queue, self.prefetch, declare=self.declare),
            context.on_record,
            f"{context.now():x}",
        )
