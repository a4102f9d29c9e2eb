"""Topics and the registry, in the file: opened beside the state by whoever publishes, also from another process."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

from pipeline.clock import Clock
from pipeline.state import steady
from pipeline.state.bus import GONE, Posted
from pipeline.state.sqlite import bearings, connection, schema
from pipeline.state.sqlite.opening import FILE, Opened, opened
from pipeline.state.sqlite.transaction import Transaction
from pipeline.state.sqlite.writer import LINGER, Writer

T = TypeVar("T")

# As of the state: with less room on the disk nothing is taken.
_FLOOR: Final = 64 * 2**20
# Seconds for which nothing is written of a reader that is still there.
_LATELY: Final = 24 * 3600.0


def post(transaction: Transaction, topic: str, bodies: Sequence[bytes]) -> None:
    """Put messages into a topic."""
    transaction.connection.executemany(
        "INSERT INTO bus_message (topic, body, at) VALUES (?, ?, ?)",
        [(topic, body, transaction.now.wall) for body in bodies],
    )


def begin(transaction: Transaction, topic: str, reader: str) -> int:
    """Know a reader, and where it is."""
    (upto,) = transaction.connection.execute(
        "INSERT INTO bus_reader (topic, reader, upto, seen) VALUES (?, ?, 0, ?)"
        " ON CONFLICT (topic, reader) DO UPDATE SET seen = excluded.seen RETURNING upto",
        (topic, reader, transaction.now.steady),
    ).fetchone()
    return int(upto)


def settle(transaction: Transaction, topic: str, reader: str, upto: int) -> None:
    """A reader is further; what all readers have goes."""
    own, _, now = transaction
    own.execute(
        "UPDATE bus_reader SET upto = max(upto, ?), seen = ? WHERE topic = ? AND reader = ?",
        (upto, now.steady, topic, reader),
    )
    own.execute(
        "DELETE FROM bus_message WHERE topic = ?1 AND number <="
        " (SELECT min(upto) FROM bus_reader WHERE topic = ?1 AND seen > ?2)",
        (topic, now.steady - GONE),
    )


def put(transaction: Transaction, key: str, entity: bytes, seconds: float) -> bool:
    """Keep an entity; what has expired goes first."""
    own, _, now = transaction
    own.execute("DELETE FROM registry WHERE expires <= ?", (now.steady,))
    own.execute(
        "INSERT INTO registry (key, entity, expires) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
        (key, entity, now.steady + seconds),
    )
    # Who did not hear that it was kept, and puts it once more, is told the same.
    return bool(own.execute("SELECT 1 FROM registry WHERE key = ? AND entity = ?", (key, entity)).fetchone())


def remove(transaction: Transaction, keys: Collection[str]) -> None:
    """Forget some."""
    transaction.connection.execute(
        "DELETE FROM registry WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(list(keys)),)
    )


class SqliteBus:
    """`pipeline.state.bus.Store`, on the file of a folder. It is made with the first thing that is written."""

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

    def post(self, topic: str, bodies: Sequence[bytes]) -> None:
        """Put messages into a topic."""
        self._write(lambda transaction: post(transaction, topic, bodies))

    def begin(self, topic: str, reader: str) -> int:
        """Where a reader is. One that was seen lately is looked up: a service begins every few seconds."""

        def read(own: sqlite3.Connection) -> int | None:
            sql = "SELECT upto FROM bus_reader WHERE topic = ? AND reader = ? AND seen > ?"
            row = own.execute(sql, (topic, reader, self._now(own) - _LATELY)).fetchone()
            return None if row is None else row[0]

        known = self._look(None, read)
        return self._write(lambda transaction: begin(transaction, topic, reader)) if known is None else known

    def posted(self, topic: str, after: int, most: int) -> Sequence[Posted]:
        """Messages of a topic."""
        sql = "SELECT number, body, at FROM bus_message WHERE topic = ? AND number > ? ORDER BY number LIMIT ?"
        return self._look((), lambda own: [Posted(*row) for row in own.execute(sql, (topic, after, most))])

    def settle(self, topic: str, reader: str, upto: int) -> None:
        """A reader is further."""
        self._write(lambda transaction: settle(transaction, topic, reader, upto), needs_room=False)

    def put(self, key: str, entity: bytes, seconds: float) -> bool:
        """Keep an entity for a while."""
        return self._write(lambda transaction: put(transaction, key, entity, seconds))

    def get(self, key: str) -> bytes | None:
        """The entity under a key."""

        def read(own: sqlite3.Connection) -> bytes | None:
            sql = "SELECT entity FROM registry WHERE key = ? AND expires > ?"
            row = own.execute(sql, (key, self._now(own))).fetchone()
            return None if row is None else row[0]

        return self._look(None, read)

    def remove(self, keys: Collection[str]) -> None:
        """Take some out."""
        if keys:
            self._write(lambda transaction: remove(transaction, keys), needs_room=False)

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
