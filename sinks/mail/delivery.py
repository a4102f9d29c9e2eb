"""What becomes of a message, recipient by recipient: the one table. No I/O.

Where a recipient stands that waits, and where an answer of a mail system takes it:

                              ACCEPTED   TEMPORARY      PERMANENT      IN_DOUBT       NOT_TRIED
    queued, retrying          sent       retrying (1)   dead           in_doubt (2)   as it stands (3)
    in_doubt                  sent       in_doubt (1)   in_doubt (4)   in_doubt (2)   as it stands (3)

(1) The try is charged. The next one is due after 5 minutes, and after twice as long each time up to 4,000 seconds, less
    up to a fifth by chance: what a server turned away together does not come back together. The last try is made 5
    days after the first; if it fails too, the tries are used up and the recipient is `dead`. Time in which nothing was
    tried, for the limit or a system in trouble, does not count. Where the next try would come after the message
    expires, it is `expired` now.
(2) `at_least_once`: due again 60 seconds later, behind all that waits by then. After 3 more tries that end in doubt it
    is `held`, for a person to decide: so nobody gets more than 4 copies. `at_most_once`: it is not due any more.
(3) Through no fault of the message: nothing is charged. It is due at once, behind all that waits already.
(4) What was once in doubt may have arrived. It never becomes `dead` or `expired`, but `in_doubt`, and is due no more.

A recipient that is not due any more stays where it is: an answer for it is a wrong call. A message is where its
recipients are:

    one of them waits      `in_doubt`, `retrying`, `queued`: the first of these that one of the waiting is. It is due
                           when the first of them is, and that try is for those who are due by then
    none of them waits     `held`, `in_doubt`, `sent`, `expired`, `dead`: the first of these that one of them is. So it
                           is `sent` if a server took it for one and refused it for another

A permit counts from the answer on if a server took the message or may have taken it; otherwise it is given back.

Times are steady seconds; `jitter` is a random number from 0 up to 1, made by the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import msgspec
from tenacity.wait import wait_exponential

from pipeline.state.facts import MessageState
from systems.mail import Answer, Status
from systems.waits import Growth

QUEUED, RETRYING, IN_DOUBT = MessageState.QUEUED, MessageState.RETRYING, MessageState.IN_DOUBT
SENT, DEAD, HELD, EXPIRED = MessageState.SENT, MessageState.DEAD, MessageState.HELD, MessageState.EXPIRED

# The share of a wait that chance may take off.
_BY_CHANCE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient a sink is. Seconds."""

    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"
    first_wait: float = 300.0
    longest_wait: float = 4000.0
    give_up_after: float = 5 * 24 * 3600.0
    doubt_wait: float = 60.0
    more_in_doubt: int = 3

    def wait(self, tries: int, jitter: float) -> float:
        """How long to wait after so many failed tries."""
        longest = wait_exponential(multiplier=self.first_wait, max=self.longest_wait)
        return Growth(longest, share=1 - _BY_CHANCE).seconds(tries, jitter)


class Standing(NamedTuple):
    """Where one recipient stands, and the last that a server said of it.

    `due` is None when there is nothing to wait for. `tries` are those that count against it, from the time `began` on;
    `doubts` are those that ended in doubt.
    """

    state: MessageState = QUEUED
    due: float | None = 0.0
    tries: int = 0
    doubts: int = 0
    code: int | None = None
    enhanced: str = ""
    text: str = ""
    server: str = ""
    phase: str = ""
    began: float = 0.0


@dataclass(frozen=True, slots=True)
class Times:
    """When a message expires (None: never), and what time it is."""

    expires: float | None
    now: float


class Step(NamedTuple):
    """The next state of a message. `pending` recipients are due at `due`; `used` is how many may have got it now."""

    standings: tuple[Standing, ...]
    state: MessageState
    due: float | None
    pending: int
    tries: int
    used: int


# What a status makes of a recipient that waits: not yet in doubt, and once in doubt. None: it stands as it did.
_table: Final[Mapping[Status, tuple[MessageState | None, MessageState | None]]] = {
    Status.ACCEPTED: (SENT, SENT),
    Status.TEMPORARY: (RETRYING, IN_DOUBT),
    Status.PERMANENT: (DEAD, IN_DOUBT),
    Status.IN_DOUBT: (IN_DOUBT, IN_DOUBT),
    Status.NOT_TRIED: (None, None),
}
_waiting_first: Final = (IN_DOUBT, RETRYING, QUEUED)
_settled_first: Final = (HELD, IN_DOUBT, SENT, EXPIRED, DEAD)
_may_have_it: Final = frozenset({Status.ACCEPTED, Status.IN_DOUBT})
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def step(
    standings: Sequence[Standing],
    tried: Sequence[int],
    answers: Sequence[Answer],
    policy: Policy,
    times: Times,
    jitter: float,
) -> Step:
    """The next state after a try for the recipients at the indices `tried`, with an answer for each of them."""
    after = list(standings)
    used = 0
    for index, answer in zip(tried, answers, strict=True):
        if after[index].due is None:
            raise ValueError("an answer for a recipient that does not wait")
        after[index] = _after(after[index], answer, policy, times, jitter)
        used += answer.status in _may_have_it
    return _step(tuple(after), used)


