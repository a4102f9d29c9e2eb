"""NATS JetStream: a log that is read from a sequence on, or a queue for those who share a consumer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from typing import Any, Final, NamedTuple

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import (
    ConnectionClosedError,
    Error,
    NoRespondersError,
    NoServersError,
)
from nats.errors import (
    TimeoutError as NatsTimeoutError,
)
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StorageType, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from pipeline.entity import Datetime
from systems.brokers.loop import LoopConnection
from systems.brokers.messages import BrokerError, Message, Outgoing
from systems.brokers.settings import Broker, Settings

# What the library logs of a connection that is lost is told where it matters.
logging.getLogger("nats").setLevel(logging.CRITICAL)

# A consumer of ours that nobody asks any more is removed by the server.
_FORGOTTEN: Final = 300.0


class Nats(Broker):
    """A server, or several of one cluster, with JetStream."""

    def log(self, place: Place, after: str | None) -> NatsLog:
        """All messages of a stream behind a sequence; None: behind the last one."""
        return NatsLog(self.settings, place, after)

    def queue(self, place: Place, consumer: Consumer) -> NatsQueue:
        """The messages that a durable consumer hands out."""
        return NatsQueue(self.settings, place, consumer)

    def publisher(self, subject: str) -> NatsPublisher:
        """What publishes."""
        return NatsPublisher(self.settings, subject)

    def stream_of(self, subject: str, name: str) -> str:
        """The stream that takes a subject. Where there is none it is made, on the disk, under this name."""
        connection = _Connection(self.settings)
        try:
            return connection.run(_stream_of(connection.stream, subject, name))
        finally:
            connection.close()


class Place(NamedTuple):
    """A stream, and which of its subjects are meant; None: all."""

    stream: str
    subject: str | None = None


class Consumer(NamedTuple):
    """A durable consumer, and what is said of it if it is made."""

    name: str
    start_new: bool = False
    ack_wait: float = 30.0
    prefetch: int = 10_000


class _Connection(LoopConnection):
    """A connection; the library tries again and again, and says apart why it does."""

    def __init__(self, settings: Settings) -> None:
        """Connect; `BrokerError`."""
        super().__init__(settings.timeout)
        self._error = ""
        try:
            self.run(self._connected(settings), settings.connect_timeout + settings.timeout)
            self.stream: JetStreamContext = self._client.jetstream(timeout=settings.timeout)
        except BaseException:
            self._loop.close()
            raise

    async def _connected(self, settings: Settings) -> None:
        address = settings.address
        scheme = "tls" if address.tls else "nats"
        tls: dict[str, Any] = {"tls": settings.tls()} if address.tls else {}
        # A password alone is a token.
        login: dict[str, Any] = {"user": settings.username, "password": settings.password}
        if settings.username is None:
            login = {"token": settings.password}
        self._client = client = Client()
        try:
            await client.connect(
                [f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}" for host, port in address.servers],
                connect_timeout=max(1, round(settings.connect_timeout)),
                # What is lost is told, and comes back where it is known what that means.
                allow_reconnect=False,
                max_reconnect_attempts=1,
                error_cb=self._heard,
                **login,
                **tls,
            )
        except BaseException:
            await client.close()
            raise

    async def _heard(self, error: Exception) -> None:
        self._error = _words(error)

    def _told(self, error: Exception) -> BrokerError | None:
        if isinstance(error, BrokerError):
            return BrokerError(self._error or error.text, lost=error.lost)
        words = self._error or _words(error)
        if isinstance(error, NoServersError | ConnectionClosedError | NatsTimeoutError | OSError):
            return BrokerError(words, lost="authorization" not in self._error.lower())
        if isinstance(error, NoRespondersError | NoStreamResponseError):
            return BrokerError("no stream takes this: JetStream is off, or the stream is not there")
        if isinstance(error, NotFoundError):
            return BrokerError(_words(error))
        if isinstance(error, APIError):
            return BrokerError(error.description or _words(error), lost=error.code == 503)
        if isinstance(error, Error):
            return BrokerError(words, lost=self._client.is_closed and "authorization" not in words.lower())
        return None

    async def _leave(self) -> None:
        await self._client.close()


class NatsLog:
    """Messages of a stream from a sequence on, by a consumer that is gone when nobody asks any more."""

    def __init__(self, settings: Settings, place: Place, after: str | None) -> None:
        """Connect and begin."""
        self._place = place
        self.begins: str | None = None
        self._connection = connection = _Connection(settings)
        try:
            if after is None:
                info = connection.run(connection.stream.stream_info(place.stream))
                after = self.begins = str(info.state.last_seq)
            config = ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=int(after) + 1,
                ack_policy=AckPolicy.NONE,
                inactive_threshold=_FORGOTTEN,
            )
            subject = place.subject or ""
            asked = connection.stream.pull_subscribe(subject, stream=place.stream, config=config)
            self._pull = connection.run(asked)
        except BaseException:
            self.close()
            raise

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """The next messages."""
        return [_message(one, self._place) for one in _fetched(self._connection, self._pull, most, seconds)]

    def close(self) -> None:
        """Leave."""
        self._connection.close()


class NatsQueue:
    """Messages that a durable consumer hands out until they are acknowledged."""

    def __init__(self, settings: Settings, place: Place, consumer: Consumer) -> None:
        """Connect; make the consumer if it is not there."""
        self._place = place
        self._out: dict[str, Message] = {}
        self._connection = connection = _Connection(settings)
        try:
            config = ConsumerConfig(
                durable_name=consumer.name,
                deliver_policy=DeliverPolicy.NEW if consumer.start_new else DeliverPolicy.ALL,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=consumer.ack_wait,
                max_ack_pending=consumer.prefetch,
                filter_subject=place.subject,
            )
            connection.run(self._made(place.stream, config))
            asked = connection.stream.pull_subscribe_bind(consumer.name, stream=place.stream)
            self._pull = connection.run(asked)
        except BaseException:
            connection.close()
            raise

    async def _made(self, stream: str, config: ConsumerConfig) -> None:
        try:
            await self._connection.stream.consumer_info(stream, config.durable_name or "")
        except NotFoundError:
            await self._connection.stream.add_consumer(stream, config)

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """What is handed out, also for the second time."""
        found = [_message(one, self._place) for one in _fetched(self._connection, self._pull, most, seconds)]
        self._out.update({one.position: one for one in found})
        return found

    def settle(self, messages: Sequence[Message], refused: Sequence[Message] = ()) -> None:
        """They are acknowledged; what is no good is not to come again either."""

        async def all_() -> None:
            for message in refused:
                await message.handle.term()  # type: ignore[attr-defined]  # `_message` has put it there
            # The answer to the last says that the server has read those before it.
            for message in messages[:-1]:
                await message.handle.ack()  # type: ignore[attr-defined]  # as above
            for message in messages[-1:]:
                await message.handle.ack_sync()  # type: ignore[attr-defined]  # as above

        self._connection.run(all_())
        for message in (*messages, *refused):
            self._out.pop(message.position, None)

    def close(self) -> None:
        """Leave; what is not settled need not wait until it can be handed out again."""

        async def all_() -> None:
            for message in self._out.values():
                await message.handle.nak()  # type: ignore[attr-defined]  # as above

        if not self._connection.closed:
            with suppress(BrokerError):
                self._connection.run(all_())
        self._connection.close()


class NatsPublisher:
    """Publishes, and waits for the word of the stream that takes it."""

    def __init__(self, settings: Settings, subject: str) -> None:
        """Connect."""
        self._subject = subject
        self._connection = _Connection(settings)

    def publish(self, messages: Sequence[Outgoing]) -> Sequence[str]:
        """All of them at once, in their order; each has its own answer."""

        async def one(message: Outgoing) -> str:
            try:
                await self._connection.stream.publish(self._subject, message.body)
            except APIError as error:
                if error.code == 503:  # the stream has no leader, or no room for anything
                    raise
                return error.description or _words(error)
            except nats.errors.MaxPayloadError:
                return "it is larger than the server takes"
            return ""

        async def all_() -> Sequence[str]:
            return await asyncio.gather(*map(one, messages))

        return self._connection.run(all_())

    def close(self) -> None:
        """Leave."""
        self._connection.close()


async def _stream_of(context: JetStreamContext, subject: str, name: str) -> str:
    with suppress(NotFoundError):
        return await context.find_stream_name_by_subject(subject)
    config = StreamConfig(name=name, subjects=[subject], storage=StorageType.FILE)
    return (await context.add_stream(config)).config.name or name


def _fetched(
    connection: _Connection, pull: JetStreamContext.PullSubscription, most: int, seconds: float
) -> Sequence[Msg]:
    async def fetched() -> Sequence[Msg]:
        try:
            return await pull.fetch(most, seconds)
        except NatsTimeoutError:
            return ()

    return connection.run(fetched(), seconds + connection.patience)


def _message(one: Msg, place: Place) -> Message:
    about = one.metadata
    sequence = about.sequence.stream
    facts: dict[str, object] = {
        "stream": place.stream,
        "subject": one.subject,
        "sequence": sequence,
        "headers": dict(one.headers or {}),
        "time": Datetime.of(about.timestamp.replace(tzinfo=about.timestamp.tzinfo or UTC)),
    }
    key = (one.headers or {}).get("Nats-Msg-Id", "")
    name = f"{place.stream}:{sequence}"
    again = (about.num_delivered or 1) > 1
    return Message(one.data, name, key, facts, str(sequence), again=again, handle=one)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()).removeprefix("nats: ") or type(error).__name__
