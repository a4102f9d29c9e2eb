"""Topics in the state of the project: for one machine, without a broker."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from pipeline.entity import Datetime
from pipeline.state.bus import Store
from pipeline.state.faults import StateError
from systems.brokers.address import Address
from systems.brokers.messages import BrokerError, Message, Outgoing
from systems.brokers.settings import Settings

_LOOK_EVERY: Final = 0.05
Sleep = Callable[[float], None]


class LocalTopics:
    """The topics of a state."""

    def __init__(self, name: str, store: Store) -> None:
        """`name` is that of the bus, for people."""
        self.settings = Settings(name, Address(tls=False, servers=()))
        self._store = store

    def queue(self, topic: str, reader: str, prefetch: int) -> LocalQueue:
        """What one reader is handed; how many at once is its own affair."""
        return LocalQueue(self._store, topic, reader)

    def publisher(self, topic: str) -> LocalPublisher:
        """What publishes."""
        return LocalPublisher(self._store, topic)


class LocalQueue:
    """The messages of a topic behind those that a reader has settled."""

    def __init__(
        self,
        store: Store,
        topic: str,
        reader: str,
        now: Callable[[], float] = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        """Begin behind what was settled."""
        self._store = store
        self._topic = topic
        self._reader = reader
        self._now = now
        self._sleep = sleep
        with _telling():
            self._given = self._settled = store.begin(topic, reader)
        self._out: deque[int] = deque()
        self._done: set[int] = set()

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """The next ones; the first is waited for."""
        end = self._now() + seconds
        while True:
            with _telling():
                found = self._store.posted(self._topic, self._given, most)
            if found:
                self._given = found[-1].number
                self._out += [one.number for one in found]
                return [self._message(*one) for one in found]
            left = end - self._now()
            if left <= 0:
                return ()
            self._sleep(min(left, _LOOK_EVERY))

    def settle(self, messages: Sequence[Message], refused: Sequence[Message] = ()) -> None:
        """They are done. A reader is as far as all before are."""
        self._done.update(int(one.position) for one in (*messages, *refused))
        upto = self._settled
        while self._out and self._out[0] in self._done:
            upto = self._out.popleft()
            self._done.remove(upto)
        if upto > self._settled:
            with _telling():
                self._store.settle(self._topic, self._reader, upto)
            self._settled = upto

    def close(self) -> None:
        """Nothing was opened for it alone."""

    def _message(self, number: int, body: bytes, at: float) -> Message:
        facts = {"topic": self._topic, "number": number, "time": Datetime(round(at * 1e9))}
        return Message(body, f"{self._topic}:{number}", facts=facts, position=str(number))


class LocalPublisher:
    """Puts messages into a topic."""

    def __init__(self, store: Store, topic: str) -> None:
        """Open nothing yet."""
        self._store = store
        self._topic = topic

    def publish(self, messages: Sequence[Outgoing]) -> Sequence[str]:
        """All of them; they are on the disk then."""
        with _telling():
            self._store.post(self._topic, [one.body for one in messages])
        return [""] * len(messages)

    def close(self) -> None:
        """Nothing was opened for it alone."""


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except StateError as error:
        raise BrokerError(str(error)) from None
