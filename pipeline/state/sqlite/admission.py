"""Putting messages in, together with all that must be true with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from pipeline.state import gate as the_gate
from pipeline.state.facts import (
    Admitted,
    Ask,
    Batch,
    Claimed,
    Claims,
    Closed,
    Full,
    Gathered,
    Known,
    MessageState,
    NewMessage,
)
from pipeline.state.gate import Ready, Sorted
from pipeline.state.keys import name_of
from pipeline.state.sqlite import claims, gates
from pipeline.state.sqlite.columns import checksum, full_text, key_bytes, recipients_text, text_of
from pipeline.state.sqlite.transaction import Transaction

# As a new message waits or is claimed, and as one is listed that will not be sent.
_PUT: Final = """
    INSERT INTO message (
        id, key, pipe, system, run, entity_id, recipients, subject, at_most_once, due, since, moved, expires, admitted,
        owner, gate, places, passed, number, pending, state, tries, result, detail
    ) VALUES (
        ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?10, ?11, ?12,
        ?13, ?14, ?15, ?16, ?16, ?17, 'queued', 0, '', ''
    )
"""
_LIST: Final = """
    INSERT INTO message (
        id, key, pipe, system, run, entity_id, recipients, subject, at_most_once, due, since, moved, expires, admitted,
        owner, gate, places, passed, number, pending, state, tries, result, detail
    ) VALUES (
        ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10, ?10, ?11, ?12,
        NULL, NULL, 0, 0, 0, ?13, ?14, 0, '', ?15
    )
