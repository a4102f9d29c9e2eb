"""Streams of NATS as a source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Advice, Refers, SourceContext
from pipeline.config.given import advice
from sources.messages import PREFETCH, MessagesConfig, Prefetch
from systems.brokers.config import NatsConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.broker_read import LogSource, QueueSource


class NatsSourceConfig(MessagesConfig):
    """Entities from the messages of a JetStream stream. The state keeps the sequence up to which they were read."""

    type: Literal["nats"]
    """`nats`."""
    system: Annotated[str, Refers("system", NatsConfig, "speak to NATS")]
    """The `_id` of the server."""
    stream: str = Field(min_length=1)
    """The name of the stream. It is there already."""
    subject: str | None = None
    """Which of its subjects are read, such as `orders.>`. Default: all."""
    start: Literal["first", "new"] = "first"
    """Where the first run begins: with the first message that is there, or with those that are published later."""
    consumer: str | None = None
    """A durable consumer, which several may share: each message goes to one of them, and is acknowledged when it is on
    record. It is made if it is not there. Default: none, every message is read."""
    prefetch: Prefetch = PREFETCH
    """How many messages of a consumer may be on their way to the sink."""
    ack_wait: Annotated[float, Advice("not a time", ("write seconds: 30",)), Field(gt=0, le=86_400)] = 30
    """Of a consumer that is made: after how many seconds a message is handed out again that was not acknowledged."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """What is said of a consumer needs one."""
        for name in ("prefetch", "ack_wait"):
            if given.has(name) and not given.has("consumer"):
                help_ = advice('add `"consumer": "…"`')
                yield given.problem("E206", f"`{name}` without `consumer`", name, at="key", notes=(help_,))
        consumer = given.text("consumer")
        if consumer is not None and (not consumer or any(one in consumer for one in " .*>/\\\t\r\n")):
            help_ = advice("write letters, digits, `-` and `_`")
            yield given.problem("E203", "`consumer` is no name of a consumer", "consumer", notes=(help_,))

    def build(self, context: SourceContext) -> LogSource | QueueSource:
        """The source itself."""
        from sources.broker_read import LogSource, QueueSource  # noqa: PLC0415 - clients are for those who connect
        from systems.brokers.nats import Consumer, Nats, Place  # noqa: PLC0415 - as above

        system = context.system(self.system, Nats)
        taking = self.taking(f"{self.system}/{self.stream}", window=self.prefetch)
        place, new = Place(self.stream, self.subject), self.start == "new"
        if self.consumer is None:
            begin = None if new else "0"
            return LogSource(system.settings, taking, lambda since: system.log(place, since or begin))
        consumer = Consumer(self.consumer, new, self.ack_wait, self.prefetch)
        return QueueSource(
            system.settings,
            taking,
            lambda: system.queue(place, consumer),
            context.on_record,
            f"{context.now():x}",
        )
