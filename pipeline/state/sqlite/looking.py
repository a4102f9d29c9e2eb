"""Looking at a state: the queries of the port, and a state that is only looked at.

Who only looks makes nothing, writes nothing and takes no turn: it works on a disk that is full and beside any number
of senders. What a sender left behind that died is shown as it is; taking it over is for those who open the state.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pipeline.clock import Clock
from pipeline.state import place
from pipeline.state.facts import Execution, Gathering, MessageState, Moment
from pipeline.state.failures import Chosen, Kept, Named
from pipeline.state.owners import Owners
from pipeline.state.sqlite import connection, failures, queries, schema
from pipeline.state.sqlite.opening import FILE, SENDERS
from pipeline.state.sqlite.reading import Reader
from pipeline.state.views import Detail, Discarded, Discards, Filter, Freeing, Holder, LimitChange, Page, Settled, Usage

T = TypeVar("T")


class Queries:
    """`pipeline.state.port.Look`, on one file."""

    def __init__(self, reader: Reader, senders: Path) -> None:
        """What reads, and the folder with the locks of those who send."""
        self._reader = reader
        self._alive = Owners(senders).alive

    async def offset(self, pipe: str) -> str | None:
        """How far a pipe has read its source."""
        return await self._look(lambda connection, _: queries.offset(connection, pipe))

    async def gatherings(self, pipe: str, waited: float, most: int, limit: int = 50) -> Sequence[Gathering]:
        """Gatherings that are due."""
        return await self._look(lambda connection, now: queries.gatherings(connection, now, pipe, waited, most, limit))

    async def notes(self, prefix: str = "") -> Mapping[str, str]:
        """The notes whose names begin so."""
        return await self._look(lambda connection, _: queries.notes(connection, prefix))

    async def generations(self, messages: Sequence[tuple[str, str]]) -> Mapping[str, int]:
        """Of messages by entity and key: for each key that was admitted, the generation to send it once more with."""
        return await self._look(lambda connection, _: queries.generations(connection, messages))

    async def executions(self, pipe: str = "", most: int = 50) -> Sequence[Execution]:
        """The latest runs."""
        return await self._look(lambda connection, _: queries.executions(connection, pipe, most))

    async def execution(self, run: str) -> Sequence[Execution]:
        """The pipes of a run."""
        return await self._look(lambda connection, _: queries.execution(connection, run))

    async def counts(self, system: str = "", pipe: str = "") -> Mapping[MessageState, int]:
        """How many messages there are of each state but `sent`."""
        return await self._look(lambda connection, _: queries.counts(connection, system, pipe))

    async def waited(self) -> float | None:
        """For how many seconds the message has waited that has waited longest; None if none waits."""
        return await self._look(queries.waited)

    async def messages(self, wanted: Filter, before: int | None = None, most: int = 100) -> Page:
        """Messages, the newest first."""
        return await self._look(lambda connection, now: queries.messages(connection, now, wanted, before, most))

    async def count(self, wanted: Filter) -> int:
        """How many messages those are."""
        return await self._look(lambda connection, _: queries.count(connection, wanted))

    async def due(self, system: str) -> tuple[float, str] | None:
        """In how many seconds the next message of a system may go, and of which pipe it is; None if none waits."""
        return await self._look(lambda connection, now: queries.due(connection, now, system))

    async def message(self, id: int) -> Detail | None:
        """Everything about one message."""
        return await self._look(lambda connection, now: queries.message(connection, now, id, self._alive))

    async def discards(self, system: str, since: float) -> Discards:
        """What the limit of a system discarded since a wall time."""
        return await self._look(lambda connection, _: queries.discards(connection, system, since))

    async def discarded(self, system: str, since: float, width: float) -> Sequence[Discarded]:
        """The same in spans of so many seconds."""
        return await self._look(lambda connection, _: queries.discarded(connection, system, since, width))

    async def settled(self, since: float, width: float) -> Sequence[Settled]:
        """What was discarded, rejected or given up since a wall time, in spans of so many seconds."""
        return await self._look(lambda connection, _: queries.settled(connection, since, width))

    async def usage(self, limits: Mapping[str, int] | None = None) -> Sequence[Usage]:
        """Gates."""
        return await self._look(lambda connection, now: queries.usage(connection, now, limits or {}))

    async def freeing(self, gate: str) -> Sequence[Freeing]:
        """When how many places of a gate free."""
        return await self._look(lambda connection, now: tuple(queries.freeing(connection, now, gate)))

    async def history(self, gate: str, seconds: float) -> Sequence[Freeing]:
        """How many messages were accepted when."""
        return await self._look(lambda connection, now: tuple(queries.history(connection, now, gate, seconds)))

    async def limit_changes(self, gate: str, most: int = 100) -> Sequence[LimitChange]:
        """The latest changes of a limit."""
        return await self._look(lambda connection, _: queries.limit_changes(connection, gate, most))

    async def holders(self) -> Sequence[Holder]:
        """Who has claims."""
        return await self._look(lambda connection, _: queries.holders(connection, self._alive))

    async def failures(self, chosen: Chosen, before: int | None = None, most: int = 100) -> Sequence[Kept]:
        """Entities that failed, the newest first."""
        return await self._look(lambda connection, _: failures.listed(connection, chosen, before, most))

    async def waiting(self, pipe: str, most: int) -> Sequence[Kept]:
        """Those that wait for another try, the oldest first."""
        return await self._look(lambda connection, _: failures.waiting(connection, pipe, most))

    async def failed_names(self, pipe: str, most: int) -> Sequence[Named]:
        """Those of a pipe."""
        return await self._look(lambda connection, _: failures.names(connection, pipe, most))

    async def failure_counts(self) -> Mapping[str, tuple[int, int]]:
        """How many of each pipe wait, and how many are dead."""
        return await self._look(lambda connection, _: failures.counts(connection))

    def _check(self) -> None:
        """Raise if nothing may be asked any more."""

    async def _look(self, work: Callable[[sqlite3.Connection, Moment], T]) -> T:
        self._check()
        return await asyncio.wrap_future(self._reader.look(work))


class SqliteLook(Queries):
    """A state that is only looked at."""

    @classmethod
    def open(cls, folder: Path, clock: Clock) -> Self | None:
        """Look at the state of a folder; None if there is none. `StateError` if it cannot be read or is not ours."""
        path = folder / FILE
        try:
            if not path.stat().st_size:
                return None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise place.refused(path, error) from None
        try:
            with closing(connection.looker(path)) as opened:
                version = schema.version_of(opened, path)
        except sqlite3.Error as error:
            if connection.is_unmade(error):
                return None
            raise connection.meaning(error, path) or error from None
        # A file without tables is just being made by somebody.
        return cls(Reader(path, clock, connect=connection.looker), folder / SENDERS) if version else None

    async def __aenter__(self) -> Self:
        """The state."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Look no more."""
        self._reader.close()
