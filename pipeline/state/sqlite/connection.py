"""Connections to the file, and what its errors mean.

Processes on one file take turns by a lock of their own around every transaction that writes and every checkpoint:
SQLite before 3.51.3 can damage a file when one connection resets the log while another one checkpoints it, and
connections that only read never do either. The lock is held by the kernel for as long as its holder lives.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from pipeline.state.faults import StateError, StateReason

# As long as a backup or a person with a tool may reasonably hold the file.
BUSY_SECONDS: Final = 30.0
# Pages of the log after which it is written back, 32 MB: a page that changes often is written back once.
CHECKPOINT_PAGES: Final = 4096
PAGE: Final = 8192
# A log that grew beyond this while a reader held it back shrinks again.
MOST_LOG: Final = 128 * 2**20
# Bodies are written once and hardly read: a larger cache is filled with them, and memory that was used a moment ago is
# quicker than more of it. What keys of entities in no order need of it, the cache of the system has.
CACHE_KIB: Final = 8 * 1024


def writer(path: Path) -> sqlite3.Connection:
    """The connection that writes, for use by one thread at a time."""
    connection = _connect(path)
    connection.execute(f"PRAGMA page_size = {PAGE}")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StateError(StateReason.REFUSED, f"{path} cannot be used with a write-ahead log here")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {MOST_LOG}")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    # What is removed is overwritten where that costs no further write: it is other people's mail.
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, beside the writer."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def looker(path: Path) -> sqlite3.Connection:
    """A connection of somebody who has no turn: also when it is the last one to close, it writes no log back."""
    connection = _connect(f"{path.absolute().as_uri()}?mode=ro")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        uri=isinstance(path, str),
    )
    # Nothing in a file that somebody made may run when it is read.
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


_meaning: Final = {
    sqlite3.SQLITE_FULL: StateReason.FULL,
    sqlite3.SQLITE_BUSY: StateReason.BUSY,
    sqlite3.SQLITE_LOCKED: StateReason.BUSY,
    sqlite3.SQLITE_CORRUPT: StateReason.DAMAGED,
    sqlite3.SQLITE_NOTADB: StateReason.DAMAGED,
    sqlite3.SQLITE_READONLY: StateReason.REFUSED,
    sqlite3.SQLITE_CANTOPEN: StateReason.REFUSED,
    sqlite3.SQLITE_PERM: StateReason.REFUSED,
    sqlite3.SQLITE_AUTH: StateReason.REFUSED,
    sqlite3.SQLITE_IOERR: StateReason.FAILED,
    sqlite3.SQLITE_PROTOCOL: StateReason.FAILED,
}
_advice: Final = {
    StateReason.FULL: "make room and run it again; what still runs goes on by itself",
    StateReason.BUSY: "another program holds it; it goes on by itself then",
    StateReason.DAMAGED: "nothing was changed; restore a backup, or move the file away and read what was sent in the"
    " server's log",
    StateReason.REFUSED: "see to it that this user may write the file and its folder",
    StateReason.FAILED: "look at the disk, then start again: what was under way is found by itself",
}
_passing: Final = frozenset({StateReason.FULL, StateReason.BUSY})


def is_unmade(error: sqlite3.Error) -> bool:
    """Whether somebody died while the file was made, before it had a write-ahead log: to who looks it is not there.

    Whoever writes next takes that back. A file that has once been made never has such a journal again.
    """
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY_ROLLBACK


def meaning(error: sqlite3.Error, path: Path) -> StateError | None:
    """What an error of SQLite says of the file; None if it says something of the statement."""
    code = getattr(error, "sqlite_errorcode", None)
    reason = None if code is None else _meaning.get(code & 0xFF)
    if reason is None:
        return None
    return StateError(reason, f"{path}: {error}", _advice[reason], passing=reason in _passing)
