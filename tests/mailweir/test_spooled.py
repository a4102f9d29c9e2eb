"""What lies in a queue, as rows and as facts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mailweir.spooled import ago, damaged, dead, facts, history, moment, pending, row, waiting
from systems.mail import Answer, Envelope, Message, Phase, Status
from systems.spool import record
from systems.spool.lines import Event
from systems.spool.policy import Policy
from systems.spool.record import fold

NOW = 1_767_323_045_000
NAME = "1a2b3c4d" + "0" * 24
LATER = Answer("", Status.TEMPORARY, Phase.RECIPIENT, "mx", 450, "4.2.0", "come back")
NO = Answer("", Status.PERMANENT, Phase.RECIPIENT, "mx", 550, "5.1.1", "no such user")
YES = Answer("", Status.ACCEPTED, Phase.DOT, "mx", 250, "2.0.0", "ok")


def events(*more: Event, people: tuple[str, ...] = ("kari@example.org",)) -> list[Event]:
    """What happened to a message that came in an hour ago."""
    return [record.queued(Message("k", Envelope("a@example.com", people), b"x" * 10), NOW - 3_600_000), *more]


def line(*more: Event, people: tuple[str, ...] = ("kari@example.org",), busy: bool = False) -> tuple[str, ...]:
    """Its row."""
    happened = events(*more, people=people)
    return row(waiting(NAME, fold(happened), happened, Policy(), NOW, busy=busy), NOW)


TWO = ("kari@example.org", "ola@example.org")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (line(), ("1a2b3c4d", "queued", "k", "k…@example.org", "", "1 h", "due", "")),
        (line(people=TWO), ("1a2b3c4d", "queued", "k", "2 recipients", "", "1 h", "due", "")),
        (
            line(record.handed([0], NOW), busy=True),
            ("1a2b3c4d", "queued", "k", "k…@example.org", "1", "1 h", "being sent", ""),
        ),
        (
            line(record.handed([0], NOW)),
            ("1a2b3c4d", "in_doubt", "k", "k…@example.org", "1", "1 h", "", ""),
        ),
        (
            line(record.handed([0], NOW), record.answered({0: LATER}, {0: NOW + 300_000}, NOW)),
            ("1a2b3c4d", "retrying", "k", "k…@example.org", "1", "1 h", "in 5 min", "450 4.2.0 come back"),
        ),
        (
            line(record.answered({0: YES, 1: LATER}, {1: NOW - 1}, NOW), people=TWO),
            ("1a2b3c4d", "retrying", "k", "o…@example.org of 2", "1", "1 h", "due", "450 4.2.0 come back"),
        ),
        (
            line(record.answered({0: NO}, {}, NOW)),
            ("1a2b3c4d", "dead", "k", "k…@example.org", "", "1 h", "", "550 5.1.1 no such user"),
        ),
        (
            line(record.answered({0: YES}, {}, NOW)),
            ("1a2b3c4d", "queued", "k", "k…@example.org", "", "1 h", "", "250 2.0.0 ok"),
        ),
    ],
)
def test_a_row(found: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Who does not have it, what was said last, and what comes next."""
    assert found == expected


def test_rows_of_what_was_put_aside_and_of_what_cannot_be_read() -> None:
    """With the reason of each."""
    happened = events(record.answered({0: NO}, {}, NOW))
    put_aside = dead(NAME, fold(happened), happened, {"kari@example.org": "550 5.1.1 no such user"})
    assert row(put_aside, NOW)[1:2] + row(put_aside, NOW)[-1:] == ("dead", "550 5.1.1 no such user")
    broken = damaged(NAME, "line 1 is not as it was written", buried=False)
    assert row(broken, NOW) == ("1a2b3c4d", "held", "", "", "", "", "", "not sent: line 1 is not as it was written")
    assert facts(broken) == {"id": NAME, "state": "held", "problem": "line 1 is not as it was written"}
    assert [*history(broken)] == []


def test_facts_are_for_programs() -> None:
    """Times are RFC 3339, addresses short unless they are wanted in full, and all of it is JSON."""
    happened = events(record.handed([0, 1], NOW), record.answered({0: YES, 1: LATER}, {1: NOW + 5000}, NOW), people=TWO)
    one = waiting(NAME, fold(happened), happened, Policy(), NOW, busy=False)
    found: dict[str, Any] = json.loads(json.dumps(facts(one)))
    people = found.pop("recipients")
    assert found == {
        "id": NAME,
        "state": "retrying",
        "key": "k",
        "queued_at": "2026-01-02T02:04:05Z",
        "size": 10,
        "sender": "a…@example.com",
        "being_sent": False,
        "next_try_at": "2026-01-02T03:04:10Z",
    }
    assert [(each["address"], each["standing"], each["tries"]) for each in people] == [
        ("k…@example.org", "accepted", 0),
        ("o…@example.org", "waiting", 1),
    ]
    assert people[1]["answer"]["text"] == "come back"
    assert facts(one, full=True)["recipients"][0]["address"] == "kari@example.org"
    assert pending(fold(happened)) == (1,)


def test_the_history_has_a_line_for_each_thing() -> None:
    """In the words of the list."""
    happened = events(
        record.handed([0, 1], NOW),
        record.doubted([0, 1], NOW + 1, NOW),
        record.again([0], NOW),
        record.answered({0: YES, 1: NO}, {}, NOW),
        record.in_short(record.answered({1: LATER}, {1: NOW}, NOW)),
        people=TWO,
    )
    one = waiting(NAME, fold(happened), happened, Policy(), NOW, busy=False)
    assert [what for _, what in history(one)] == [
        "queued for 2 recipients",
        "handed over to 2 recipients",
        "in doubt: nobody heard whether 2 recipients got it",
        "to be tried again, for k…@example.org",
        "accepted k…@example.org: 250 2.0.0 ok",
        "permanent o…@example.org: 550 5.1.1 no such user",
        "temporary o…@example.org: 450",
    ]
    assert next(history(one))[0] == "2026-01-02T02:04:05Z"
    assert next(history(one, full=True))[1] == "queued for 2 recipients"


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(-5, "0 s"), (999, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (7_200_000, "2 h"), (200_000_000, "2 d")],
)
def test_how_long(milliseconds: int, words: str) -> None:
    """One unit, rounded down."""
    assert ago(milliseconds) == words


def test_a_time() -> None:
    """For programs, in UTC."""
    assert moment(NOW) == "2026-01-02T03:04:05Z"
