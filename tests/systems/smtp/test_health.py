"""When a server is tried, and when again."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_random_exponential

from systems.mail import Reason
from systems.smtp.health import GROW_EVERY, MOST_FAILURES, Cause, Ceiling, Circuit, State, cause_of

times = st.floats(0, 1e9)
jitters = st.floats(0, 1, exclude_max=True)


def failed_again(cause: Cause, tries: int, jitter: float) -> list[float]:
    """The waits after each of some failures, each of which comes as soon as it is allowed."""
    circuit, now, waits = Circuit(), 0.0, []
    for _ in range(tries):
        circuit = circuit.failed(cause, now, jitter)
        waits.append(circuit.until - now)
        now = circuit.until
    return waits


def test_a_circuit_opens_waits_and_lets_one_find_out() -> None:
    """Closed, open until a time, then half-open; what worked closes it."""
    circuit = Circuit()
    assert circuit.state(0) is State.CLOSED
    circuit = circuit.failed(Cause.NETWORK, 100.0, 0.5)
    assert circuit.until == 101.5
    assert (circuit.state(100.0), circuit.state(math.nextafter(101.5, 0))) == (State.OPEN, State.OPEN)
    assert (circuit.state(101.5), circuit.state(9e9)) == (State.HALF_OPEN, State.HALF_OPEN)
    assert circuit.worked() == Circuit()


def test_waits_for_the_network_grow_from_seconds_to_minutes() -> None:
    """Each may be twice as long as the one before, up to five minutes."""
    assert failed_again(Cause.NETWORK, 10, 0.0) == [1.0] * 10
    longest = failed_again(Cause.NETWORK, 12, math.nextafter(1, 0))
    assert longest == pytest.approx([2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300])


def test_waits_after_refused_logins_lock_no_account() -> None:
    """Five minutes at least, an hour at most."""
    assert failed_again(Cause.LOGIN, 7, 0.0) == pytest.approx([300, 600, 1200, 2400, 2880, 2880, 2880])
    longest = failed_again(Cause.LOGIN, 7, math.nextafter(1, 0))
    assert longest == pytest.approx([375, 750, 1500, 3000, 3600, 3600, 3600])


@given(st.integers(1, 40), st.integers())
def test_waits_are_those_of_tenacity(failures: int, seed: int) -> None:
    """With the same random number, `wait_random_exponential` waits as long."""
    attempt = RetryCallState(Retrying(), None, (), {})
    attempt.attempt_number = failures
    before = random.getstate()
    try:
        random.seed(seed)
        wait = wait_random_exponential(multiplier=2, max=300, min=1)(attempt)
    finally:
        random.setstate(before)
    jitter = random.Random(seed).random()
    assert Circuit(failures - 1).failed(Cause.NETWORK, 0.0, jitter).until == pytest.approx(wait)


def test_what_several_sessions_meet_at_once_counts_once() -> None:
    """Ten connections of a server that dies are one failure; so are ten refused logins."""
    circuit = Circuit().failed(Cause.NETWORK, 0.0, 0.9)
    assert circuit.failed(Cause.NETWORK, 1.0, 0.9) is circuit
    refused = Circuit().failed(Cause.LOGIN, 0.0, 0.0)
    assert refused.failed(Cause.LOGIN, 1.0, 0.0) is refused
    assert refused.failed(Cause.NETWORK, 1.0, 0.0) is refused


def test_a_refused_login_goes_before_the_network() -> None:
    """It opens a circuit for longer, although it is open."""
    circuit = Circuit().failed(Cause.NETWORK, 0.0, 0.9).failed(Cause.LOGIN, 1.0, 0.0)
    assert (circuit.cause, circuit.logins, circuit.until) == (Cause.LOGIN, 1, 301.0)


def test_a_lost_network_does_not_make_refused_logins_forgotten() -> None:
    """The second refused login waits twice as long as the first, whatever came between."""
    circuit = Circuit().failed(Cause.LOGIN, 0.0, 0.0).failed(Cause.NETWORK, 300.0, 0.0)
    assert (circuit.cause, circuit.until) == (Cause.NETWORK, 301.0)
    circuit = circuit.failed(Cause.LOGIN, 301.0, 0.0)
    assert (circuit.logins, circuit.until) == (2, 901.0)


def test_only_a_refused_login_wants_patience() -> None:
    """One that the server cannot check now, and all other faults, may heal soon."""
    assert [reason for reason in Reason if cause_of(reason) is Cause.LOGIN] == [Reason.LOGIN_REFUSED]


events = st.tuples(st.sampled_from([*Cause, None]), st.floats(0, 5000), jitters)


@given(st.lists(events, max_size=30))
def test_a_circuit_is_never_open_for_longer_than_its_longest_wait(
    story: list[tuple[Cause | None, float, float]],
) -> None:
    """Over all stories: waits have bounds, failures are counted, and what worked closes."""
    circuit, now = Circuit(), 0.0
    for cause, later, jitter in story:
        now += later
        circuit = circuit.worked() if cause is None else circuit.failed(cause, now, jitter)
        assert (circuit.state(now) is State.CLOSED) == (cause is None)
        if circuit.cause is not None:
            longest = 3600 if circuit.cause is Cause.LOGIN else 300
            assert now < circuit.until <= now + longest
            assert circuit.state(circuit.until) is State.HALF_OPEN


@given(st.lists(events, max_size=12), times, times, st.floats(0, 1e6))
def test_a_stored_circuit_goes_on_where_it_was(
    story: list[tuple[Cause | None, float, float]], now: float, wall: float, later: float
) -> None:
    """After a restart, with another clock, the rest of the wait is left; a closed one stays closed."""
    circuit = Circuit()
    for cause, before, jitter in story:
        circuit = circuit.worked() if cause is None else circuit.failed(cause, now - before, jitter)
    stored = json.loads(json.dumps(circuit.plain(now, wall)))
    again = Circuit.stored(stored, 50.0, wall + later)
    assert (again.faults, again.logins, again.cause) == (circuit.faults, circuit.logins, circuit.cause)
    if circuit.cause is not None:
        assert again.until - 50.0 == pytest.approx(max(0.0, circuit.until - now - later), abs=1e-3)


@pytest.mark.parametrize(("cause", "longest"), [(Cause.LOGIN, 375), (Cause.NETWORK, 2)])
@pytest.mark.parametrize("jump", [-1e9, -7200, 7200, 1e9])
def test_a_time_of_day_that_was_set_does_not_hold_mail_back(cause: Cause, longest: float, jump: float) -> None:
    """A restored wait is at most the longest that this failure may bring."""
    circuit = Circuit().failed(cause, 0.0, 0.5)
    again = Circuit.stored(circuit.plain(0.0, 1.7e9), 0.0, 1.7e9 + jump)
    assert again.until == (longest if jump < 0 else 0.0)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"faults": 1, "logins": 0, "cause": "weather", "until": 5.0},
        {"faults": "1", "logins": 0, "cause": "network", "until": 5.0},
        {"faults": 1, "logins": -1, "cause": "network", "until": 5.0},
        {"faults": MOST_FAILURES + 1, "logins": 0, "cause": "network", "until": 5.0},
        {"faults": 1, "logins": 0, "cause": "network", "until": None},
        {"faults": 1, "logins": 0, "cause": None, "until": 5.0},
    ],
)
def test_values_that_are_no_circuit_are_a_closed_one(values: Mapping[str, object]) -> None:
    """What cannot be understood is no reason to send nothing."""
    assert Circuit.stored(values, 0.0, 0.0) == Circuit()


@pytest.mark.parametrize("until", [math.nan, math.inf, -math.inf])
def test_a_stored_time_that_is_none_is_bounded(until: float) -> None:
    """It is over, or the longest wait."""
    values = {"faults": 0, "logins": 1, "cause": "login", "until": until}
    assert Circuit.stored(values, 7.0, 0.0).until in {7.0, 7.0 + 375.0}


def test_failures_are_counted_up_to_a_bound() -> None:
    """A server that is away for years does not make numbers grow."""
    assert Circuit(MOST_FAILURES).failed(Cause.NETWORK, 0.0, 0.0).faults == MOST_FAILURES
    assert Circuit(0, MOST_FAILURES).failed(Cause.LOGIN, 0.0, 0.0).logins == MOST_FAILURES


def test_a_crowded_server_is_given_half_and_more_again_slowly() -> None:
    """Half of the connections, one more each minute, up to those configured."""
    ceiling = Ceiling().crowded(10, 99.0, 100.0)
    minutes = [100.0 + GROW_EVERY * minute for minute in range(7)]
    assert [ceiling.at(now, 10) for now in minutes] == [5, 6, 7, 8, 9, 10, 10]
    assert ceiling.at(math.nextafter(160.0, 0), 10) == 5
    assert ceiling.grows_at(100.0) == 160.0
    assert ceiling.grows_at(160.0) == 220.0
    assert ceiling.at(0.0, 10) == 5


def test_an_untried_server_has_no_ceiling() -> None:
    """All connections may be there."""
    assert Ceiling().at(0.0, 10) == 10
    assert Ceiling().grows_at(0.0) is None


def test_what_several_connections_hear_at_once_halves_once() -> None:
    """Those that began before say nothing new; the next one that is refused does. One connection always stays."""
    ceiling = Ceiling().crowded(10, 99.0, 100.0)
    assert ceiling.crowded(9, 99.5, 100.5) is ceiling
    assert ceiling.crowded(5, 100.0, 101.0) == Ceiling(2, 101.0)
    assert Ceiling().crowded(1, 0.0, 0.0).most == 1
    assert Ceiling().crowded(0, 0.0, 0.0).most == 1


@given(times, st.floats(0, 1e5), st.integers(1, 100))
def test_the_next_growth_is_later_and_then_has_come(since: float, later: float, most: int) -> None:
    """`grows_at` is after now, and at that time there is room for one more."""
    ceiling = Ceiling(most, since)
    now = since + later
    grows = ceiling.grows_at(now)
    assert grows is not None
    assert grows > now
    assert ceiling.at(grows, 10**9) > ceiling.at(now, 10**9)
