"""Indexes for joins: which entities of a dataset have a value at a path, kept in the transaction that changes them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pipeline.state.values import value_key, values_at
from pipeline.state.versions import stored_entity

# So many entities are read at a time when an index is made.
_PART: Final = 1000


def path_text(path: Sequence[str]) -> str:
    """A path as it is stored."""
    return json.dumps(list(path))


def of(connection: sqlite3.Connection, number: int) -> list[tuple[int, list[str]]]:
    """The indexes of a dataset."""
    rows = connection.execute("SELECT number, path FROM property WHERE dataset = ?", (number,))
    return [(index, json.loads(path)) for index, path in rows]


def make(connection: sqlite3.Connection, number: int, path: Sequence[str], bits: int) -> None:
    """Make an index of what is there. `bits` of a position are `_updated`."""
    text = path_text(path)
    if connection.execute("SELECT 1 FROM property WHERE dataset = ? AND path = ?", (number, text)).fetchone():
        return
    index = connection.execute("INSERT INTO property (dataset, path) VALUES (?, ?)", (number, text)).lastrowid
    after, upto = number << bits, (number + 1) << bits
    while rows := connection.execute(
        "SELECT position, CAST(data AS BLOB) FROM entity WHERE position > ? AND position < ? ORDER BY position LIMIT ?",
        (after, upto, _PART),
    ).fetchall():
        for position, data in rows:
            _add(connection, index, path, position, data)
        after = rows[-1][0]


def added(connection: sqlite3.Connection, number: int, rows: Mapping[int, Sequence[object]]) -> None:
    """Entities have come, by position; the last of each row is its JSON."""
    for index, path in of(connection, number):
        for position, row in rows.items():
            _add(connection, index, path, position, row[-1])


def replaced(connection: sqlite3.Connection, number: int, positions: Iterable[int]) -> None:
    """Entities are about to go."""
    indexes = of(connection, number)
    if not indexes:
        return
    for position in positions:
        ((data,),) = connection.execute("SELECT CAST(data AS BLOB) FROM entity WHERE position = ?", (position,))
        for index, path in indexes:
            connection.executemany(
                "DELETE FROM property_value WHERE property = ? AND value = ? AND position = ?",
                [(index, key, position) for key in _keys(path, data)],
            )


def _add(connection: sqlite3.Connection, index: int | None, path: Sequence[str], position: int, data: object) -> None:
    connection.executemany(
        "INSERT INTO property_value VALUES (?, ?, ?)", [(index, key, position) for key in _keys(path, data)]
    )


def _keys(path: Sequence[str], data: object) -> set[bytes]:
    """What an entity is found under; nothing for one that is deleted."""
    assert isinstance(data, bytes)  # noqa: S101 - as it was written
    entity = stored_entity(data)
    if entity.get("_deleted") is True:
        return set()
    return {key for value in values_at(entity, path) if (key := value_key(value)) is not None}
