"""Taking messages to send: what is due, as many as the gate lets through, and for nobody else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.state import gate as the_gate
from pipeline.state.facts import Ask, Claimed, Claims, Closed, Full, MessageState
from pipeline.state.gate import Count, Ready
from pipeline.state.sqlite import gates
from pipeline.state.sqlite.columns import full_text, is_whole, name_of, text_of
from pipeline.state.sqlite.transaction import Transaction

NEVER_FITS: Final = "it has more recipients than `max_per_hour` lets through in any hour"
DAMAGED: Final = "the stored message does not have its checksum any more: the disk or the file changed it"
# Permits of other senders may come back, or the wall clock may be held right again: that is not announced.
LOOK_AGAIN: Final = 1.0


class _Waiting(NamedTuple):
    due: float
    id: int
    expires: float | None
    pending: int
    passed: int


def is_waiting(transaction: Transaction, system: str) -> bool:
    """Whether anything of the system is due."""
    return bool(
        transaction.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM message WHERE system = ? AND passed IN (0, 1) AND due <= ?"
            " AND owner IS NULL)",
            (system, transaction.now.steady),
        ).fetchone()[0]
    )


def claim(transaction: Transaction, ask: Ask, owner: int) -> Claims:
    """Claim for `owner` what `ask` asks for."""
    count = gates.count(transaction, ask.gate, ask.limit)
    rows = [
        row
        for row in _due(transaction, ask, only_new=not count.free)
        if row.expires is None or row.expires > transaction.now.steady
    ]
    by_recipient = ask.count_by == "recipient"
    ready = [Ready(row.pending if by_recipient else 1, bool(row.passed)) for row in rows]
    chosen = the_gate.sort(count, ready, ask.on_limit)
    places = {rows[index].id: ready[index].places for index in chosen.go}
    messages, damaged = _take(transaction, owner, ask.gate, places)
    late, damaged_late = _take(transaction, owner, ask.gate, dict.fromkeys(_overdue(transaction, ask), 0))
    taken = sum(message.places for message in messages)
    if taken:
        gates.take(transaction.connection, ask.gate, taken)
    no_place = full(transaction, ask, count, taken, 1) if chosen.wait or chosen.too_many or not count.free else None
    closed = (
        *_close(transaction, [rows[index].id for index in chosen.too_many], MessageState.DISCARDED, "", no_place),
        *_close(transaction, [rows[index].id for index in chosen.never], MessageState.HELD, NEVER_FITS, None),
        *_close(transaction, damaged + damaged_late, MessageState.HELD, DAMAGED, None),
    )
    lacking = ready[chosen.wait[0]].places - (count.free - taken) if chosen.wait else 0
    return Claims(messages, late, closed, no_place, again_in(transaction, ask, lacking))


def again_in(transaction: Transaction, ask: Ask, lacking: int = 0) -> float | None:
    """In how many seconds there may be something to claim. The first that is due lacks so many places."""
    waits = [_room_in(transaction, ask, lacking), _expires_in(transaction, ask)]
    return min((wait for wait in waits if wait is not None), default=None)


def _expires_in(transaction: Transaction, ask: Ask) -> float | None:
    """In how many seconds the first that waits expires. For that it needs no place."""
    (first,) = transaction.connection.execute(
        "SELECT min(expires) FROM message WHERE system = ? AND expires IS NOT NULL AND due IS NOT NULL"
        " AND owner IS NULL",
        (ask.system,),
    ).fetchone()
    return None if first is None else max(0.0, first - transaction.now.steady)


def _room_in(transaction: Transaction, ask: Ask, lacking: int) -> float | None:
    """In how many seconds something is due and may have a place."""
    connection, bearings, now = transaction
    dues = [
        due
        for (due,) in connection.execute(
            "SELECT (SELECT min(due) FROM message WHERE system = ?1 AND passed = p.value AND due IS NOT NULL"
            " AND owner IS NULL) FROM json_each('[0, 1]') AS p",
            (ask.system,),
        )
        if due is not None
    ]
    if not dues or not ask.limit:
        return None
    wait: float = min(dues) - now.steady
    if wait > 0:
        return wait
    count = gates.count(transaction, ask.gate, ask.limit)
    lacking = max(lacking, 0 if count.free else count.used - count.limit + 1)
    if not lacking:
        return 0.0
    frees = gates.frees_at(connection, ask.gate, lacking)
    wait = LOOK_AGAIN if frees is None else max(0.0, frees - now.steady)
    return min(LOOK_AGAIN, wait) if count.in_flight or bearings.boundary is not None else wait


def full(transaction: Transaction, ask: Ask, count: Count, taken: int, places: int) -> Full:
    """The gate after `taken` more places, for somebody who needs `places`."""
    now = transaction.now
    used = count.used + taken
    frees = gates.frees_at(transaction.connection, ask.gate, max(1, used + places - ask.limit)) if ask.limit else None
    return Full(used, ask.limit, None if frees is None else now.wall + max(0.0, frees - now.steady))


def _due(transaction: Transaction, ask: Ask, *, only_new: bool) -> list[_Waiting]:
    """What is due, the longest waiting first. When nothing can go, only what was never let through can change."""
    if only_new and ask.on_limit == "queue":
        return []
    found: list[_Waiting] = []
    for passed in (0,) if only_new else (0, 1):
        found += map(
            _Waiting._make,
            transaction.connection.execute(
                "SELECT due, id, expires, pending, passed FROM message"
                " WHERE system = ? AND passed = ? AND due <= ? AND owner IS NULL ORDER BY due, id LIMIT ?",
                (ask.system, passed, transaction.now.steady, ask.most),
            ),
        )
    return sorted(found)[: ask.most]


def _overdue(transaction: Transaction, ask: Ask) -> list[int]:
    """What expired while it waited, for whatever."""
    return [
        message
        for (message,) in transaction.connection.execute(
            "SELECT id FROM message WHERE system = ? AND expires <= ? AND due IS NOT NULL AND owner IS NULL"
            " ORDER BY expires LIMIT ?",
            (ask.system, transaction.now.steady, ask.most),
        )
    ]


def _take(
    transaction: Transaction, owner: int, gate: str, places: dict[int, int]
) -> tuple[tuple[Claimed, ...], list[int]]:
    """Claim messages by id. What does not have its checksum any more is not claimed."""
    if not places:
        return (), []
    connection = transaction.connection
    found, damaged = [], []
    for row in connection.execute(
        "SELECT id, number, key, pipe, system, entity_id, run, due, since, expires, tries, at_most_once,"
        " result, envelope, checksum, content FROM message LEFT JOIN body ON message = id"
        " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY due, id",
        (json.dumps(list(places)),),
    ):
        message, number, key, pipe, system, entity_id, run, due, since, expires, tries, once, result = row[:13]
        envelope, total, content = row[13:]
        if not is_whole(envelope, content, total):
            damaged.append(message)
            continue
        found.append(
            Claimed(
                message,
                number + 1,
                name_of(key),
                pipe,
                system,
                entity_id,
                run,
                gate,
                places[message],
                due,
                since,
                expires,
                tries,
                bool(once),
                result,
                envelope,
                content,
            )
        )
    connection.executemany(
        "UPDATE message SET owner = ?, number = ?, gate = ?, places = ?, passed = max(passed, ?) WHERE id = ?",
        [(owner, each.number, gate, each.places, min(1, each.places), each.id) for each in found],
    )
    return tuple(found), damaged


def _close(
    transaction: Transaction, ids: Sequence[int], state: MessageState, detail: str, no_place: Full | None
) -> list[Closed]:
    """Settle messages that will not be sent. Of a discarded one the bytes are not kept, the entity is."""
    if not ids:
        return []
    connection, _, now = transaction
    text = detail if no_place is None else full_text(no_place)
    connection.executemany(
        "UPDATE message SET state = ?, due = NULL, moved = ?, detail = ? WHERE id = ?",
        [(text_of[state], now.steady, text, each) for each in ids],
    )
    if state is MessageState.DISCARDED:
        connection.executemany(
            "UPDATE body SET envelope = NULL, checksum = NULL, content = NULL WHERE message = ?",
            [(each,) for each in ids],
        )
    return [
        Closed(message, name_of(key), pipe, entity_id, state, detail, no_place)
        for message, key, pipe, entity_id in connection.execute(
            "SELECT id, key, pipe, entity_id FROM message WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(list(ids)),),
        )
    ]
