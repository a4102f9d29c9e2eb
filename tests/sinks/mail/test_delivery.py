"""What becomes of a message, recipient by recipient."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.state.facts import MessageState
from sinks.mail import delivery
from sinks.mail.delivery import Policy, Standing, Step, Times
from systems.mail import Answer, Phase, Status

QUEUED, RETRYING, IN_DOUBT = MessageState.QUEUED, MessageState.RETRYING, MessageState.IN_DOUBT
SENT, DEAD, HELD, EXPIRED = MessageState.SENT, MessageState.DEAD, MessageState.HELD, MessageState.EXPIRED
PATIENT = Policy()
ONCE = Policy("at_most_once")
NOW = 1000.0


def answer(status: Status, code: int | None = None, text: str = "") -> Answer:
    """What a mail system says of a recipient."""
    return Answer("ann@example.com", status, Phase.DOT, "mx.example.com", code, "", text)


def tried(
    standings: Sequence[Standing],
    *statuses: Status,
    policy: Policy = PATIENT,
    now: float = NOW,
    expires: float | None = None,
    jitter: float = 1.0,
) -> Step:
    """A try for all that are due."""
    due = min(standing.due for standing in standings if standing.due is not None)
    answers = [answer(status) for status in statuses]
    return delivery.step(standings, delivery.due_by(standings, due), answers, policy, Times(expires, now), jitter)


FRESH = Standing(due=NOW)
DOUBTED = Standing(IN_DOUBT, NOW, tries=1, doubts=1, began=NOW)


@pytest.mark.parametrize("before", [FRESH, Standing(RETRYING, NOW, tries=1), DOUBTED])
def test_accepted_is_sent(before: Standing) -> None:
    """From wherever it stood."""
    step = tried([before], Status.ACCEPTED)
    assert (step.state, step.due, step.used) == (SENT, None, 1)
    assert step.standings[0].tries == before.tries + 1


@pytest.mark.parametrize(
    ("before", "after"), [(FRESH, DEAD), (Standing(RETRYING, NOW, tries=1), DEAD), (DOUBTED, IN_DOUBT)]
)
def test_refused_for_good_is_the_end(before: Standing, after: MessageState) -> None:
    """But what was once in doubt may have arrived, and is never called dead."""
    step = tried([before], Status.PERMANENT)
    assert (step.state, step.due, step.used) == (after, None, 0)


def test_turned_away_for_now_it_waits_longer_each_time() -> None:
    """5 minutes, 10, 20, 40, and from then on 4,000 seconds."""
    standings: tuple[Standing, ...] = (FRESH,)
    now, waits = NOW, []
    for _ in range(7):
        step = tried(standings, Status.TEMPORARY, now=now)
        assert step.state is RETRYING
        assert step.due is not None
        waits.append(step.due - now)
        standings, now = step.standings, step.due
    assert waits == [300, 600, 1200, 2400, 4000, 4000, 4000]


def test_chance_takes_a_fifth_off_at_most() -> None:
    """So that what was turned away together does not come back together."""
    assert PATIENT.wait(1, 0.0) == pytest.approx(240)
    assert PATIENT.wait(1, 0.5) == pytest.approx(270)
    assert PATIENT.wait(50, 0.0) == pytest.approx(3200)


def test_the_waits_can_be_set() -> None:
    """All of them."""
    policy = Policy(first_wait=1, longest_wait=3, give_up_after=10)
    assert [policy.wait(tries, 1.0) for tries in (1, 2, 3, 4)] == [1, 2, 3, 3]
    before = [Standing(RETRYING, NOW, tries=1, began=NOW)]
    assert tried(before, Status.TEMPORARY, policy=policy, now=NOW + 9.5).due == NOW + 10
    assert tried(before, Status.TEMPORARY, policy=policy, now=NOW + 10).state is DEAD


def test_the_last_try_is_made_five_days_after_the_first() -> None:
    """Not a wait earlier; then the tries are used up."""
    days = 5 * 24 * 3600.0
    step = tried([Standing(RETRYING, NOW, tries=1, began=NOW)], Status.TEMPORARY, now=NOW + days - 100)
    assert step.due == NOW + days
    last = tried(step.standings, Status.TEMPORARY, now=NOW + days)
    assert (last.state, last.due) == (DEAD, None)


def test_what_waited_long_for_its_first_try_has_all_of_its_tries() -> None:
    """For a limit, or a system in trouble: a server that greylists turns everybody away once."""
    week = 7 * 24 * 3600.0
    waited = tried([FRESH], Status.NOT_TRIED, now=NOW + week)
    step = tried(waited.standings, Status.TEMPORARY, now=NOW + week)
    assert (step.state, step.due) == (RETRYING, NOW + week + 300)


def test_used_up_after_a_doubt_is_doubt() -> None:
    """Nobody knows whether the copy in doubt arrived."""
    last = tried([DOUBTED], Status.TEMPORARY, now=NOW + 5 * 24 * 3600)
    assert (last.state, last.due) == (IN_DOUBT, None)


def test_a_message_that_would_come_too_late_is_expired_now() -> None:
    """A try that could only be made after it expires is not waited for."""
    assert tried([FRESH], Status.TEMPORARY, expires=NOW + 301).state is RETRYING
    assert tried([FRESH], Status.TEMPORARY, expires=NOW + 300).state is EXPIRED
    assert tried([DOUBTED], Status.TEMPORARY, expires=NOW + 300).state is IN_DOUBT


def test_expired_while_it_waited() -> None:
    """Whom a server had taken it for has it; for the others it is too late."""
    step = delivery.overdue([FRESH, DOUBTED, Standing(SENT, None), Standing(DEAD, None)])
    assert [standing.state for standing in step.standings] == [EXPIRED, IN_DOUBT, SENT, DEAD]
    assert (step.due, step.used) == (None, 0)


def test_in_doubt_is_tried_again_behind_all_others_and_not_for_ever() -> None:
    """A minute later, three times; then a person decides. That makes four copies at most."""
    standings: tuple[Standing, ...] = (FRESH,)
    now = NOW
    for _ in range(3):
        step = tried(standings, Status.IN_DOUBT, now=now)
        assert (step.state, step.due, step.used) == (IN_DOUBT, now + 60, 1)
        standings, now = step.standings, now + 60
    last = tried(standings, Status.IN_DOUBT, now=now)
    assert (last.state, last.due) == (HELD, None)
    assert last.standings[0].doubts == 4


def test_once_at_most_is_never_tried_again() -> None:
    """In doubt it stays in doubt, and it counts."""
    step = tried([FRESH], Status.IN_DOUBT, policy=ONCE)
    assert (step.state, step.due, step.used) == (IN_DOUBT, None, 1)


@pytest.mark.parametrize("before", [FRESH, Standing(RETRYING, NOW, tries=2), DOUBTED])
def test_what_was_not_tried_is_charged_nothing(before: Standing) -> None:
    """It stands as it stood and is due at once, behind what waits already."""
    step = tried([before], Status.NOT_TRIED, now=NOW + 5)
    assert step.standings == (before._replace(due=NOW + 5),)
    assert (step.state, step.used) == (before.state, 0)


def test_each_recipient_has_its_own_answer() -> None:
    """Those who have it are done; the next try is for those whose time has come."""
    step = tried([FRESH] * 4, Status.ACCEPTED, Status.TEMPORARY, Status.PERMANENT, Status.IN_DOUBT)
    assert [standing.state for standing in step.standings] == [SENT, RETRYING, DEAD, IN_DOUBT]
    assert (step.state, step.due, step.pending, step.used) == (IN_DOUBT, NOW + 60, 1, 2)
    assert delivery.due_by(step.standings, NOW + 60) == (3,)
    later = tried(step.standings, Status.ACCEPTED, now=NOW + 60)
    assert (later.state, later.due, later.pending) == (RETRYING, NOW + 300, 1)
    done = tried(later.standings, Status.PERMANENT, now=NOW + 300)
    assert [standing.state for standing in done.standings] == [SENT, DEAD, DEAD, SENT]
    assert done.state is SENT


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ((SENT, DEAD, EXPIRED), SENT),
        ((SENT, HELD, DEAD), HELD),
        ((SENT, IN_DOUBT), IN_DOUBT),
        ((DEAD, EXPIRED), EXPIRED),
        ((DEAD, DEAD), DEAD),
        ((HELD, IN_DOUBT), HELD),
    ],
)
def test_the_word_of_a_settled_message(states: tuple[MessageState, ...], word: MessageState) -> None:
    """What calls for a person comes first; one who has it makes it sent."""
    assert delivery.overdue([Standing(state, None) for state in states]).state is word


def test_an_answer_for_who_does_not_wait_is_a_wrong_call() -> None:
    """It would send a settled recipient round again."""
    with pytest.raises(ValueError, match="does not wait"):
        delivery.step([Standing(SENT, None)], (0,), [answer(Status.ACCEPTED)], PATIENT, Times(None, NOW), 0.5)
    with pytest.raises(ValueError, match="zip"):
        delivery.step([FRESH], (0,), [], PATIENT, Times(None, NOW), 0.5)


def test_a_person_can_have_it_sent_once_more() -> None:
    """To all who do not have it, as if for the first time; what is known of doubts stays known."""
    before = [Standing(SENT, None, 1), Standing(DEAD, None, 3, code=550), Standing(HELD, None, 4, 4)]
    step = delivery.once_more(before, NOW)
    assert step is not None
    assert step.standings == (before[0], Standing(QUEUED, NOW), Standing(QUEUED, NOW, doubts=4))
    assert (step.state, step.due, step.pending) == (QUEUED, NOW, 2)
    assert tried(step.standings, Status.ACCEPTED, Status.IN_DOUBT).state is HELD
    assert delivery.once_more(before[:1], NOW) is None


def test_what_a_server_said_is_kept() -> None:
    """Its code and words, and where it came to that."""
    said = Answer("a@example.com", Status.PERMANENT, Phase.RECIPIENT, "mx", 550, "5.1.1", "no «such» user\n")
    step = delivery.step([FRESH], (0,), [said], PATIENT, Times(None, NOW), 0.5)
    text = delivery.result_of(step.standings)
    assert delivery.standings_of(text, 1, 0.0) == (
        Standing(DEAD, None, 1, 0, 550, "5.1.1", "no «such» user\n", "mx", "recipient", NOW),
    )


def test_what_nobody_tried_stands_at_the_start() -> None:
    """A message without a result waits for all of its recipients."""
    assert delivery.standings_of("", 2, 7.0) == (Standing(due=7.0), Standing(due=7.0))


statuses = st.sampled_from(list(Status))


@given(
    st.integers(1, 4),
    st.lists(
        st.tuples(st.lists(statuses, min_size=4, max_size=4), st.floats(0, 5000), st.floats(0, 0.999)), max_size=25
    ),
    st.sampled_from([PATIENT, ONCE, replace(PATIENT, more_in_doubt=0)]),
    st.none() | st.floats(0, 600_000),
)
def test_properties_of_every_way_of_a_message(
    people: int, rounds: list[tuple[list[Status], float, float]], policy: Policy, expires: float | None
) -> None:
    """Whatever is answered, however late: no recipient vanishes, none that has it gets it again, none too often."""
    standings: tuple[Standing, ...] = (FRESH,) * people
    limit = None if expires is None else NOW + expires
    copies, charged = [0] * people, [0] * people
    now = due = NOW
    for answers, late, jitter in rounds:
        now = due + late
        if limit is not None and now >= limit:
            step = delivery.overdue(standings)
            assert step.due is None
            assert all(standing.state is EXPIRED or standing.state is not QUEUED for standing in step.standings)
            standings = step.standings
            break
        places = delivery.due_by(standings, due)
        assert places
        given_ = [answer(answers[place]) for place in places]
        step = delivery.step(standings, places, given_, policy, Times(limit, now), jitter)
        for place in range(people):
            before, after = standings[place], step.standings[place]
            if place not in places:
                assert after == before
                continue
            status = answers[place]
            copies[place] += status in {Status.ACCEPTED, Status.IN_DOUBT}
            charged[place] += status is not Status.NOT_TRIED
            assert after.tries == charged[place]
            if after.due is not None:
                least = {Status.IN_DOUBT: 60.0, Status.TEMPORARY: 0.0, Status.NOT_TRIED: 0.0}[status]
                assert after.due >= now + least
                assert after.due <= now + policy.longest_wait
            if after.doubts:
                assert after.state in {IN_DOUBT, HELD, SENT}
            if status is Status.ACCEPTED:
                assert after.state is SENT
        assert step.used == sum(answers[place] in {Status.ACCEPTED, Status.IN_DOUBT} for place in places)
        assert (step.due is None) == all(standing.due is None for standing in step.standings)
        assert step.pending == len(delivery.due_by(step.standings, -math.inf if step.due is None else step.due))
        assert delivery.standings_of(delivery.result_of(step.standings), people, 0.0) == step.standings
        standings = step.standings
        if step.due is None:
            break
        due = step.due
    most = 1 if policy.delivery == "at_most_once" else 1 + policy.more_in_doubt
    assert all(many <= most for many in copies)
    assert len(standings) == people


@given(st.randoms(use_true_random=False))
def test_properties_of_giving_up(chance: random.Random) -> None:
    """A server that always says later is asked for five days, and not one second longer."""
    standings: tuple[Standing, ...] = (FRESH,)
    now, tries = NOW, 0
    while (step := tried(standings, Status.TEMPORARY, now=now, jitter=chance.random())).due is not None:
        assert step.due > now
        standings, now = step.standings, step.due
        tries += 1
    assert now == NOW + 5 * 24 * 3600
    assert step.state is DEAD
    assert 105 <= tries <= 145
