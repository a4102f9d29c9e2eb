"""What is done with a message: one step for each way in which its recipients can stand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.receipt import Outcome
from systems.mail import Answer, Envelope, Phase, Status
from systems.spool.policy import (
    MOST_DOUBTS,
    Bury,
    Doubt,
    Finish,
    Keep,
    Policy,
    Send,
    Step,
    Wait,
    decide,
    due_after,
    due_in_doubt,
    goes_on,
    longest_wait,
    outcome,
    why_dead,
)
from systems.spool.record import Queued, Recipient, Standing

NOW = 1_700_000_000_000
DAY = 86_400_000
POLICY = Policy()
ONCE = Policy(delivery="at_most_once")
REFUSED = Answer("b@example.org", Status.PERMANENT, Phase.RECIPIENT, "mx", 550, "5.1.1", "no such user")
LATER = Answer("b@example.org", Status.TEMPORARY, Phase.RECIPIENT, "mx", 450, "4.2.0", "come back")


def message(*recipients: Recipient, at: int = NOW - 1000) -> Queued:
    """A queued message."""
    envelope = Envelope("a@example.com", tuple(one.address for one in recipients))
    return Queued("k", at, envelope, 0, "", recipients, at)


def one(standing: Standing = Standing.WAITING, due: int = NOW, tries: int = 0, doubts: int = 0) -> Recipient:
    """A recipient."""
    return Recipient("b@example.org", standing, due, tries, doubts)


FRESH = one()
LATE = one(due=NOW + 5000, tries=1)
TIRED = one(tries=40)
HANDED = one(Standing.HANDED)
UNSURE = one(Standing.IN_DOUBT, doubts=1)
UNSURE_LATER = one(Standing.IN_DOUBT, due=NOW + 7000, doubts=MOST_DOUBTS)
TOO_UNSURE = one(Standing.IN_DOUBT, doubts=MOST_DOUBTS + 1)
DONE = one(Standing.ACCEPTED)
DEAD = replace(one(Standing.REFUSED), answer=REFUSED)


@pytest.mark.parametrize(
    ("recipients", "step", "word", "once"),
    [
        ([FRESH], Send((0,)), "queued", Send((0,))),
        ([LATE], Wait(NOW + 5000), "retrying", Wait(NOW + 5000)),
        ([TIRED], Bury(), "dead", Bury()),
        ([HANDED], Doubt((0,)), "in_doubt", Doubt((0,))),
        ([UNSURE], Send((0,)), "in_doubt", Keep()),
        ([UNSURE_LATER], Wait(NOW + 7000), "in_doubt", Keep()),
        ([TOO_UNSURE], Keep(), "held", Keep()),
        ([DONE], Finish(), "sent", Finish()),
        ([DEAD], Bury(), "dead", Bury()),
        ([DONE, DEAD], Bury(), "dead", Bury()),
        ([DONE, TIRED], Bury(), "dead", Bury()),
        ([DONE, FRESH, DEAD, FRESH], Send((1, 3)), "queued", Send((1, 3))),
        ([FRESH, LATE], Send((0,)), "retrying", Send((0,))),
        ([FRESH, HANDED], Doubt((1,)), "in_doubt", Doubt((1,))),
        ([FRESH, TOO_UNSURE], Send((0,)), "held", Send((0,))),
        ([LATE, UNSURE_LATER, DEAD], Wait(NOW + 5000), "in_doubt", Wait(NOW + 5000)),
        ([DEAD, TOO_UNSURE], Keep(), "held", Keep()),
        ([DONE, UNSURE], Send((1,)), "in_doubt", Keep()),
    ],
)
def test_the_step_and_the_word_for_it(recipients: list[Recipient], step: Step, word: str, once: Step) -> None:
    """One step and one word for each mixture, and the step where nothing may be sent twice."""
    found = message(*recipients)
    assert decide(found, POLICY, NOW) == step
    assert outcome(found, POLICY, NOW) == Outcome(word)
    assert decide(found, ONCE, NOW) == once


def test_days_are_used_up_only_after_a_try() -> None:
    """A message that waited for long because its system was out of order is not dead: nobody has refused it."""
    old = NOW - 5 * DAY
    assert decide(message(FRESH, at=old), POLICY, NOW) == Send((0,))
    assert decide(message(one(tries=1), at=old), POLICY, NOW) == Bury()
    assert decide(message(one(tries=1), at=old + 1), POLICY, NOW) == Send((0,))


def test_a_clock_that_was_wrong_does_not_keep_a_message() -> None:
    """A time that is farther away than any wait has come."""
    far = NOW + int(longest_wait(POLICY) * 1000)
    assert decide(message(one(due=far)), POLICY, NOW) == Wait(far)
    assert decide(message(one(due=far + 1)), POLICY, NOW) == Send((0,))


standings = st.builds(
    one,
    st.sampled_from(Standing),
    st.integers(0, 2 * NOW),
    st.integers(0, 50),
    st.integers(0, 6),
)


@given(
    st.lists(standings, min_size=1, max_size=5),
    st.sampled_from([POLICY, ONCE]),
    st.integers(0, 2 * NOW),
)
def test_properties_of_any_step(recipients: list[Recipient], policy: Policy, now: int) -> None:
    """Nobody who has it gets it again, and no message is over while somebody may still get it or must be asked."""
    found = message(*recipients)
    step = decide(found, policy, now)
    match step:
        case Send(places):
            assert places
            for place in places:
                assert recipients[place].standing in {Standing.WAITING, Standing.IN_DOUBT}
                assert recipients[place].standing is Standing.WAITING or policy.delivery == "at_least_once"
                assert recipients[place].doubts <= MOST_DOUBTS or recipients[place].standing is Standing.WAITING
        case Doubt(places):
            assert places == found.standing(Standing.HANDED)
        case Wait(until):
            assert until > now
        case Finish():
            assert {each.standing for each in recipients} == {Standing.ACCEPTED}
        case Bury():
            assert not found.standing(Standing.IN_DOUBT, Standing.HANDED)
            assert not any(goes_on(each, found, policy, now) for each in recipients)
        case Keep():
            assert found.standing(Standing.IN_DOUBT)
    assert (outcome(found, policy, now) is Outcome.DEAD) == isinstance(step, Bury)


@given(st.integers(0, 60), st.floats(0, 1))
def test_properties_of_the_next_try(tries: int, jitter: float) -> None:
    """Waits grow from the first to the longest, and jitter makes them at most a fifth shorter."""
    due = due_after(one(tries=tries), Status.TEMPORARY, POLICY, NOW, jitter)
    assert due is not None
    whole = min(300 * 2.0**tries, 4000) * 1000
    assert 0.8 * whole - 1 <= due - NOW <= whole


@given(st.integers(1, 60), st.floats(0, 1))
def test_properties_of_a_doubt(doubts: int, jitter: float) -> None:
    """At least a minute, and never longer than the longest wait, so that its time is believed."""
    assert 60_000 <= due_in_doubt(doubts, NOW, jitter) - NOW <= longest_wait(POLICY) * 1000


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.PERMANENT, Status.NOT_TRIED])
def test_what_needs_no_time(status: Status) -> None:
    """What is over has no next try, and what was not tried keeps its time."""
    assert due_after(FRESH, status, POLICY, NOW, 0.5) is None
    assert due_after(UNSURE, Status.IN_DOUBT, POLICY, NOW, 0.0) == due_in_doubt(2, NOW, 0.0)


def test_why_somebody_will_not_get_it() -> None:
    """What was said last, and how often it was tried."""
    assert why_dead(DEAD) == "550 5.1.1 no such user"
    assert why_dead(one(Standing.REFUSED)) == "refused"
    assert why_dead(replace(TIRED, answer=LATER)) == "given up after 40 tries: 450 4.2.0 come back"
    assert why_dead(one(tries=1)) == "given up after 1 try: no answer"
