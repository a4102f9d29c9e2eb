"""Messages go in together with all that must be true with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.state.facts import Batch, Execution, Known, MessageState, Offset
from pipeline.state.faults import StateError
from pipeline.state.views import Filter


def test_messages_and_the_position_go_in_together(states: Any) -> None:
    """With the notes and the run: one transaction."""
    state = states.open()
    batch = Batch(
        (states.message(1), states.message(2)),
        Offset("welcome", "17"),
        Execution("7f3a", "welcome", 100.0),
        {"health/office": "open"},
    )
    admitted = states.run(state.admit(batch))
    assert admitted.fates == (1, 2)
    assert admitted.claims.messages == ()
    assert states.run(state.offset("welcome")) == "17"
    assert states.run(state.executions("welcome")) == (Execution("7f3a", "welcome", 100.0),)
    assert states.run(state.notes("health/")) == {"health/office": "open"}
    assert states.run(state.counts()) == {MessageState.QUEUED: 2}


def test_a_batch_goes_in_whole_or_not_at_all(states: Any) -> None:
    """A message that cannot be stored takes the batch with it, position and all, and nothing else."""
    state = states.open()
    broken = states.message(2)._replace(entity="\ud800")
    with pytest.raises(UnicodeEncodeError):
        states.run(state.admit(Batch((states.message(1), broken), Offset("welcome", "17"))))
    assert states.run(state.counts()) == {}
    assert states.run(state.offset("welcome")) is None
    assert states.admit(state, states.message(1)) == (1,)


def test_a_key_seen_before_is_skipped(states: Any) -> None:
    """Whatever has become of it, and after a restart too; the answer says what."""
    state = states.open()
    (first,) = states.admit(state, states.message(1))
    states.clock.advance(10)
    assert states.admit(state, states.message(1), states.message(2)) == (
        Known(first, MessageState.QUEUED, 1_800_000_000.0),
        3,
    )
    states.send(state, states.claim(state).messages)
    states.close(state)
    state = states.open()
    assert states.admit(state, states.message(1)) == (Known(first, MessageState.SENT, 1_800_000_010.0),)


def test_a_key_twice_in_one_batch_goes_in_once(states: Any) -> None:
    """The second one is skipped for the first."""
    state = states.open()
    first, second = states.admit(state, states.message(1), states.message(1))
    assert second == Known(first, MessageState.QUEUED, 1_800_000_000.0)
    assert states.rows() == {first: "queued"}


def test_a_generation_is_sent_once_more_on_purpose(states: Any) -> None:
    """Its number comes from the state, and two that ask at once send it once."""
    state = states.open()
    message = states.message(1)
    assert states.run(state.generations([(message.entity_id, message.key)])) == {}
    states.admit(state, message)
    assert states.run(state.generations([(message.entity_id, message.key)])) == {message.key: 1}
    again = message._replace(generation=1)
    (number,) = states.admit(state, again)
    assert isinstance(number, int)
    assert isinstance(states.admit(state, again)[0], Known)
    assert states.run(state.generations([(message.entity_id, message.key)])) == {message.key: 2}
    names = {claim.name for claim in states.claim(state).messages}
    assert names == {message.key, f"{message.key}.1"}


@pytest.mark.parametrize("word", [MessageState.REJECTED, MessageState.HELD])
def test_what_was_never_to_be_sent_is_listed_and_may_come_again(states: Any, word: MessageState) -> None:
    """A recipient outside a filter, a template that failed: the entity is kept, nothing is sent, a later run may."""
    state = states.open()
    (listed,) = states.admit(state, states.message(1, state=word, detail="no recipient"))
    detail = states.run(state.message(listed))
    assert (detail.row.state, detail.row.detail) == (word, "no recipient")
    assert (detail.content, detail.envelope, detail.entity) == (None, None, '{"_id":"c"}')
    assert states.claim(state).messages == ()
    (again,) = states.admit(state, states.message(1))
    assert isinstance(again, int)
    # The old row is replaced: it does not call for a person any more.
    assert [row.id for row in states.run(state.messages(Filter())).rows] == [again]
    assert [row.id for row in states.run(state.messages(Filter(replaced=True))).rows] == [again, listed]


def test_a_discarded_message_may_come_again(states: Any) -> None:
    """It was never handed over, so its key stands in nobody's way."""
    state = states.open()
    states.admit(state, states.message(1), ask=states.ask(0))
    assert states.rows() == {1: "discarded"}
    assert states.admit(state, states.message(1)) == (2,)


