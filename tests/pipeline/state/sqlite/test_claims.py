"""What is due is claimed, as many as the gate lets through, by one sender each."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.state.facts import MessageState
from pipeline.state.sqlite.claims import DAMAGED


def filled(states: Any, state: Any, many: int, **facts: Any) -> None:
    """So many messages in the queue."""
    states.admit(state, *(states.message(number, **facts) for number in range(many)))


def test_the_longest_waiting_goes_first(states: Any) -> None:
    """In the order of their dues, and of admission where those are the same."""
    state = states.open()
    filled(states, state, 3)
    (first, *_) = states.claim(state, most=1).messages
    state.settle([states.settlement(first, MessageState.RETRYING, due=state.now() + 5)])
    states.clock.advance(10)
    states.admit(state, states.message(9))
    assert [claim.entity_id for claim in states.claim(state).messages] == ["c-1", "c-2", "c-0", "c-9"]


def test_what_is_not_due_waits(states: Any) -> None:
    """And the sender hears when to come back."""
    state = states.open()
    filled(states, state, 1)
    (claim,) = states.claim(state).messages
    state.settle([states.settlement(claim, MessageState.RETRYING, due=state.now() + 300)])
    claims = states.claim(state)
    assert (claims.messages, claims.again_in) == ((), 300.0)
    states.clock.advance(300)
    (again,) = states.claim(state).messages
    assert (again.number, again.tries, again.result) == (2, 1, '["ok"]')


def test_a_message_has_one_sender(states: Any) -> None:
    """Two processes share the work and never a message."""
    one, two = states.open(), states.open()
    filled(states, one, 10)
    first = {claim.id for claim in states.claim(one, most=6).messages}
    second = {claim.id for claim in states.claim(two).messages}
    assert len(first) == 6
    assert first | second == set(range(1, 11))
    assert not first & second


def test_exactly_the_limit_goes_over_all_processes(states: Any) -> None:
    """However the claims fall between them."""
    one, two = states.open(), states.open()
    filled(states, one, 30)
    taken = 0
    for state in (one, two, one, two):
        taken += len(states.claim(state, 17, on_limit="queue", most=5).messages)
    assert taken == 17
    assert states.gate() == (17, 0)


def test_systems_of_a_group_share_a_gate(states: Any) -> None:
    """What one of them sends the other cannot."""
    state = states.open()
    states.admit(state, states.message(1), states.message(2, system="backup"))
    assert len(states.claim(state, 1, gate="both").messages) == 1
    claims = states.claim(state, 1, gate="both", system="backup", on_limit="queue")
    assert (claims.messages, claims.full.used) == ((), 1)


def test_over_the_limit_new_messages_are_discarded_and_others_wait(states: Any) -> None:
    """A message that was let through once is not thrown away later."""
    state = states.open()
    filled(states, state, 1)
    (claim,) = states.claim(state, 1).messages
    state.settle([states.settlement(claim, MessageState.RETRYING, due=state.now() + 61)])
    states.clock.advance(60)
    states.admit(state, states.message(5), states.message(6))
    (other,) = states.claim(state, 1, most=1).messages
    assert other.entity_id == "c-5"
    states.clock.advance(1)
    claims = states.claim(state, 1)
    assert [closed.entity_id for closed in claims.closed] == ["c-6"]
    assert states.rows() == {1: "retrying", 2: "claimed", 3: "discarded"}


def test_the_time_when_a_place_frees_is_told(states: Any) -> None:
    """For a queue that waits; to the second, rounded up."""
    state = states.open()
    filled(states, state, 3)
    states.clock.advance(0.25)
    states.send(state, states.claim(state, 2, on_limit="queue").messages)
    claims = states.claim(state, 2, on_limit="queue")
    assert claims.messages == ()
    # The answers came at 1000.25 and are stamped with 1001.
    assert claims.again_in == pytest.approx(3600.75)
    assert claims.full.free_at == pytest.approx(1_800_000_000.25 + 3600.75)
    states.clock.advance(3600.7)
    assert states.claim(state, 2, on_limit="queue").messages == ()
    states.clock.advance(0.05)
    assert len(states.claim(state, 2, on_limit="queue").messages) == 1


def test_while_places_are_in_flight_a_sender_looks_again_soon(states: Any) -> None:
    """They may come back from another process, which is not announced."""
    one, two = states.open(), states.open()
    filled(states, one, 2)
    states.claim(one, 1, on_limit="queue")
    claims = states.claim(two, 1, on_limit="queue")
    assert (claims.messages, claims.full.free_at, claims.again_in) == ((), None, 1.0)


def test_a_limit_of_nothing_sends_nothing(states: Any) -> None:
    """A queue behind it waits for a change of configuration, not for a time."""
    state = states.open()
    filled(states, state, 2)
    claims = states.claim(state, 0, on_limit="queue")
    assert (claims.messages, claims.closed, claims.again_in) == ((), (), None)
    assert [closed.state for closed in states.claim(state, 0).closed] == [MessageState.DISCARDED] * 2


def test_the_limit_changes_while_it_runs(states: Any) -> None:
    """Raised it lets more through at once, lowered it waits; each change is on record."""
    state = states.open()
    filled(states, state, 10)
    states.send(state, states.claim(state, 3, on_limit="queue").messages)
    states.clock.advance(1)
    states.send(state, states.claim(state, 5, on_limit="queue").messages)
    states.clock.advance(1)
    assert states.claim(state, 4, on_limit="queue").messages == ()
    assert [(change.at, change.limit) for change in states.run(state.limit_changes("office"))] == [
        (1_800_000_002.0, 4),
        (1_800_000_001.0, 5),
        (1_800_000_000.0, 3),
    ]
    states.clock.advance(3598)
    assert len(states.claim(state, 4, on_limit="queue").messages) == 2


def test_a_bit_that_flipped_is_held_and_never_sent(states: Any) -> None:
    """SQLite does not see it; the checksum does, also in the envelope and where bytes are gone."""
    state = states.open()
    filled(states, state, 4)
    connection = state._place.connection
    connection.execute("UPDATE body SET content = replace(content, 'Hello', 'Hullo') WHERE message = 1")
    connection.execute("UPDATE body SET envelope = replace(envelope, 'me@', 'be@') WHERE message = 2")
    connection.execute("DELETE FROM body WHERE message = 3")
    claims = states.claim(state)
    assert [claim.id for claim in claims.messages] == [4]
    assert [(closed.id, closed.state, closed.detail) for closed in claims.closed] == [
        (number, MessageState.HELD, DAMAGED) for number in (1, 2, 3)
    ]
    assert states.gate() == (1, 0)
    assert not states.run(state.message(1)).whole
    assert states.run(state.message(4)).whole


@pytest.mark.parametrize("limit", [0, 1])
def test_a_message_expires_in_time_though_no_place_is_free(states: Any, limit: int) -> None:
    """It needs none; the sender hears when that is."""
    state = states.open()
    filled(states, state, 1)
    states.claim(state, limit)
    states.admit(state, states.message(2, expires=1060.0), states.message(3, expires=1080.0))
    assert states.claim(state, limit, on_limit="queue").again_in == (1.0 if limit else 60.0)
    states.clock.advance(60)
    claims = states.claim(state, limit, on_limit="queue")
    assert [overdue.id for overdue in claims.overdue] == [2]
    assert claims.again_in == (1.0 if limit else 20.0)


def test_a_message_expires_in_time_though_its_next_try_is_later(states: Any) -> None:
    """Nobody waits for a try that would come too late."""
    state = states.open()
    filled(states, state, 1, expires=1060.0)
    (claim,) = states.claim(state).messages
    state.settle([states.settlement(claim, MessageState.IN_DOUBT, due=1100.0)])
    assert states.claim(state).again_in == 60.0
    states.clock.advance(60)
    assert len(states.claim(state).overdue) == 1


def test_an_expired_message_takes_no_place(states: Any) -> None:
    """It is its sender's to settle, unsent."""
    state = states.open()
    filled(states, state, 1, expires=1060.0)
    assert states.claim(state, 1, most=0).overdue == ()
    states.clock.advance(60)
    claims = states.claim(state, 1)
    assert claims.messages == ()
    (overdue,) = claims.overdue
    assert overdue.places == 0
    state.settle([states.settlement(overdue, MessageState.EXPIRED)])
    states.run(state.flush())
    assert states.rows() == {1: "expired"}
    assert states.gate() == (0, 0)


