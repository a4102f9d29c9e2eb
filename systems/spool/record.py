"""The record of a queued message: what has happened to it, one line an event. No I/O.

    queued    the first line: key, envelope, size and digest of the content
    handed    these recipients are about to be handed over: from here on they can be in doubt
    answered  what the system behind said of each of them
    doubted   they were handed over, and whoever did that is gone without an answer
    again     a person wants them to be tried again

Times are milliseconds since 1970. Recipients are named by their place in the envelope.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Literal, get_args

from systems.file_names import digest
from systems.mail import Answer, DeliveryReports, Envelope, Message, Notify, Phase, Status
from systems.spool.lines import Event, RecordError

VERSION: Final = 1
# What a server says is kept for people; no sentence is longer.
LONGEST_TEXT: Final = 500
# The words that an answer needs at the least on a full disk, and around them.
ROOM_FOR_ONE: Final = 96
ROOM_AROUND: Final = 160


class Standing(StrEnum):
    """Where a recipient stands."""

    WAITING = "waiting"  # to be tried when `due`
    HANDED = "handed"  # the last byte may be out, and no answer is on record
    IN_DOUBT = "in_doubt"  # and nobody is left who could hear one
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient. `tries` counts temporary answers and `doubts` hand-overs without one; `due` is the next try."""

    address: str
    standing: Standing = Standing.WAITING
    due: int = 0
    tries: int = 0
    doubts: int = 0
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """What the events say of a message. `changed` is the time of the last one."""

    key: str
    at: int
    envelope: Envelope
    size: int
    digest: str
    recipients: tuple[Recipient, ...]
    changed: int

    def standing(self, *wanted: Standing) -> tuple[int, ...]:
        """The places of the recipients that stand like this."""
        return tuple(place for place, one in enumerate(self.recipients) if one.standing in wanted)


def queued(message: Message, now: int) -> Event:
    """The first event."""
    envelope = message.envelope
    return {
        "what": "queued",
        "version": VERSION,
        "at": now,
        "key": message.key,
        "sender": envelope.sender,
        "recipients": list(envelope.recipients),
        "smtputf8": envelope.smtputf8,
        "reports": envelope.reports._asdict() if envelope.reports else None,
        "xverp": envelope.xverp,
        "size": len(message.content),
        "digest": digest(message.content),
    }


def handed(places: Iterable[int], now: int) -> Event:
    """They are about to be handed over."""
    return {"what": "handed", "at": now, "to": list(places)}


def answered(answers: Mapping[int, Answer], due: Mapping[int, int], now: int) -> Event:
    """What was said of them; `due` has the next try of those that have one."""
    return {
        "what": "answered",
        "at": now,
        "answers": [
            {
                "to": place,
                "status": answer.status,
                "phase": answer.phase,
                "server": answer.server[:LONGEST_TEXT],
                "code": answer.code,
                "enhanced": answer.enhanced,
                "text": answer.text[:LONGEST_TEXT],
                "due": due.get(place),
            }
            for place, answer in answers.items()
        ],
    }


def in_short(event: Event) -> Event:
    """An event in the fewest words, which `room` is enough for."""
    if "answers" not in event:
        return event
    kept = ("to", "status", "phase", "code", "due")
    answers = [{name: one[name] for name in kept if one[name] is not None} for one in event["answers"]]
    return {**event, "answers": answers}


def room(count: int) -> int:
    """The bytes that it takes at the least to say what became of so many recipients."""
    return ROOM_AROUND + ROOM_FOR_ONE * count


def doubted(places: Iterable[int], due: int, now: int) -> Event:
    """They were handed over, and nobody is left to hear the answer."""
    return {"what": "doubted", "at": now, "to": list(places), "due": due}


def again(places: Iterable[int], now: int) -> Event:
    """A person wants them to be tried again, whatever was said of them."""
    return {"what": "again", "at": now, "to": list(places)}


