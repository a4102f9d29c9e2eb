"""The hour's count of each gate, shared by all processes on the file.

`stamped` is the sum of the stamps after the second `over`; it is kept so that no decision reads an hour of stamps.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from pipeline.state import steady
from pipeline.state.gate import Count
from pipeline.state.sqlite.transaction import Transaction


def count(transaction: Transaction, gate: str, limit: int) -> Count:
    """What counts at the time of the transaction. A limit other than the last one is noted."""
    connection, bearings, now = transaction
    over = steady.over_up_to(now.steady)
    row = connection.execute('SELECT "limit", in_flight, stamped, over FROM gate WHERE name = ?', (gate,)).fetchone()
    if row is None:
        row = (-1, 0, 0, over)
        connection.execute("INSERT INTO gate VALUES (?, -1, 0, 0, ?)", (gate, over))
    before, in_flight, stamped, counted = row
    if over > counted:
        stamped -= _sum(connection, gate, counted, over)
        connection.execute("UPDATE gate SET stamped = ?, over = ? WHERE name = ?", (stamped, over, gate))
        counted = over
    if limit != before:
        connection.execute('UPDATE gate SET "limit" = ? WHERE name = ?', (limit, gate))
        connection.execute(
            "INSERT INTO limit_change VALUES (?, ?, ?, ?) ON CONFLICT (gate, second) DO UPDATE SET"
            ' ("limit", at) = (excluded."limit", excluded.at)',
            (gate, int(now.steady), limit, now.wall),
        )
    doubted = 0
    if bearings.boundary is not None and stamped:
        doubted = _sum(connection, gate, counted, bearings.boundary)
    return Count(limit, in_flight, stamped, doubted)


def take(connection: sqlite3.Connection, gate: str, places: int) -> None:
    """Places are in flight."""
    connection.execute("UPDATE gate SET in_flight = in_flight + ? WHERE name = ?", (places, gate))


def land(connection: sqlite3.Connection, gate: str, places: int, used: Mapping[int, int]) -> None:
    """Places are in flight no more; those that were used, by second, count from then on."""
    stamps = [(second, many) for second, many in used.items() if many]
    (over,) = connection.execute("SELECT over FROM gate WHERE name = ?", (gate,)).fetchone()
    connection.executemany(
        "INSERT INTO stamp VALUES (?, ?, ?) ON CONFLICT (gate, second) DO UPDATE SET places = places + excluded.places",
        [(gate, second, many) for second, many in stamps],
    )
    # One that is written down an hour late is history.
    counting = sum(many for second, many in stamps if second > over)
    connection.execute(
        "UPDATE gate SET in_flight = in_flight - ?, stamped = stamped + ? WHERE name = ?", (places, counting, gate)
    )


def frees_at(connection: sqlite3.Connection, gate: str, places: int) -> float | None:
    """The steady time at which so many stamped places will have freed; None if there are not so many."""
    (over,) = connection.execute("SELECT over FROM gate WHERE name = ?", (gate,)).fetchone()
    for second, many in connection.execute(
        "SELECT second, places FROM stamp WHERE gate = ? AND second > ? ORDER BY second", (gate, over)
    ):
        places -= many
        if places <= 0:
            return steady.frees_at(second)
    return None


def latest(connection: sqlite3.Connection) -> int | None:
    """The last second that was stamped, at any gate."""
    (second,) = connection.execute("SELECT max((SELECT max(second) FROM stamp WHERE gate = name)) FROM gate").fetchone()
    return None if second is None else int(second)


def age(connection: sqlite3.Connection, boundary: int, seconds: int) -> None:
    """Stamps up to `boundary` are so many seconds older than they look."""
    stamps = connection.execute(
        "SELECT gate, second, places FROM stamp JOIN gate ON name = gate WHERE second > over AND second <= ?",
        (boundary,),
    ).fetchall()
    connection.executemany("DELETE FROM stamp WHERE gate = ? AND second = ?", [stamp[:2] for stamp in stamps])
    for gate, second, places in stamps:
        connection.execute("UPDATE gate SET stamped = stamped - ? WHERE name = ?", (places, gate))
        land(connection, gate, 0, {second - seconds: places})


def _sum(connection: sqlite3.Connection, gate: str, after: int, until: int) -> int:
    (places,) = connection.execute(
        "SELECT total(places) FROM stamp WHERE gate = ? AND second > ? AND second <= ?", (gate, after, until)
    ).fetchone()
    return int(places)
