"""What was settled long enough ago is removed, a little at a time; what waits never is."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.state.facts import Batch, Execution, Known, MessageState, Retention, Retried, Tidied
from pipeline.state.views import Filter

DAY = 24 * 3600.0


def test_bytes_of_what_was_sent_go_first_then_its_row(states: Any) -> None:
    """The key stays: the message is not sent again."""
    state = states.open()
    states.admit(state, states.message(1))
    states.send(state, states.claim(state).messages)
    keep = Retention(sent_content=DAY, sent=2 * DAY)
    states.clock.advance(DAY - 1)
    assert states.run(state.tidy(keep)) == Tidied(0, 0, None)
    states.clock.advance(1)
    assert states.run(state.tidy(keep)) == Tidied(1, 0, None)
    detail = states.run(state.message(1))
    assert (detail.row.state, detail.content, detail.entity) == (MessageState.SENT, None, None)
    assert states.run(state.tidy(keep)) == Tidied(0, 0, None)
    states.clock.advance(DAY)
    assert states.run(state.tidy(keep)) == Tidied(0, 1, None)
    assert states.run(state.message(1)) is None
    assert states.admit(state, states.message(1)) == (Known(1, None, None),)


def test_what_a_person_may_act_on_stays_longer(states: Any) -> None:
    """With its bytes; in the end it goes too."""
    state = states.open()
    states.admit(state, states.message(1))
    (claim,) = states.claim(state).messages
    state.settle([states.settlement(claim, MessageState.DEAD)])
    keep = Retention(sent_content=DAY, sent=2 * DAY, others=10 * DAY)
    states.clock.advance(9 * DAY)
    assert states.run(state.tidy(keep)) == Tidied(0, 0, None)
    assert states.run(state.message(1)).content
    states.clock.advance(DAY)
    assert states.run(state.tidy(keep)) == Tidied(0, 1, None)


def test_what_waits_or_is_claimed_stays(states: Any) -> None:
    """However old it is."""
    state = states.open()
    states.admit(state, states.message(1), states.message(2), states.message(3))
    first, second = states.claim(state, most=2).messages
    state.settle([states.settlement(first, MessageState.RETRYING, due=state.now() + 1000 * DAY)])
    states.clock.advance(1000 * DAY)
    assert states.run(state.tidy(Retention(0, 0, 0))) == Tidied(0, 0, None)
    assert states.rows() == {1: "retrying", 2: "claimed", 3: "queued"}
    assert second.id == 2


def test_it_goes_on_where_it_was(states: Any) -> None:
    """In small steps, so that nobody waits for it; it stops at what is too young."""
    state = states.open()
    states.admit(state, *(states.message(number) for number in range(7)))
    states.send(state, states.claim(state).messages)
    states.clock.advance(DAY)
    states.admit(state, states.message(100))
    keep = Retention(sent_content=DAY, sent=DAY)
    after, steps = 0, []
    while after is not None:
        step = states.run(state.tidy(keep, after, most=3))
        steps.append(step)
        after = step.next
    assert steps == [Tidied(0, 3, 3), Tidied(0, 3, 6), Tidied(0, 1, None)]
    assert states.rows() == {8: "queued"}


def test_one_that_was_put_back_hides_none_behind_it(states: Any) -> None:
    """It is young again, and those after it are not."""
    state = states.open()
    states.admit(state, *(states.message(number) for number in range(3)))
    first, *others = states.claim(state).messages
    states.send(state, others)
    state.settle([states.settlement(first, MessageState.DEAD)])
    states.clock.advance(DAY)
    assert states.run(state.retry([first.id], lambda _, __: Retried("[]", 1))) == 1
    assert states.run(state.tidy(Retention(sent_content=DAY, sent=DAY))) == Tidied(0, 2, None)


@pytest.mark.parametrize("word", [MessageState.REJECTED, MessageState.DISCARDED])
def test_what_was_never_handed_over_leaves_no_key(states: Any, word: MessageState) -> None:
    """Its entity may be mailed when it is read again."""
    state = states.open()
    if word is MessageState.REJECTED:
        states.admit(state, states.message(1, state=word))
    else:
        states.admit(state, states.message(1), ask=states.ask(0))
    states.clock.advance(100 * DAY)
    assert states.run(state.tidy(Retention())) == Tidied(0, 1, None)
    assert states.admit(state, states.message(1)) == (2,)


def test_a_row_that_was_replaced_takes_no_key_along(states: Any) -> None:
    """The key is that of the message which came after it."""
    state = states.open()
    states.admit(state, states.message(1), ask=states.ask(0))
    states.admit(state, states.message(1))
    states.clock.advance(100 * DAY)
    assert states.run(state.tidy(Retention())).removed == 1
    assert isinstance(states.admit(state, states.message(1))[0], Known)


def test_history_goes_and_what_counts_stays(states: Any) -> None:
    """The stamps of the last hour are no history, however little of that is kept."""
    state = states.open()
    for number in range(3):
        states.admit(state, states.message(number))
        states.send(state, states.claim(state, 10 + number).messages)
        states.clock.advance(1800)
    assert len(states.run(state.history("office", DAY))) == 3
    states.run(state.admit(Batch(execution=Execution("r1", "p", 1.0, 2.0))))
    states.run(state.admit(Batch(execution=Execution("r2", "p", 1.0))))
    states.clock.advance(600)
    states.run(state.tidy(Retention(history=0, executions=600)))
    assert len(states.run(state.history("office", DAY))) == 1
    assert states.run(state.usage({"office": 12}))[0].used == 1
    assert len(states.run(state.limit_changes("office"))) == 1
    assert [run.run for run in states.run(state.executions())] == ["r2"]


def test_ids_are_never_used_again(states: Any) -> None:
    """A journal or a person that names an old one cannot mean a new one."""
    state = states.open()
    states.admit(state, states.message(1), ask=states.ask(0))
    assert states.run(state.delete([1])) == 1
    states.close(state)
    state = states.open()
    assert states.admit(state, states.message(2)) == (2,)
    assert [row.id for row in states.run(state.messages(Filter())).rows] == [2]
