"""Entities that failed, in the file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

from pipeline.entity import is_reserved
from pipeline.failing import Fate, Tolerance, fate
from pipeline.state.datasets import Change, Entry
from pipeline.state.failures import Chosen, Failure, Kept, Named, Stage
from pipeline.state.sqlite import datasets as stored
from pipeline.state.sqlite.transaction import Transaction
from pipeline.state.versions import entity_hash, ordered_text

TABLES: Final = (
    # Each entity of a pipe once: a further failure takes the place of the one before. Times are wall times, for people;
    # `moved` is steady.
    """
    CREATE TABLE failure (
        number INTEGER PRIMARY KEY AUTOINCREMENT, pipe TEXT NOT NULL, name TEXT NOT NULL, entity_id TEXT NOT NULL,
        stage TEXT NOT NULL, reason TEXT NOT NULL, run TEXT NOT NULL, first REAL NOT NULL, last REAL NOT NULL,
        tries INTEGER NOT NULL, dead INTEGER NOT NULL, entity TEXT NOT NULL, moved REAL NOT NULL,
        UNIQUE (pipe, name)
    )
    """,
    "CREATE INDEX failure_waiting ON failure (pipe, number) WHERE NOT dead",
)
# Whether a later version has gone on since: then this one is not tried again.
LATER: Final = ("ALTER TABLE failure ADD COLUMN later INTEGER NOT NULL DEFAULT 0",)

_COLUMNS: Final = "number, pipe, name, entity_id, stage, reason, run, first, last, tries, dead, entity"


class NoRoomError(Exception):
    """No more entities of this pipe may wait."""


def put(transaction: Transaction, failures: Sequence[Failure], tolerance: Tolerance) -> list[Fate]:
    """Keep them all, or none: a run that meets one twice has tried it once."""
    connection, _, now = transaction
    fates: list[Fate] = []
    dead_ones: dict[str, list[Failure]] = {}
    waiting = {pipe: _waiting(connection, pipe) for pipe in {one.pipe for one in failures}}
    for one in failures:
        before = connection.execute(
            "SELECT first, tries - (run = ?), dead FROM failure WHERE pipe = ? AND name = ?",
            (one.run, one.pipe, one.name),
        ).fetchone()
        first, tries, dead = before or (now.wall, 0, 1)
        if dead:
            first, tries = now.wall, 0
        else:
            waiting[one.pipe] -= 1
        found = fate(tolerance, tries, waiting[one.pipe])
        waiting[one.pipe] += found is Fate.WAITS
        fates.append(found)
        if found is Fate.NO_ROOM:
            raise NoRoomError
        if found is Fate.DEAD:
            dead_ones.setdefault(one.pipe, []).append(one)
        connection.execute(
            "INSERT INTO failure (pipe, name, entity_id, stage, reason, run, first, last, tries, dead, entity, moved)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (pipe, name) DO UPDATE SET"
            " entity_id = ?3, stage = ?4, reason = ?5, run = ?6, first = ?7, last = ?8, tries = ?9, dead = ?10,"
            " entity = ?11, moved = ?12, later = 0",
            (
                *(one.pipe, one.name, one.entity_id, one.stage, one.reason, one.run, first, now.wall, tries + 1),
                *(int(found is Fate.DEAD), one.entity, now.steady),
            ),
        )
    for pipe, some in dead_ones.items():
        _bury(transaction, pipe, some, tolerance.dataset)
    return fates


def _waiting(connection: sqlite3.Connection, pipe: str) -> int:
    (many,) = connection.execute("SELECT count(*) FROM failure WHERE pipe = ? AND NOT dead", (pipe,)).fetchone()
    return int(many)


def later(transaction: Transaction, pipe: str, stage: Stage, names: Collection[str]) -> list[str]:
    """Later versions of these go on."""
    found = transaction.connection.execute(
        "UPDATE failure SET later = 1 WHERE pipe = ? AND stage = ?"
        " AND name IN (SELECT value FROM json_each(?)) RETURNING name",
        (pipe, stage, json.dumps(list(names))),
    )
    return [name for (name,) in found.fetchall()]


def give_way(transaction: Transaction, pipe: str, *, dead: bool, dataset: str) -> int:
    """Remove those of which a later version has gone on."""
    found = transaction.connection.execute(
        "DELETE FROM failure WHERE pipe = ? AND later AND (? OR NOT dead) RETURNING pipe, name, dead", (pipe, dead)
    ).fetchall()
    _unbury(transaction, found, {pipe: dataset})
    return len(found)


def passed(
    transaction: Transaction, pipe: str, stage: Stage, names: Collection[str], *, dead: bool, dataset: str
) -> int:
    """Remove those that wait, and with `dead` the dead ones."""
    found = transaction.connection.execute(
        "DELETE FROM failure WHERE pipe = ? AND stage = ? AND name IN (SELECT value FROM json_each(?))"
        " AND (? OR NOT dead) RETURNING pipe, name, dead",
        (pipe, stage, json.dumps(list(names)), dead),
    ).fetchall()
    _unbury(transaction, found, {pipe: dataset})
    return len(found)


def again(transaction: Transaction, numbers: Sequence[int], datasets: Mapping[str, str]) -> int:
    """Let dead ones wait."""
    found = transaction.connection.execute(
        "UPDATE failure SET dead = 0, tries = 0, run = '', moved = ? WHERE dead AND NOT later"
        " AND number IN (SELECT value FROM json_each(?)) RETURNING pipe, name, 1",
        (transaction.now.steady, json.dumps(list(numbers))),
    ).fetchall()
    _unbury(transaction, found, datasets)
    return len(found)


def delete(transaction: Transaction, numbers: Sequence[int], datasets: Mapping[str, str]) -> int:
    """Remove them."""
    found = transaction.connection.execute(
        "DELETE FROM failure WHERE number IN (SELECT value FROM json_each(?)) RETURNING pipe, name, dead",
        (json.dumps(list(numbers)),),
    ).fetchall()
    _unbury(transaction, found, datasets)
    return len(found)


def _bury(transaction: Transaction, pipe: str, dead: Sequence[Failure], dataset: str) -> None:
    """Dead letters are in their dataset in the same moment."""
    if dead and dataset:
        stored.put(transaction, Change(dataset, pipe, [_entry(one.name, json.loads(one.entity)) for one in dead]))


def _unbury(transaction: Transaction, gone: Sequence[tuple[str, str, int]], datasets: Mapping[str, str]) -> None:
    """What is no dead letter any more is deleted there."""
    names: dict[str, list[str]] = {}
    for pipe, name, dead in gone:
        if dead:
            names.setdefault(pipe, []).append(name)
    for pipe, some in names.items():
        if dataset := datasets.get(pipe, ""):
            stored.put(transaction, Change(dataset, pipe, [_entry(name, {"_deleted": True}) for name in some]))


def _entry(name: str, found: Mapping[str, Any]) -> Entry:
    """A dead letter as an entity: as it was, without what the engine says of entities."""
    kept = {key: value for key, value in found.items() if not is_reserved(key) or key == "_deleted"}
    entity = {"_id": name, **kept}
    return Entry(name, entity_hash(ordered_text(entity)), entity.get("_deleted") is True, entity)


def listed(connection: sqlite3.Connection, chosen: Chosen, before: int | None, most: int) -> tuple[Kept, ...]:
    """Some, the newest first."""
    if not _is_there(connection):
        return ()
    later = "later" if _knows_later(connection) else "0"
    return tuple(
        _kept(row)
        for row in connection.execute(
            f"SELECT {_COLUMNS}, {later} FROM failure WHERE (?1 = '' OR pipe = ?1) AND (?2 = '' OR entity_id = ?2)"  # noqa: S608 - a constant
            " AND (?3 IS NULL OR dead = ?3) AND (?4 IS NULL OR number = ?4) AND (?5 IS NULL OR number < ?5)"
            " ORDER BY number DESC LIMIT ?6",
            (chosen.pipe, chosen.entity, chosen.dead, chosen.number, before, most),
        )
    )


def waiting(connection: sqlite3.Connection, pipe: str, most: int) -> tuple[Kept, ...]:
    """Those that wait, the oldest first."""
    return tuple(
        _kept(row)
        for row in connection.execute(
            f"SELECT {_COLUMNS}, later FROM failure WHERE pipe = ? AND NOT dead AND NOT later"  # noqa: S608 - as above
            " ORDER BY number LIMIT ?",
            (pipe, most),
        )
    )


def names(connection: sqlite3.Connection, pipe: str, most: int) -> tuple[Named, ...]:
    """Those of a pipe."""
    rows = connection.execute("SELECT stage, name, dead, later FROM failure WHERE pipe = ? LIMIT ?", (pipe, most))
    return tuple(Named(stage, name, bool(dead), bool(later)) for stage, name, dead, later in rows)


def counts(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """How many of each pipe wait and are dead."""
    if not _is_there(connection):
        return {}
    rows = connection.execute("SELECT pipe, sum(NOT dead), sum(dead) FROM failure GROUP BY pipe")
    return {pipe: (waits, dead) for pipe, waits, dead in rows}


def _is_there(connection: sqlite3.Connection) -> bool:
    """Whether the table is. Who only looks may meet a file that an earlier version wrote."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'failure'").fetchone() is not None


