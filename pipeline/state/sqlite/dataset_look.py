"""Reading datasets at once, on a connection of the caller's own: sources and joins, beside the one that writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from pipeline.entity import Entity, from_json
from pipeline.state.datasets import Dataset, Page
from pipeline.state.sqlite import connection, properties, queries, schema
from pipeline.state.sqlite.datasets import UPDATED, UPDATED_BITS
from pipeline.state.sqlite.opening import FILE
from pipeline.state.values import value_key, values_at
from pipeline.state.versions import stored_entity

T = TypeVar("T")

_COLUMNS: Final = "position, CAST(data AS BLOB), hash, previous, ts"
_DATASET: Final = "SELECT number, name, pipe, last, entities, deleted, changed, scanning FROM dataset"
_PAGE: Final = f"SELECT {_COLUMNS} FROM entity WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"  # noqa: S608 - ours
_PAGE_OF_ALL: Final = (
    f"SELECT {_COLUMNS} FROM (SELECT * FROM entity UNION ALL SELECT * FROM history)"  # noqa: S608 - ours
    " WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
)
# Of one value, as most joins ask for: in the order of the index, which is that of positions.
_OF_ONE: Final = (
    f"SELECT entity.{_COLUMNS} FROM property_value CROSS JOIN entity USING (position)"  # noqa: S608 - ours
    " WHERE property = ? AND value = ? ORDER BY property_value.position"
)
# Ids that are looked up with one statement.
_MANY: Final = 256
# Entities that are gone through for a value where there is no index.
_PART: Final = 1000


class _Between(NamedTuple):
    """Which of the entities are looked at, by `_updated`, and how many are wanted at most."""

    after: int = 0
    upto: int = UPDATED
    most: int = -1


_ALL: Final = _Between()


class SqliteReads:
    """`pipeline.state.datasets.Reads`, on the file of a folder. There need not be one."""

    def __init__(self, folder: Path) -> None:
        """Connect when something is to be read."""
        self._path = folder / FILE
        self._connection: sqlite3.Connection | None = None
        self._version = -1
        self._indexes: dict[tuple[str, tuple[str, ...]], tuple[int | None, int | None]] = {}

    def close(self) -> None:
        """Read no more, until something is read again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._version = -1

    def offset(self, pipe: str) -> str | None:
        """How far a pipe has read its source."""
        return self._read(None, lambda c: queries.offset(c, pipe))

    def datasets(self) -> list[Dataset]:
        """All of them, by name."""
        return self._read(
            [], lambda c: [_dataset(row) for row in c.execute(f"{_DATASET} WHERE name <> '' ORDER BY name")]
        )

    def dataset(self, name: str) -> Dataset | None:
        """A dataset by name."""

        def read(opened: sqlite3.Connection) -> Dataset | None:
            row = opened.execute(f"{_DATASET} WHERE name = ?", (name,)).fetchone()
            return None if row is None else _dataset(row)

        return self._read(None, read)

    def measured(self, found: Dataset) -> Dataset:
        """With what takes a look at every entity: how many versions were replaced, and how many bytes all have."""

        def read(opened: sqlite3.Connection) -> Dataset:
            bounds = (found.number << UPDATED_BITS, (found.number + 1) << UPDATED_BITS)
            where = "position > ? AND position < ?"
            ((history, old),) = opened.execute(
                f"SELECT count(*), coalesce(sum(length(CAST(data AS BLOB))), 0) FROM history WHERE {where}",  # noqa: S608 - ours
                bounds,
            )
            ((size,),) = opened.execute(
                f"SELECT coalesce(sum(length(CAST(data AS BLOB))), 0) FROM entity WHERE {where}",  # noqa: S608 - ours
                bounds,
            )
            indexes = tuple(".".join(path) for _, path in properties.of(opened, found.number))
            return found._replace(history=history, size=size + old, indexes=indexes)

        return self._read(found, read)

    def page(self, number: int, after: int, upto: int, most: int, *, history: bool = False) -> Page:
        """Entities with `_updated` after one and up to another."""
        base = number << UPDATED_BITS
        sql = _PAGE_OF_ALL if history else _PAGE
        rows: list[Any] = self._read([], lambda c: c.execute(sql, (base + after, base + upto, most)).fetchall())
        return Page([_entity(row) for row in rows], rows[-1][0] & UPDATED if len(rows) == most else upto)

    def get(self, name: str, id: str) -> Entity | None:
        """The entity with this `_id`."""
        found = self.dataset(name)
        if found is None:
            return None
        sql = f"SELECT {_COLUMNS} FROM entity WHERE dataset = ? AND id = ?"  # noqa: S608 - ours
        row = self._read(None, lambda c: c.execute(sql, (found.number, id)).fetchone())
        return None if row is None else _entity(row)

    def many(self, number: int, ids: Sequence[str]) -> dict[str, Entity]:
        """Those of the entities that a dataset has."""
        found: dict[str, Entity] = {}
        for start in range(0, len(ids), _MANY):
            part = ids[start : start + _MANY]
            marks = ", ".join("?" * len(part))
            sql = f"SELECT {_COLUMNS} FROM entity WHERE dataset = ? AND id IN ({marks})"  # noqa: S608 - ours
            rows: list[Any] = self._read([], partial(_rows, sql, (number, *part)))
            found.update((entity["_id"], entity) for entity in map(_entity, rows))
        return found

    def versions(self, name: str, id: str) -> list[Entity]:
        """All versions of an entity that are kept, the newest first."""
        versions: list[Entity] = []
        found = self.dataset(name)
        entity = self.get(name, id)
        while found is not None and entity is not None:
            versions.append(entity)
            entity = self._history((found.number << UPDATED_BITS) + (entity["_previous"] or 0))
        return versions

    def _history(self, position: int) -> Entity | None:
        """A version that was replaced."""
        sql = f"SELECT {_COLUMNS} FROM history WHERE position = ?"  # noqa: S608 - ours
        row = self._read(None, lambda c: c.execute(sql, (position,)).fetchone())
        return None if row is None else _entity(row)

    def find(self, name: str, path: Sequence[str], values: Iterable[Any]) -> list[Entity]:
        """Entities of which a value at the path is one of these."""
        keys = {key for value in values if (key := value_key(value)) is not None}
        if not keys:
            return []
        if tuple(path) == ("_id",):
            ids = [from_json(key) for key in keys]
            got = [self.get(name, id_) for id_ in ids if isinstance(id_, str)]
            return [one for one in got if one is not None and one.get("_deleted") is not True]
        return self._read([], lambda c: self._sought(c, name, tuple(path), keys, _ALL))

    def note(self, name: str) -> str | None:
        """What the state has noted under a name."""
        row = self._read(None, lambda c: c.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone())
        return None if row is None else row[0]

    def search(self, name: str, path: Sequence[str], values: Iterable[Any], after: int, upto: int, most: int) -> Page:
        """As `find`, between two positions."""
        if tuple(path) == ("_id",):
            some = sorted(
                (one for one in self.find(name, path, values) if after < one["_updated"] <= upto), key=_updated
            )
            return Page(some[:most], some[most - 1]["_updated"] if len(some) >= most else upto)
        keys = {key for value in values if (key := value_key(value)) is not None}
        between = _Between(after, upto, most)
        found: list[Entity] = []
        if keys:
            found = self._read(found, lambda c: self._sought(c, name, tuple(path), keys, between))
        return Page(found, found[-1]["_updated"] if len(found) == most else upto)

    def _sought(
        self, opened: sqlite3.Connection, name: str, path: tuple[str, ...], keys: set[bytes], between: _Between
    ) -> list[Entity]:
        """By the index if there is one; else all are gone through."""
        ((version,),) = opened.execute("PRAGMA data_version")
        if version != self._version:
            # Somebody has written: datasets and indexes may have come and gone.
            self._version = version
            self._indexes.clear()
        if (name, path) not in self._indexes:
            self._indexes[name, path] = _index(opened, name, path)
        dataset, index = self._indexes[name, path]
        if dataset is None:
            return []
        if index is None:
            return _gone_through(opened, dataset, path, keys, between)
        if between is _ALL:
            return _found(opened, index, keys)
        return _found_between(opened, dataset << UPDATED_BITS, index, keys, between)

    def _read(self, nothing: T, work: Callable[[sqlite3.Connection], T]) -> T:
        """What a look gives, or nothing where there is no file."""
        try:
            if self._connection is None:
                self._connect()
            return nothing if self._connection is None else work(self._connection)
        except sqlite3.Error as error:
            raise connection.meaning(error, self._path) or error from None

    def _connect(self) -> None:
        """Unless there is no file, or one of a version without datasets."""
        try:
            if not self._path.stat().st_size:
                return
        except FileNotFoundError:
            return
        opened = connection.looker(self._path)
        try:
            known = schema.version_of(opened, self._path) == len(schema.STEPS)
        except sqlite3.Error as error:
            opened.close()
            if connection.is_unmade(error):
                return
            raise
        except BaseException:
            opened.close()
            raise
        if known:
            self._connection = opened
        else:
            opened.close()


