"""THE PORT of a database that holds a configuration: components with their versions, in changes. No I/O.

A change is made of components that are given, replaced or removed together. Numbers of changes grow by one, and so do
the versions of a component; nothing that was stored is ever changed or forgotten. Texts are kept byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """A version of a component. Without `data` it was removed."""

    id: str
    version: int
    change: int
    data: bytes | None


class Change(NamedTuple):
    """What somebody changed at once. `at` is in seconds since 1970; `about` is what they said of it."""

    number: int
    at: float
    who: str
    about: str
    components: Sequence[Stored]


class Snapshot(NamedTuple):
    """The components that are there after a change, by `_id`."""

    number: int
    components: Mapping[str, Stored]

    @property
    def texts(self) -> dict[str, bytes]:
        """Their texts."""
        return {name: one.data for name, one in self.components.items() if one.data is not None}


class StoreError(ValueError):
    """The database cannot be used. The text says why."""


class StaleError(Exception):
    """Somebody else has changed the configuration meanwhile."""


class ConfigStore(Protocol):
    """A database with a configuration in it; what it is asked raises `StoreError` where it cannot be used."""

    def snapshot(self, number: int | None = None) -> Snapshot:
        """How it is now, or was after a change."""
        ...

    def last(self) -> int:
        """The number of the last change; 0 before the first."""
        ...

    def history(self, most: int, before: int | None = None, id: str | None = None) -> Sequence[Change]:
        """Changes, the latest first; those `before` a number, and of one component."""
        ...

    def change(self, number: int) -> Change | None:
        """One of them."""
        ...

    def versions(self) -> Mapping[str, int]:
        """The latest version of each component that there ever was."""
        ...

    def commit(self, edits: Mapping[str, bytes | None], based: int, at: float, who: str, about: str) -> Change:
        """Store a change, `None` for a component that is removed. `StaleError` if `based` is not the last change."""
        ...
