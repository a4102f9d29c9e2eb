"""Putting messages in, together with all that must be true with them."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

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
from pipeline.state.gate import Count, Ready
from pipeline.state.keys import name_of
from pipeline.state.sqlite import claims, gates
from pipeline.state.sqlite.bulk import Bulk
from pipeline.state.sqlite.columns import checksum, full_text, key_bytes, recipients_text, text_of
from pipeline.state.sqlite.transaction import Transaction

_queued: Final = MessageState.QUEUED
# Without a function of Python around the making of it, for every mail is one.
_tuple: Final[Any] = tuple.__new__
_SEEN: Final = Bulk("INSERT INTO seen (message, key, entity_id) VALUES", 0, 3, "ON CONFLICT DO NOTHING")
# As a new message waits or is claimed, and as one is listed that will not be sent.
_PUT: Final = Bulk(
    """
    INSERT INTO message (
        pipe, system, run, at_most_once, expires, pending, owner, gate, places, passed, number,
        due, since, moved, admitted,
        state, tries, result, detail,
        id, key, entity_id, recipients, subject
    ) VALUES
    """,
    15,
    5,
    between="'queued', 0, '', '', ",
)
_LIST: Final = """
    INSERT INTO message (
        id, key, entity_id, recipients, subject, pipe, system, run, at_most_once, due, since, moved, expires, admitted,
        owner, gate, places, passed, number, pending, state, tries, result, detail
    ) VALUES (
        ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10, ?10, ?11, ?12,
        NULL, NULL, 0, 0, 0, ?13, ?14, 0, '', ?15
    )
"""
# One row at a time: SQLite makes a copy of what it is given, and content may be large.
_BODY: Final = "INSERT INTO body (message, envelope, entity, checksum, content) VALUES (?, ?, ?, ?, ?)"

_New = tuple[int, bytes, NewMessage]
"""The id of a message, its key as it is stored, and the message."""
_Word = tuple[MessageState, str]
"""Where a message is put that will not be sent, and why."""


def admit(transaction: Transaction, batch: Batch, ask: Ask | None, owner: int | None) -> Admitted:
    """Put a batch in, and claim for `owner` what `ask` asks for, new messages without a detour through the queue."""
    if batch.scatter and not _all_wait(transaction, batch.scatter):
        return Admitted((), Claims(), stale=True)
    fates, new = _reserve(transaction, batch.messages)
    claimed = Claims()
    if ask is None or owner is None:
        _store(transaction, new)
    elif claims.is_waiting(transaction, ask.system):
        _store(transaction, new)
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
    numbered: list[_New] = []
    values: list[object] = []
    for number, message in enumerate(messages, first):
        key = key_bytes(message.key, message.generation)
        numbered.append((number, key, message))
        values += (number, key, message.entity_id)
    inserted = _SEEN.write(connection, values)
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
    count = gates.count(transaction, ask.gate, ask.limit)
    by_recipient = ask.count_by == "recipient"
    system = ask.system
    places: dict[int, int] = {}
    for at, (_, _, message) in enumerate(new):
        if message.system == system and message.state is _queued and message.expires is None:
            places[at] = len(message.recipients) if by_recipient else 1
            if len(places) == ask.most:
                break
    all_go = sum(places.values()) <= count.free
    decided = _Decided(places) if all_go else _decided(transaction, places, ask, count)
    taken = sum(decided.places.values())
    messages = _store(transaction, new, decided.places, decided.words, owner, ask.gate)
    if taken:
        gates.take(transaction.connection, ask.gate, taken)
    closed = tuple(_closed(new[at], state, decided.full) for at, (state, _) in decided.words.items())
    lacking = decided.first_waits - (count.free - taken) if decided.first_waits else 0
    return Claims(messages, (), closed, decided.full, claims.again_in(transaction, ask, lacking))


class _Decided(NamedTuple):
    """By their place in the batch: the permits of those that go, and where those are put that will not be sent.

    `first_waits` is how many places the first needs that waits, 0 if none does.
    """

    places: dict[int, int]
    words: Mapping[int, _Word] = MappingProxyType({})
    full: Full | None = None
    first_waits: int = 0


def _decided(transaction: Transaction, places: dict[int, int], ask: Ask, count: Count) -> _Decided:
    """Who goes when not all can."""
    ours = list(places)
    chosen = the_gate.sort(count, [Ready(needed, passed=False) for needed in places.values()], ask.on_limit)
    go = {ours[index]: places[ours[index]] for index in chosen.go}
    words: dict[int, _Word] = {}
    full = None
    if chosen.wait or chosen.too_many:
        full = claims.full(transaction, ask, count, sum(go.values()), 1)
        detail = full_text(full)
        words = {ours[index]: (MessageState.DISCARDED, detail) for index in chosen.too_many}
    words.update((ours[index], (MessageState.HELD, claims.NEVER_FITS)) for index in chosen.never)
    return _Decided(go, words, full, places[ours[chosen.wait[0]]] if chosen.wait else 0)


def _closed(new: _New, state: MessageState, full: Full | None) -> Closed:
    number, _, message = new
    name = name_of(message.key, message.generation)
    detail, full = ("", full) if state is MessageState.DISCARDED else (claims.NEVER_FITS, None)
    return Closed(number, name, message.pipe, message.entity_id, state, detail, full)


def _store(
    transaction: Transaction,
    new: Sequence[_New],
    places: Mapping[int, int] = MappingProxyType({}),
    words: Mapping[int, _Word] = MappingProxyType({}),
    owner: int | None = None,
    gate: str = "",
) -> tuple[Claimed, ...]:
    """Write the rows: claimed where there are `places`, listed where there are `words`, or waiting. What is claimed."""
    connection, _, now = transaction
    steady, wall = now
    alike: defaultdict[tuple[object, ...], list[object]] = defaultdict(list)
    listed: list[tuple[object, ...]] = []
    bodies: list[tuple[object, ...]] = []
    claimed: list[Claimed] = []
    for at, (number, key, message) in enumerate(new):
        (
            name, pipe, system, entity_id, to, envelope, content, entity, subject, run, generation, once, expires,
            given, detail,
        ) = message  # fmt: skip
        state: MessageState = given
        kept = state is _queued
        if at in words:
            state, detail = words[at]
            kept = state is MessageState.HELD
        recipients = recipients_text(to)
        own = (number, key, entity_id, recipients, subject)
        if state is not _queued:
            listed.append((*own, pipe, system, run, once, steady, expires, wall, len(to), text_of[state], detail))
        elif at not in places:
            alike[pipe, system, run, once, expires, len(to), None, None, 0, 0, 0] += own
        else:
            taken = places[at]
            alike[pipe, system, run, once, expires, len(to), owner, gate, taken, 1, 1] += own
            if generation:
                name = name_of(name, generation)
            facts = (
                number, 1, name, pipe, system, entity_id, run, gate, taken, steady, steady, expires, 0, once, "",
                envelope, content,
            )  # fmt: skip
            claimed.append(_tuple(Claimed, facts))
        if kept:
            bodies.append((number, envelope, entity, checksum(envelope, content), content))
        else:
            bodies.append((number, None, entity, None, None))
    for shared, values in alike.items():
        _PUT.write(connection, values, (*shared, steady, steady, steady, wall))
    if listed:
        connection.executemany(_LIST, listed)
    connection.executemany(_BODY, bodies)
    return tuple(claimed)


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