def fold(events: Sequence[Event]) -> Queued:
    """What the events say; RecordError if they do not belong together."""
    try:
        found = _first(events[0])
        for event in events[1:]:
            found = _next(found, event)
    except RecordError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"it does not hold together: {error}") from None
    return found


def _first(event: Event) -> Queued:
    if event["what"] != "queued" or event["version"] != VERSION:
        raise RecordError("it was written by another version")
    at = _number(event["at"])
    sender, recipients = _text(event["sender"]), tuple(map(_text, event["recipients"]))
    if not recipients:
        raise RecordError("it has no recipient")
    return Queued(
        key=_text(event["key"]),
        at=at,
        envelope=Envelope(
            sender, recipients, event["smtputf8"] is True, _reports(event["reports"]), event["xverp"] is True
        ),
        size=_number(event["size"]),
        digest=_text(event["digest"]),
        recipients=tuple(Recipient(address, due=at) for address in recipients),
        changed=at,
    )


def _reports(facts: Mapping[str, Any] | None) -> DeliveryReports | None:
    if facts is None:
        return None
    notify: tuple[Notify, ...] = tuple(facts["notify"])
    returns: Literal["FULL", "HDRS"] | None = facts["returns"]
    if not set(notify) <= set(get_args(Notify)) or returns not in {None, "FULL", "HDRS"}:
        raise RecordError("no such delivery report")
    envelope_id = None if facts["envelope_id"] is None else _text(facts["envelope_id"])
    return DeliveryReports(notify, returns, envelope_id, tuple(map(_text, facts["original"])))


def _next(found: Queued, event: Event) -> Queued:
    at = _number(event["at"])
    recipients = list(found.recipients)
    match event["what"]:
        case "handed":
            for place in _places(event["to"], recipients):
                recipients[place] = replace(recipients[place], standing=Standing.HANDED)
        case "answered":
            for facts in event["answers"]:
                (place,) = _places([facts["to"]], recipients)
                recipients[place] = _after(recipients[place], facts)
        case "doubted":
            for place in _places(event["to"], recipients):
                recipients[place] = _in_doubt(recipients[place], _number(event["due"]))
        case "again":
            for place in _places(event["to"], recipients):
                old = recipients[place]
                recipients[place] = replace(old, standing=Standing.WAITING, due=at, tries=0, doubts=0)
        case other:
            raise RecordError(f"no such event: {other}")
    return replace(found, recipients=tuple(recipients), changed=at)


def _after(old: Recipient, facts: Mapping[str, Any]) -> Recipient:
    """A recipient after an answer."""
    status, phase = Status(facts["status"]), Phase(facts["phase"])
    code = facts.get("code")
    server, enhanced, text = (_text(facts.get(name, "")) for name in ("server", "enhanced", "text"))
    answer = Answer(old.address, status, phase, server, None if code is None else _number(code), enhanced, text)
    match status:
        case Status.ACCEPTED:
            return replace(old, standing=Standing.ACCEPTED, answer=answer)
        case Status.PERMANENT:
            return replace(old, standing=Standing.REFUSED, answer=answer)
        case Status.TEMPORARY:
            due = _number(facts["due"])
            return replace(old, standing=Standing.WAITING, due=due, tries=old.tries + 1, answer=answer)
        case Status.NOT_TRIED:
            return replace(old, standing=Standing.WAITING, answer=answer)
        case Status.IN_DOUBT:
            return replace(_in_doubt(old, _number(facts["due"])), answer=answer)


def _in_doubt(old: Recipient, due: int) -> Recipient:
    return replace(old, standing=Standing.IN_DOUBT, due=due, doubts=old.doubts + 1)


def _places(places: Sequence[Any], recipients: Sequence[Recipient]) -> list[int]:
    found = [_number(place) for place in places]
    if any(place >= len(recipients) for place in found):
        raise RecordError("it names more recipients than there are")
    return found


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RecordError(f"{value!r} is not a number from 0 up")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise RecordError(f"{value!r} is not a text")
    return value
