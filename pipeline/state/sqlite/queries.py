"""Looking at the state, beside the one that writes. Lists come in pages, so no look takes long."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from pipeline.state import steady
from pipeline.state.facts import Execution, Gathering, MessageState, Moment, Part
from pipeline.state.gate import Count
from pipeline.state.keys import SIZE
from pipeline.state.sqlite import bearings as stored
from pipeline.state.sqlite.columns import LAST_GENERATION, full_of, generation_of, is_whole, key_bytes, name_of, text_of
from pipeline.state.views import (
    Detail,
    Discarded,
    Discards,
    Filter,
    Freeing,
    Holder,
    LimitChange,
    Page,
    Row,
    Settled,
    Usage,
)

_SELECT: Final = (
    "SELECT id, key, pipe, system, run, entity_id, recipients, subject, state, owner, admitted,"
    " admitted + moved - since, due, tries, result, detail"
)
_ONE: Final = " FROM message WHERE id = ?"


def offset(connection: sqlite3.Connection, pipe: str) -> str | None:
    """How far a pipe has read its source."""
    row = connection.execute('SELECT since FROM "offset" WHERE pipe = ?', (pipe,)).fetchone()
    return None if row is None else str(row[0])


def gatherings(
    connection: sqlite3.Connection, now: Moment, pipe: str, waited: float, most: int, limit: int
) -> tuple[Gathering, ...]:
    """Gatherings whose first entity has waited so many seconds, or that have as many as one mail takes."""
    due = connection.execute(
        "SELECT gathering FROM gathered WHERE pipe = ? GROUP BY gathering"
        " HAVING min(since) <= ? OR count(*) >= ? ORDER BY min(number) LIMIT ?",
        (pipe, now.steady - waited, most, limit),
    ).fetchall()
    parts = (
        "SELECT number, entity_id, entity, run FROM gathered WHERE pipe = ? AND gathering = ? ORDER BY number LIMIT ?"
    )
    return tuple(
        Gathering(name, tuple(Part(*row) for row in connection.execute(parts, (pipe, name, most)))) for (name,) in due
    )


def notes(connection: sqlite3.Connection, prefix: str) -> dict[str, str]:
    """The notes whose names begin so."""
    return dict(connection.execute("SELECT name, value FROM note WHERE substr(name, 1, ?) = ?", (len(prefix), prefix)))


def generations(connection: sqlite3.Connection, messages: Iterable[tuple[str, str]]) -> dict[str, int]:
    """For each key that was admitted, the generation that a message sent once more on purpose would have."""
    found: dict[str, int] = {}
    for entity_id, key in messages:
        plain = key_bytes(key, 0)
        (latest,) = connection.execute(
            "SELECT max(key) FROM seen WHERE entity_id = ? AND key >= ? AND key <= ?",
            (entity_id, plain, plain + LAST_GENERATION),
        ).fetchone()
        if latest is not None:
            found[key] = generation_of(latest) + 1
    return found


def executions(connection: sqlite3.Connection, pipe: str, most: int) -> tuple[Execution, ...]:
    """The latest runs of a pipe, or of all, the newest first."""
    return tuple(
        Execution(*row)
        for row in connection.execute(
            "SELECT run, pipe, started, ended, report FROM execution WHERE ?1 = '' OR pipe = ?1"
            " ORDER BY started DESC LIMIT ?2",
            (pipe, most),
        )
    )


def execution(connection: sqlite3.Connection, run: str) -> tuple[Execution, ...]:
    """The pipes of a run, in the order in which they began."""
    return tuple(
        Execution(*row)
        for row in connection.execute(
            "SELECT run, pipe, started, ended, report FROM execution WHERE run = ? ORDER BY started, pipe", (run,)
        )
    )


def counts(connection: sqlite3.Connection, system: str, pipe: str) -> dict[MessageState, int]:
    """How many messages there are of each state but `sent`: of those there are too many to count."""
    found = {
        MessageState(state): many
        for state, many in connection.execute(
            "SELECT state, count(*) FROM message WHERE owner IS NULL AND state <> 'sent' AND replaced IS NULL"
            " AND (?1 = '' OR system = ?1) AND (?2 = '' OR pipe = ?2) GROUP BY state",
            (system, pipe),
        )
    }
    (claimed,) = connection.execute(
        "SELECT count(*) FROM message WHERE owner IS NOT NULL AND (?1 = '' OR system = ?1) AND (?2 = '' OR pipe = ?2)",
        (system, pipe),
    ).fetchone()
    return {**found, MessageState.CLAIMED: claimed} if claimed else found


def waited(connection: sqlite3.Connection, now: Moment) -> float | None:
    """For how many seconds the message has waited that has waited longest: of each state that waits, the first."""
    found = [
        row[0]
        for state in (MessageState.QUEUED, MessageState.RETRYING)
        if (
            row := connection.execute(
                "SELECT since FROM message WHERE state = ? AND state <> 'sent' AND owner IS NULL ORDER BY id LIMIT 1",
                (state.value,),
            ).fetchone()
        )
    ]
    return now.steady - min(found) if found else None


def due(connection: sqlite3.Connection, now: Moment, system: str) -> tuple[float, str] | None:
    """In how many seconds the next message of a system may go, and of which pipe it is."""
    found = [
        row
        for passed in (0, 1)
        if (
            row := connection.execute(
                "SELECT due, pipe FROM message WHERE system = ? AND passed = ? AND due IS NOT NULL AND owner IS NULL"
                " ORDER BY due, id LIMIT 1",
                (system, passed),
            ).fetchone()
        )
    ]
    at, pipe = min(found, default=(0.0, ""))
    return (at - now.steady, pipe) if found else None


def messages(connection: sqlite3.Connection, now: Moment, wanted: Filter, before: int | None, most: int) -> Page:
    """Messages, the newest first, from the one before `before` on."""
    conditions, values = _conditions(wanted)
    if before is not None:
        conditions.append("id < ?")
        values.append(before)
    query = " ".join((_SELECT, "FROM message", *_where(conditions), "ORDER BY id DESC LIMIT ?"))
    rows = connection.execute(query, (*values, most + 1)).fetchall()
    shown = tuple(_row(row, now) for row in rows[:most])
    return Page(shown, shown[-1].id if len(rows) > most else None)


def count(connection: sqlite3.Connection, wanted: Filter) -> int:
    """How many messages those are."""
    conditions, values = _conditions(wanted)
    query = " ".join(("SELECT count(*) FROM message", *_where(conditions)))
    (many,) = connection.execute(query, values).fetchone()
    return int(many)


def message(
    connection: sqlite3.Connection, now: Moment, message_id: int, alive: Callable[[str], bool]
) -> Detail | None:
    """Everything about one message."""
    row = connection.execute(_SELECT + _ONE, (message_id,)).fetchone()
    if row is None:
        return None
    body = connection.execute(
        "SELECT envelope, content, entity, checksum FROM body WHERE message = ?", (message_id,)
    ).fetchone()
    envelope, content, entity, total = body or (None, None, None, None)
    holder = _holders(connection, "id = (SELECT owner FROM message WHERE id = ?)", (message_id,), alive)
    return Detail(
        _row(row, now),
        envelope,
        content,
        entity,
        is_whole(envelope, content, total),
        next(iter(holder), None),
    )


def holders(connection: sqlite3.Connection, alive: Callable[[str], bool]) -> tuple[Holder, ...]:
    """Those who have claims."""
    return _holders(connection, "claims", (), alive)


def discards(connection: sqlite3.Connection, system: str, since: float) -> Discards:
    """What was discarded since a wall time."""
    many, first = connection.execute(
        "SELECT count(*), min(admitted + moved - since) FROM message WHERE state = 'discarded' AND owner IS NULL"
        " AND system = ? AND admitted + moved - since >= ?",
        (system, since),
    ).fetchone()
    return Discards(many, first)


def discarded(connection: sqlite3.Connection, system: str, since: float, width: float) -> tuple[Discarded, ...]:
    """What was discarded since a wall time, in spans of so many seconds."""
    return tuple(
        Discarded(*row)
        for row in connection.execute(
            "SELECT min(at), max(at), count(*) FROM (SELECT admitted + moved - since AS at FROM message"
            " WHERE state = 'discarded' AND owner IS NULL AND system = ?1 AND admitted + moved - since >= ?2)"
            " GROUP BY CAST((at - ?2) / ?3 AS INTEGER) ORDER BY 1",
            (system, since, width),
        )
    )


def settled(connection: sqlite3.Connection, since: float, width: float) -> tuple[Settled, ...]:
    """How many messages were discarded, rejected or given up since a wall time, in spans of so many seconds."""
    return tuple(
        Settled(since + width * number, MessageState(state), many)
        for state, number, many in connection.execute(
            "SELECT state, CAST((at - ?1) / ?2 AS INTEGER) AS number, count(*) FROM ("
            "SELECT state, admitted + moved - since AS at FROM message WHERE owner IS NULL AND state <> 'sent'"
            " AND state IN ('discarded', 'rejected', 'dead') AND at >= ?1)"
            " GROUP BY state, number ORDER BY number, state",
            (since, width),
        )
    )


def usage(connection: sqlite3.Connection, now: Moment, limits: Mapping[str, int]) -> tuple[Usage, ...]:
    """Each of the gates with its limit; those that are on record if none is named, with their last limits."""
    if not limits:
        limits = dict(connection.execute('SELECT name, "limit" FROM gate ORDER BY name'))
    found = stored.load(connection)
    boundary = None if found is None else found.boundary
    return tuple(_usage(connection, now, gate, limit, boundary) for gate, limit in limits.items())


def freeing(connection: sqlite3.Connection, now: Moment, gate: str) -> Iterator[Freeing]:
    """When how many places of a gate free."""
    for second, places in _stamps(connection, gate, steady.over_up_to(now.steady)):
        yield Freeing(now.wall + steady.frees_at(second) - now.steady, places)


def history(connection: sqlite3.Connection, now: Moment, gate: str, seconds: float) -> Iterator[Freeing]:
    """How many messages were accepted when, as far back as it is kept."""
    for second, places in _stamps(connection, gate, int(now.steady - seconds)):
        yield Freeing(now.wall + second - now.steady, places)


def limit_changes(connection: sqlite3.Connection, gate: str, most: int) -> tuple[LimitChange, ...]:
    """The latest changes of a limit, the newest first."""
    return tuple(
        LimitChange(*row)
        for row in connection.execute(
            'SELECT at, "limit" FROM limit_change WHERE gate = ? ORDER BY second DESC LIMIT ?', (gate, most)
        )
    )


def _usage(connection: sqlite3.Connection, now: Moment, gate: str, limit: int, boundary: int | None) -> Usage:
    row = connection.execute("SELECT in_flight FROM gate WHERE name = ?", (gate,)).fetchone()
    in_flight = 0 if row is None else row[0]
    stamps = _stamps(connection, gate, steady.over_up_to(now.steady))
    stamped = sum(places for _, places in stamps)
    doubted = sum(places for second, places in stamps if boundary is not None and second <= boundary)
    count = Count(limit, in_flight, stamped, doubted)
    free_at = all_free_at = None
    if not count.free and limit:
        needed = count.used - limit + 1
        for second, places in stamps:
            needed -= places
            if needed <= 0:
                free_at = now.wall + steady.frees_at(second) - now.steady
                break
    if stamps and not in_flight:
        all_free_at = now.wall + steady.frees_at(stamps[-1][0]) - now.steady
    return Usage(gate, limit, count.used, in_flight, doubted, count.free, free_at, all_free_at)


def _stamps(connection: sqlite3.Connection, gate: str, after: int) -> list[tuple[int, int]]:
    return connection.execute(
        "SELECT second, places FROM stamp WHERE gate = ? AND second > ? ORDER BY second", (gate, after)
    ).fetchall()


def _holders(
    connection: sqlite3.Connection, condition: str, values: tuple[int, ...], alive: Callable[[str], bool]
) -> tuple[Holder, ...]:
    query = (
        "SELECT name, process, began, (SELECT count(*) FROM message WHERE owner = owner.id) AS claims FROM owner WHERE "
    )
    rows = connection.execute(query + condition, values).fetchall()
    return tuple(Holder(process, began, claims, alive(name)) for name, process, began, claims in rows)


def _where(conditions: list[str]) -> tuple[str, ...]:
    return ("WHERE", " AND ".join(conditions)) if conditions else ()


def _conditions(wanted: Filter) -> tuple[list[str], list[str | float | bytes]]:
    conditions: list[str] = []
    values: list[str | float | bytes] = []
    if wanted.states:
        conditions.append(_states(wanted.states, values))
    for column in ("pipe", "system", "run", "entity_id"):
        if value := getattr(wanted, column):
            conditions.append(f"{column} = ?")
            values.append(value)
    if wanted.recipient:
        conditions.append("EXISTS (SELECT 1 FROM json_each(recipients) WHERE lower(value) = lower(?))")
        values.append(wanted.recipient)
    if wanted.address:
        # A letter of another alphabet is compared as it is: SQLite knows no others.
        conditions.append("EXISTS (SELECT 1 FROM json_each(recipients) WHERE instr(lower(value), lower(?)))")
        values.append(wanted.address)
    if wanted.subject:
        conditions.append("instr(lower(subject), lower(?))")
        values.append(wanted.subject)
    if wanted.name:
        digits, _, generation = wanted.name.partition(".")
        conditions.append("key BETWEEN ? AND ?")
        values += (key_bytes(f"{digits:0<{2 * SIZE}}", 0), key_bytes(f"{digits:f<{2 * SIZE}}", 0) + LAST_GENERATION)
        if generation:
            conditions.append("substr(key, ?) = ?")
            values += (SIZE + 1, key_bytes("0" * 2 * SIZE, int(generation))[SIZE:])
    if wanted.changed_from is not None:
        conditions.append("admitted + moved - since >= ?")
        values.append(wanted.changed_from)
    if wanted.changed_until is not None:
        conditions.append("admitted + moved - since < ?")
        values.append(wanted.changed_until)
    if not wanted.replaced:
        conditions.append("replaced IS NULL")
    return conditions, values


def _states(states: frozenset[MessageState], values: list[str | float | bytes]) -> str:
    """Claimed is a message that has an owner, whatever its word is until then."""
    stored_ones = sorted(text_of[state] for state in states - {MessageState.CLAIMED})
    parts = []
    if stored_ones:
        # `sent` is in no index for lists: it is found by going back from the newest.
        also = "" if MessageState.SENT in states else " AND state <> 'sent'"
        parts.append(f"owner IS NULL{also} AND state IN ({', '.join('?' * len(stored_ones))})")
        values.extend(stored_ones)
    if MessageState.CLAIMED in states:
        parts.append("owner IS NOT NULL")
    return f"({' OR '.join(parts)})"


def _row(row: tuple[Any, ...], now: Moment) -> Row:
    message_id, key, pipe, system, run, entity_id, recipients, subject, state = row[:9]
    owner, admitted, changed, due, tries, result, detail = row[9:]
    word = MessageState(state) if owner is None else MessageState.CLAIMED
    full = full_of(detail) if word is MessageState.DISCARDED else None
    return Row(
        message_id,
        name_of(key),
        pipe,
        system,
        run,
        entity_id,
        tuple(json.loads(recipients)),
        subject,
        word,
        admitted,
        changed,
        None if due is None else now.wall + due - now.steady,
        tries,
        result,
        "" if full else detail,
        full,
    )
