"""Messages of the state, as rows and as facts."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from mailweir.ledger.rows import (
    cannot_be_tried,
    columns,
    discarded,
    doubts,
    facts,
    history,
    next_try,
    row,
    short,
    states_of,
    why,
    word,
)
from mailweir.ledger.words import WORDS
from pipeline.state.facts import Full, MessageState
from pipeline.state.views import Detail, Row
from sinks.mail.delivery import Standing, result_of

NOW = 1_767_323_045.0
KEY = "1a2b3c4d" + "0" * 24
YES = Standing(MessageState.SENT, None, 1, 0, 250, "2.0.0", "ok", "mx", "dot")
NO = Standing(MessageState.DEAD, None, 1, 0, 550, "5.1.1", "no such user", "mx", "recipient")
LOST = Standing(MessageState.IN_DOUBT, 0.0, 1, 1, text="timed out", server="mx", phase="dot")


def message(*standings: Standing, **facts: Any) -> Row:
    """A message of an hour ago, to as many people as stand somewhere, or to one."""
    to = ("ann@example.com", "bo@example.com", "cy@example.com")[: len(standings) or 1]
    plain = Row(
        1, KEY, "welcome", "office", "7f3a", "c-1", to, "Hello", MessageState.QUEUED, NOW - 3600, NOW - 60, None, 0,
        result_of(standings) if standings else "", "", None,
    )  # fmt: skip
    return plain._replace(**facts)


def detail(one: Row, content: bytes | None = b"x", *, whole: bool = True) -> Detail:
    """With its content."""
    return Detail(one, "{}", content, "{}", whole, None)


def test_words_choose_states() -> None:
    """Every state but one that is on no record has a word; what a sender has counts as queued."""
    every = [states_of([each]) for each in WORDS]
    assert frozenset().union(*every) == frozenset(MessageState) - {MessageState.DELIVERING}
    assert sum(map(len, every)) == len(MessageState) - 1
    assert states_of(["queued"]) == {MessageState.QUEUED, MessageState.CLAIMED}
    assert states_of(["dead"]) == {MessageState.DEAD, MessageState.EXPIRED}


def test_ids_are_short() -> None:
    """The number of one that was sent once more stays."""
    assert short(KEY) == "1a2b3c4d"
    assert short(f"{KEY}.12") == "1a2b3c4d.12"
    assert short(KEY, 12) == "1a2b3c4d0000"


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (message(), ("queued", "a…@example.com", "", "1 h", "", "")),
        (message(next_try=NOW - 1), ("queued", "a…@example.com", "", "1 h", "due", "")),
        (message(state=MessageState.CLAIMED), ("queued", "a…@example.com", "", "1 h", "being sent", "")),
        (
            message(LOST, state=MessageState.IN_DOUBT, tries=1, next_try=NOW + 60),
            ("in_doubt", "a…@example.com", "1", "1 h", "in 1 min", "timed out"),
        ),
        (
            message(YES, NO, state=MessageState.SENT, tries=1),
            ("sent (1 of 2)", "b…@example.com of 2", "1", "1 h", "", "550 5.1.1 no such user"),
        ),
        (
            message(YES, YES, state=MessageState.SENT, tries=1),
            ("sent", "2 recipients", "1", "1 h", "", "250 2.0.0 ok"),
        ),
        (
            message(YES, NO, NO, state=MessageState.SENT, tries=1),
            ("sent (1 of 3)", "2 of 3", "1", "1 h", "", "550 5.1.1 no such user"),
        ),
        (
            message(NO, state=MessageState.EXPIRED, tries=1),
            ("dead", "a…@example.com", "1", "1 h", "", "expired: 550 5.1.1 no such user"),
        ),
        (message(state=MessageState.EXPIRED), ("dead", "a…@example.com", "", "1 h", "", "expired")),
        (
            message(state=MessageState.REJECTED, detail="no recipient", recipients=()),
            ("rejected", "", "", "1 h", "", "no recipient"),
        ),
        (
            message(state=MessageState.DISCARDED, full=Full(100, 100, None)),
            ("discarded", "a…@example.com", "", "1 h", "", "the limit was reached: 100 of 100"),
        ),
    ],
)
def test_a_row(one: Row, expected: tuple[str, ...]) -> None:
    """Who does not have it, what was said last, and what comes next."""
    state, to, tries, since, due, said = expected
    assert row(one, NOW) == ("1a2b3c4d", state, "welcome", "c-1", to, tries, since, due, said)
    assert (word(one), next_try(one, NOW), why(one)) == (state, due, said)


def test_a_discarded_one() -> None:
    """How full the window was, and when a place freed, if that was known."""
    one = message(state=MessageState.DISCARDED, full=Full(100, 100, NOW + 372))
    assert discarded(one, NOW, UTC) == (
        "03:03:05", "welcome", "c-1", "a…@example.com", "office", "100/100", "03:10:17",
    )  # fmt: skip
    assert columns(one, full=True) == (
        "2026-01-02T03:03:05Z", "welcome", "c-1", "ann@example.com", "office", "100", "100", "2026-01-02T03:10:17Z",
        "7f3a", KEY,
    )  # fmt: skip
    bare = message(state=MessageState.DISCARDED, recipients=())
    assert discarded(bare, NOW, UTC)[3:] == ("", "office", "", "")
    assert columns(bare)[3:8] == ("", "office", "", "", "")


def test_facts_of_recipients() -> None:
    """What each was answered; addresses in full only if they are wanted."""
    one = message(YES, LOST, state=MessageState.IN_DOUBT)
    assert facts(one)["recipients"] == [
        {
            "address": "a…@example.com",
            "state": "sent",
            "tries": 1,
            "doubts": 0,
            "answer": {"code": 250, "enhanced": "2.0.0", "text": "ok", "server": "mx", "phase": "dot"},
        },
        {
            "address": "b…@example.com",
            "state": "in_doubt",
            "tries": 1,
            "doubts": 1,
            "answer": {"code": None, "enhanced": "", "text": "timed out", "server": "mx", "phase": "dot"},
        },
    ]
    assert [each["address"] for each in facts(one, full=True)["recipients"]] == ["ann@example.com", "bo@example.com"]
    assert facts(message())["recipients"][0]["answer"] is None


def test_a_history() -> None:
    """In the order in which it happened, with what was before; what did not happen is not told."""
    first = message(YES, id=1, state=MessageState.SENT, admitted=NOW - 7200, changed=NOW - 7100, tries=1)
    again = message(id=2, name=f"{KEY}.1")
    assert history(again, [first]) == [
        ("2026-01-02T01:04:05Z", "1a2b3c4d before: admitted"),
        ("2026-01-02T01:05:45Z", "1a2b3c4d before: sent after 1 try: 250 2.0.0 ok"),
        ("2026-01-02T02:04:05Z", "admitted"),
    ]
    claimed = message(state=MessageState.CLAIMED)
    assert [what for _, what in history(claimed, [])] == ["admitted", "taken by a sender"]
    waiting = message(LOST, tries=2, next_try=NOW)
    assert history(waiting, [])[1][1] == "queued after 2 tries: timed out"


@pytest.mark.parametrize(
    ("one", "begins"),
    [
        (detail(message()), ""),
        (detail(message(NO, state=MessageState.DEAD)), ""),
        (detail(message(YES, NO, state=MessageState.SENT)), ""),
        (detail(message(LOST, state=MessageState.HELD)), ""),
        (detail(message(state=MessageState.CLAIMED)), "it is being sent"),
        (detail(message(state=MessageState.REJECTED), None), "it was never composed"),
        (detail(message(state=MessageState.DISCARDED), None), "only its entity was kept"),
        (detail(message(state=MessageState.HELD), None), "it was held back"),
        (detail(message(YES, state=MessageState.SENT)), "everybody has it"),
        (detail(message(NO, state=MessageState.DEAD), None), "its content is not kept"),
        (detail(message(NO, state=MessageState.DEAD), b""), "its content is not kept"),
        (detail(message(NO, state=MessageState.DEAD), whole=False), "its content is not as it was stored"),
    ],
)
def test_what_cannot_be_tried_again(one: Detail, begins: str) -> None:
    """And why; nothing of what can."""
    assert cannot_be_tried(one).startswith(begins)
    assert bool(cannot_be_tried(one)) == bool(begins)


def test_what_a_person_should_know_first() -> None:
    """Counted over all messages; who has the mail is no doubt."""
    assert doubts([message(), message(YES, state=MessageState.SENT)]) == {}
    found = [
        message(NO, NO, LOST, state=MessageState.IN_DOUBT),
        message(YES._replace(doubts=2), NO, state=MessageState.SENT),
        message(state=MessageState.EXPIRED),
    ]
    assert doubts(found) == {
        "refused": "3 recipients refused for good, or tried often enough",
        "unsure": "1 recipient who may have the mail already, and could get it twice",
        "late": "1 message whose time is over",
    }