def _knows_later(connection: sqlite3.Connection) -> bool:
    """Whether the file says of which ones a later version has gone on, as above."""
    found = connection.execute("SELECT 1 FROM pragma_table_info('failure') WHERE name = 'later'").fetchone()
    return found is not None


def _kept(row: tuple[Any, ...]) -> Kept:
    kept = Kept(*row)
    return kept._replace(dead=bool(kept.dead), later=bool(kept.later))


class SqliteFailures:
    """`pipeline.state.failures.FailureWrites`, on one file."""

    def __init__(
        self,
        call: Callable[[Callable[[Transaction], Any]], Future[Any]],
        do: Callable[[Callable[[Transaction], Any]], Awaitable[Any]],
    ) -> None:
        """`call` and `do` are the writer's; the first does not wait."""
        self._call = call
        self._do = do

    def put(self, failures: Sequence[Failure], tolerance: Tolerance) -> Sequence[Fate]:
        """Keep some; this waits for the disk."""
        try:
            fates: list[Fate] = self._call(lambda t: put(t, failures, tolerance)).result()
        except NoRoomError:
            return [Fate.NO_ROOM] * len(failures)
        return fates

    def later(self, pipe: str, stage: Stage, names: Collection[str]) -> Collection[str]:
        """Later versions of these go on; this waits for the disk."""
        found: list[str] = self._call(lambda t: later(t, pipe, stage, names)).result()
        return found

    async def give_way(self, pipe: str, *, dead: bool, dataset: str = "") -> int:
        """Remove those of which a later version has gone on."""
        many: int = await self._do(lambda t: give_way(t, pipe, dead=dead, dataset=dataset))
        return many

    async def passed(self, pipe: str, stage: Stage, names: Collection[str], *, dead: bool, dataset: str = "") -> int:
        """These have passed."""
        if not names:
            return 0
        many: int = await self._do(lambda t: passed(t, pipe, stage, names, dead=dead, dataset=dataset))
        return many

    async def again(self, numbers: Sequence[int], datasets: Mapping[str, str]) -> int:
        """Let dead letters wait for the next run."""
        many: int = await self._do(lambda t: again(t, numbers, datasets))
        return many

    async def delete(self, numbers: Sequence[int], datasets: Mapping[str, str]) -> int:
        """Remove some for good."""
        many: int = await self._do(lambda t: delete(t, numbers, datasets))
        return many
