"""A configuration in a file of SQLite.

The journal is the one that is rolled back: changes are few, the file alone is the whole configuration, and who watches
it sees each change. Opening it for reading makes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from pipeline.config.store import Change, Snapshot, StaleError, Stored, StoreError
from pipeline.state import place
from pipeline.state.faults import StateError

SCHEMA: Final = 1
# "mwcf": no other program takes the file for its own.
APPLICATION: Final = 0x6D776366
# Somebody else's change is stored by then.
BUSY_SECONDS: Final = 10.0

_tables: Final = """
CREATE TABLE change(number INTEGER PRIMARY KEY, at REAL NOT NULL, who TEXT NOT NULL, about TEXT NOT NULL) STRICT;
CREATE TABLE component(
  id TEXT NOT NULL, version INTEGER NOT NULL, change INTEGER NOT NULL REFERENCES change(number), data BLOB,
  PRIMARY KEY(id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX component_change ON component(change, id);
"""
_insert: Final = """
INSERT INTO component SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3 FROM component WHERE id = ?1
"""
_latest: Final = """
SELECT id, version, change, data FROM component AS one
WHERE version = (SELECT max(version) FROM component WHERE id = one.id AND change <= :number) AND data IS NOT NULL
ORDER BY id
"""


class SqliteConfig:
    """An open database; used by one thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Of a connection without transactions of its own."""
        self._connection = connection
        self._path = path

    @classmethod
    def open(cls, path: Path, *, make: bool = True) -> Self:
        """The database in a file, which is made if it is not there. `StoreError` if it cannot be used."""
        try:
            if make:
                place.prepare(path.parent)
                place.make_file(path)
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
            )
        except StateError as error:
            raise StoreError(error.text) from None
        except sqlite3.Error as error:
            raise StoreError(f"{path.name}: {error}") from None
        store = cls(connection, path)
        try:
            store._prepare(make=make)
        except BaseException:
            connection.close()
            raise
        return store

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it."""
        self._connection.close()

    def _prepare(self, *, make: bool) -> None:
        with self._told():
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            schema = self._number("PRAGMA user_version")
            if schema == 0 and make:
                with self._writing():
                    # Another process may have made them while this one waited.
                    schema = self._number("PRAGMA user_version")
                    if schema == 0:
                        for statement in _tables.split(";\n"):
                            if statement.strip():
                                self._connection.execute(statement)
                        self._connection.execute(f"PRAGMA application_id = {APPLICATION}")
                        self._connection.execute(f"PRAGMA user_version = {SCHEMA}")
                        schema = SCHEMA
            if schema > SCHEMA:
                raise StoreError(
                    f"{self._path.name} was written by a newer Mailweir (schema {schema}, this one knows {SCHEMA})"
                )
            if schema and self._number("PRAGMA application_id") != APPLICATION:
                raise StoreError(f"{self._path.name} is a database of another program")
            self._empty = schema == 0

    def snapshot(self, number: int | None = None) -> Snapshot:
        """How it is now, or was after a change."""
        if self._empty:
            return Snapshot(0, {})
        with self._told(), self._reading():
            last = self._number("SELECT coalesce(max(number), 0) FROM change")
            wanted = last if number is None else min(number, last)
            rows = self._connection.execute(_latest, {"number": wanted})
            return Snapshot(wanted, {row[0]: Stored(*row) for row in rows})

    def last(self) -> int:
        """The number of the last change."""
        if self._empty:
            return 0
        with self._told():
            return self._number("SELECT coalesce(max(number), 0) FROM change")

    def history(self, most: int, before: int | None = None, id: str | None = None) -> Sequence[Change]:
        """Changes, the latest first."""
        if self._empty:
            return []
        chosen = "AND number IN (SELECT change FROM component WHERE id = :id)" if id is not None else ""
        # The condition is one of two texts of this line and holds nothing of a caller.
        query = f"SELECT number FROM change WHERE number < :before {chosen} ORDER BY number DESC LIMIT :most"  # noqa: S608
        with self._told(), self._reading():
            given = {"before": 2**62 if before is None else before, "id": id, "most": most}
            numbers = [row[0] for row in self._connection.execute(query, given)]
            return [change for number in numbers if (change := self._change(number)) is not None]

    def change(self, number: int) -> Change | None:
        """One change."""
        if self._empty:
            return None
        with self._told(), self._reading():
            return self._change(number)

    def versions(self) -> Mapping[str, int]:
        """The latest version of each component that there ever was."""
        if self._empty:
            return {}
        with self._told():
            return dict(self._connection.execute("SELECT id, max(version) FROM component GROUP BY id"))

    def commit(self, edits: Mapping[str, bytes | None], based: int, at: float, who: str, about: str) -> Change:
        """Store a change; it is on the disk when this returns."""
        with self._told(), self._writing():
            last = self._number("SELECT coalesce(max(number), 0) FROM change")
            if last != based:
                raise StaleError
            number = last + 1
            self._connection.execute("INSERT INTO change VALUES (?, ?, ?, ?)", (number, at, who, about))
            for name, data in edits.items():
                self._connection.execute(_insert, (name, number, data))
            made = self._change(number)
            assert made is not None  # noqa: S101 - it was stored above
            return made

    def _change(self, number: int) -> Change | None:
        row = self._connection.execute(
            "SELECT number, at, who, about FROM change WHERE number = ?", (number,)
        ).fetchone()
        if row is None:
            return None
        parts = self._connection.execute(
            "SELECT id, version, change, data FROM component WHERE change = ? ORDER BY id", (number,)
        )
        return Change(row[0], row[1], row[2], row[3], [Stored(*one) for one in parts])

    def _number(self, query: str) -> int:
        with closing(self._connection.execute(query)) as rows:
            return int(rows.fetchone()[0])

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One state of it, however many questions are asked."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # A commit that failed may have ended it already.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Faults of SQLite in words."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path.name} cannot be used: {error}") from None