def test_what_a_sender_held_back_stays_known(states: Any) -> None:
    """A message that may have gone is not admitted a second time because it is held."""
    state = states.open()
    states.admit(state, states.message(1))
    (claim,) = states.claim(state).messages
    state.settle([states.settlement(claim, MessageState.HELD)])
    (fate,) = states.admit(state, states.message(1))
    assert fate == Known(1, MessageState.HELD, 1_800_000_000.0)


def test_new_messages_are_claimed_as_they_come_in(states: Any) -> None:
    """One transaction instead of two, and what is claimed is what was given."""
    state = states.open()
    messages = tuple(states.message(number) for number in range(3))
    admitted = states.run(state.admit(Batch(messages), states.ask(2)))
    assert [claim.content for claim in admitted.claims.messages] == [message.content for message in messages[:2]]
    assert [closed.state for closed in admitted.claims.closed] == [MessageState.DISCARDED]
    assert admitted.claims.closed[0].full == admitted.claims.full
    assert states.rows() == {1: "claimed", 2: "claimed", 3: "discarded"}
    assert states.gate() == (2, 0)


def test_each_message_of_a_large_batch_has_its_own_facts(states: Any) -> None:
    """Of several pipes and runs, once at most or not, for several people, to wait or to go, with a time to expire."""
    state = states.open()
    people = ("ann@example.com", "bo@example.com", "cy@example.com")
    messages = tuple(
        states.message(
            number,
            *people[: 1 + number % 3],
            pipe=f"p{number % 2}",
            run=f"r{number % 5}",
            system="office" if number % 7 else "other",
            subject=f"Subject {number}",
            at_most_once=number % 4 == 0,
            expires=5000.0 + number if number % 9 == 0 else None,
        )
        for number in range(150)
    )
    claims = states.run(state.admit(Batch(messages), states.ask(100_000, most=100))).claims.messages
    goes = [number for number in range(150) if number % 7 and number % 9][:100]
    assert len(goes) == 100
    assert [claim.id for claim in claims] == [number + 1 for number in goes]
    for claim, new in zip(claims, (messages[number] for number in goes), strict=True):
        assert (claim.name, claim.pipe, claim.run, claim.entity_id) == (new.key, new.pipe, new.run, new.entity_id)
        assert (claim.at_most_once, claim.envelope, claim.content) == (new.at_most_once, new.envelope, new.content)
    rows = states.query(
        "SELECT id, pipe, run, system, entity_id, subject, at_most_once, expires, pending, number, owner IS NULL"
        " FROM message ORDER BY id"
    )
    assert rows == [
        (
            number + 1, new.pipe, new.run, new.system, new.entity_id, new.subject, new.at_most_once, new.expires,
            len(new.recipients), number in goes, number not in goes,
        )
        for number, new in enumerate(messages)
    ]  # fmt: skip
    shown = states.run(state.messages(Filter(), most=200)).rows
    assert [row.recipients for row in reversed(shown)] == [new.recipients for new in messages]


def test_new_messages_do_not_hide_when_the_others_are_due(states: Any) -> None:
    """All that came in is claimed; the sender still hears of what waits for its next try."""
    state = states.open()
    states.admit(state, states.message(0))
    (claim,) = states.claim(state).messages
    state.settle([states.settlement(claim, MessageState.RETRYING, due=state.now() + 300)])
    assert states.run(state.admit(Batch((states.message(1),)), states.ask())).claims.again_in == 300.0


def test_a_discarded_message_keeps_its_entity_and_not_its_bytes(states: Any) -> None:
    """Its row says how the gate was."""
    state = states.open()
    states.send(state, states.run(state.admit(Batch((states.message(0),)), states.ask(1))).claims.messages)
    states.clock.advance(5)
    closed = states.run(state.admit(Batch((states.message(1),)), states.ask(1))).claims.closed
    detail = states.run(state.message(closed[0].id))
    assert (detail.content, detail.envelope, detail.entity) == (None, None, '{"_id":"c"}')
    assert detail.row.full == closed[0].full
    assert (detail.row.full.used, detail.row.full.limit) == (1, 1)
    # The place frees an hour after the answer.
    assert detail.row.full.free_at == 1_800_000_000.0 + 3600