def test_an_expiring_message_is_sent_in_time(states: Any) -> None:
    """Until then it is like any other."""
    state = states.open()
    filled(states, state, 1, expires=1060.0)
    states.clock.advance(59)
    assert len(states.claim(state).messages) == 1


def test_a_large_message_waits_for_all_its_places(states: Any) -> None:
    """And the sender is told when so many will be free, not when one is."""
    state = states.open()
    to = tuple(f"{name}@example.com" for name in "abc")
    ask = {"count_by": "recipient", "on_limit": "queue"}
    for number in range(3):
        states.admit(state, states.message(number))
        states.send(state, states.claim(state, 4, **ask).messages)
        states.clock.advance(100)
    states.admit(state, states.message(9, *to))
    claims = states.claim(state, 4, **ask)
    assert claims.messages == ()
    # One place is free; the second and third of those taken make three.
    assert claims.again_in == 3600 - 300 + 100
    states.clock.advance(claims.again_in)
    assert [claim.places for claim in states.claim(state, 4, **ask).messages] == [3]


def test_claims_that_were_not_used_go_back(states: Any) -> None:
    """As they were, with their places; and they are never thrown away."""
    state = states.open()
    filled(states, state, 3)
    claims = states.claim(state, 3).messages
    states.run(state.release(claims[1:]))
    assert states.rows() == {1: "claimed", 2: "queued", 3: "queued"}
    assert states.gate() == (1, 0)
    assert states.claim(state, 1).closed == ()
    again = states.claim(state, 3).messages
    assert [(claim.id, claim.number) for claim in again] == [(2, 2), (3, 2)]


