"""The record of a message: its events, and what they say together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.mail import Answer, DeliveryReports, Envelope, Message, Phase, Status
from systems.spool import record
from systems.spool.lines import RecordError, line, lines, read
from systems.spool.record import Recipient, Standing, fold, in_short, room

Make = Callable[..., Message]
Said = Callable[..., Answer]

texts = st.text(max_size=20)
reports = st.builds(
    DeliveryReports,
    notify=st.lists(st.sampled_from(["NEVER", "SUCCESS", "FAILURE", "DELAY"]), max_size=3).map(tuple),
    returns=st.sampled_from([None, "FULL", "HDRS"]),
    envelope_id=st.none() | texts,
    original=st.lists(texts, max_size=3).map(tuple),
)
messages = st.builds(
    Message,
    key=texts,
    envelope=st.builds(
        Envelope,
        sender=texts,
        recipients=st.lists(texts, min_size=1, max_size=4).map(tuple),
        smtputf8=st.booleans(),
        reports=st.none() | reports,
        xverp=st.booleans(),
    ),
    content=st.binary(),
)
answers = st.builds(
    Answer,
    recipient=texts,
    status=st.sampled_from(Status),
    phase=st.sampled_from(Phase),
    server=texts,
    code=st.none() | st.integers(200, 599),
    enhanced=texts,
    text=st.text(),
)
times = st.integers(0, 2**42)


@given(messages, times)
def test_properties_of_a_message(message: Message, at: int) -> None:
    """Whatever a message holds, its envelope comes back as it went, through the bytes of a file."""
    found = fold(read(line(record.queued(message, at))).events)
    assert (found.key, found.envelope, found.at, found.changed) == (message.key, message.envelope, at, at)
    assert found.size == len(message.content)
    assert found.recipients == tuple(Recipient(one, due=at) for one in message.envelope.recipients)


@given(messages, answers, times)
def test_properties_of_an_answer(message: Message, answer: Answer, at: int) -> None:
    """It comes back as it went; only a text that is no sentence any more is cut."""
    event = record.answered({0: answer}, {0: at}, at)
    found = fold(read(lines([record.queued(message, 0), event])).events).recipients[0].answer
    assert found is not None
    assert (found.status, found.phase, found.code, found.enhanced) == (
        answer.status,
        answer.phase,
        answer.code,
        answer.enhanced,
    )
    assert found.recipient == message.envelope.recipients[0]
    assert found.text == answer.text[: record.LONGEST_TEXT]


@given(st.lists(answers, min_size=1, max_size=300), st.integers(0, 2**53), st.integers(0, 10**6))
def test_properties_of_the_room(said: list[Answer], at: int, first: int) -> None:
    """An answer in few words never needs more than the room that is kept for it, and still says what counts."""
    due = {first + place: at for place in range(len(said))}
    event = record.answered({first + place: one for place, one in enumerate(said)}, due, at)
    short = in_short(event)
    assert len(line(short)) <= room(len(said))
    assert [one["status"] for one in short["answers"]] == [one.status for one in said]
    assert len(line(in_short(record.doubted(due, at, at)))) <= room(len(said))


AFTER = {
    Status.ACCEPTED: (Standing.ACCEPTED, 0, 0, 10),
    Status.PERMANENT: (Standing.REFUSED, 0, 0, 10),
    Status.TEMPORARY: (Standing.WAITING, 1, 0, 99),
    Status.NOT_TRIED: (Standing.WAITING, 0, 0, 10),
    Status.IN_DOUBT: (Standing.IN_DOUBT, 0, 1, 99),
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("short", [False, True])
def test_what_an_answer_makes_of_a_recipient(mail: Make, said: Said, status: Status, *, short: bool) -> None:
    """Each status has one consequence for the one recipient, in many words or few, and none for the others."""
    event = record.answered({1: said(status)}, {1: 99}, 50)
    events = [
        record.queued(mail("a@example.org", "b@example.org"), 10),
        record.handed([0, 1], 20),
        in_short(event) if short else event,
    ]
    found = fold(events)
    one = found.recipients[1]
    assert (one.standing, one.tries, one.doubts, one.due) == AFTER[status]
    assert found.recipients[0].standing is Standing.HANDED
    assert found.standing(Standing.HANDED) == (0,)
    assert found.changed == 50


def test_a_doubt_and_a_person(mail: Make, said: Said) -> None:
    """Doubts add up until a person wants the recipient to be tried again; what was said last stays to be seen."""
    events = [
        record.queued(mail(), 10),
        record.answered({0: said(Status.TEMPORARY)}, {0: 90}, 20),
        record.handed([0], 30),
        record.doubted([0], 60, 40),
    ]
    one = fold(events).recipients[0]
    assert (one.standing, one.tries, one.doubts, one.due) == (Standing.IN_DOUBT, 1, 1, 60)
    one = fold([*events, record.handed([0], 60), record.doubted([0], 99, 70)]).recipients[0]
    assert (one.doubts, one.due) == (2, 99)
    one = fold([*events, record.again([0], 80)]).recipients[0]
    assert (one.standing, one.tries, one.doubts, one.due) == (Standing.WAITING, 0, 0, 80)
    assert one.answer is not None
    assert one.answer.text == "come back later"


def changed(**values: Any) -> list[dict[str, Any]]:
    """A first event with other values."""
    message = Message("k", Envelope("a@example.com", ("b@example.org",)), b"")
    return [{**record.queued(message, 1), **values}]


def after(event: dict[str, Any]) -> list[dict[str, Any]]:
    """A record with one more event."""
    return [*changed(), event]


ANSWER = {"to": 0, "status": "accepted", "phase": "dot", "due": None}


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{"what": "handed", "at": 1, "to": [0]}],
        [{}],
        changed(version=2),
        changed(version=None),
        changed(recipients=[]),
        changed(recipients=[1]),
        changed(recipients=None),
        changed(key=None),
        changed(at="1"),
        changed(at=-1),
        changed(at=True),
        changed(size=1.5),
        changed(reports=[]),
        changed(reports={"notify": ["SOMETIMES"], "returns": None, "envelope_id": None, "original": []}),
        changed(reports={"notify": [], "returns": "ALL", "envelope_id": None, "original": []}),
        changed(reports={"notify": [], "returns": None, "envelope_id": 1, "original": []}),
        after({"what": "forgotten", "at": 1}),
        after({"what": "handed", "at": 1, "to": [1]}),
        after({"what": "handed", "at": 1, "to": [-1]}),
        after({"what": "handed", "at": 1, "to": "0"}),
        after({"what": "handed", "at": 1}),
        after({"what": "handed", "to": [0]}),
        after({"what": "doubted", "at": 1, "to": [0]}),
        after({"what": "answered", "at": 1, "answers": [{**ANSWER, "to": 1}]}),
        after({"what": "answered", "at": 1, "answers": [{**ANSWER, "status": "taken"}]}),
        after({"what": "answered", "at": 1, "answers": [{**ANSWER, "phase": "late"}]}),
        after({"what": "answered", "at": 1, "answers": [{**ANSWER, "status": "temporary"}]}),
        after({"what": "answered", "at": 1, "answers": [{**ANSWER, "text": 1}]}),
        after({"what": "answered", "at": 1, "answers": [None]}),
        after({"what": "answered", "at": 1, "answers": None}),
    ],
)
def test_events_that_do_not_hold_together(events: list[dict[str, Any]]) -> None:
    """Whatever somebody wrote by hand is an error of the record, and nothing else."""
    with pytest.raises(RecordError):
        fold(events)


@given(st.lists(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | texts | st.lists(texts), max_size=5)))
def test_properties_of_any_events(events: list[dict[str, Any]]) -> None:
    """Any JSON is a record or a RecordError."""
    with pytest.raises(RecordError):
        fold(events)
