"""What changed in datasets behind a point: which version was there, and under which values it was found.

It is kept in a file that has no name and is gone with its connection; what fits into some megabytes is never written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

Node = tuple[int, str]
"""An entity: the place of its dataset, and its `_id`."""

LOST: Final = -1
_SCHEMA: Final = """
CREATE TABLE changed (graph INTEGER, place INTEGER, id TEXT, version INTEGER, PRIMARY KEY (graph, place, id))
    WITHOUT ROWID;
CREATE TABLE keyed (graph INTEGER, side INTEGER, key BLOB, id TEXT, PRIMARY KEY (graph, side, key, id)) WITHOUT ROWID;
"""
# Values that are looked up with one statement.
_MANY: Final = 256
# The graph of values that are computed of all entities of a dataset.
NOW: Final = -1


class Past:
    """A store for one reading. `graph` is the number of a point."""

    def __init__(self) -> None:
        """It is empty."""
        # Sources that wait are read in a thread of their own, this one is not.
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")

    def close(self) -> None:
        """Forget all of it."""
        self._connection.close()

    def note(self, graph: int, node: Node, version: int, keys: Iterable[tuple[int, bytes]]) -> None:
        """An entity has changed since: its version at that point (0: it was not there), and its values by side."""
        self._connection.execute("INSERT INTO changed VALUES (?, ?, ?, ?)", (graph, *node, version))
        self.note_keys(graph, node[1], keys)

    def note_keys(self, graph: int, id_: str, keys: Iterable[tuple[int, bytes]]) -> None:
        """The values of an entity, by side."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO keyed VALUES (?, ?, ?, ?)", [(graph, side, key, id_) for side, key in keys]
        )

    def versions(self, graph: int, place: int, ids: Iterable[str]) -> dict[str, int]:
        """Of those entities that have changed since, the version at that point."""
        found: dict[str, int] = {}
        for part in _parts(ids):
            sql = f"SELECT id, version FROM changed WHERE graph = ? AND place = ? AND id IN ({_marks(part)})"  # noqa: S608 - ours
            found.update(self._connection.execute(sql, (graph, place, *part)))
        return found

    def sought(self, graph: int, side: int, keys: Iterable[bytes]) -> set[str]:
        """Entities that had one of these values."""
        found: set[str] = set()
        for part in _parts(keys):
            sql = f"SELECT id FROM keyed WHERE graph = ? AND side = ? AND key IN ({_marks(part)})"  # noqa: S608 - ours
            found.update(id_ for (id_,) in self._connection.execute(sql, (graph, side, *part)))
        return found

    def changed(self, graph: int, place: int, after: int, most: int) -> Iterator[list[str]]:
        """Entities of a dataset that have changed since, and whose version then is behind `after`."""
        last = ""
        sql = "SELECT id FROM changed WHERE graph = ? AND place = ? AND id > ? AND version > ? ORDER BY id LIMIT ?"
        while rows := self._connection.execute(sql, (graph, place, last, after, most)).fetchall():
            yield [id_ for (id_,) in rows]
            last = rows[-1][0]

    def lost(self, graph: int) -> bool:
        """Whether a version is not known any more."""
        sql = "SELECT 1 FROM changed WHERE graph = ? AND version = ? LIMIT 1"
        return self._connection.execute(sql, (graph, LOST)).fetchone() is not None


def _parts(values: Iterable[object]) -> Iterator[Sequence[object]]:
    rest = iter(values)
    while part := list(islice(rest, _MANY)):
        yield part


def _marks(part: Sequence[object]) -> str:
    return ", ".join("?" * len(part))
