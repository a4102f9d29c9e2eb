"""Entities that failed, as the state keeps them: those that wait for another try, and the dead letters. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from pipeline.failing import Fate, Tolerance

Stage = Literal["transform", "sink"]
"""Where it failed. One that failed in the sink is kept as it came there, else as the source gave it."""


class Failure(NamedTuple):
    """An entity that failed now. `name` tells it from others of its pipe: its `_id`, if it has one."""

    pipe: str
    name: str
    entity_id: str
    stage: Stage
    reason: str
    entity: str
    run: str


class Kept(NamedTuple):
    """One that is on record. Times are wall times; `tries` counts the runs in which it failed."""

    number: int
    pipe: str
    name: str
    entity_id: str
    stage: Stage
    reason: str
    run: str
    first: float
    last: float
    tries: int
    dead: bool
    entity: str
    later: bool = False
    """A later version of it has gone on since, so that this one is not tried again."""


class Named(NamedTuple):
    """One that is on record, without what it holds."""

    stage: Stage
    name: str
    dead: bool
    later: bool


class Chosen(NamedTuple):
    """Which of them are meant; empty and None: all. `entity` is an `_id`, `number` names one."""

    pipe: str = ""
    entity: str = ""
    dead: bool | None = None
    number: int | None = None


class FailureReads(Protocol):
    """What can be looked at."""

    async def failures(self, chosen: Chosen, before: int | None = None, most: int = 100) -> Sequence[Kept]:
        """Some of them, the newest first; `before` is the number of the last one of the page before."""
        ...

    async def waiting(self, pipe: str, most: int) -> Sequence[Kept]:
        """Those that wait for another try, the oldest first."""
        ...

    async def failed_names(self, pipe: str, most: int) -> Sequence[Named]:
        """Those of a pipe, in no order; at most so many."""
        ...

    async def failure_counts(self) -> Mapping[str, tuple[int, int]]:
        """How many of each pipe wait, and how many are dead."""
        ...


class FailureWrites(Protocol):
    """What changes them."""

    def put(self, failures: Sequence[Failure], tolerance: Tolerance) -> Sequence[Fate]:
        """What becomes of each; when it returns, that survives a kill, so that its source can be read on.

        If there is no room for one of them, nothing is changed.
        """
        ...

    def later(self, pipe: str, stage: Stage, names: Collection[str]) -> Collection[str]:
        """Later versions of these go on now: those of them that are on record. When it returns that survives a kill."""
        ...

    async def give_way(self, pipe: str, *, dead: bool, dataset: str = "") -> int:
        """Remove those that waited when a later version went on, and with `dead` dead letters too. How many."""
        ...

    async def passed(self, pipe: str, stage: Stage, names: Collection[str], *, dead: bool, dataset: str = "") -> int:
        """These have passed: they wait no more, and with `dead` are no dead letters either. How many those were.

        `dataset` has the dead letters of the pipe, too.
        """
        ...

    async def again(self, numbers: Sequence[int], datasets: Mapping[str, str]) -> int:
        """Let dead letters wait for the next run, with all their tries before them. How many those were.

        One of which a later version has gone on is left as it is.

        `datasets` are those that have the dead letters of pipes, too.
        """
        ...

    async def delete(self, numbers: Sequence[int], datasets: Mapping[str, str]) -> int:
        """Remove some for good. How many those were."""
        ...
