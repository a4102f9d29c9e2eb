"""Removing what was settled long enough ago, a little at a time. What waits, or is claimed, is never removed."""

from __future__ import annotations

from pipeline.state import steady
from pipeline.state.datasets import ONCE
from pipeline.state.facts import Retention, Tidied
from pipeline.state.sqlite import people
from pipeline.state.sqlite.transaction import Transaction


def tidy(transaction: Transaction, retention: Retention, after: int, most: int) -> Tidied:
    """Look at `most` messages whose ids come after `after`, oldest first.

    `next` is where to go on; None when all that could be old enough has been seen, and then the small tables are
    tidied too.
    """
    connection, _, now = transaction
    rows = connection.execute(
        "SELECT id, state, due, owner, moved, since FROM message WHERE id > ? ORDER BY id LIMIT ?", (after, most)
    ).fetchall()
    shortest = min(retention.sent_content, retention.sent, retention.others)
    contents, removed = [], []
    last: int | None = None
    for message_id, state, due, owner, moved, since in rows:
        if now.steady - since < shortest:
            continue
        last = message_id
        if due is not None or owner is not None:
            continue
        age = now.steady - moved
        if age >= (retention.sent if state == "sent" else retention.others):
            removed.append((message_id,))
        elif state == "sent" and age >= retention.sent_content:
            contents.append((message_id,))
    people.remove(transaction, removed)
    emptied = connection.executemany("DELETE FROM body WHERE message = ?", contents).rowcount if contents else 0
    # Ids are in the order of admission, but for those that a person put back: behind young ones alone all are young.
    if last is None or len(rows) < most:
        _tidy_history(transaction, retention)
        last = None
    return Tidied(emptied, len(removed), last)


def _tidy_history(transaction: Transaction, retention: Retention) -> None:
    connection, _, now = transaction
    # The stamps that count are never history, however little of that is kept.
    oldest = min(now.steady - retention.history, steady.over_up_to(now.steady))
    connection.execute("DELETE FROM stamp WHERE second < ?", (oldest,))
    connection.execute("DELETE FROM limit_change WHERE second < ?", (oldest,))
    connection.execute(
        "DELETE FROM execution WHERE ended IS NOT NULL AND moved <= ?", (now.steady - retention.executions,)
    )
    connection.execute("DELETE FROM failure WHERE dead AND moved <= ?", (now.steady - retention.others,))
    connection.execute("DELETE FROM registry WHERE expires <= ?", (now.steady,))
    connection.execute("DELETE FROM outcome WHERE at <= ?", (now.wall - retention.others,))
    # Notes of what happens once lie between these two names.
    connection.execute(
        "DELETE FROM note WHERE name >= ? AND name < ? AND changed <= ?",
        (ONCE, ONCE[:-1] + chr(ord(ONCE[-1]) + 1), now.wall - retention.once),
    )
