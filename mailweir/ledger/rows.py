"""Messages of the state, as rows for people and as facts for programs. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from mailweir.shown import SHORT, address, ago, moment, said, time_of, whom
from pipeline.receipt import Outcome
from pipeline.state.facts import MessageState, outcome_of
from pipeline.state.views import Detail, Row
from sinks.mail.delivery import Standing, standings_of


def states_of(words: Sequence[str]) -> frozenset[MessageState]:
    """The states that people know by these words."""
    wanted = {Outcome(word) for word in words}
    # What a sender has is no state on record; until there is an answer it is as good as queued.
    return frozenset(state for state, word in outcome_of.items() if word in wanted) - {MessageState.DELIVERING}


def short(name: str, digits: int = SHORT) -> str:
    """The beginning of an id. Of one that was sent once more, with its number."""
    key, dot, generation = name.partition(".")
    return f"{key[:digits]}{dot}{generation}"


def people(one: Row) -> tuple[Standing, ...]:
    """Where each recipient stands. Where nothing else is on record, as the message does."""
    standings = standings_of(one.result, len(one.recipients), 0.0)
    return standings if one.result else tuple(each._replace(state=one.state) for each in standings)


def answer(one: Standing) -> str:
    """What was said of a recipient last."""
    return said(one.code, one.enhanced, one.text)


def word(one: Row) -> str:
    """What became of it; `sent (1 of 2)` where a server refused it for somebody."""
    outcome = outcome_of[one.state].value
    taken = sum(each.state is MessageState.SENT for each in people(one))
    partly = one.state is MessageState.SENT and taken < len(one.recipients)
    return f"{outcome} ({taken} of {len(one.recipients)})" if partly else outcome


HEAD: Final = ("ID", "STATE", "PIPE", "ENTITY", "TO", "TRIES", "SINCE", "NEXT TRY", "LAST ANSWER")


def row(one: Row, now: float, *, full: bool = False) -> tuple[str, ...]:
    """A line of the outbox; addresses are shortened unless it is `full`."""
    standings = people(one)
    left = [to for to, each in zip(one.recipients, standings, strict=False) if each.state is not MessageState.SENT]
    to = whom(left or one.recipients, len(one.recipients), full=full) if one.recipients else ""
    return (
        short(one.name),
        word(one),
        one.pipe,
        one.entity_id,
        to,
        str(one.tries or ""),
        ago(now - one.admitted),
        next_try(one, now),
        why(one),
    )


def next_try(one: Row, now: float) -> str:
    """What is to come."""
    if one.state is MessageState.CLAIMED:
        return "being sent"
    if one.next_try is None:
        return ""
    return "due" if one.next_try <= now else f"in {ago(one.next_try - now)}"


def why(one: Row) -> str:
    """What was said of it last, of those who do not have it first; or why it never went."""
    if one.full is not None:
        return f"the limit was reached: {one.full.used} of {one.full.limit}"
    ordered = sorted(people(one), key=lambda each: each.state is MessageState.SENT)
    last = one.detail or next((text for each in ordered if (text := answer(each))), "")
    return f"expired{last and f': {last}'}" if one.state is MessageState.EXPIRED else last


def facts(one: Row, *, full: bool = False) -> dict[str, Any]:
    """For programs; addresses in full only if they are wanted so."""
    standings = people(one)
    return {
        "id": one.name,
        "outcome": outcome_of[one.state].value,
        "state": one.state.value,
        "pipe": one.pipe,
        "system": one.system,
        "run": one.run,
        "entity": one.entity_id,
        "subject": one.subject,
        "admitted_at": moment(one.admitted),
        "changed_at": moment(one.changed),
        "next_try_at": None if one.next_try is None else moment(one.next_try),
        "tries": one.tries,
        "detail": one.detail,
        "window": one.full
        and {
            "used": one.full.used,
            "limit": one.full.limit,
            "next_free_at": None if one.full.free_at is None else moment(one.full.free_at),
        },
        "recipients": [_recipient(to, each, full=full) for to, each in zip(one.recipients, standings, strict=False)],
    }


def _recipient(to: str, one: Standing, *, full: bool) -> dict[str, Any]:
    heard = one.code is not None or one.text
    return {
        "address": address(to, full=full),
        "state": one.state.value,
        "tries": one.tries,
        "doubts": one.doubts,
        "answer": {
            "code": one.code,
            "enhanced": one.enhanced,
            "text": one.text,
            "server": one.server,
            "phase": one.phase,
        }
        if heard
        else None,
    }


DISCARDED: Final = ("TIME", "PIPE", "ENTITY", "TO", "SYSTEM", "WINDOW", "FREE AT")


def discarded(one: Row, now: float, zone: tzinfo, *, full: bool = False) -> tuple[str, ...]:
    """A line of what was discarded: when, and how full the window was."""
    gate = one.full
    return (
        time_of(one.changed, now, zone),
        one.pipe,
        one.entity_id,
        whom(one.recipients, len(one.recipients), full=full) if one.recipients else "",
        one.system,
        "" if gate is None else f"{gate.used}/{gate.limit}",
        "" if gate is None or gate.free_at is None else time_of(gate.free_at, now, zone),
    )


COLUMNS: Final = ("time", "pipe", "entity", "to", "system", "used", "limit", "free_at", "run", "id")


def columns(one: Row, *, full: bool = False) -> tuple[str, ...]:
    """The same for a spreadsheet."""
    gate = one.full
    return (
        moment(one.changed),
        one.pipe,
        one.entity_id,
        " ".join(address(to, full=full) for to in one.recipients),
        one.system,
        "" if gate is None else str(gate.used),
        "" if gate is None else str(gate.limit),
        "" if gate is None or gate.free_at is None else moment(gate.free_at),
        one.run,
        one.name,
    )


def history(one: Row, others: Sequence[Row]) -> list[tuple[str, str]]:
    """What is on record of it, each with its time: also of mails for the same recipients, made of the same entity."""
    told = [(each.admitted, f"{_which(each, one)}admitted") for each in (*others, one)]
    told += [(each.changed, f"{_which(each, one)}{_change(each)}") for each in (*others, one) if _has_changed(each)]
    return [(moment(at), what) for at, what in sorted(told, key=lambda each: each[0])]


def _which(each: Row, one: Row) -> str:
    return "" if each.id == one.id else f"{short(each.name)} before: "


def _has_changed(one: Row) -> bool:
    return one.state is not MessageState.QUEUED or bool(one.tries)


def _change(one: Row) -> str:
    if one.state is MessageState.CLAIMED:
        return "taken by a sender"
    last = why(one)
    tries = f" after {one.tries} {'try' if one.tries == 1 else 'tries'}" if one.tries else ""
    return f"{word(one)}{tries}{last and f': {last}'}"


def cannot_be_tried(one: Detail) -> str:
    """Why a message cannot be tried again as it is; nothing if it can."""
    found = one.row
    match found.state:
        case MessageState.CLAIMED:
            return "it is being sent just now"
        case MessageState.REJECTED:
            return "it was never composed. Mend what is wrong and run its pipe again"
        case MessageState.DISCARDED:
            return "only its entity was kept: mailweir discarded send"
    if all(each.state is MessageState.SENT for each in people(found)):
        return "everybody has it"
    if found.state is MessageState.HELD and not one.content:
        return "it was held back, and only its entity was kept. Run its pipe again, without what held it"
    return unreadable(one)


def unreadable(one: Detail) -> str:
    """Why there is no content; nothing if there is."""
    if not one.content:
        return "its content is not kept"
    return "" if one.whole else "its content is not as it was stored"


def doubts(found: Sequence[Row]) -> Mapping[str, str]:
    """What a person should know before messages are tried again: facts by what they are called."""
    each = [one for row in found for one in people(row)]
    refused = sum(one.state is MessageState.DEAD for one in each)
    unsure = sum(one.state is not MessageState.SENT and one.doubts > 0 for one in each)
    late = sum(row.state is MessageState.EXPIRED for row in found)
    told = {}
    if refused:
        told["refused"] = f"{_counted(refused, 'recipient')} refused for good, or tried often enough"
    if unsure:
        told["unsure"] = f"{_counted(unsure, 'recipient')} who may have the mail already, and could get it twice"
    if late:
        told["late"] = f"{_counted(late, 'message')} whose time is over"
    return told


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
