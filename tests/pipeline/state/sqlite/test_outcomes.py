"""What became of messages is kept for those who pass it on, whichever way a message was settled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.state.facts import Ask, Batch, MessageState, NewMessage, Retention, Settlement
from pipeline.state.keys import message_key
from pipeline.state.outcomes import Settled
from pipeline.state.sqlite.outcomes import SqliteOutcomes
from pipeline.state.sqlite.store import SqliteState

ASK = Ask("office", "office", 100)


def message(name: str, pipe: str = "mailer", **more: Any) -> NewMessage:
    """A mail to one."""
    to = (f"{name}@example.com",)
    key = message_key(pipe, name, "v", to)
    return NewMessage(key, pipe, "office", name, to, "{}", b"bytes", json.dumps({"_id": name}), **more)


def sent(claim: Any, at: float, state: MessageState = MessageState.SENT, due: float | None = None) -> Settlement:
    """An answer."""
    return Settlement(
        claim.id, claim.number, claim.gate, claim.places, 1, at, state, due, 0 if due is None else 1, 1, "[]"
    )


@pytest.fixture
def outcomes(states: Any) -> Iterator[SqliteOutcomes]:
    """Those of the folder."""
    made = SqliteOutcomes(states.folder, states.clock)
    yield made
    made.close()


def kept(outcomes: SqliteOutcomes, reader: str = "replies") -> list[tuple[str, str]]:
    """Entities, and where their messages are."""
    return [(one.entity_id, one.state.value) for one in outcomes.settled(reader, 0, 100)]


def send(states: Any, state: SqliteState, *messages: NewMessage, waits: bool = False) -> None:
    """Admit and settle: as sent, or as tried in vain for now."""
    admitted = states.run(state.admit(Batch(messages), ASK))
    for claim in admitted.claims.messages:
        state.handing_over([claim])
        where = (MessageState.RETRYING, state.now() + 60) if waits else (MessageState.SENT, None)
        state.settle([sent(claim, state.now(), *where)])
    states.run(state.flush())


def test_what_is_settled_is_kept_once(states: Any, outcomes: SqliteOutcomes) -> None:
    """For each message of the pipe that waits no more, and for no other, with what is known of it."""
    state = states.open()
    outcomes.begin("mailer", "replies", from_first=True)
    send(states, state, message("a"), message("b"))
    send(states, state, message("c"), waits=True)
    send(states, state, message("d", pipe="other"))
    assert kept(outcomes) == [("a", "sent"), ("b", "sent")]
    first = outcomes.settled("replies", 0, 1)[0]
    assert first == Settled(
        first.number,
        first.message,
        "a",
        ("a@example.com",),
        MessageState.SENT,
        "[]",
        "",
        states.clock.wall_time,
        '{"_id": "a"}',
    )
    assert outcomes.settled("replies", first.number, 1)[0].entity_id == "b"


def test_every_way_to_be_settled(states: Any, outcomes: SqliteOutcomes) -> None:
    """Sent after a wait, over the limit, expired, refused before it went, held back."""
    state = states.open()
    outcomes.begin("mailer", "replies", from_first=True)
    send(states, state, message("rejected", state=MessageState.REJECTED), message("held", state=MessageState.HELD))
    send(states, state, message("late"), waits=True)
    assert kept(outcomes) == [("rejected", "rejected"), ("held", "held")]
    states.clock.advance(100)
    (claim,) = states.run(state.claim(ASK)).messages
    state.handing_over([claim])
    state.settle([sent(claim, state.now())])
    states.run(state.flush())
    states.run(state.admit(Batch((message("too-many"),)), Ask("office", "office", 1)))
    assert kept(outcomes)[2:] == [("late", "sent"), ("too-many", "discarded")]


def test_what_is_found_after_a_crash(states: Any, outcomes: SqliteOutcomes) -> None:
    """A message in doubt that is not tried again is settled by whoever finds it."""
    outcomes.begin("mailer", "replies", from_first=True)
    state = states.open()
    (claim,) = states.run(state.admit(Batch((message("a", at_most_once=True),)), ASK)).claims.messages
    state.handing_over([claim])
    states.kill(state)
    assert kept(outcomes) == []
    states.open()
    assert kept(outcomes) == [("a", "in_doubt")]


def test_where_a_reader_begins(states: Any, outcomes: SqliteOutcomes) -> None:
    """With all that is on record, or with nothing of that; and later calls begin nothing anew."""
    state = states.open()
    send(states, state, message("before"))
    outcomes.begin("mailer", "replies", from_first=True)
    outcomes.begin("mailer", "replies", from_first=True)
    outcomes.begin("mailer", "news", from_first=False)
    send(states, state, message("after"))
    assert kept(outcomes) == [("before", "sent"), ("after", "sent")]
    assert kept(outcomes, "news") == [("after", "sent")]


def test_what_was_passed_on_is_kept_no_longer(states: Any, outcomes: SqliteOutcomes) -> None:
    """For that reader; others have their own."""
    state = states.open()
    for reader in ("replies", "audit"):
        outcomes.begin("mailer", reader, from_first=True)
    send(states, state, message("a"), message("b"))
    outcomes.passed_on("replies", outcomes.settled("replies", 0, 1)[0].number)
    assert kept(outcomes) == [("b", "sent")]
    assert kept(outcomes, "audit") == [("a", "sent"), ("b", "sent")]


def test_a_reader_that_reads_of_another_pipe(states: Any, outcomes: SqliteOutcomes) -> None:
    """It gets nothing more of the first."""
    state = states.open()
    outcomes.begin("mailer", "replies", from_first=True)
    outcomes.begin("other", "replies", from_first=True)
    send(states, state, message("a"), message("b", pipe="other"))
    assert kept(outcomes) == [("b", "sent")]


def test_what_nobody_passes_on_is_removed(states: Any, outcomes: SqliteOutcomes) -> None:
    """After as long as what people may want to act on."""
    state = states.open()
    outcomes.begin("mailer", "replies", from_first=True)
    send(states, state, message("a"))
    states.clock.advance(Retention().others + 1)
    states.run(state.tidy(Retention()))
    assert kept(outcomes) == []
