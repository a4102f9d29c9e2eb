"""What became of claims, and the end of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.state import steady
from pipeline.state.facts import MessageState, Settlement
from pipeline.state.sqlite import gates
from pipeline.state.sqlite.bulk import Bulk
from pipeline.state.sqlite.columns import text_of
from pipeline.state.sqlite.transaction import Transaction

_SETTLE: Final = """
    UPDATE message SET state = ?, due = ?, pending = ?, tries = ?, result = ?, detail = ?, moved = ?,
        owner = NULL
    WHERE id = ? AND owner = ? AND number = ?
"""
# What most are: nobody waits any more, and there is nothing more to say than what the server said.
_SENT: Final = Bulk(
    """
    UPDATE message SET state = 'sent', due = NULL, pending = v.column3, tries = v.column4, result = v.column5,
        detail = '', moved = v.column6, owner = NULL
    FROM (VALUES
    """,
    0,
    6,
    ") AS v WHERE id = v.column1 AND number = v.column2 AND owner = ?",
)
_sent: Final = MessageState.SENT


def settle(transaction: Transaction, settlements: Sequence[Settlement], owner: int) -> None:
    """Write what became of the owner's claims. One that is its claim no more is left as it is, and counts nothing."""
    connection = transaction.connection
    sent: list[object] = []
    others: list[tuple[object, ...]] = []
    for each in settlements:
        message, number, _, _, _, at, state, due, pending, tries, result, detail = each
        if state is _sent and due is None and not detail:
            sent += (message, number, pending, tries, result, at)
        else:
            others.append(_row(each, owner))
    connection.execute("SAVEPOINT settle")
    done = settlements
    written = _SENT.write(connection, sent, last=(owner,))
    if others:
        written += connection.executemany(_SETTLE, others).rowcount
    if written != len(settlements):
        connection.execute("ROLLBACK TO settle")
        done = [each for each in settlements if connection.execute(_SETTLE, _row(each, owner)).rowcount == 1]
    connection.execute("RELEASE settle")
    _land(transaction, done)


def _row(each: Settlement, owner: int) -> tuple[object, ...]:
    message, number, _, _, _, at, state, due, pending, tries, result, detail = each
    return text_of[state], due, pending, tries, result, detail, at, message, owner, number


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
    """Give back the places of claims, and count those that were used: once for all of a gate and a second."""
    gates_and_times: dict[tuple[str, float], list[int]] = {}
    for _, _, gate, many, used, at, _, _, _, _, _, _ in settlements:
        tally = gates_and_times.get((gate, at))
        if tally is None:
            tally = gates_and_times[gate, at] = [0, 0]
        tally[0] += many
        tally[1] += used
    places: Counter[str] = Counter()
    stamps: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for (gate, at), (many, used) in gates_and_times.items():
        places[gate] += many
        stamps[gate][steady.second_of(transaction.bearings, at)] += used
    for gate, many in places.items():
        if many:
            gates.land(transaction.connection, gate, many, stamps[gate])
