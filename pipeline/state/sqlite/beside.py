"""The file of a state for those who are no sender: opened beside the state, also from another process."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

from pipeline.clock import Clock
from pipeline.state import steady
from pipeline.state.sqlite import bearings, connection, schema
from pipeline.state.sqlite.opening import FILE, Opened, opened
from pipeline.state.sqlite.transaction import Transaction
from pipeline.state.sqlite.writer import LINGER, Writer

T = TypeVar("T")

# As of the state: with less room on the disk nothing is taken.
_FLOOR: Final = 64 * 2**20


class Beside:
    """The file of a folder. It is made with the first thing that is written, and opened with the first that is asked.

    Any thread may ask.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Open nothing yet."""
        self._folder = folder
        self._path = folder / FILE
        self._clock = clock
        self._opening = Lock()
        self._reading = Lock()
        self._place: Opened | None = None
        self._writer: Writer | None = None
        self._reader: sqlite3.Connection | None = None

    def close(self) -> None:
        """Write what is under way, and close."""
        with self._opening, self._reading:
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.close()
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            if self._place is not None:
                self._place.close()
                self._place = None

    def _write(self, work: Callable[[Transaction], T], *, needs_room: bool = True) -> T:
        with self._opening:
            writer = self._writer or self._opened()
        return writer.call(work, needs_room=needs_room).result()

    def _opened(self) -> Writer:
        place = self._place = opened(self._folder, self._clock, accept_older=False, on_network=False)
        self._writer = Writer(
            place.connection,
            place.path,
            place.turn,
            self._clock,
            settle=lambda _transaction, _settlements: None,
            taken_over=lambda _count: None,
            committed=lambda transaction: place.committed(transaction.now.steady),
            floor=_FLOOR,
            linger=LINGER,
            patience=connection.BUSY_SECONDS,
        )
        return self._writer

    def _look(self, nothing: T, work: Callable[[sqlite3.Connection], T]) -> T:
        """What is read, or nothing where there is no file yet, or one of an older version."""
        with self._reading:
            try:
                own = self._reader or self._connected()
                if own is None:
                    return nothing
                own.execute("BEGIN")
                try:
                    return work(own)
                finally:
                    with suppress(sqlite3.Error):
                        own.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise connection.meaning(error, self._path) or error from None

    def _now(self, own: sqlite3.Connection) -> float:
        found = bearings.current(own, self._clock)
        boot = self._clock.boot()
        return boot if found is None else steady.steady(found, boot)

    def _connected(self) -> sqlite3.Connection | None:
        try:
            if not self._path.stat().st_size:
                return None
        except FileNotFoundError:
            return None
        own = connection.looker(self._path)
        known = False
        try:
            known = schema.version_of(own, self._path) == len(schema.STEPS)
        except sqlite3.Error as error:
            if not connection.is_unmade(error):
                raise
        finally:
            if not known:
                own.close()
        self._reader = own if known else None
        return self._reader
