"""Topics and the registry, in the file of the state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import Final

from pipeline.state.bus import GONE, Posted
from pipeline.state.sqlite.beside import Beside
from pipeline.state.sqlite.transaction import Transaction

# Seconds for which nothing is written of a reader that is still there.
_LATELY: Final = 24 * 3600.0
# What no JSON begins with: behind it stands the digest of an entity that was taken out.
_TAKEN: Final = b"\0"


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
    # Who did not hear that it was kept, and puts it once more, is told the same, also if it was taken out since.
    sql = "SELECT 1 FROM registry WHERE key = ? AND entity IN (?, ?)"
    return bool(own.execute(sql, (key, entity, _mark(entity))).fetchone())


def remove(transaction: Transaction, keys: Collection[str]) -> None:
    """Keep nothing of some but what tells that they were there."""
    own = transaction.connection
    sql = "SELECT key, entity FROM registry WHERE key IN (SELECT value FROM json_each(?))"
    found = own.execute(sql, (json.dumps(list(keys)),)).fetchall()
    marks = [(_mark(entity), key) for key, entity in found if not entity.startswith(_TAKEN)]
    own.executemany("UPDATE registry SET entity = ? WHERE key = ?", marks)


def _mark(entity: bytes) -> bytes:
    return _TAKEN + blake2b(entity, digest_size=16).digest()


class SqliteBus(Beside):
    """`pipeline.state.bus.Store`, on the file of a folder."""

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
            return None if row is None else b"" if row[0].startswith(_TAKEN) else bytes(row[0])

        return self._look(None, read)

    def remove(self, keys: Collection[str]) -> None:
        """Take some out."""
        if keys:
            self._write(lambda transaction: remove(transaction, keys), needs_room=False)
