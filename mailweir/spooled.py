"""What lies in a queue, as rows for people and as facts for programs. No I/O.

Times are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mailweir import shown
from mailweir.shown import SHORT, address, said, whom
from pipeline.receipt import Outcome
from systems.mail import Answer
from systems.spool.lines import Event
from systems.spool.policy import Policy, Send, Wait, decide, outcome, why_dead
from systems.spool.record import Queued, Recipient, Standing


@dataclass(frozen=True, slots=True)
class Spooled:
    """A message in a queue. `queued` is None where it cannot be read: then `problem` says why.

    `due` is the time of the next try, `busy` says that it is being sent now, `buried` that it was put aside.
    """

    name: str
    state: str
    queued: Queued | None = None
    events: Sequence[Event] = ()
    due: int | None = None
    busy: bool = False
    problem: str = ""
    buried: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def at(self) -> int:
        """When it came in."""
        return self.queued.at if self.queued else 0


def waiting(name: str, found: Queued, events: Sequence[Event], policy: Policy, now: int, *, busy: bool) -> Spooled:
    """A message that is queued."""
    step = decide(found, policy, now)
    due = step.until if isinstance(step, Wait) else now if isinstance(step, Send) else None
    state = Outcome.QUEUED if busy else outcome(found, policy, now)
    # A process that was killed before it could put it aside leaves it here: the next one does.
    state = Outcome.QUEUED if state is Outcome.SENT else state
    reasons = {one.address: why_dead(one) for one in found.recipients} if state is Outcome.DEAD else {}
    return Spooled(name, state.value, found, events, due, busy, reasons=reasons)


def dead(name: str, found: Queued, events: Sequence[Event], reasons: Mapping[str, str]) -> Spooled:
    """A message that was put aside."""
    return Spooled(name, Outcome.DEAD.value, found, events, buried=True, reasons=reasons)


def damaged(name: str, why: str, *, buried: bool) -> Spooled:
    """A message that cannot be read, and so is kept."""
    return Spooled(name, Outcome.HELD.value, problem=why, buried=buried)


def pending(found: Queued) -> tuple[int, ...]:
    """The recipients that do not have it."""
    return tuple(place for place, one in enumerate(found.recipients) if one.standing is not Standing.ACCEPTED)


HEAD: Final = ("ID", "STATE", "KEY", "TO", "TRIES", "SINCE", "NEXT TRY", "LAST ANSWER")


def row(one: Spooled, now: int, *, full: bool = False) -> tuple[str, ...]:
    """A line of the list; addresses are shortened unless it is `full`."""
    found = one.queued
    if found is None:
        return one.name[:SHORT], one.state, "", "", "", "", "", f"not sent: {one.problem}"
    left = [found.recipients[place] for place in pending(found)] or list(found.recipients)
    to = whom([each.address for each in left], len(found.recipients), full=full)
    tries = sum(event["what"] == "handed" for event in one.events) or max(each.tries for each in left)
    due = (
        "being sent" if one.busy else "" if one.due is None else "due" if one.due <= now else f"in {ago(one.due - now)}"
    )
    answer = next(iter(one.reasons.values()), "") or next((words(each.answer) for each in left if each.answer), "")
    return one.name[:SHORT], one.state, found.key, to, str(tries or ""), ago(now - found.at), due, answer


def ago(milliseconds: int) -> str:
    """How long, in one unit: `3 h`."""
    return shown.ago(milliseconds // 1000)


def moment(milliseconds: int) -> str:
    """A time as RFC 3339 has it, in UTC."""
    return shown.moment(milliseconds // 1000)


def words(answer: Answer | None) -> str:
    """What was said, on one line."""
    return "" if answer is None else said(answer.code, answer.enhanced, answer.text)


def facts(one: Spooled, *, full: bool = False) -> dict[str, Any]:
    """For programs; addresses in full only if they are wanted so."""
    found = one.queued
    head: dict[str, Any] = {"id": one.name, "state": one.state}
    if found is None:
        return head | {"problem": one.problem}
    return head | {
        "key": found.key,
        "queued_at": moment(found.at),
        "size": found.size,
        "sender": address(found.envelope.sender, full=full),
        "being_sent": one.busy,
        "next_try_at": None if one.due is None else moment(one.due),
        "recipients": [_recipient(each, one.reasons, full=full) for each in found.recipients],
    }


def _recipient(one: Recipient, reasons: Mapping[str, str], *, full: bool) -> dict[str, Any]:
    answer = one.answer
    return {
        "address": address(one.address, full=full),
        "standing": one.standing.value,
        "tries": one.tries,
        "doubts": one.doubts,
        "reason": reasons.get(one.address),
        "answer": answer
        and {
            "status": answer.status.value,
            "phase": answer.phase.value,
            "server": answer.server,
            "code": answer.code,
            "enhanced": answer.enhanced,
            "text": answer.text,
        },
    }


def history(one: Spooled, *, full: bool = False) -> Iterator[tuple[str, str]]:
    """What happened, each with its time."""
    found = one.queued
    if found is None:
        return
    people = [address(each.address, full=full) for each in found.recipients]

    def those(places: Sequence[int]) -> str:
        return people[places[0]] if len(places) == 1 else f"{len(places)} recipients"

    for event in one.events:
        at = moment(event["at"])
        match event["what"]:
            case "queued":
                yield at, f"queued for {those(range(len(people)))}"
            case "handed":
                yield at, f"handed over to {those(event['to'])}"
            case "doubted":
                yield at, f"in doubt: nobody heard whether {those(event['to'])} got it"
            case "again":
                yield at, f"to be tried again, for {those(event['to'])}"
            case _:
                for each in event["answers"]:
                    text = said(each.get("code"), each.get("enhanced"), each.get("text"))
                    yield at, f"{each['status']} {people[each['to']]}: {text}".removesuffix(": ")
