"""The one that reads: a thread with a connection of its own, beside the one that writes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from pipeline.clock import Clock
from pipeline.state import steady
from pipeline.state.facts import Moment
from pipeline.state.faults import StateError, StateReason
from pipeline.state.sqlite import bearings, connection

T = TypeVar("T")

# A look that takes longer keeps the log from being written back.
LONGEST: Final = 5.0
# Steps of SQLite's machine between two looks at the clock.
_STEPS: Final = 10_000


class Reader:
    """Looks one after the other. Each sees the state as of one instant."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        longest: float = LONGEST,
        connect: Callable[[Path], sqlite3.Connection] = connection.reader,
    ) -> None:
        """Connect when something is to be read."""
        self._connect = connect
        self._path = path
        self._clock = clock
        self._longest = longest
        self._connection: sqlite3.Connection | None = None
        self._until = 0.0
        self._thread = ThreadPoolExecutor(1, "mailweir-state-reader")

    def look(self, work: Callable[[sqlite3.Connection, Moment], T]) -> Future[T]:
        """Read something."""
        return self._thread.submit(self._look, work)

    def close(self) -> None:
        """Read no more."""
        self._thread.submit(self._disconnect)
        self._thread.shutdown()

    def _look(self, work: Callable[[sqlite3.Connection, Moment], T]) -> T:
        try:
            opened = self._connected()
            self._until = time.monotonic() + self._longest
            opened.execute("BEGIN")
            try:
                return work(opened, self._now(opened))
            finally:
                with suppress(sqlite3.Error):
                    opened.execute("ROLLBACK")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                text = f"{self._path}: this took longer than {self._longest:g} seconds"
                raise StateError(StateReason.BUSY, text, "ask for less at once", passing=True) from None
            raise connection.meaning(error, self._path) or error from None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect(self._path)
            self._connection.set_progress_handler(lambda: int(time.monotonic() > self._until), _STEPS)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _now(self, opened: sqlite3.Connection) -> Moment:
        found = bearings.current(opened, self._clock)
        boot, wall = self._clock.boot(), self._clock.wall()
        return Moment(boot if found is None else steady.steady(found, boot), wall)
