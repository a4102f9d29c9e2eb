"""What a person does to messages that nobody has claimed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from pipeline.state.facts import MessageState, Moment, Retried, Retry
from pipeline.state.sqlite.columns import text_of
from pipeline.state.sqlite.transaction import Transaction


def retry(transaction: Transaction, ids: Iterable[int], decide: Callable[[Retry, Moment], Retried | None]) -> int:
    """Put messages back into the queue, with all their time before them. How many those were.

    `decide` gives what is to stand of the recipients, or None to leave the message alone. Without its bytes a message
    cannot be sent again.
    """
    connection, _, now = transaction
    many = 0
    for message_id, state, recipients, result in connection.execute(
        "SELECT id, state, recipients, result FROM message JOIN body ON message = id"
        " WHERE id IN (SELECT value FROM json_each(?)) AND owner IS NULL AND content IS NOT NULL",
        (json.dumps(list(ids)),),
    ).fetchall():
        retried = decide(Retry(message_id, MessageState(state), tuple(json.loads(recipients)), result), now)
        if retried is None:
            continue
        many += 1
        connection.execute(
            "UPDATE message SET state = ?, due = ?, pending = ?, tries = 0, result = ?, detail = '', since = ?,"
            " admitted = ?, expires = NULL, moved = ?, passed = 1 WHERE id = ?",
            (
                text_of[MessageState.QUEUED],
                now.steady,
                retried.pending,
                retried.result,
                now.steady,
                now.wall,
                now.steady,
                message_id,
            ),
        )
    return many


def postpone(transaction: Transaction, ids: Iterable[int], seconds: float) -> int:
    """Messages that wait are not due before so many seconds are over. How many of all nobody has claimed."""
    connection, _, now = transaction
    free = [
        (message_id,)
        for (message_id,) in connection.execute(
            "SELECT id FROM message WHERE id IN (SELECT value FROM json_each(?)) AND owner IS NULL",
            (json.dumps(list(ids)),),
        )
    ]
    connection.executemany(
        "UPDATE message SET due = ?1 WHERE id = ?2 AND due < ?1", [(now.steady + seconds, one) for (one,) in free]
    )
    return len(free)


def delete(transaction: Transaction, ids: Sequence[int]) -> int:
    """Remove messages for good. How many those were.

    The key of one that was to be sent stays, so that it is not sent when its entity is read again.
    """
    removed = [
        (message_id,)
        for (message_id,) in transaction.connection.execute(
            "SELECT id FROM message WHERE id IN (SELECT value FROM json_each(?)) AND owner IS NULL",
            (json.dumps(list(ids)),),
        )
    ]
    remove(transaction, removed)
    return len(removed)


def remove(transaction: Transaction, ids: Sequence[tuple[int]]) -> None:
    """Remove rows and bodies, and the keys of those that were never to be sent: their entities may come again."""
    connection = transaction.connection
    connection.executemany(
        "DELETE FROM seen WHERE (entity_id, key, message) IN"
        " (SELECT entity_id, key, id FROM message WHERE id = ? AND state IN ('discarded', 'rejected'))",
        ids,
    )
    connection.executemany("DELETE FROM body WHERE message = ?", ids)
    connection.executemany("DELETE FROM message WHERE id = ?", ids)
