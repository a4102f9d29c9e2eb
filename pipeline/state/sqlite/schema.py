"""The tables, and the steps that lead from one version of them to the next.

A version that was released never changes: what is to be different is a further step. Each step runs in one transaction
with the version number, so a file is of the old version or of the new one, never between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.state.faults import StateError, StateReason
from pipeline.state.sqlite import bus_tables, failures, outcome_tables

# "Mwir": `file` and SQLite itself can tell the file from others.
APPLICATION: Final = 0x4D776972

_first: Final = (
    # How steady time is told, and the next id of a message; ids are never used again.
    """
    CREATE TABLE bearings (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        boot_id TEXT NOT NULL, shift REAL NOT NULL, noted REAL NOT NULL, asked REAL NOT NULL,
        anchor REAL, boundary INTEGER, before REAL,
        next_message INTEGER NOT NULL DEFAULT 1
    )
    """,
    # Every key that was admitted, and the message that has it now. It outlasts the message. Keys are random, entities
    # most often come in order: with theirs in front, a batch meets few pages.
    """
    CREATE TABLE seen (
        entity_id TEXT NOT NULL, key BLOB NOT NULL, message INTEGER NOT NULL,
        PRIMARY KEY (entity_id, key)
    ) WITHOUT ROWID
    """,
    # The outbox and the ledger. Claimed: it has an owner. Waiting: it is due and has none. Times are steady ones, but
    # `admitted` is the wall time of `since`: what happened later is told by the steady time in between.
    """
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL,
        pipe TEXT NOT NULL, system TEXT NOT NULL, run TEXT NOT NULL, entity_id TEXT NOT NULL,
        recipients TEXT NOT NULL, subject TEXT NOT NULL, at_most_once INTEGER NOT NULL,
        state TEXT NOT NULL, due REAL, since REAL NOT NULL, expires REAL, moved REAL NOT NULL,
        admitted REAL NOT NULL,
        owner INTEGER, number INTEGER NOT NULL, gate TEXT, places INTEGER NOT NULL,
        passed INTEGER NOT NULL, pending INTEGER NOT NULL, tries INTEGER NOT NULL,
        result TEXT NOT NULL, detail TEXT NOT NULL, replaced INTEGER
    )
    """,
    # The indexes hold what waits, what is claimed and what a person may look for, not what went well.
    "CREATE INDEX waiting ON message (system, passed, due, id) WHERE due IS NOT NULL AND owner IS NULL",
    """
    CREATE INDEX expiring ON message (system, expires) WHERE expires IS NOT NULL AND due IS NOT NULL AND owner IS NULL
    """,
    "CREATE INDEX claimed ON message (owner, id) WHERE owner IS NOT NULL",
    "CREATE INDEX listed ON message (state, id) WHERE owner IS NULL AND state <> 'sent'",
    # The bytes as they go out, with the checksum over envelope and content; and the entity they were made of.
    """
    CREATE TABLE body (
        message INTEGER PRIMARY KEY,
        envelope TEXT, entity TEXT, checksum BLOB, content BLOB
    )
    """,
    # What counts against each limit: in flight, and stamped seconds after `over`. The stamps before are history.
    """
    CREATE TABLE gate (
        name TEXT PRIMARY KEY, "limit" INTEGER NOT NULL, in_flight INTEGER NOT NULL, stamped INTEGER NOT NULL,
        over INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE stamp (
        gate TEXT NOT NULL, second INTEGER NOT NULL, places INTEGER NOT NULL,
        PRIMARY KEY (gate, second)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE limit_change (
        gate TEXT NOT NULL, second INTEGER NOT NULL, "limit" INTEGER NOT NULL, at REAL NOT NULL,
        PRIMARY KEY (gate, second)
    ) WITHOUT ROWID
    """,
    # Who may hold claims. Its lock and its journal have its name.
    """
    CREATE TABLE owner (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, boot_id TEXT NOT NULL,
        process TEXT NOT NULL, began REAL NOT NULL
    )
    """,
    # Entities that wait for a digest. A newer version of one takes its place, under a number of its own.
    """
    CREATE TABLE gathered (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        pipe TEXT NOT NULL, gathering TEXT NOT NULL, entity_id TEXT NOT NULL, entity TEXT NOT NULL,
        since REAL NOT NULL, run TEXT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX gathered_once ON gathered (pipe, gathering, entity_id)",
    'CREATE TABLE "offset" (pipe TEXT PRIMARY KEY, since TEXT NOT NULL, changed REAL NOT NULL) WITHOUT ROWID',
    """
    CREATE TABLE execution (
        run TEXT NOT NULL, pipe TEXT NOT NULL, started REAL NOT NULL, ended REAL, report TEXT NOT NULL,
        moved REAL NOT NULL, PRIMARY KEY (run, pipe)
    )
    """,
    "CREATE INDEX execution_of_pipe ON execution (pipe, started)",
    "CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL, changed REAL NOT NULL) WITHOUT ROWID",
)

_datasets: Final = (
    # A dataset that is deleted loses its name at once and its rows in a while; its number is never used again.
    # `last` counts its changes, `entities` are those that are not deleted. `scanning` is the first change since a
    # reading of the whole source began, 0 when none is under way.
    """
    CREATE TABLE dataset (
        number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, pipe TEXT NOT NULL,
        last INTEGER NOT NULL, entities INTEGER NOT NULL, deleted INTEGER NOT NULL, changed REAL NOT NULL,
        scanning INTEGER NOT NULL
    )
    """,
    # Each entity as it is now, in the order of changes: a position is the number of the dataset and `_updated`.
    """
    CREATE TABLE entity (
        position INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, id TEXT NOT NULL, hash BLOB NOT NULL,
        deleted INTEGER NOT NULL, previous INTEGER, ts INTEGER NOT NULL, data TEXT NOT NULL
    )
    """,
    # All that is needed to tell that an entity is unchanged.
    "CREATE INDEX entity_by_id ON entity (dataset, id, hash, deleted)",
    # What newer versions replaced.
    """
    CREATE TABLE history (
        position INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, id TEXT NOT NULL, hash BLOB NOT NULL,
        deleted INTEGER NOT NULL, previous INTEGER, ts INTEGER NOT NULL, data TEXT NOT NULL
    )
    """,
    # What a reading of a whole source has met so far, a bit for each entity.
    """
    CREATE TABLE scan (
        dataset INTEGER NOT NULL, page INTEGER NOT NULL, bits BLOB NOT NULL, PRIMARY KEY (dataset, page)
    ) WITHOUT ROWID
    """,
    # For joins: which entities have a value at a path.
    """
    CREATE TABLE property (
        number INTEGER PRIMARY KEY AUTOINCREMENT, dataset INTEGER NOT NULL, path TEXT NOT NULL,
        UNIQUE (dataset, path)
    )
    """,
    """
    CREATE TABLE property_value (
        property INTEGER NOT NULL, value BLOB NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (property, value, position)
    ) WITHOUT ROWID
    """,
)

STEPS: Final[tuple[tuple[str, ...], ...]] = (
    _first,
    _datasets,
    failures.TABLES,
    failures.LATER,
    bus_tables.TABLES,
    outcome_tables.TABLES,
)
"""The step to version 1, to version 2, …"""


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[Sequence[str]] = STEPS) -> None:
    """Bring the file to the latest version; an older one is copied beside it first.

    What is not ours, and what a later version wrote, is refused and not touched.
    """
    version = version_of(connection, path, len(steps))
    if version == len(steps):
        return
    if version:
        _back_up(connection, path.with_name(f"{path.name}.version-{version}"))
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster.
        for number in range(version_of(connection, path, len(steps)), len(steps)):
            for statement in steps[number]:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def version_of(connection: sqlite3.Connection, path: Path, latest: int = len(STEPS)) -> int:
    """The version of the file; 0 if it is empty."""
    application, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application != APPLICATION and (application or version or tables):
        raise StateError(
            StateReason.FOREIGN, f"{path} is a database of another program", "move it away, or name another folder"
        )
    if version > latest:
        raise StateError(
            StateReason.NEWER,
            f"{path} was written by a later version of Mailweir (its tables are version {version}, this one knows"
            f" {latest})",
            "run that version; nothing was changed",
        )
    return int(version)


def _back_up(connection: sqlite3.Connection, target: Path) -> None:
    """A copy as it was before the migration, whole or not there."""
    temporary = target.with_name(f"{target.name}.part")
    temporary.unlink(missing_ok=True)
    temporary.touch(0o600)
    copy = sqlite3.connect(temporary, isolation_level=None)
    try:
        connection.backup(copy)
    finally:
        copy.close()
    temporary.replace(target)
