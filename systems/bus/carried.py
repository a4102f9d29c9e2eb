"""Topics that a broker has, over its connections."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from systems.brokers.settings import Settings

if TYPE_CHECKING:
    from systems.brokers.amqp import Amqp, AmqpPublisher, AmqpQueue
    from systems.brokers.nats import Nats, NatsPublisher, NatsQueue
    from systems.brokers.redis import Redis, RedisPublisher, RedisQueue

FIELD: Final = "entity"
"""The field of an entry of Redis that has the message, as sinks write it and sources read it that need no bus."""
EXCHANGE: Final = "mailweir"
"""The exchange of AMQP that has all topics."""

_strange: Final = re.compile(r"[^A-Za-z0-9_-]")
# NATS gives a message out again that nobody has acknowledged for so long; what is on its way is known by its name.
_ACK_WAIT: Final = 30.0


class RedisTopics:
    """A topic is a stream, a reader a group."""

    def __init__(self, redis: Redis) -> None:
        """Connect for each reader and publisher."""
        self.settings: Settings = redis.settings
        self._redis = redis

    def queue(self, topic: str, reader: str, prefetch: int) -> RedisQueue:
        """What one reader is handed."""
        from systems.brokers.redis import Group  # noqa: PLC0415 - as in `build`

        return self._redis.queue(topic, FIELD, Group(reader, reader))

    def publisher(self, topic: str) -> RedisPublisher:
        """What publishes."""
        return self._redis.publisher(topic, FIELD, None)


class NatsTopics:
    """A topic is a subject, which a stream takes; a reader is a durable consumer."""

    def __init__(self, nats: Nats) -> None:
        """As above."""
        self.settings: Settings = nats.settings
        self._nats = nats

    def queue(self, topic: str, reader: str, prefetch: int) -> NatsQueue:
        """What one reader is handed."""
        from systems.brokers.nats import Consumer, Place  # noqa: PLC0415 - as in `build`

        place = Place(self._stream(topic), topic)
        return self._nats.queue(place, Consumer(named(reader), ack_wait=_ACK_WAIT, prefetch=prefetch))

    def publisher(self, topic: str) -> NatsPublisher:
        """What publishes."""
        self._stream(topic)
        return self._nats.publisher(topic)

    def _stream(self, topic: str) -> str:
        return self._nats.stream_of(topic, named(topic))


class AmqpTopics:
    """A topic is a routing key of an exchange; each reader has a queue."""

    def __init__(self, amqp: Amqp) -> None:
        """As above."""
        self.settings: Settings = amqp.settings
        self._amqp = amqp

    def queue(self, topic: str, reader: str, prefetch: int) -> AmqpQueue:
        """What one reader is handed."""
        from systems.brokers.amqp import Target  # noqa: PLC0415 - as in `build`

        target = Target(EXCHANGE, topic, topics=True)
        return self._amqp.queue(f"{topic}:{reader}", prefetch, declare=True, bound=target)

    def publisher(self, topic: str) -> AmqpPublisher:
        """What publishes."""
        from systems.brokers.amqp import Target  # noqa: PLC0415 - as in `build`

        return self._amqp.publisher(Target(EXCHANGE, topic, topics=True))


def named(text: str) -> str:
    """A name as NATS takes one for streams and consumers; no two texts have the same."""
    plain = _strange.sub("_", text)
    return plain if plain == text else f"{plain}-{blake2b(text.encode(), digest_size=4).hexdigest()}"
