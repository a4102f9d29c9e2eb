"""The plain values that go into the state and come out of it. No I/O.

`steady` times are seconds of the state's own clock (`pipeline.state.steady`): what is decided is decided on it. `wall`
times are seconds since 1970 and for people only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from pipeline.receipt import Outcome


class MessageState(StrEnum):
    """Where a message is."""

    QUEUED = "queued"
    CLAIMED = "claimed"  # a sender has it, and nothing of it was handed over
    DELIVERING = "delivering"  # its last byte may have gone out, and no answer is on record
    SENT = "sent"
    RETRYING = "retrying"
    IN_DOUBT = "in_doubt"
    DEAD = "dead"
    REJECTED = "rejected"
    HELD = "held"
    DISCARDED = "discarded"
    EXPIRED = "expired"


outcome_of: Final[Mapping[MessageState, Outcome]] = {
    MessageState.QUEUED: Outcome.QUEUED,
    MessageState.CLAIMED: Outcome.QUEUED,
    MessageState.DELIVERING: Outcome.IN_DOUBT,
    MessageState.SENT: Outcome.SENT,
    MessageState.RETRYING: Outcome.RETRYING,
    MessageState.IN_DOUBT: Outcome.IN_DOUBT,
    MessageState.DEAD: Outcome.DEAD,
    MessageState.REJECTED: Outcome.REJECTED,
    MessageState.HELD: Outcome.HELD,
    MessageState.DISCARDED: Outcome.DISCARDED,
    MessageState.EXPIRED: Outcome.DEAD,
}
"""The word that people read for each."""


class Moment(NamedTuple):
    """The same instant on both clocks."""

    steady: float
    wall: float


class NewMessage(NamedTuple):
    """A message to admit: all that is needed to send it, frozen.

    `key` names it (`pipeline.state.keys`); a `generation` above 0 says that it is sent once more on purpose.
    `envelope` and `entity` are JSON that the state keeps and does not read. With a `state` of `rejected` or `held` it
    is put on the list for people, for the reason in `detail`, and never sent. Texts are without lone surrogates.
    """

    key: str
    pipe: str
    system: str
    entity_id: str
    recipients: tuple[str, ...]
    envelope: str
    content: bytes
    entity: str
    subject: str = ""
    run: str = ""
    generation: int = 0
    at_most_once: bool = False
    expires: float | None = None
    state: Literal[MessageState.QUEUED, MessageState.REJECTED, MessageState.HELD] = MessageState.QUEUED
    detail: str = ""


class Gathered(NamedTuple):
    """An entity that waits to become a part of a mail, with others of its `gathering`.

    `key` names its version, so that it is gathered once. An empty `entity` takes it out of the gatherings of its pipe.
    """

    pipe: str
    gathering: str
    entity_id: str
    key: str
    entity: str
    run: str = ""


class Part(NamedTuple):
    """A gathered entity: its number is what a batch names to take it out."""

    number: int
    entity_id: str
    entity: str
    run: str


class Gathering(NamedTuple):
    """Entities whose mail is due, in the order in which they came."""

    name: str
    parts: tuple[Part, ...]


class Offset(NamedTuple):
    """How far a pipe has read its source."""

    pipe: str
    since: str


@dataclass(frozen=True, slots=True)
class Execution:
    """A run of a pipe. `report` is JSON for whoever shows it; `ended` is None while it runs."""

    run: str
    pipe: str
    started: float
    ended: float | None = None
    report: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes into the state in one transaction: all of it or nothing."""

    messages: tuple[NewMessage, ...] = ()
    offset: Offset | None = None
    execution: Execution | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    """Small things by name that must outlast a run, such as the health of a server; `""` forgets one."""
    gather: tuple[Gathered, ...] = ()
    scatter: tuple[int, ...] = ()
    """The numbers of gathered entities that the messages are made of. If one waits no more, nothing happens."""
    forget: tuple[tuple[str, str], ...] = ()
    """Entities by `_id` and key that were gathered and may be gathered again, in this batch already."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a sender asks for: at most `most` messages of a system, each with a permit of its gate.

    Systems of one `rate_group` share a gate; `limit` is then the smallest of theirs.
    """

    system: str
    gate: str
    limit: int
    on_limit: Literal["discard", "queue"] = "discard"
    count_by: Literal["message", "recipient"] = "message"
    most: int = 256


