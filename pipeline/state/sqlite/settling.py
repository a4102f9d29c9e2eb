"""What became of claims, and the end of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from pipeline.state import steady
from pipeline.state.facts import Settlement
from pipeline.state.sqlite import gates
from pipeline.state.sqlite.columns import text_of
from pipeline.state.sqlite.transaction import Transaction

_SETTLE = """
    UPDATE message SET state = ?, due = ?, pending = ?, tries = ?, result = ?, detail = ?, moved = ?,
        owner = NULL
    WHERE id = ? AND owner = ? AND number = ?
"""


def settle(transaction: Transaction, settlements: Sequence[Settlement], owner: int) -> None:
    """Write what became of the owner's claims. One that is its claim no more is left as it is, and counts nothing."""
    connection = transaction.connection
    rows = [
        (
            text_of[each.state],
            each.due,
            each.pending,
            each.tries,
            each.result,
            each.detail,
            each.at,
            each.id,
            owner,
            each.number,
        )
        for each in settlements
    ]
    connection.execute("SAVEPOINT settle")
    done = settlements
    if connection.executemany(_SETTLE, rows).rowcount != len(rows):
        connection.execute("ROLLBACK TO settle")
        done = [
            each for each, row in zip(settlements, rows, strict=True) if connection.execute(_SETTLE, row).rowcount == 1
        ]
    connection.execute("RELEASE settle")
    _land(transaction, done)


def release(transaction: Transaction, claims: Iterable[tuple[int, int]], owner: int) -> int:
    """Give claims back, (message id, number), of which nothing was handed over. How many there were."""
    connection = transaction.connection
    returned: Counter[str] = Counter()
    many = 0
    for message_id, number in claims:
        row = connection.execute(
            "UPDATE message SET owner = NULL WHERE id = ? AND owner = ? AND number = ? RETURNING gate, places",
            (message_id, owner, number),
        ).fetchone()
        if row is not None:
            many += 1
            returned[row[0]] += row[1]
    for gate, places in returned.items():
        if places:
            gates.land(connection, gate, places, {})
    return many


def _land(transaction: Transaction, settlements: Iterable[Settlement]) -> None:
    places: Counter[str] = Counter()
    used: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for each in settlements:
        places[each.gate] += each.places
        used[each.gate][steady.second_of(transaction.bearings, each.at)] += each.used
    for gate, many in places.items():
        if many:
            gates.land(transaction.connection, gate, many, used[gate])
