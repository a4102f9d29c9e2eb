"""Writing entities: what is unchanged costs one look into an index, and what a newer version replaces is history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from pipeline.entity import transit
from pipeline.state.datasets import Change, Changed, Entry, Scan, Swept, TooManyError
from pipeline.state.facts import Batch
from pipeline.state.sqlite import admission, properties
from pipeline.state.sqlite.transaction import Transaction
from pipeline.state.versions import entity_hash, ordered_text, stored_entity, stored_text

# A position is the number of the dataset and, below it, `_updated`: a million million changes.
UPDATED_BITS: Final = 40
UPDATED: Final = (1 << UPDATED_BITS) - 1
# Ids that are looked up with one statement.
_MANY: Final = 256

_LOOK: Final = "SELECT id, hash, position, deleted FROM entity WHERE dataset = ? AND id IN ({})"
_LOOK_MANY: Final = _LOOK.format(", ".join("?" * _MANY))
_AHEAD: Final = """
    SELECT id, hash, position FROM entity WHERE position > ? AND position <= ? AND deleted = 0
    ORDER BY position LIMIT ?
"""
_PUT: Final = """
    INSERT INTO entity (position, dataset, id, hash, deleted, previous, ts, data)
    VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT))
"""


class Head(NamedTuple):
    """What is known of a dataset before it changes."""

    number: int
    last: int
    entities: int
    deleted: int
    scanning: int

    @property
    def base(self) -> int:
        """What the positions of the dataset begin with."""
        return self.number << UPDATED_BITS


def head(connection: sqlite3.Connection, name: str) -> Head | None:
    """A dataset by name."""
    row = connection.execute(
        "SELECT number, last, entities, deleted, scanning FROM dataset WHERE name = ?", (name,)
    ).fetchone()
    return None if row is None else Head(*row)


def made(transaction: Transaction, name: str, pipe: str) -> Head:
    """A dataset by name; it is made if there is none."""
    found = head(transaction.connection, name)
    if found is not None:
        return found
    transaction.connection.execute(
        "INSERT INTO dataset (name, pipe, last, entities, deleted, changed, scanning) VALUES (?, ?, 0, 0, 0, ?, 0)",
        (name, pipe, transaction.now.wall),
    )
    found = head(transaction.connection, name)
    assert found is not None  # noqa: S101 - it was just made, in this transaction
    return found


def scan(transaction: Transaction, name: str, pipe: str, *, afresh: bool) -> Scan | None:
    """Begin to read a whole source, or go on with that."""
    connection = transaction.connection
    if not afresh:
        found = head(connection, name)
        if found is None or not found.scanning:
            return None
        pages = dict(connection.execute("SELECT page, bits FROM scan WHERE dataset = ?", (found.number,)))
        return Scan(found.number, found.scanning - 1, pages)
    found = made(transaction, name, pipe)
    connection.execute("DELETE FROM scan WHERE dataset = ?", (found.number,))
    connection.execute(
        "UPDATE dataset SET scanning = ?, pipe = ? WHERE number = ?", (found.last + 1, pipe, found.number)
    )
    return Scan(found.number, found.last)


def abandon(transaction: Transaction, name: str) -> None:
    """Forget what a reading has met."""
    found = head(transaction.connection, name)
    if found is not None and found.scanning:
        _end(transaction, found.number)


def put(transaction: Transaction, change: Change) -> Changed:
    """Write what is new or has changed."""
    connection = transaction.connection
    if change.once is not None:
        row = connection.execute("SELECT value FROM note WHERE name = ?", (change.once.name,)).fetchone()
        if row is not None:
            return Changed(before=row[0])
        admission.admit(transaction, Batch(notes={change.once.name: change.once.text}), None, None)
    found = made(transaction, change.dataset, change.pipe)
    marks = change.scan if change.scan is not None and change.scan.number == found.number else None
    work = _Work(transaction, found, marks, keeps=change.history, last=change.unique)
    done = work.put(change.entries, tombstones=change.tombstones)
    if change.most is not None and done.written > change.most:
        raise TooManyError
    work.store()
    if change.offset is not None:
        if marks is not None:
            connection.executemany(
                "INSERT OR REPLACE INTO scan VALUES (?, ?, ?)",
                [(found.number, page, bits) for page, bits in marks.touched()],
            )
        admission.admit(transaction, Batch(offset=change.offset), None, None)
    return done


def missing(connection: sqlite3.Connection, marks: Scan) -> int:
    """How many entities were not met."""
    row = connection.execute("SELECT entities FROM dataset WHERE number = ?", (marks.number,)).fetchone()
    return 0 if row is None else max(0, row[0] - len(marks))


def sweep(transaction: Transaction, marks: Scan, after: int, *, most: int, marked: bool, keeps: bool) -> Swept:
    """Look at `most` entities after one, and delete those that were not met."""
    connection = transaction.connection
    row = connection.execute(
        "SELECT number, last, entities, deleted, scanning FROM dataset WHERE number = ?", (marks.number,)
    ).fetchone()
    if row is None:
        return Swept(0, None)
    found = Head(*row)
    if not missing(connection, marks):
        _end(transaction, found.number)
        return Swept(0, None)
    rows = connection.execute(
        "SELECT position FROM entity WHERE position > ? AND position <= ? AND deleted = 0 ORDER BY position LIMIT ?",
        (found.base + after, found.base + marks.began, most),
    ).fetchall()
    lost = [position for (position,) in rows if position & UPDATED not in marks]
    work = _Work(transaction, found, marks, keeps=keeps)
    done = work.put(list(_deletes(connection, lost, marked=marked)), tombstones=False)
    work.store()
    if len(rows) < most:
        _end(transaction, found.number)
        return Swept(done.written, None)
    return Swept(done.written, rows[-1][0] & UPDATED)


def _deletes(connection: sqlite3.Connection, positions: Iterable[int], *, marked: bool) -> Iterator[Entry]:
    for position in positions:
        ((data,),) = connection.execute("SELECT CAST(data AS BLOB) FROM entity WHERE position = ?", (position,))
        entity = stored_entity(data)
        entity["_deleted"] = True
        if marked:
            entity["$deletion_tracked"] = True
        yield Entry(entity["_id"], entity_hash(ordered_text(entity)), deleted=True, entity=transit(entity))


def _end(transaction: Transaction, number: int) -> None:
    transaction.connection.execute("DELETE FROM scan WHERE dataset = ?", (number,))
    transaction.connection.execute("UPDATE dataset SET scanning = 0 WHERE number = ?", (number,))


class _Work:
    """New versions on their way into one dataset."""

    def __init__(
        self, transaction: Transaction, found: Head, marks: Scan | None, *, keeps: bool, last: bool = False
    ) -> None:
        """`last`: of entries with one `_id` the last counts, and no other is written."""
        self._only_last = last
        self._transaction = transaction
        self._head = found
        self._marks = marks
        self._keeps = keeps
        self._last, self._entities, self._deleted = found.last, found.entities, found.deleted
        self._new: dict[int, tuple[object, ...]] = {}
        self._replaced: list[int] = []
        self._passing: list[tuple[object, ...]] = []  # replaced by a later entry of the same entities

    def put(self, entries: Sequence[Entry], *, tombstones: bool) -> Changed:
        """Find out what is new or has changed."""
        marks = self._marks
        if self._follow(entries):
            return Changed(0, len(entries))
        known = _known(self._transaction.connection, self._head.number, [entry.id for entry in entries])
        if self._are_there(entries, known):
            return Changed(0, len(entries))
        written = skipped = filtered = 0
        refused: list[tuple[int, str]] = []
        repeated = ""
        last = {entry.id: place for place, entry in enumerate(entries)} if self._only_last else {}
        for place, entry in enumerate(entries):
            if last.get(entry.id, place) != place:
                skipped += 1
                continue
            id_, hash_, deleted, _, out, expected = entry
            old_hash, old, old_deleted = known.get(id_, _NOTHING)
            stale = expected is not None and expected != old & UPDATED
            # What is deleted stays as it is, and what never was needs no delete.
            needless = deleted and old_deleted and not (out and tombstones and not old)
            if old_hash != hash_ and not needless and not stale:
                if marks is not None and old & UPDATED in marks:
                    repeated = id_
                position = self._put(entry, old, old_deleted=bool(old_deleted))
                known[id_] = hash_, position, deleted
                written += not out
                filtered += out
                continue
            if marks is not None and not old_deleted:
                marks.add(old & UPDATED)
            if stale:
                refused.append((place, f"its `_previous` is {expected}, and the stored version is {old & UPDATED}"))
            else:
                skipped += not out
        return Changed(written, skipped, filtered, tuple(refused), repeated=repeated)

    def _follow(self, entries: Sequence[Entry]) -> bool:
        """Whether they are the next ones in the dataset, as they are. To read on costs half of looking each up."""
        marks = self._marks
        if marks is None or marks.ahead is None or not entries:
            return False
        base, many = self._head.base, len(entries)
        look = self._transaction.connection.execute
        between = (base + marks.ahead, base + self._head.last)
        first = look(_AHEAD, (*between, 1)).fetchone()
        if first is not None and first[0] == entries[0][0]:
            ids, hashes, _, _, _, expected = zip(*entries, strict=True)
            there, stored, positions = zip(*look(_AHEAD, (*between, many)), strict=True)
            if ids == there and hashes == stored and set(expected) == {None}:
                marks.add_all([position & UPDATED for position in positions])
                marks.ahead = positions[-1] & UPDATED
                return True
        marks.ahead = None
        return False

    def _are_there(self, entries: Sequence[Entry], known: Mapping[str, tuple[bytes, int, int]]) -> bool:
        """Whether all are there as they are and none is deleted: most often it is so, or all are new."""
        if len(known) != len(entries):
            return False
        for id_, hash_, deleted, _, _, expected in entries:
            if known[id_][0] != hash_ or deleted or expected is not None:
                return False
        if self._marks is not None:
            met = [position & UPDATED for _, position, _ in known.values()]
            self._marks.add_all(met)
            self._marks.ahead = max(met, default=None)
        return True

    def _put(self, entry: Entry, old: int, *, old_deleted: bool) -> int:
        self._last += 1
        position = self._head.base | self._last
        self._new[position] = (
            position,
            self._head.number,
            entry.id,
            entry.hash,
            int(entry.deleted),
            old or None,
            int(self._transaction.now.wall * 1e6),
            stored_text(entry.entity),
        )
        if old:
            if (passing := self._new.pop(old, None)) is not None:
                self._passing.append(passing)
            else:
                self._replaced.append(old)
            if old_deleted:
                self._deleted -= 1
            else:
                self._entities -= 1
        if entry.deleted:
            self._deleted += 1
        else:
            self._entities += 1
        if self._marks is not None:
            if old:
                self._marks.discard(old & UPDATED)
            if not entry.deleted:
                self._marks.add(self._last)
        return position

    def store(self) -> None:
        """Put it into the tables."""
        if not self._new:
            return
        connection, _, now = self._transaction
        properties.replaced(connection, self._head.number, self._replaced)
        replaced = [(position,) for position in self._replaced]
        if self._keeps:
            connection.executemany("INSERT INTO history SELECT * FROM entity WHERE position = ?", replaced)
            connection.executemany(_PUT.replace("entity", "history", 1), self._passing)
        connection.executemany("DELETE FROM entity WHERE position = ?", replaced)
        connection.executemany(_PUT, self._new.values())
        properties.added(connection, self._head.number, self._new)
        connection.execute(
            "UPDATE dataset SET last = ?, entities = ?, deleted = ?, changed = ? WHERE number = ?",
            (self._last, self._entities, self._deleted, now.wall, self._head.number),
        )


# An entity that never was is as one that is deleted.
_NOTHING: Final = (b"", 0, 1)


def _known(connection: sqlite3.Connection, number: int, ids: Sequence[str]) -> dict[str, tuple[bytes, int, int]]:
    """Hash, position and whether it is deleted, of those that there are."""
    found: dict[str, tuple[bytes, int, int]] = {}
    for start in range(0, len(ids), _MANY):
        part = ids[start : start + _MANY]
        sql = _LOOK_MANY if len(part) == _MANY else _LOOK.format(", ".join("?" * len(part)))
        for id_, hash_, position, deleted in connection.execute(sql, (number, *part)):
            found[id_] = (hash_, position, deleted)
    return found