"""
_BODY: Final = "INSERT INTO body (message, envelope, entity, checksum, content) VALUES (?, ?, ?, ?, ?)"


class _New(NamedTuple):
    number: int
    key: bytes
    message: NewMessage


def admit(transaction: Transaction, batch: Batch, ask: Ask | None, owner: int | None) -> Admitted:
    """Put a batch in, and claim for `owner` what `ask` asks for, new messages without a detour through the queue."""
    if batch.scatter and not _all_wait(transaction, batch.scatter):
        return Admitted((), Claims(), stale=True)
    fates, new = _reserve(transaction, batch.messages)
    claimed = Claims()
    if ask is None or owner is None:
        _store(transaction, new, Sorted(), None, None)
    elif claims.is_waiting(transaction, ask.system):
        _store(transaction, new, Sorted(), None, None)
        claimed = claims.claim(transaction, ask, owner)
    else:
        claimed = _straight(transaction, new, ask, owner)
    if batch.forget:
        transaction.connection.executemany(
            "DELETE FROM seen WHERE entity_id = ? AND key = ? AND message = 0",
            [(entity_id, key_bytes(key, 0)) for entity_id, key in batch.forget],
        )
    gathered = tuple(_gather(transaction, one) for one in batch.gather)
    _beside(transaction, batch)
    return Admitted(tuple(fates), claimed, gathered)


def _reserve(transaction: Transaction, messages: Sequence[NewMessage]) -> tuple[list[int | Known], list[_New]]:
    """An id for each message that was not admitted before."""
    connection = transaction.connection
    if not messages:
        return [], []
    (first,) = connection.execute(
        "UPDATE bearings SET next_message = next_message + ? RETURNING next_message - ?", (len(messages),) * 2
    ).fetchone()
    numbered = [
        _New(number, key_bytes(message.key, message.generation), message)
        for number, message in enumerate(messages, first)
    ]
    inserted = connection.executemany(
        "INSERT INTO seen (message, key, entity_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(number, key, message.entity_id) for number, key, message in numbered],
    ).rowcount
    if inserted == len(messages):
        return list(range(first, first + inserted)), numbered
    fates = [_again(transaction, new, first) for new in numbered]
    return fates, [new for new, fate in zip(numbered, fates, strict=True) if isinstance(fate, int)]


def _again(transaction: Transaction, new: _New, first: int) -> int | Known:
    """The fate of a message whose key may have been admitted before. What was never handed over may come again.

    The batch has ids from `first` on; its rows are not written yet.
    """
    connection = transaction.connection
    number, key, message = new
    name = (message.entity_id, key)
    before, state, changed, claims_so_far = connection.execute(
        "SELECT seen.message, state, admitted + moved - since, number FROM seen LEFT JOIN message ON id = seen.message"
        " WHERE seen.entity_id = ? AND seen.key = ?",
        name,
    ).fetchone()
    if before == number:
        return number
    if before >= first:
        return Known(before, MessageState.QUEUED, transaction.now.wall)
    never_tried = state == MessageState.HELD and claims_so_far == 0
    if never_tried or state in {MessageState.DISCARDED, MessageState.REJECTED}:
        connection.execute("UPDATE seen SET message = ? WHERE entity_id = ? AND key = ?", (number, *name))
        connection.execute("UPDATE message SET replaced = ? WHERE id = ?", (number, before))
        return number
    return Known(before, None if state is None else MessageState(state), changed)


def _straight(transaction: Transaction, new: Sequence[_New], ask: Ask, owner: int) -> Claims:
    """Claim new messages as they come in: nothing waits before them."""
    connection, _, now = transaction
    count = gates.count(transaction, ask.gate, ask.limit)
    by_recipient = ask.count_by == "recipient"
    ours = [
        at
        for at, (_, _, message) in enumerate(new)
        if message.state is MessageState.QUEUED and message.system == ask.system and message.expires is None
    ][: ask.most]
    ready = [Ready(len(new[at].message.recipients) if by_recipient else 1, passed=False) for at in ours]
    chosen = the_gate.sort(count, ready, ask.on_limit)
    places = {ours[index]: ready[index].places for index in chosen.go}
    taken = sum(places.values())
    full = None
    if chosen.wait or chosen.too_many:
        full = claims.full(transaction, ask, count, taken, 1)
    decided = Sorted(
        go=list(places),
        too_many=[ours[index] for index in chosen.too_many],
        never=[ours[index] for index in chosen.never],
    )
    _store(transaction, new, decided, full, owner, ask.gate, places)
    if taken:
        gates.take(connection, ask.gate, taken)
    messages = tuple(_claimed(new[at], ask.gate, places[at], now.steady) for at in decided.go)
    closed = (
        *(_closed(new[at], MessageState.DISCARDED, full) for at in decided.too_many),
        *(_closed(new[at], MessageState.HELD, None) for at in decided.never),
    )
    lacking = ready[chosen.wait[0]].places - (count.free - taken) if chosen.wait else 0
    return Claims(messages, (), closed, full, claims.again_in(transaction, ask, lacking))


def _claimed(new: _New, gate: str, places: int, now: float) -> Claimed:
    number, _, message = new
    return Claimed(
        number,
        1,
        name_of(message.key, message.generation),
        message.pipe,
        message.system,
        message.entity_id,
        message.run,
        gate,
        places,
        now,
        now,
        message.expires,
        0,
        message.at_most_once,
        "",
        message.envelope,
        message.content,
    )


def _closed(new: _New, state: MessageState, full: Full | None) -> Closed:
    number, _, message = new
    detail = claims.NEVER_FITS if full is None else ""
    name = name_of(message.key, message.generation)
    return Closed(number, name, message.pipe, message.entity_id, state, detail, full)


def _store(
    transaction: Transaction,
    new: Sequence[_New],
    decided: Sorted,
    full: Full | None,
    owner: int | None,
    gate: str = "",
    places: Mapping[int, int] = MappingProxyType({}),
) -> None:
    """Write the rows: claimed, waiting, or closed at once."""
    connection, _, now = transaction
    steady, wall = now
    too_many, never = frozenset(decided.too_many), frozenset(decided.never)
    put: list[tuple[object, ...]] = []
    listed: list[tuple[object, ...]] = []
    bodies: list[tuple[object, ...]] = []
    for at, (number, key, message) in enumerate(new):
        recipients = message.recipients
        row = (
            number,
            key,
            message.pipe,
            message.system,
            message.run,
            message.entity_id,
            recipients_text(recipients),
            message.subject,
            int(message.at_most_once),
            steady,
            message.expires,
            wall,
        )
        state: MessageState = message.state
        detail = message.detail
        kept = state is MessageState.QUEUED
        if at in too_many and full is not None:
            state, detail, kept = MessageState.DISCARDED, full_text(full), False
        elif at in never:
            state, detail = MessageState.HELD, claims.NEVER_FITS
        if state is not MessageState.QUEUED:
            listed.append((*row, len(recipients), text_of[state], detail))
        elif taken := places.get(at):
            put.append((*row, owner, gate, taken, 1, len(recipients)))
        else:
            put.append((*row, None, None, 0, 0, len(recipients)))
        envelope, content = message.envelope, message.content
        if kept:
            bodies.append((number, envelope, message.entity, checksum(envelope, content), content))
        else:
            bodies.append((number, None, message.entity, None, None))
    connection.executemany(_PUT, put)
    if listed:
        connection.executemany(_LIST, listed)
    connection.executemany(_BODY, bodies)


def _all_wait(transaction: Transaction, numbers: Sequence[int]) -> bool:
    """Whether all these entities are still gathered: another process may have mailed them, or one may be newer."""
    look = transaction.connection.execute
    return all(look("SELECT 1 FROM gathered WHERE number = ?", (number,)).fetchone() for number in numbers)


def _gather(transaction: Transaction, one: Gathered) -> bool:
    """Let an entity wait for its mail; whether this version of it was not there before."""
    connection, _, now = transaction
    if not one.entity:
        gone = connection.execute(
            "DELETE FROM gathered WHERE pipe = ? AND entity_id = ?", (one.pipe, one.entity_id)
        ).rowcount
        return gone > 0
    if not connection.execute(
        "INSERT INTO seen (entity_id, key, message) VALUES (?, ?, 0) ON CONFLICT DO NOTHING",
        (one.entity_id, key_bytes(one.key, 0)),
    ).rowcount:
        return False
    name = (one.pipe, one.gathering, one.entity_id)
    connection.execute(
        "INSERT OR REPLACE INTO gathered (pipe, gathering, entity_id, entity, since, run) VALUES (?1, ?2, ?3, ?4,"
        " coalesce((SELECT since FROM gathered WHERE pipe = ?1 AND gathering = ?2 AND entity_id = ?3), ?5), ?6)",
        (*name, one.entity, now.steady, one.run),
    )
    return True


def _beside(transaction: Transaction, batch: Batch) -> None:
    """What moves with the messages."""
    connection, _, now = transaction
    if batch.scatter:
        connection.executemany("DELETE FROM gathered WHERE number = ?", [(number,) for number in batch.scatter])
    if batch.offset is not None:
        connection.execute('INSERT OR REPLACE INTO "offset" VALUES (?, ?, ?)', (*batch.offset, now.wall))
    if batch.execution is not None:
        run = batch.execution
        connection.execute(
            "INSERT OR REPLACE INTO execution VALUES (?, ?, ?, ?, ?, ?)",
            (run.run, run.pipe, run.started, run.ended, run.report, now.steady),
        )
    _note(connection, batch.notes.items(), now.wall)


def _note(connection: sqlite3.Connection, notes: Iterable[tuple[str, str]], at: float) -> None:
    for name, value in notes:
        if value:
            connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", (name, value, at))
        else:
            connection.execute("DELETE FROM note WHERE name = ?", (name,))