def test_a_claim_goes_back_once(states: Any) -> None:
    """What was settled or released is no claim any more, and makes no places."""
    state = states.open()
    filled(states, state, 2)
    claims = states.claim(state).messages
    states.run(state.release(claims[:1]))
    states.run(state.release(claims[:1]))
    states.send(state, claims[1:])
    states.run(state.release(claims[1:]))
    assert states.gate() == (0, 1)
    assert states.rows() == {1: "queued", 2: "sent"}


_DUE = """
    SELECT due, id, expires, pending, passed FROM message
    WHERE system = 'office' AND passed = 0 AND due <= 5 AND owner IS NULL ORDER BY due, id LIMIT 5
"""
_OVERDUE = """
    SELECT id FROM message
    WHERE system = 'office' AND expires <= 5 AND due IS NOT NULL AND owner IS NULL ORDER BY expires LIMIT 5
"""
_FIRST = """
    SELECT min(expires) FROM message
    WHERE system = 'office' AND expires IS NOT NULL AND due IS NOT NULL AND owner IS NULL
"""
_LISTED = """
    SELECT * FROM message WHERE owner IS NULL AND state <> 'sent' AND state IN ('dead') ORDER BY id DESC LIMIT 5
"""


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (_DUE, "SEARCH message USING INDEX waiting"),
        (_OVERDUE, "SEARCH message USING INDEX expiring"),
        (_FIRST, "SEARCH message USING INDEX expiring"),
        ("SELECT id, number FROM message WHERE owner = 1", "SEARCH message USING INDEX claimed"),
        (_LISTED, "SEARCH message USING INDEX listed"),
        ("SELECT message FROM seen WHERE entity_id = 'c' AND key = x'00'", "SEARCH seen USING PRIMARY KEY"),
    ],
)
def test_nothing_is_sought_by_going_through_all(states: Any, query: str, index: str) -> None:
    """The questions that are asked all the time have their index, also when millions of messages were sent."""
    connection = states.open()._place.connection
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert plan[0].startswith(index), plan
    assert not any(step.startswith(("SCAN", "USE TEMP B-TREE")) for step in plan), plan