class Claimed(NamedTuple):
    """A message that is this sender's to hand over, with its permit.

    `number` tells this claim from those before and after it. `due` is the time the claim was due for, `result` what is
    on record of its recipients (`""`: nothing yet), `name` the key that logs and answers show.
    """

    id: int
    number: int
    name: str
    pipe: str
    system: str
    entity_id: str
    run: str
    gate: str
    places: int
    due: float
    since: float
    expires: float | None
    tries: int
    at_most_once: bool
    result: str
    envelope: str
    content: bytes


class Full(NamedTuple):
    """The gate has no place. `free_at` is the wall time when one frees, None if that rests on answers to come."""

    used: int
    limit: int
    free_at: float | None


class Closed(NamedTuple):
    """A message that will not be sent: over the limit, or held because it cannot be."""

    id: int
    name: str
    pipe: str
    entity_id: str
    state: MessageState
    detail: str
    full: Full | None


class Claims(NamedTuple):
    """What a sender got. `overdue` messages expired while they waited: they are this sender's to settle, unsent.

    `full` says that the gate holds messages back. `again_in` is in how many seconds there may be more, None if nothing
    waits for a time that is known.
    """

    messages: tuple[Claimed, ...] = ()
    overdue: tuple[Claimed, ...] = ()
    closed: tuple[Closed, ...] = ()
    full: Full | None = None
    again_in: float | None = None


class Known(NamedTuple):
    """Why a message was not admitted: one with its key was, as `id`. A `state` of None: it is long settled and gone."""

    id: int
    state: MessageState | None
    changed: float | None


class Admitted(NamedTuple):
    """For each message of the batch, in order, its id or why it was skipped; and what was claimed at once.

    `gathered` says of each entity to gather whether it was new; `stale` that nothing happened, for what was gathered is
    not there any more.
    """

    fates: tuple[int | Known, ...]
    claims: Claims
    gathered: tuple[bool, ...] = ()
    stale: bool = False


class Settlement(NamedTuple):
    """What became of a claim. `due` is None when nobody waits any more.

    `pending` is how many recipients the next try is for, `used` how many places of the permit count from `at` on; the
    others are given back.
    """

    id: int
    number: int
    gate: str
    places: int
    used: int
    at: float
    state: MessageState
    due: float | None
    pending: int
    tries: int
    result: str
    detail: str = ""


class Stranded(NamedTuple):
    """A claim whose sender died when its last byte may have gone out, and no answer is on record."""

    id: int
    number: int
    gate: str
    places: int
    due: float
    since: float
    expires: float | None
    tries: int
    at_most_once: bool
    recipients: tuple[str, ...]
    result: str


class Retry(NamedTuple):
    """A message that a person wants sent once more."""

    id: int
    state: MessageState
    recipients: tuple[str, ...]
    result: str


class Retried(NamedTuple):
    """What stands of its recipients then, and how many of them the next try is for."""

    result: str
    pending: int


class Recovered(NamedTuple):
    """What was found of senders that died: answers that were on record, claims that went back, claims in doubt."""

    answered: int = 0
    returned: int = 0
    in_doubt: int = 0


@dataclass(frozen=True, slots=True)
class Retention:
    """How many seconds things are kept after they are settled. What waits is never removed.

    Bytes and entity of what was sent go first, then its row; what a person may still want to act on stays longer.
    The key of what was handed over stays for ever: it is what keeps a message from being sent twice.
    """

    sent_content: float = 24 * 3600.0
    sent: float = 30 * 24 * 3600.0
    others: float = 90 * 24 * 3600.0
    history: float = 7 * 24 * 3600.0
    """The count of each second, and limits that were changed."""
    executions: float = 90 * 24 * 3600.0
    once: float = 24 * 3600.0
    """What is remembered of a request, so that it has no effect when it comes again."""


class Tidied(NamedTuple):
    """How many messages lost their bytes, how many were removed, and where to go on; None when it is done."""

    emptied: int
    removed: int
    next: int | None
