"""Removing datasets and old versions, a little at a time: who writes meanwhile waits for one part only."""

from __future__ import annotations

import sqlite3
from typing import Final

from pipeline.state.datasets import Compacted
from pipeline.state.sqlite import properties
from pipeline.state.sqlite.datasets import UPDATED_BITS, head
from pipeline.state.sqlite.transaction import Transaction

# Rows that one transaction removes: a fraction of a second.
PART: Final = 5000


def unname(transaction: Transaction, name: str) -> int | None:
    """Take a dataset out of sight, and let its pipe begin anew: how many entities it had, None if there is none."""
    connection = transaction.connection
    row = connection.execute("SELECT number, entities, pipe FROM dataset WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    number, entities, pipe = row
    connection.execute("UPDATE dataset SET name = NULL, scanning = 0 WHERE number = ?", (number,))
    connection.execute('DELETE FROM "offset" WHERE pipe = ?', (pipe,))
    return int(entities)


def clear(transaction: Transaction) -> bool:
    """Remove some of what datasets left that are out of sight; whether more is there."""
    connection = transaction.connection
    row = connection.execute("SELECT number FROM dataset WHERE name IS NULL LIMIT 1").fetchone()
    if row is None:
        return False
    (number,) = row
    for table in ("entity", "history"):
        if _some(connection, table, number):
            return True
    for (index,) in connection.execute("SELECT number FROM property WHERE dataset = ?", (number,)).fetchall():
        # Each of its values belonged to an entity, so this is of their size.
        connection.execute("DELETE FROM property_value WHERE property = ?", (index,))
    connection.execute("DELETE FROM property WHERE dataset = ?", (number,))
    connection.execute("DELETE FROM scan WHERE dataset = ?", (number,))
    connection.execute("DELETE FROM dataset WHERE number = ?", (number,))
    return True


def _some(connection: sqlite3.Connection, table: str, number: int) -> int:
    return connection.execute(
        f"DELETE FROM {table} WHERE position IN"  # noqa: S608 - one of ours
        f" (SELECT position FROM {table} WHERE position > ? AND position < ? LIMIT ?)",
        (number << UPDATED_BITS, (number + 1) << UPDATED_BITS, PART),
    ).rowcount


def compact(
    transaction: Transaction, name: str, before: float, *, deleted: bool, read: int | None = None
) -> tuple[Compacted, bool]:
    """Remove some old versions of a dataset, and some deleted entities; whether more is there.

    What was written behind the change `read` stays.
    """
    connection = transaction.connection
    found = head(connection, name)
    if found is None:
        return Compacted(0, 0), False
    last = found.last if read is None else min(read, found.last)
    bounds = (found.base, found.base + last, int(before * 1e6), PART)
    where = "position > ? AND position <= ? AND ts < ?"
    versions = connection.execute(
        f"DELETE FROM history WHERE position IN (SELECT position FROM history WHERE {where} LIMIT ?)",  # noqa: S608 - as above
        bounds,
    ).rowcount
    gone = 0
    if deleted and versions < PART:
        positions = connection.execute(
            f"SELECT position FROM entity WHERE {where} AND deleted = 1 LIMIT ?",  # noqa: S608 - as above
            bounds,
        ).fetchall()
        properties.replaced(connection, found.number, [position for (position,) in positions])
        gone = connection.executemany("DELETE FROM entity WHERE position = ?", positions).rowcount if positions else 0
        connection.execute("UPDATE dataset SET deleted = deleted - ? WHERE number = ?", (gone, found.number))
    return Compacted(versions, gone), PART in (versions, gone)