def test_new_messages_do_not_overtake_those_that_wait(states: Any) -> None:
    """With something due in the queue, new ones go behind it."""
    state = states.open()
    states.admit(state, states.message(0))
    claims = states.run(state.admit(Batch((states.message(1),)), states.ask(1, on_limit="queue"))).claims
    assert [claim.entity_id for claim in claims.messages] == ["c-0"]
    assert states.rows() == {1: "claimed", 2: "queued"}


def test_only_messages_of_the_system_are_claimed_with_it(states: Any) -> None:
    """The others wait for their own sender."""
    state = states.open()
    batch = Batch((states.message(1), states.message(2, system="backup")))
    claims = states.run(state.admit(batch, states.ask())).claims
    assert [claim.id for claim in claims.messages] == [1]
    assert states.rows() == {1: "claimed", 2: "queued"}


def test_no_more_are_claimed_than_were_asked_for(states: Any) -> None:
    """The rest waits."""
    state = states.open()
    batch = Batch(tuple(states.message(number) for number in range(5)))
    claims = states.run(state.admit(batch, states.ask(most=2))).claims
    assert len(claims.messages) == 2
    assert claims.again_in == 0.0
    assert len(states.claim(state).messages) == 3


def test_a_message_that_never_fits_is_held(states: Any) -> None:
    """More recipients than an hour lets through: waiting would not help, and a person is told."""
    state = states.open()
    ask = states.ask(2, count_by="recipient")
    large = states.message(1, "a@example.com", "b@example.com", "c@example.com")
    claims = states.run(state.admit(Batch((large, states.message(2))), ask)).claims
    assert [(closed.id, closed.state) for closed in claims.closed] == [(1, MessageState.HELD)]
    assert [claim.places for claim in claims.messages] == [1]
    assert states.run(state.message(1)).content == large.content


def test_recipients_count_if_the_system_says_so(states: Any) -> None:
    """A message to three takes three places."""
    state = states.open()
    ask = states.ask(5, count_by="recipient", on_limit="queue")
    people = ("a@example.com", "b@example.com", "c@example.com")
    claims = states.run(state.admit(Batch((states.message(1, *people), states.message(2, *people))), ask)).claims
    assert [claim.places for claim in claims.messages] == [3]
    assert states.gate() == (3, 0)


def test_a_note_is_forgotten_when_it_is_empty(states: Any) -> None:
    """Small things by name."""
    state = states.open()
    states.run(state.admit(Batch(notes={"a/1": "x", "a/2": "y", "b": "z"})))
    states.run(state.admit(Batch(notes={"a/1": ""})))
    assert states.run(state.notes("a/")) == {"a/2": "y"}
    assert states.run(state.notes()) == {"a/2": "y", "b": "z"}


def test_an_execution_is_told_as_it_goes(states: Any) -> None:
    """Its end replaces its beginning; the newest comes first."""
    state = states.open()
    begun = Execution("r1", "welcome", 1.0)
    states.run(state.admit(Batch(execution=begun)))
    states.run(state.admit(Batch(execution=Execution("r2", "digest", 2.0))))
    states.run(state.admit(Batch(execution=replace(begun, ended=3.0, report='{"sent":1}'))))
    assert [run.run for run in states.run(state.executions())] == ["r2", "r1"]
    assert states.run(state.executions("welcome"))[0].report == '{"sent":1}'
    assert states.run(state.executions(most=1))[0].run == "r2"


def test_an_empty_batch_is_nothing(states: Any) -> None:
    """It does no harm."""
    state = states.open()
    assert states.admit(state) == ()


def test_after_the_end_nothing_goes_in(states: Any) -> None:
    """It says so."""
    state = states.open()
    states.close(state)
    with pytest.raises(StateError, match="closed"):
        states.run(state.admit(Batch()))
