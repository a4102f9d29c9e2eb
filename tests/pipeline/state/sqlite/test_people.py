"""What a person does to messages."""

from __future__ import annotations

from typing import Any

from pipeline.state.facts import Known, MessageState, Moment, Retried, Retry


def yes(message: Retry, now: Moment) -> Retried:
    """Whatever it was, to all of its recipients."""
    return Retried(f"[{now.steady}]", len(message.recipients))


def dead(states: Any, state: Any, *to: str) -> int:
    """A message that was refused for good."""
    (number,) = states.admit(state, states.message(1, *to))
    (claim,) = states.claim(state).messages
    state.settle([states.settlement(claim, MessageState.DEAD)._replace(detail="no such user")])
    states.run(state.flush())
    return int(number)


def test_a_dead_message_is_put_back(states: Any) -> None:
    """With all its time before it, and what stands of its recipients as the table says."""
    state = states.open()
    number = dead(states, state, "a@example.com", "b@example.com")
    states.clock.advance(1000)
    assert states.run(state.retry([number], yes)) == 1
    row = states.run(state.message(number)).row
    assert (row.state, row.tries, row.result, row.detail) == (MessageState.QUEUED, 0, "[2000.0]", "")
    assert row.next_try == row.admitted == 1_800_001_000.0
    (claim,) = states.claim(state, count_by="recipient").messages
    assert (claim.places, claim.since, claim.number) == (2, 2000.0, 2)


def test_it_is_not_thrown_away_when_there_is_no_place(states: Any) -> None:
    """A person wants it sent: it waits."""
    state = states.open()
    number = dead(states, state)
    states.admit(state, states.message(2))
    states.send(state, states.claim(state, 1).messages)
    states.run(state.retry([number], yes))
    assert states.claim(state, 1).closed == ()
    assert states.rows() == {1: "queued", 2: "sent"}


def test_what_cannot_be_sent_again_is_left_alone(states: Any) -> None:
    """What is claimed, what has no bytes, what the table says no to, what is not there."""
    state = states.open()
    number = dead(states, state)
    states.admit(state, states.message(2), states.message(3))
    (claim,) = states.claim(state, most=1).messages
    states.admit(state, states.message(4), ask=states.ask(0))
    assert states.rows() == {1: "dead", 2: "claimed", 3: "discarded", 4: "discarded"}
    assert states.run(state.retry([claim.id, 3, 4, 99], yes)) == 0
    assert states.run(state.retry([number], lambda *_: None)) == 0
    assert states.rows()[number] == "dead"


def test_a_deleted_message_is_never_sent(states: Any) -> None:
    """Also when its entity is read again; what a sender has claimed is not deleted under its hands."""
    state = states.open()
    states.admit(state, states.message(1), states.message(2))
    (claim,) = states.claim(state, most=1).messages
    assert states.run(state.delete([1, 2, 99])) == 1
    assert states.rows() == {claim.id: "claimed"}
    assert states.admit(state, states.message(2)) == (Known(2, None, None),)
    assert states.run(state.message(2)) is None


def test_a_message_that_waits_is_postponed(states: Any) -> None:
    """It is not due before; what is due later, waits for nothing or is claimed stays as it is."""
    state = states.open()
    number = dead(states, state)
    states.admit(state, states.message(2), states.message(3))
    (claim,) = states.claim(state, most=1).messages
    assert states.run(state.postpone([number, claim.id, 3, 99], 60.0)) == 2
    assert states.claim(state).messages == ()
    assert states.run(state.message(number)).row.next_try is None
    assert states.run(state.postpone([3], 10.0)) == 1
    states.clock.advance(59)
    assert states.claim(state).messages == ()
    states.clock.advance(1)
    assert [one.id for one in states.claim(state).messages] == [3]
