"""A bus at work: what reads and fills its topics, wherever they are, and its registry, which is in the state."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol, Self

from pipeline.state.bus import Store
from pipeline.state.faults import StateError
from systems.brokers.messages import BrokerError, Publisher, Queue
from systems.brokers.settings import Settings


class Topics(Protocol):
    """Topics. Each reader gets each message of a topic, until it has settled it."""

    settings: Settings

    def queue(self, topic: str, reader: str, prefetch: int) -> Queue:
        """What one reader of a topic is handed. `BrokerError`."""
        ...

    def publisher(self, topic: str) -> Publisher:
        """What publishes to a topic. `BrokerError`."""
        ...


class Bus:
    """The system: it opens nothing before it is used."""

    def __init__(self, name: str, topics: Topics, store: Store) -> None:
        """`store` has the registry."""
        self.name: Final = name
        self.topics: Final = topics
        self._store = store

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close the registry."""
        self.close()

    def close(self) -> None:
        """As above, for those who do not enter it."""
        self._store.close()

    def get(self, key: str) -> bytes | None:
        """What is under a key of the registry; `b""` if it was taken out. `BrokerError`."""
        try:
            return self._store.get(key)
        except StateError as error:
            raise BrokerError(str(error)) from None

    def put(self, key: str, entity: bytes, seconds: float) -> bool:
        """Keep an entity for so long; false if another one is or was under this key. `BrokerError`."""
        try:
            return self._store.put(key, entity, seconds)
        except StateError as error:
            raise BrokerError(str(error)) from None

    def take_out(self, keys: Collection[str]) -> None:
        """They are not needed any more. `BrokerError`."""
        try:
            self._store.remove(keys)
        except StateError as error:
            raise BrokerError(str(error)) from None
