"""Looking at the state."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pipeline.state.facts import Batch, Execution, MessageState
from pipeline.state.faults import StateError, StateReason
from pipeline.state.views import Discarded, Discards, Filter, Freeing, Settled


def test_a_list_comes_in_pages(states: Any) -> None:
    """The newest first; the next page begins where this one ends, whatever came in meanwhile."""
    state = states.open()
    states.admit(state, *(states.message(number) for number in range(5)))
    first = states.run(state.messages(Filter(), most=2))
    states.admit(state, states.message(9))
    second = states.run(state.messages(Filter(), first.next, most=2))
    third = states.run(state.messages(Filter(), second.next, most=2))
    assert [[row.id for row in page.rows] for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert third.next is None


def test_a_list_is_of_what_is_wanted(states: Any) -> None:
    """All conditions together."""
    state = states.open()
    states.admit(
        state,
        states.message(1, "Ann@Example.com", run="r1", subject="Hello"),
        states.message(2, "bo@example.com", "ann@example.com", pipe="digest", run="r2"),
        states.message(3, system="backup", entity_id="special"),
        states.message(4, state=MessageState.REJECTED),
    )
    (claim,) = states.claim(state, most=1).messages
    states.send(state, [claim])
    states.clock.advance(100)
    states.claim(state, most=1)

    def found(**wanted: Any) -> list[int]:
        rows = states.run(state.messages(Filter(**wanted))).rows
        assert states.run(state.count(Filter(**wanted))) == len(rows)
        return [row.id for row in rows]

    assert found() == [4, 3, 2, 1]
    assert found(pipe="digest") == [2]
    assert found(system="backup") == [3]
    assert found(run="r1") == [1]
    assert found(entity_id="special") == [3]
    assert found(recipient="ANN@example.com") == [4, 3, 2, 1]
    assert found(recipient="bo@example.com") == [2]
    assert found(recipient="bo@example.com", pipe="welcome") == []
    assert found(address="NN@ex") == [4, 3, 2, 1]
    assert found(address="bo@") == [2]
    assert found(address="%") == found(address="_@") == found(address='","') == []
    assert found(subject="hELL") == [1]
    assert found(subject="Hello%") == []
    assert found(states=frozenset({MessageState.SENT})) == [1]
    assert found(states=frozenset({MessageState.CLAIMED})) == [2]
    assert found(states=frozenset({MessageState.QUEUED, MessageState.REJECTED})) == [4, 3]
    assert found(states=frozenset({MessageState.CLAIMED, MessageState.SENT})) == [2, 1]
    assert found(changed_from=1_800_000_000.0, changed_until=1_800_000_001.0) == [4, 3, 2, 1]
    assert found(changed_from=1_800_000_001.0) == []


def test_a_message_is_told_whole(states: Any) -> None:
    """Its row, its bytes, its entity and who holds it."""
    state = states.open()
    message = states.message(1, "a@example.com", subject="Hello", run="r1", expires=9999.0)
    states.admit(state, message)
    detail = states.run(state.message(1))
    assert (detail.envelope, detail.content, detail.entity) == (message.envelope, message.content, message.entity)
    assert (detail.row.name, detail.row.subject, detail.row.recipients) == (message.key, "Hello", ("a@example.com",))
    assert detail.holder is None
    states.claim(state)
    assert f"(pid {os.getpid()})" in states.run(state.message(1)).holder.process
    assert states.run(state.message(2)) is None


def test_who_waits_longest(states: Any) -> None:
    """What waits longest is told by the time since it was put in; what was sent or rejected does not wait."""
    state = states.open()
    assert states.run(state.waited()) is None
    states.admit(state, states.message(1))
    states.clock.advance(40)
    states.admit(state, states.message(2), states.message(3, state=MessageState.REJECTED))
    states.clock.advance(2)
    assert states.run(state.waited()) == 42
    (claim,) = states.claim(state, most=1).messages
    states.send(state, [claim])
    assert states.run(state.waited()) == 2


def test_states_are_counted(states: Any) -> None:
    """All but those of which there are too many."""
    state = states.open()
    states.admit(state, *(states.message(number) for number in range(4)), states.message(9, system="backup"))
    sent, *_ = states.claim(state, most=2).messages
    states.send(state, [sent])
    assert states.run(state.counts()) == {MessageState.QUEUED: 3, MessageState.CLAIMED: 1}
    assert states.run(state.counts(system="backup")) == {MessageState.QUEUED: 1}
    assert states.run(state.counts(pipe="none")) == {}


def test_a_gate_is_told_as_it_is_now(states: Any) -> None:
    """Also hours after the last message, when nobody has written since."""
    state = states.open()
    states.admit(state, *(states.message(number) for number in range(5)))
    states.send(state, states.claim(state, 3, most=2).messages)
    states.clock.advance(100)
    states.claim(state, 3)
    (usage,) = states.run(state.usage({"office": 3}))
    assert (usage.used, usage.in_flight, usage.free, usage.unsure) == (3, 1, 0, 0)
    assert usage.free_at == 1_800_000_000.0 + 3600
    assert usage.all_free_at is None
    assert states.run(state.freeing("office")) == (Freeing(1_800_003_600.0, 2),)
    states.clock.advance(3500)
    (usage,) = states.run(state.usage())
    assert (usage.gate, usage.limit, usage.used, usage.free, usage.free_at) == ("office", 3, 1, 2, None)
    (usage,) = states.run(state.usage({"other": 7}))
    assert (usage.used, usage.free, usage.all_free_at) == (0, 7, None)


def test_a_limit_of_nothing_never_frees(states: Any) -> None:
    """No time is named for it."""
    state = states.open()
    (usage,) = states.run(state.usage({"office": 0}))
    assert (usage.free, usage.free_at) == (0, None)


def test_discards_are_counted_since_a_time(states: Any) -> None:
    """With the time of the first, for the system that is asked about."""
    state = states.open()
    for number in range(3):
        states.admit(state, states.message(number), ask=states.ask(0))
        states.clock.advance(10)
    assert states.run(state.discards("office", 1_800_000_005.0)) == Discards(2, 1_800_000_010.0)
    assert states.run(state.discards("backup", 0.0)) == Discards(0, None)
    since = 1_800_000_000.0
    assert states.run(state.discarded("office", since, 15.0)) == (
        Discarded(since, since + 10, 2),
        Discarded(since + 20, since + 20, 1),
    )
    assert states.run(state.discarded("office", since + 20, 15.0)) == (Discarded(since + 20, since + 20, 1),)
    assert states.run(state.discarded("backup", 0.0, 15.0)) == ()


def test_ends_without_sending_are_counted_in_spans(states: Any) -> None:
    """What was discarded, rejected or given up, by state and span, through any system; not what waits or was sent."""
    state = states.open()
    states.admit(state, states.message(1, state=MessageState.REJECTED), states.message(2), states.message(3))
    (claim,) = states.claim(state, most=1).messages
    states.send(state, [claim])
    states.clock.advance(20)
    states.admit(state, states.message(4, system="backup", state=MessageState.REJECTED))
    begin = 1_800_000_000.0
    rejected = MessageState.REJECTED
    assert states.run(state.settled(begin, 15.0)) == (Settled(begin, rejected, 1), Settled(begin + 15, rejected, 1))
    assert states.run(state.settled(begin, 60.0)) == (Settled(begin, rejected, 2),)
    assert states.run(state.settled(begin + 1, 60.0)) == (Settled(begin + 1, rejected, 1),)


def test_a_run_has_its_pipes(states: Any) -> None:
    """What is on record of a run by its name, in the order in which its pipes began."""
    state = states.open()
    runs = [Execution("7f", "b", 5.0, 9.0, "{}"), Execution("7f", "a", 6.0), Execution("8a", "a", 7.0)]
    for one in runs:
        states.run(state.admit(Batch(execution=one)))
    assert list(states.run(state.execution("7f"))) == runs[:2]
    assert list(states.run(state.execution("7"))) == []


def test_what_happened_before_a_wall_clock_was_set_keeps_its_time(states: Any) -> None:
    """Each row says when it was by the clock of then."""
    state = states.open()
    states.admit(state, states.message(1))
    states.clock.wall_time -= 86_400
    states.clock.advance(10)
    (claim,) = states.claim(state).messages
    states.send(state, [claim])
    row = states.run(state.message(1)).row
    assert (row.admitted, row.changed) == (1_800_000_000.0, 1_800_000_010.0)


def test_a_look_that_takes_too_long_is_given_up(states: Any) -> None:
    """It would hold back what is written."""
    state = states.open()
    state._reader._longest = 0.0

    def forever(connection: Any, _: Any) -> Any:
        query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        return connection.execute(query).fetchone()

    with pytest.raises(StateError, match="longer than 0 seconds") as caught:
        states.run(state._look(forever))
    assert (caught.value.reason, caught.value.passing) == (StateReason.BUSY, True)
    state._reader._longest = 60.0
    assert states.run(state.counts()) == {}


def test_a_look_cannot_write(states: Any) -> None:
    """There is one that writes, and this is not it."""
    state = states.open()

    def write(connection: Any, _: Any) -> None:
        connection.execute("DELETE FROM message")

    with pytest.raises(StateError) as caught:
        states.run(state._look(write))
    assert caught.value.reason is StateReason.REFUSED
