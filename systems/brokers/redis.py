"""Redis streams: a log that is read from an id on, or a queue for the consumers of a group."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from systems.brokers.messages import BrokerError, Message, Outgoing
from systems.brokers.settings import Broker, Settings

# Entries of one answer, however many are there.
_PORTION: Final = 1000


class Redis(Broker):
    """A server with streams."""

    def log(self, stream: str, field: str | None, after: str | None) -> RedisLog:
        """All entries behind an id; None: behind the last one."""
        return RedisLog(self.settings, stream, field, after)

    def queue(self, stream: str, field: str | None, group: Group) -> RedisQueue:
        """The entries that a group hands to a consumer."""
        return RedisQueue(self.settings, stream, field, group)

    def publisher(self, stream: str, field: str, most: int | None) -> RedisPublisher:
        """What adds entries; `most` is about how many the stream keeps."""
        return RedisPublisher(self.settings, stream, field, most)


class Group(NamedTuple):
    """A consumer of a group.

    `start` is where a group begins that is new; `claim` after how many seconds entries of other consumers are taken
    over that were not acknowledged.
    """

    name: str
    consumer: str
    start: str = "0"
    claim: float | None = None


class RedisLog:
    """Entries of a stream from an id on."""

    def __init__(self, settings: Settings, stream: str, field: str | None, after: str | None) -> None:
        """Connect."""
        self._entries = _Entries(stream, field)
        self._stream = stream
        self._client = _client(settings)
        self._longest = settings.timeout / 2
        self.begins: str | None = None
        try:
            with _telling():
                if after is None:
                    last: Any = self._client.xrevrange(stream, count=1)
                    after = self.begins = last[0][0].decode() if last else "0-0"
                else:
                    self._client.ping()
        except BaseException:
            self.close()
            raise
        self._after = after

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """The next entries."""
        with _telling():
            block = _milliseconds(min(seconds, self._longest))
            found = self._client.xread({self._stream: self._after}, most, block)
        messages = self._entries.messages(found)
        if messages:
            self._after = messages[-1].position
        return messages

    def close(self) -> None:
        """Leave."""
        with suppress(RedisError):
            self._client.close()


class RedisQueue:
    """Entries that are pending for one consumer of a group, first those that it got before."""

    def __init__(self, settings: Settings, stream: str, field: str | None, group: Group) -> None:
        """Connect; make the group if it is not there."""
        self._entries = _Entries(stream, field)
        self._stream = stream
        self._group = group
        self._pending: str | None = "0"
        self._claimed: str | None = "0-0" if group.claim is not None else None
        self._client = _client(settings)
        self._longest = settings.timeout / 2
        try:
            with _telling():
                self._make()
        except BaseException:
            self.close()
            raise

    def _make(self) -> None:
        try:
            self._client.xgroup_create(self._stream, self._group.name, self._group.start, mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """What was handed out before and not settled, what others left lying, then what is new."""
        with _telling():
            if self._pending is not None:
                found = self._read(most, None, self._pending)
                entries = found[0][1] if found else []
                self._pending = entries[-1][0].decode() if entries else None
                if entries:
                    return self._entries.messages(found, again=True)
            if self._claimed is not None:
                idle = round((self._group.claim or 0) * 1000)
                name, consumer = self._group.name, self._group.consumer
                claimed: Any = self._client.xautoclaim(self._stream, name, consumer, idle, self._claimed, most)
                reached = claimed[0].decode()
                self._claimed = None if reached == "0-0" else reached
                if claimed[1]:
                    return self._entries.messages([(b"", claimed[1])], again=True)
            block = _milliseconds(min(seconds, self._longest))
            return self._entries.messages(self._read(most, block, ">"))

    def _read(self, most: int, block: int | None, after: str) -> Any:  # noqa: ANN401 - as the client gives it
        group, streams = self._group, dict[Any, Any]({self._stream: after})
        return self._client.xreadgroup(group.name, group.consumer, streams, most, block)

    def settle(self, messages: Sequence[Message], refused: Sequence[Message] = ()) -> None:
        """They are pending no more."""
        places = [message.position for message in (*messages, *refused)]
        with _telling():
            for first in range(0, len(places), _PORTION):
                self._client.xack(self._stream, self._group.name, *places[first : first + _PORTION])

    def close(self) -> None:
        """Leave."""
        with suppress(RedisError):
            self._client.close()


class RedisPublisher:
    """Adds entries to a stream."""

    def __init__(self, settings: Settings, stream: str, field: str, most: int | None) -> None:
        """Connect."""
        self._stream = stream
        self._field = field
        self._most = most
        self._client = _client(settings)

    def publish(self, messages: Sequence[Outgoing]) -> Sequence[str]:
        """All of them in one go; each has its own answer."""
        with _telling():
            sent = self._client.pipeline(transaction=False)
            for message in messages:
                entry: dict[Any, Any] = {self._field: message.body}
                sent.xadd(self._stream, entry, maxlen=self._most, approximate=True)
            answers = sent.execute(raise_on_error=False)
        for answer in answers:
            # It says nothing of the entry: the server is full, loading, or a copy that takes none.
            if isinstance(answer, Exception) and not isinstance(answer, ResponseError):
                raise BrokerError(_words(answer), lost=True)
            if isinstance(answer, ResponseError) and str(answer).startswith(_of_the_server):
                raise BrokerError(_words(answer))
        return [_words(answer) if isinstance(answer, Exception) else "" for answer in answers]

    def close(self) -> None:
        """Leave."""
        with suppress(RedisError):
            self._client.close()


_of_the_server: Final = ("OOM", "LOADING", "READONLY", "MISCONF", "NOPERM", "WRONGTYPE", "MASTERDOWN", "CLUSTERDOWN")


class _Entries:
    """How entries of a stream become messages."""

    def __init__(self, stream: str, field: str | None) -> None:
        self._stream = stream
        self._field = None if field is None else field.encode()

    def messages(self, found: Any, *, again: bool = False) -> list[Message]:  # noqa: ANN401 - as the client gives it
        """Those of an answer. Entries that were deleted since they were handed out have no fields, and no body."""
        entries = found[0][1] if found else []
        return [self._message(id_.decode(), fields or {}, again=again) for id_, fields in entries]

    def _message(self, id_: str, fields: Mapping[bytes, bytes], *, again: bool) -> Message:
        body = None if self._field is None else fields.get(self._field)
        texts = {name.decode("utf-8", "replace"): text.decode("utf-8", "replace") for name, text in fields.items()}
        if self._field is not None:
            texts.pop(self._field.decode(), None)
        facts = {"stream": self._stream, "id": id_, "fields": texts}
        return Message(body, f"{self._stream}:{id_}", facts=facts, position=id_, again=again)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # 0 would wait for ever


def _client(settings: Settings) -> redis.Redis:
    address = settings.address
    host, port = address.servers[0]
    tls: dict[str, Any] = {}
    # The client makes its own; whether the files are of use is seen here.
    if settings.tls() is not None:
        tls = {
            "ssl": True,
            "ssl_cert_reqs": "required" if settings.verify else "none",
            "ssl_check_hostname": settings.verify,
            "ssl_ca_certs": settings.ca_file,
            "ssl_certfile": settings.cert_file,
            "ssl_keyfile": settings.key_file,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
        }
    return redis.Redis(
        host,
        port,
        int(address.path or 0),
        username=settings.username,
        password=settings.password,
        socket_connect_timeout=settings.connect_timeout,
        socket_timeout=settings.timeout,
        # What is lost is told, and comes back where it is known what that means.
        retry=Retry(NoBackoff(), 0),
        **tls,
    )


@contextmanager
def _telling() -> Iterator[None]:
    """Turn what the library raises into `BrokerError`."""
    try:
        yield
    except exceptions.AuthenticationError as error:
        raise BrokerError(_words(error)) from None
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
        raise BrokerError(_words(error), lost=True) from None
    except RedisError as error:
        raise BrokerError(_words(error)) from None


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