def taken(standing: Standing, answer: Answer, now: float) -> Standing:
    """The first column of the table by itself, for nearly every answer is ACCEPTED."""
    _, _, phase, server, code, enhanced, text = answer
    _, _, tries, doubts, _, _, _, _, _, began = standing
    values = (SENT, None, tries + 1, doubts, code, enhanced, text, server, phase, began if tries else now)
    return tuple.__new__(Standing, values)


def overdue(standings: Sequence[Standing]) -> Step:
    """The next state of a message that expired while it waited."""
    return _step(tuple(_late(standing) if standing.due is not None else standing for standing in standings), 0)


def once_more(standings: Sequence[Standing], now: float) -> Step | None:
    """The next state of a message that a person wants sent again; None if a server took it for everybody.

    What is known of doubts stays known.
    """
    if all(standing.state is SENT for standing in standings):
        return None
    return _step(
        tuple(
            standing if standing.state is SENT else Standing(due=now, doubts=standing.doubts) for standing in standings
        ),
        0,
    )


def due_by(standings: Sequence[Standing], due: float) -> tuple[int, ...]:
    """The indices of the recipients that a try is for which was due then."""
    if len(standings) == 1:
        (only,) = standings
        return (0,) if only.due is not None and only.due <= due else ()
    return tuple(at for at, standing in enumerate(standings) if standing.due is not None and standing.due <= due)


@lru_cache(maxsize=8)
def fresh(due: float) -> tuple[Standing]:
    """Where the one recipient of a message stands that nobody tried yet. Messages of one batch are due together."""
    return (Standing(due=due),)


def standings_of(result: str, recipients: int, due: float) -> tuple[Standing, ...]:
    """The standings on record; those of a message that nobody tried yet."""
    if not result:
        return (Standing(due=due),) * recipients
    return tuple(Standing(MessageState(values[0]), *values[1:]) for values in json.loads(result))


def result_of(standings: Sequence[Standing]) -> str:
    """The standings as they are put on record."""
    try:
        return msgspec.json.encode(standings).decode()
    except UnicodeEncodeError:  # half a character in what a server said
        return _encode(standings)


def _after(standing: Standing, answer: Answer, policy: Policy, times: Times, jitter: float) -> Standing:
    state = _table[answer.status][standing.doubts > 0]
    if state is None:
        return standing._replace(due=times.now)
    after = Standing(
        state,
        None,
        standing.tries + 1,
        standing.doubts + (answer.status is Status.IN_DOUBT),
        answer.code,
        answer.enhanced,
        answer.text,
        answer.server,
        answer.phase.value,
        standing.began if standing.tries else times.now,
    )
    if answer.status is Status.TEMPORARY:
        return _later(after, policy, times, jitter)
    if answer.status is Status.IN_DOUBT and policy.delivery == "at_least_once":
        if after.doubts > policy.more_in_doubt:
            return after._replace(state=HELD)
        return after._replace(due=times.now + policy.doubt_wait)
    return after


def _later(standing: Standing, policy: Policy, times: Times, jitter: float) -> Standing:
    """Turned away for now: when to try again, or the end."""
    last = standing.began + policy.give_up_after
    if times.now >= last:
        return standing if standing.doubts else standing._replace(state=DEAD)
    due = min(times.now + policy.wait(standing.tries, jitter), last)
    if times.expires is not None and due >= times.expires:
        return _late(standing)
    return standing._replace(due=due)


def _late(standing: Standing) -> Standing:
    return standing._replace(state=IN_DOUBT if standing.doubts else EXPIRED, due=None)


def _step(standings: tuple[Standing, ...], used: int) -> Step:
    if len(standings) == 1:
        # Most messages have one recipient.
        state, due, tries = standings[0][:3]
        return Step(standings, state, due, 0 if due is None else 1, tries, used)
    dues = [standing.due for standing in standings if standing.due is not None]
    tries = max((standing.tries for standing in standings), default=0)
    if dues:
        due = min(dues)
        states = {standing.state for standing in standings if standing.due is not None}
        state = next(each for each in _waiting_first if each in states)
        return Step(standings, state, due, len(due_by(standings, due)), tries, used)
    states = {standing.state for standing in standings}
    state = next((each for each in _settled_first if each in states), DEAD)
    return Step(standings, state, None, 0, tries, used)
