"""What can be looked at: the values that queries give. No I/O.

Times are wall times, for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pipeline.state.facts import Full, MessageState


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages: all conditions hold; an empty one holds for all.

    `recipient` and `entity_id` are compared as a whole, `recipient` without regard to case. `address` is a part of one
    of the recipients, and `subject` of the subject; only letters of ASCII have no case there. `name` is how the name of
    a message begins: some of its hexadecimal digits, and `.` with the number of its generation if only that is meant.
    Discarded messages that were admitted again later are left out unless `replaced` is set.
    """

    states: frozenset[MessageState] = frozenset()
    pipe: str = ""
    system: str = ""
    run: str = ""
    entity_id: str = ""
    recipient: str = ""
    address: str = ""
    subject: str = ""
    name: str = ""
    changed_from: float | None = None
    changed_until: float | None = None
    replaced: bool = False


class Row(NamedTuple):
    """A message in a list. `next_try` is None when nothing is to come; `full` is how the gate was, if discarded."""

    id: int
    name: str
    pipe: str
    system: str
    run: str
    entity_id: str
    recipients: tuple[str, ...]
    subject: str
    state: MessageState
    admitted: float
    changed: float
    next_try: float | None
    tries: int
    result: str
    detail: str
    full: Full | None


class Page(NamedTuple):
    """Some rows, the newest first. `next` goes on from here; None: there are no more."""

    rows: tuple[Row, ...]
    next: int | None


class Holder(NamedTuple):
    """A sender, and how many messages it has claimed. Of one that is not `alive` the next sender takes them over."""

    process: str
    began: float
    claims: int
    alive: bool


class Detail(NamedTuple):
    """Everything about a message. What retention removed is None. `whole`: the bytes have their checksum."""

    row: Row
    envelope: str | None
    content: bytes | None
    entity: str | None
    whole: bool
    holder: Holder | None


class Usage(NamedTuple):
    """A gate at this moment.

    `free_at` is when a place frees if none is free, `all_free_at` when all that was sent is an hour old; None if that
    rests on answers to come. `unsure` places may be free already: when they were taken is not known, because the
    machine started anew and nothing has held its wall clock right since.
    """

    gate: str
    limit: int
    used: int
    in_flight: int
    unsure: int
    free: int
    free_at: float | None
    all_free_at: float | None


class Freeing(NamedTuple):
    """How many places free at a time."""

    at: float
    places: int


class LimitChange(NamedTuple):
    """A limit from a time on."""

    at: float
    limit: int


class Discards(NamedTuple):
    """How many messages of a system were discarded since a time, and when the first of them was."""

    many: int
    first: float | None


class Settled(NamedTuple):
    """How many messages came to an end without being sent, in a short span that begins at a wall time."""

    at: float
    state: MessageState
    many: int


class Discarded(NamedTuple):
    """How many messages were discarded in a short span, and when the first and the last of them were."""

    first: float
    last: float
    many: int
