"""What to do with a queued message: one table over where its recipients stand. No I/O.

    waiting, its time has come               send
    waiting, its time will come              wait
    waiting, its tries or days are used up   dead
    handed, and nobody is left to answer     put on record as in doubt
    in doubt, at most once                   keep for a person
    in doubt, at least once                  send again when its time comes, three times, then keep for a person
    refused                                  dead
    accepted                                 done

Recipients of one message may stand differently: what is to be sent comes first, then what is to be waited for, then
what a person must see. A message of which nothing else is left is buried if it has a dead recipient, else finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from tenacity.wait import wait_exponential

from pipeline.receipt import Outcome
from systems.mail import Status
from systems.spool.record import Queued, Recipient, Standing
from systems.waits import Growth

# A message that was in doubt so often is not sent again without a person.
MOST_DOUBTS: Final = 3
# A server that took a message and is slow to say so must have had its time: ten minutes, RFC 5321 section 4.5.3.2.6,
# are for the answer itself; a connection that broke is told at once.
_after_doubt: Final = Growth(wait_exponential(multiplier=75, max=600), shortest=60.0, share=0.8)


@dataclass(frozen=True, slots=True)
class Policy:
    """The properties of `system:spool` of the same names, in seconds."""

    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"
    max_tries: int = 40
    retry_first: float = 300
    retry_longest: float = 4000
    give_up_after: float = 432_000


class Send(NamedTuple):
    """Send it to these recipients now."""

    places: tuple[int, ...]


class Doubt(NamedTuple):
    """Put on record that these are in doubt, if nobody is sending them."""

    places: tuple[int, ...]


class Wait(NamedTuple):
    """Nothing until this time."""

    until: int


class Keep(NamedTuple):
    """Nothing until a person says so."""


class Bury(NamedTuple):
    """It is over, and not all recipients have it."""


class Finish(NamedTuple):
    """It is over, and every recipient has it."""


Step = Send | Doubt | Wait | Keep | Bury | Finish


def decide(found: Queued, policy: Policy, now: int) -> Step:
    """The next step, at this time in milliseconds."""
    if handed := found.standing(Standing.HANDED):
        return Doubt(handed)
    ready: list[int] = []
    later: list[int] = []
    for place, one in enumerate(found.recipients):
        if goes_on(one, found, policy, now):
            # A wait longer than any is of a clock that was wrong when it was written.
            if one.due <= now or one.due > now + longest_wait(policy) * 1000:
                ready.append(place)
            else:
                later.append(one.due)
    if ready:
        return Send(tuple(ready))
    if later:
        return Wait(min(later))
    if found.standing(Standing.IN_DOUBT):
        return Keep()
    return Bury() if any(one.standing is not Standing.ACCEPTED for one in found.recipients) else Finish()


def goes_on(one: Recipient, found: Queued, policy: Policy, now: int) -> bool:
    """Whether it will be tried, now or later, without a person."""
    if one.standing is Standing.WAITING:
        return not used_up(one, found, policy, now)
    if one.standing is Standing.IN_DOUBT:
        return policy.delivery == "at_least_once" and one.doubts <= MOST_DOUBTS
    return False


def used_up(one: Recipient, found: Queued, policy: Policy, now: int) -> bool:
    """Whether servers have said often enough, or for long enough, to come back later."""
    if one.standing is not Standing.WAITING or one.tries == 0:
        return False
    return one.tries >= policy.max_tries or now - found.at >= policy.give_up_after * 1000


def outcome(found: Queued, policy: Policy, now: int) -> Outcome:
    """The one word for it."""
    step = decide(found, policy, now)
    if isinstance(step, Bury):
        return Outcome.DEAD
    if isinstance(step, Finish):
        return Outcome.SENT
    doubtful = [one for one in found.recipients if one.standing in {Standing.HANDED, Standing.IN_DOUBT}]
    if any(one.doubts > MOST_DOUBTS for one in doubtful):
        return Outcome.HELD
    if doubtful:
        return Outcome.IN_DOUBT
    return Outcome.RETRYING if any(one.tries or one.doubts for one in found.recipients) else Outcome.QUEUED


def longest_wait(policy: Policy) -> float:
    """The most seconds that a recipient waits."""
    return max(policy.retry_longest, 600.0)


def due_after(one: Recipient, status: Status, policy: Policy, now: int, jitter: float) -> int | None:
    """When to try a recipient of whom this was said; None where the answer does not ask for a time."""
    if status is Status.TEMPORARY:
        growth = Growth(wait_exponential(multiplier=policy.retry_first, max=policy.retry_longest), share=0.8)
        return now + int(growth.seconds(one.tries + 1, jitter) * 1000)
    return due_in_doubt(one.doubts + 1, now, jitter) if status is Status.IN_DOUBT else None


def due_in_doubt(doubts: int, now: int, jitter: float) -> int:
    """When to try again what has been in doubt so often."""
    return now + int(_after_doubt.seconds(doubts, jitter) * 1000)


def why_dead(one: Recipient) -> str:
    """Why a recipient will not get it, in words."""
    answer = one.answer
    said = ""
    if answer is not None:
        said = " ".join(str(part) for part in (answer.code, answer.enhanced, answer.text) if part)
    if one.standing is Standing.REFUSED:
        return said or "refused"
    return f"given up after {one.tries} {'try' if one.tries == 1 else 'tries'}: {said or 'no answer'}"
