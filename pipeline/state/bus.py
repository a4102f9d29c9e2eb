"""What a bus keeps in the state: messages of topics that no broker has, and a registry. No I/O.

A topic is a log. Each of its readers has got up to somewhere; what all of them have is removed. The registry holds
entities for a while, each under a key that somebody publishes in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, Protocol

GONE: Final = 90 * 24 * 3600.0
"""A reader that was not seen for so many seconds keeps no message from being removed."""


class Posted(NamedTuple):
    """A message of a topic: messages are numbered over all topics, in their order. `at` is a wall time."""

    number: int
    body: bytes
    at: float


class Store(Protocol):
    """What is asked of it, by any thread. What a call changed is on the disk when it returns. `StateError`."""

    def post(self, topic: str, bodies: Sequence[bytes]) -> None:
        """Put messages behind those of a topic: all of them or none."""
        ...

    def begin(self, topic: str, reader: str) -> int:
        """Up to which message a reader has a topic; whoever reads it for the first time gets all that are there."""
        ...

    def posted(self, topic: str, after: int, most: int) -> Sequence[Posted]:
        """The messages of a topic behind one."""
        ...

    def settle(self, topic: str, reader: str, upto: int) -> None:
        """A reader has a topic up to there."""
        ...

    def put(self, key: str, entity: bytes, seconds: float) -> bool:
        """Keep an entity for so long; false if another one is or was under this key, which stays so."""
        ...

    def get(self, key: str) -> bytes | None:
        """The entity under a key, if there is one that has not expired; `b""` if it was taken out."""
        ...

    def remove(self, keys: Collection[str]) -> None:
        """Take entities out of the registry; until they would have expired it is known that they were there."""
        ...

    def close(self) -> None:
        """It is asked no more."""
        ...
