"""The row that tells steady time."""

from __future__ import annotations

import sqlite3
from dataclasses import astuple
from typing import Final

from pipeline.clock import Clock
from pipeline.state import steady
from pipeline.state.sqlite import gates
from pipeline.state.steady import Bearings, Reading

_LOAD: Final = "SELECT boot_id, shift, noted, asked, anchor, boundary, before FROM bearings"
_STORE: Final = """
    INSERT INTO bearings (one, boot_id, shift, noted, asked, anchor, boundary, before) VALUES (1, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (one) DO UPDATE SET (boot_id, shift, noted, asked, anchor, boundary, before) = (
        excluded.boot_id, excluded.shift, excluded.noted, excluded.asked, excluded.anchor, excluded.boundary,
        excluded.before
    )
"""
# In two, for each has its index.
_WAITING_EARLIER: Final = """
    UPDATE message SET expires = expires - ?
    WHERE since <= ? AND expires IS NOT NULL AND due IS NOT NULL AND owner IS NULL
"""
_CLAIMED_EARLIER: Final = """
    UPDATE message SET expires = expires - ? WHERE since <= ? AND expires IS NOT NULL AND owner IS NOT NULL
"""


def load(connection: sqlite3.Connection) -> Bearings | None:
    """The bearings on record."""
    row = connection.execute(_LOAD).fetchone()
    return None if row is None else Bearings(*row)


def current(connection: sqlite3.Connection, clock: Clock) -> Bearings | None:
    """Those on record, or what they are after the machine started anew."""
    found = load(connection)
    if found is not None and steady.restarted(found, clock.boot_id, clock.boot()):
        return steady.resumed(found, _reading(clock), gates.latest(connection))
    return found


def advance(connection: sqlite3.Connection, clock: Clock) -> Bearings:
    """The bearings with the time of this transaction on record. The clocks are read now, under the lock."""
    found = current(connection, clock) or steady.first(_reading(clock))
    now = steady.steady(found, clock.boot())
    found = steady.noted(found, now)
    if steady.should_ask(found, now):
        boundary = found.boundary
        found, older = steady.resolved(found, _reading(clock), now)
        if older and boundary is not None:
            gates.age(connection, boundary, older)
            _expire_earlier(connection, boundary, older)
    connection.execute(_STORE, astuple(found))
    return found


def _expire_earlier(connection: sqlite3.Connection, boundary: int, seconds: int) -> None:
    """What was admitted before the machine started anew expires when it would have."""
    # The boundary is rounded up: what came in within its last second may be from after the start.
    for update in (_WAITING_EARLIER, _CLAIMED_EARLIER):
        connection.execute(update, (seconds, boundary - 1))


def _reading(clock: Clock) -> Reading:
    return Reading(clock.boot_id, clock.boot(), clock.wall(), clock.synchronised())