def _updated(entity: Entity) -> int:
    updated: int = entity["_updated"]
    return updated


def _rows(sql: str, values: Sequence[Any], opened: sqlite3.Connection) -> list[Any]:
    return opened.execute(sql, values).fetchall()


def _dataset(row: Sequence[Any]) -> Dataset:
    return Dataset(*row)


def _entity(row: Sequence[Any]) -> Entity:
    position, data, hash_, previous, ts = row
    entity = stored_entity(data)
    entity["_updated"] = position & UPDATED
    entity["_previous"] = None if previous is None else previous & UPDATED
    entity["_hash"] = hash_.hex()
    entity["_ts"] = ts
    return entity


def _index(opened: sqlite3.Connection, name: str, path: Sequence[str]) -> tuple[int | None, int | None]:
    """The numbers of a dataset and of its index for a path, where there are such."""
    row = opened.execute("SELECT number FROM dataset WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None, None
    index = opened.execute(
        "SELECT number FROM property WHERE dataset = ? AND path = ?", (row[0], properties.path_text(path))
    ).fetchone()
    return row[0], None if index is None else index[0]


def _found(opened: sqlite3.Connection, index: int, keys: set[bytes]) -> list[Entity]:
    if len(keys) == 1:
        return [_entity(one) for one in opened.execute(_OF_ONE, (index, *keys))]
    marks = ", ".join("?" * len(keys))
    sql = (
        f"SELECT {_COLUMNS} FROM entity WHERE position IN"  # noqa: S608 - ours
        f" (SELECT position FROM property_value WHERE property = ? AND value IN ({marks})) ORDER BY position"
    )
    return [_entity(one) for one in opened.execute(sql, (index, *keys))]


def _found_between(
    opened: sqlite3.Connection, base: int, index: int, keys: set[bytes], between: _Between
) -> list[Entity]:
    marks = ", ".join("?" * len(keys))
    sql = (
        f"SELECT {_COLUMNS} FROM entity WHERE position IN (SELECT position FROM property_value"  # noqa: S608 - ours
        f" WHERE property = ? AND value IN ({marks}) AND position > ? AND position <= ?) ORDER BY position LIMIT ?"
    )
    bounds = (base + between.after, base + between.upto, between.most)
    return [_entity(one) for one in opened.execute(sql, (index, *keys, *bounds))]


def _gone_through(
    opened: sqlite3.Connection, number: int, path: Sequence[str], keys: set[bytes], between: _Between
) -> list[Entity]:
    base = number << UPDATED_BITS
    after, upto = base + between.after, base + between.upto
    found: list[Entity] = []
    while rows := opened.execute(_PAGE, (after, upto, _PART)).fetchall():
        for row in rows:
            entity = _entity(row)
            if entity.get("_deleted") is not True and not keys.isdisjoint(map(value_key, values_at(entity, path))):
                found.append(entity)
                if len(found) == between.most:
                    return found
        after = rows[-1][0]
    return found
