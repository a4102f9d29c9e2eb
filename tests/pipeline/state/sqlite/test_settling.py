"""What became of claims is written once, and the hour counts what was used."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.state.facts import Batch, MessageState
from pipeline.state.faults import StateError


def claimed(states: Any, state: Any, many: int, *to: str, **facts: Any) -> Any:
    """So many claims."""
    states.admit(state, *(states.message(number, *to) for number in range(many)))
    return states.claim(state, **facts).messages


def test_what_was_sent_counts_and_the_rest_is_given_back(states: Any) -> None:
    """Each message by its own answer."""
    state = states.open()
    sent, dead, later = claimed(states, state, 3)
    state.handing_over((sent, dead, later))
    state.settle(
        [
            states.settlement(sent),
            states.settlement(dead, MessageState.DEAD),
            states.settlement(later, MessageState.RETRYING, due=2000.0),
        ]
    )
    assert states.gate() == (3, 0)
    states.run(state.flush())
    assert states.rows() == {1: "sent", 2: "dead", 3: "retrying"}
    assert states.gate() == (0, 1)


def test_what_was_answered_is_settled_though_nothing_more_may_go(states: Any) -> None:
    """The next messages do not go when the lock is gone; the answers that came before are written."""
    state = states.open()
    sent, left = claimed(states, state, 2)
    state.handing_over((sent,))
    for lock in states.folder.rglob("*.lock"):
        lock.unlink()
    with pytest.raises(StateError, match="was removed"):
        state.handing_over((left,), [states.settlement(sent)])
    states.run(state.flush())
    assert states.rows() == {1: "sent", 2: "claimed"}


def test_an_answer_counts_from_its_own_time(states: Any) -> None:
    """However late it is written down; one whose hour is over by then counts no more."""
    state = states.open()
    first, second = claimed(states, state, 2, limit=2)
    states.clock.advance(4000)
    state.settle([states.settlement(first, at=1010.0), states.settlement(second, at=4990.0)])
    states.run(state.flush())
    assert states.run(state.usage({"office": 2}))[0].used == 1
    assert [place.at for place in states.run(state.freeing("office"))] == [1_800_000_000.0 - 1000 + 4990 + 3600]


def test_some_of_the_places_of_a_message_may_be_used(states: Any) -> None:
    """With a limit on recipients only those count whom a server took."""
    state = states.open()
    to = tuple(f"{name}@example.com" for name in "abc")
    (claim,) = claimed(states, state, 1, *to, count_by="recipient")
    state.settle([states.settlement(claim, used=2)])
    states.run(state.flush())
    assert states.gate() == (0, 2)


def test_a_settlement_of_an_older_claim_is_left_out(states: Any) -> None:
    """The message is somebody else's by then; the others of the group are written."""
    state = states.open()
    lost, kept = claimed(states, state, 2)
    states.run(state.release([lost]))
    (again,) = states.claim(state, most=1).messages
    state.settle([states.settlement(lost), states.settlement(kept)])
    states.run(state.flush())
    assert states.rows() == {1: "claimed", 2: "sent"}
    assert states.gate() == (1, 1)
    state.settle([states.settlement(again)])
    states.run(state.flush())
    assert states.gate() == (0, 2)


def test_many_are_settled_each_by_its_own_answer(states: Any) -> None:
    """Those that were sent and the others, in several groups; what is a claim no more is left out."""
    state = states.open()
    claims = claimed(states, state, 150)
    lost = claims[70]
    states.run(state.release([lost]))
    (again,) = states.claim(state).messages
    words = [MessageState.SENT if number % 10 else MessageState.DEAD for number in range(150)]
    settled = [
        states.settlement(claim, word)._replace(result=f'["{claim.id}"]', tries=claim.id, at=1001.0 + claim.id)
        for claim, word in zip(claims, words, strict=True)
    ]
    for start in range(0, 150, 40):
        state.settle(settled[start : start + 40])
    states.run(state.flush())
    assert states.gate() == (1, words.count(MessageState.SENT))
    rows = states.query("SELECT id, state, owner IS NULL, result, tries, moved, pending FROM message ORDER BY id")
    assert rows == [
        (claim.id, "queued", 0, "", 0, 1000.0, 1)
        if claim is lost
        else (claim.id, word.value, 1, f'["{claim.id}"]', claim.id, 1001.0 + claim.id, 1)
        for claim, word in zip(claims, words, strict=True)
    ]
    state.settle([states.settlement(again)])
    states.run(state.flush())
    assert states.rows()[lost.id] == "sent"


def test_settled_twice_counts_once(states: Any) -> None:
    """A second settlement of the same claim changes nothing."""
    state = states.open()
    (claim,) = claimed(states, state, 1)
    state.settle([states.settlement(claim)])
    state.settle([states.settlement(claim, MessageState.DEAD)])
    states.run(state.flush())
    assert states.rows() == {1: "sent"}
    assert states.gate() == (0, 1)


def test_all_that_is_called_later_sees_it(states: Any) -> None:
    """Without a flush: settlements are written before what comes after them."""
    state = states.open()
    (claim,) = claimed(states, state, 1, limit=1)
    state.settle([states.settlement(claim, MessageState.DEAD)])
    states.admit(state, states.message(5))
    assert len(states.claim(state, 1).messages) == 1


def test_settlements_are_written_without_being_waited_for(states: Any) -> None:
    """In groups, a moment later."""
    state = states.open(linger=0.0)
    (claim,) = claimed(states, state, 1)
    state.settle([states.settlement(claim)])
    # The thread that reads is another one: wait for what it sees, not for a time.
    while states.run(state.counts()):
        pass
    assert states.run(state.message(claim.id)).row.state is MessageState.SENT


def test_a_result_is_kept_as_it_was_given(states: Any) -> None:
    """What a server said, for whoever looks."""
    state = states.open()
    (claim,) = claimed(states, state, 1)
    result = '[["dead",null,1,0,550,"5.1.1","Bø finnes ikke","mx","recipient"]]'
    state.settle([states.settlement(claim, MessageState.DEAD)._replace(result=result, detail="no")])
    states.run(state.flush())
    row = states.run(state.message(claim.id)).row
    assert (row.result, row.detail, row.tries) == (result, "no", 1)


def test_nothing_is_settled_where_nothing_was_claimed(states: Any) -> None:
    """That is a wrong call."""
    one, two = states.open(), states.open()
    (claim,) = claimed(states, one, 1)
    with pytest.raises(ValueError, match="nothing was claimed here"):
        two.settle([states.settlement(claim)])
    with pytest.raises(ValueError, match="nothing was claimed here"):
        two.handing_over([claim])
    one.settle([])


def test_a_closed_state_takes_nothing(states: Any) -> None:
    """It says so, before a byte goes out."""
    state = states.open()
    (claim,) = claimed(states, state, 1)
    states.close(state)
    with pytest.raises(StateError, match="closed"):
        state.handing_over([claim])
    with pytest.raises(StateError, match="closed"):
        states.run(state.admit(Batch()))
