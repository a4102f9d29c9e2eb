"""Kafka: the partitions of a topic as one log, and what publishes to a topic."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailed,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import ConsumerRecord  # type: ignore[import-untyped]

from pipeline.entity import Datetime
from systems.brokers.loop import LoopConnection
from systems.brokers.messages import BrokerError, Message, Outgoing
from systems.brokers.settings import Broker, Settings

_log: Final = logging.getLogger("mailweir.source")
# What the library logs of a connection that is lost is told where it matters.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


class Kafka(Broker):
    """A cluster."""

    def __init__(self, settings: Settings, mechanism: str) -> None:
        """`mechanism` is how a login is proven."""
        super().__init__(settings)
        self._mechanism = mechanism

    def log(self, reading: Reading, after: str | None) -> KafkaLog:
        """All messages of a topic behind a position; None: from where the reading says."""
        return KafkaLog(self.settings, self._mechanism, reading, after)

    def publisher(self, topic: str) -> KafkaPublisher:
        """What publishes."""
        return KafkaPublisher(self.settings, self._mechanism, topic)


class Reading(NamedTuple):
    """A topic, and whether a first reading begins at its end."""

    topic: str
    new: bool = False


def offsets_of(position: str | None) -> dict[int, int]:
    """The next offset of each partition that a position knows; of what is none of ours nothing."""
    try:
        found = json.loads(position or "{}")
        return {int(partition): int(offset) for partition, offset in found.items()}
    except (AttributeError, TypeError, ValueError):
        return {}


def position_of(offsets: Mapping[int, int]) -> str:
    """As it is stored."""
    return json.dumps({str(partition): offsets[partition] for partition in sorted(offsets)}, separators=(",", ":"))


def starts_of(
    position: str | None, firsts: Mapping[int, int], lasts: Mapping[int, int], *, new: bool
) -> tuple[dict[int, int], int]:
    """Where each partition is read from, and how many messages are gone that were not read.

    A partition that a position does not know came later, and is read from its start.
    """
    known = offsets_of(position)
    unread = lasts if new and position is None else firsts
    gone = sum(max(0, firsts[partition] - offset) for partition, offset in known.items() if partition in firsts)
    return {one: max(known.get(one, unread[one]), firsts[one]) for one in firsts}, gone


class _Connection(LoopConnection):
    """What a client needs; `client` is there when it was made."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.timeout)
        self.client: AIOKafkaConsumer | AIOKafkaProducer | None = None

    def _told(self, error: Exception) -> BrokerError | None:
        if isinstance(error, SaslAuthenticationFailed):
            return BrokerError("the login is refused")
        if isinstance(error, KafkaConnectionError | KafkaTimeoutError | OSError):
            return BrokerError(_words(error), lost=True)
        if isinstance(error, KafkaError):
            return BrokerError(_words(error), lost=bool(error.retriable))
        return None

    async def _leave(self) -> None:
        if self.client is not None:
            await self.client.stop()


def _client(settings: Settings, mechanism: str) -> dict[str, Any]:
    address = settings.address
    login = settings.username is not None
    told: dict[str, Any] = {
        "bootstrap_servers": [f"{host}:{port}" for host, port in address.servers],
        "security_protocol": ("SASL_" if login else "") + ("SSL" if address.tls else "PLAINTEXT"),
        "ssl_context": settings.tls(),
        "request_timeout_ms": round(settings.timeout * 1000),
    }
    if login:
        told["sasl_mechanism"] = mechanism
        told["sasl_plain_username"] = settings.username
        told["sasl_plain_password"] = settings.password
    return told


class KafkaLog:
    """The partitions of a topic, each from its offset on; of transactions only those that were committed."""

    def __init__(self, settings: Settings, mechanism: str, reading: Reading, after: str | None) -> None:
        """Connect and begin."""
        self._topic = reading.topic
        self._offsets: dict[int, int] = {}
        self.begins: str | None = None
        self._connection = _Connection(settings)
        try:
            self._connection.run(
                self._begin(settings, mechanism, reading, after), settings.connect_timeout + settings.timeout
            )
        except BaseException:
            self.close()
            raise

    async def _begin(self, settings: Settings, mechanism: str, reading: Reading, after: str | None) -> None:
        self._consumer = self._connection.client = consumer = AIOKafkaConsumer(
            reading.topic,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            **_client(settings, mechanism),
        )
        await consumer.start()
        places = consumer.assignment()
        if not places:
            raise UnknownTopicOrPartitionError(f"there is no topic `{reading.topic}`")
        firsts = {place.partition: offset for place, offset in (await consumer.beginning_offsets(places)).items()}
        lasts = {place.partition: offset for place, offset in (await consumer.end_offsets(places)).items()}
        self._offsets, gone = starts_of(after, firsts, lasts, new=reading.new)
        if gone:
            _log.warning("%s: %d messages were removed before they were read", reading.topic, gone)
        for partition, offset in self._offsets.items():
            consumer.seek(TopicPartition(reading.topic, partition), offset)
        if after is None and reading.new:
            self.begins = position_of(self._offsets)

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """The next messages."""
        asked = self._consumer.getmany(timeout_ms=round(seconds * 1000), max_records=most)
        found = self._connection.run(asked, seconds + self._connection.patience)
        return [self._message(record) for records in found.values() for record in records]

    def _message(self, record: ConsumerRecord[bytes | None, bytes | None]) -> Message:
        self._offsets[record.partition] = record.offset + 1
        return message_of(record, position_of(self._offsets))

    def close(self) -> None:
        """Leave."""
        self._connection.close()


class KafkaPublisher:
    """Publishes, and waits until all copies of the cluster that count have it."""

    def __init__(self, settings: Settings, mechanism: str, topic: str) -> None:
        """Connect."""
        self._topic = topic
        self._connection = _Connection(settings)
        try:
            self._connection.run(self._begin(settings, mechanism), settings.connect_timeout + settings.timeout)
        except BaseException:
            self.close()
            raise

    async def _begin(self, settings: Settings, mechanism: str) -> None:
        self._producer = self._connection.client = AIOKafkaProducer(
            acks="all", enable_idempotence=True, **_client(settings, mechanism)
        )
        await self._producer.start()

    def publish(self, messages: Sequence[Outgoing]) -> Sequence[str]:
        """All of them at once, those of one key in their order; each has its own answer."""

        async def all_() -> Sequence[str]:
            sent = [await self._sent(one) for one in messages]
            return await asyncio.gather(*map(_answer, sent))

        return self._connection.run(all_())

    async def _sent(self, one: Outgoing) -> Awaitable[object] | str:
        try:
            sent: Awaitable[object] = await self._producer.send(
                self._topic, one.body, one.key.encode("utf-8", "replace")
            )
        except MessageSizeTooLargeError:
            return "it is larger than the cluster takes"
        return sent

    def close(self) -> None:
        """Leave."""
        self._connection.close()


async def _answer(sent: Awaitable[object] | str) -> str:
    if isinstance(sent, str):
        return sent
    try:
        await sent
    except MessageSizeTooLargeError:
        return "it is larger than the cluster takes"
    return ""


def message_of(record: ConsumerRecord[bytes | None, bytes | None], position: str) -> Message:
    """A record of a topic."""
    facts: dict[str, object] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "time": Datetime(record.timestamp * 1_000_000),
        "headers": {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None},
    }
    key = (record.key or b"").decode("utf-8", "replace")
    return Message(record.value, f"{record.topic}:{record.partition}:{record.offset}", key, facts, position)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
