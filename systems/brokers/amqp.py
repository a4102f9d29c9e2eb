"""AMQP 0-9-1 (RabbitMQ): a queue that hands out messages, and an exchange that takes them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, ChannelClosed, DeliveryError, ProbableAuthenticationError

from pipeline.entity import Datetime
from systems.brokers.loop import LoopConnection
from systems.brokers.messages import BrokerError, Message, Outgoing
from systems.brokers.settings import Broker, Settings

# What the library logs of a connection that is lost is told where it matters.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)
logging.getLogger("aio_pika").setLevel(logging.CRITICAL)

# How long after the first message others are collected that are on their way.
_TOGETHER: Final = 0.02


class Amqp(Broker):
    """A server with queues and exchanges."""

    def queue(self, queue: str, prefetch: int, *, declare: bool, bound: Target | None = None) -> AmqpQueue:
        """What is handed out of a queue. `bound`: it gets what is published there."""
        return AmqpQueue(self.settings, queue, prefetch, declare=declare, bound=bound)

    def publisher(self, target: Target) -> AmqpPublisher:
        """What publishes."""
        return AmqpPublisher(self.settings, target)


class Target(NamedTuple):
    """Where messages are published; `declare`: a durable queue of that name is made if it is not there.

    `topics`: the exchange is one of topics, and made if it is not there.
    """

    exchange: str
    routing_key: str
    declare: bool = False
    topics: bool = False


class _Connection(LoopConnection):
    """A connection with a channel."""

    def __init__(self, settings: Settings) -> None:
        """Connect; `BrokerError`."""
        super().__init__(settings.timeout)
        try:
            self._connection, self.channel = self.run(self._connected(settings), settings.connect_timeout)
        except BaseException:
            self._loop.close()
            raise

    async def _connected(self, settings: Settings) -> tuple[AbstractConnection, AbstractChannel]:
        address = settings.address
        host, port = address.servers[0]
        connection = await aio_pika.connect(
            host=host,
            port=port,
            login=settings.username or "guest",
            password=settings.password or "guest",
            virtualhost=address.path or "/",
            ssl=address.tls,
            ssl_context=settings.tls(),
            timeout=settings.connect_timeout,
        )
        return connection, await connection.channel(publisher_confirms=True, on_return_raises=True)

    def _told(self, error: Exception) -> BrokerError | None:
        if isinstance(error, ProbableAuthenticationError):
            return BrokerError("the login is refused")
        if isinstance(error, ChannelClosed):
            return BrokerError(_words(error))
        if isinstance(error, AMQPError | OSError | RuntimeError | asyncio.InvalidStateError):
            return BrokerError(_words(error), lost=True)
        return None

    async def _leave(self) -> None:
        await self._connection.close()


class AmqpQueue:
    """What a queue has handed out: it is for others again when the connection ends."""

    def __init__(
        self, settings: Settings, queue: str, prefetch: int, *, declare: bool, bound: Target | None = None
    ) -> None:
        """Connect, and be handed messages."""
        self._name = queue
        self._bound = bound
        self._prefetch = prefetch
        self._got: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        self._connection = _Connection(settings)
        try:
            self._connection.run(self._begin(declare=declare))
        except BaseException:
            self.close()
            raise

    async def _begin(self, *, declare: bool) -> None:
        channel = self._connection.channel
        channel.close_callbacks.add(lambda *_: self._got.put_nowait(None))
        await channel.set_qos(self._prefetch)
        queue = await channel.declare_queue(self._name, durable=True, passive=not declare)
        if self._bound is not None:
            await queue.bind(await _exchange(channel, self._bound), self._bound.routing_key)
        await queue.consume(self._got.put)

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """What was handed out."""

        async def some() -> list[AbstractIncomingMessage | None]:
            try:
                found = [await asyncio.wait_for(self._got.get(), seconds)]
            except TimeoutError:
                return []
            before = 0
            while len(found) > before:
                before = len(found)
                while len(found) < most and not self._got.empty():
                    found.append(self._got.get_nowait())
                if len(found) < most:
                    await asyncio.sleep(_TOGETHER)
            return found

        found = self._connection.run(some(), seconds + self._connection.patience)
        if None in found:
            raise BrokerError("the connection was closed", lost=True)
        return [_message(one, self._name) for one in found if one is not None]

    def settle(self, messages: Sequence[Message], refused: Sequence[Message] = ()) -> None:
        """They are acknowledged; what is no good goes to the dead letter exchange of the queue, if it has one."""

        async def all_() -> None:
            for message in messages:
                await message.handle.ack()  # type: ignore[attr-defined]  # `_message` has put it there
            for message in refused:
                await message.handle.reject(requeue=False)  # type: ignore[attr-defined]  # as above
            # Nobody answers to those; the answer to this says that the server has read them.
            await self._connection.channel.set_qos(self._prefetch)

        self._connection.run(all_())

    def close(self) -> None:
        """Leave."""
        self._connection.close()


class AmqpPublisher:
    """Publishes messages that outlast the server, and waits for its word on each."""

    def __init__(self, settings: Settings, target: Target) -> None:
        """Connect."""
        self._target = target
        self._connection = _Connection(settings)
        try:
            self._exchange = self._connection.run(self._begin())
        except BaseException:
            self.close()
            raise

    async def _begin(self) -> aio_pika.abc.AbstractExchange:
        channel, target = self._connection.channel, self._target
        if target.declare:
            await channel.declare_queue(target.routing_key, durable=True)
        return await _exchange(channel, target)

    def publish(self, messages: Sequence[Outgoing]) -> Sequence[str]:
        """All of them at once, in their order; each has its own answer."""

        async def one(message: Outgoing) -> str:
            sent = aio_pika.Message(
                message.body,
                content_type="application/json",
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            )
            try:
                await self._exchange.publish(sent, self._target.routing_key, mandatory=True)
            except DeliveryError as error:
                if getattr(error.frame, "name", "") == "Basic.Nack":
                    return "the broker does not take it"
                return "no queue is there for it: the exchange routes it nowhere"
            return ""

        async def all_() -> Sequence[str]:
            return await asyncio.gather(*map(one, messages))

        return self._connection.run(all_())

    def close(self) -> None:
        """Leave."""
        self._connection.close()


async def _exchange(channel: AbstractChannel, target: Target) -> aio_pika.abc.AbstractExchange:
    if not target.exchange:
        return channel.default_exchange
    if target.topics:
        return await channel.declare_exchange(target.exchange, aio_pika.ExchangeType.TOPIC, durable=True)
    return await channel.get_exchange(target.exchange, ensure=True)


def _message(one: AbstractIncomingMessage, queue: str) -> Message:
    facts: dict[str, object] = {
        "queue": queue,
        "exchange": one.exchange or "",
        "routing_key": one.routing_key or "",
        "headers": {name: _plain(value) for name, value in one.headers.items()},
    }
    if isinstance(one.timestamp, datetime):
        facts["time"] = Datetime.of(one.timestamp.replace(tzinfo=one.timestamp.tzinfo or UTC))
    for name in ("message_id", "correlation_id", "content_type", "type", "app_id", "reply_to"):
        value = getattr(one, name)
        if value:
            facts[name] = str(value)
    key = str(one.message_id or "")
    return Message(one.body, queue, key, facts, counted=False, again=bool(one.redelivered), handle=one)


def _plain(value: Any) -> object:  # noqa: ANN401 - whatever a header holds
    """As an entity can hold it."""
    match value:
        case datetime():
            return Datetime.of(value.replace(tzinfo=value.tzinfo or UTC))
        case dict():
            return {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case None | bool() | int() | float() | str() | bytes():
            return value
    return str(value)


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
