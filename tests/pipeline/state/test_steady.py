"""The state's own clock."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pipeline.state import steady
from pipeline.state.steady import HOUR, Bearings, Reading


def reading(boot: float, wall: float, boot_id: str = "one", *, right: bool = True) -> Reading:
    """What the clocks show."""
    return Reading(boot_id, boot, wall, right)


def begun(*, right: bool = True) -> Bearings:
    """The bearings of a state that was made 1000 seconds after the machine started."""
    return steady.first(reading(1000.0, 50_000.0, right=right))


def test_while_the_machine_runs_it_is_the_boot_clock() -> None:
    """The wall clock has no part in it."""
    found = begun()
    assert steady.steady(found, 1000.0) == 1000.0
    assert steady.steady(found, 1234.5) == 1234.5
    assert not steady.restarted(found, "one", 1234.5)


def test_it_never_goes_back() -> None:
    """What is on record is the least that it shows, whatever a clock says."""
    found = steady.noted(begun(), 2000.0)
    assert steady.steady(found, 1500.0) == 2000.0


def test_a_restart_is_seen_by_its_name() -> None:
    """Another start of the machine, or another machine; where starts have no names, by a clock that went back."""
    found = steady.noted(begun(), 2000.0)
    assert steady.restarted(found, "two", 5000.0)
    nameless = steady.noted(steady.first(reading(1000.0, 50_000.0, "")), 2000.0)
    assert steady.restarted(nameless, "", 3.0)
    assert not steady.restarted(nameless, "", 2001.0)


def test_a_restart_between_right_wall_clocks_is_exact() -> None:
    """The time that the machine was off has passed, and nothing is unsure."""
    found = steady.noted(begun(), 2000.0)
    after = steady.resumed(found, reading(5.0, 50_000.0 + 1000.0 + 600.0, "two"), None)
    assert steady.steady(after, 5.0) == 2600.0
    assert after.boundary is None
    assert steady.steady(after, 65.0) == 2660.0


def test_a_wall_clock_that_went_back_over_a_restart_takes_no_time_back() -> None:
    """Steady time goes on from what is on record."""
    found = steady.noted(begun(), 2000.0)
    after = steady.resumed(found, reading(5.0, 10.0, "two"), None)
    assert steady.steady(after, 5.0) == 2000.0


def test_a_wall_clock_that_nothing_holds_right_moves_nothing() -> None:
    """A day ahead or a day behind: no time has passed, and what was stamped before may be older."""
    for before, now in ((True, False), (False, True), (False, False)):
        found = steady.noted(begun(right=before), 2000.5)
        after = steady.resumed(found, reading(5.0, 50_000.0 + 86_400.0, "two", right=now), None)
        assert steady.steady(after, 5.0) == 2000.5
        assert after.boundary == 2001
        assert steady.second_of(after, 2000.7) == 2002


def test_once_the_wall_clock_is_held_right_all_is_exact_again() -> None:
    """It is asked for as long as that helps, and tells how much older the stamps from before are."""
    found = steady.noted(begun(), 2000.0)
    after = steady.resumed(found, reading(5.0, 0.0, "two", right=False), None)
    assert steady.should_ask(after, 2010.0)
    waiting, older = steady.resolved(after, reading(15.0, 0.0, "two", right=False), 2010.0)
    assert (waiting.boundary, older) == (2000, 0)
    # The machine was off for 595 seconds and runs for 15 when the clock is set right.
    known, older = steady.resolved(waiting, reading(15.0, 51_000.0 + 595.0 + 15.0, "two"), 2010.0)
    assert (known.boundary, older) == (None, 600)
    assert steady.steady(known, 15.0) == 2010.0


def test_unsureness_ends_with_the_hour() -> None:
    """What was stamped before a restart counts no more then, so nothing is left to be unsure of."""
    found = steady.resumed(steady.noted(begun(right=False), 2000.0), reading(5.0, 0.0, "two", right=False), None)
    assert steady.noted(found, 2000.0 + HOUR - 1).boundary == 2000
    assert steady.noted(found, 2000.0 + HOUR).boundary is None


def test_what_was_stamped_is_before_the_boundary() -> None:
    """A stamp is rounded up, so it may be later than the time on record."""
    found = steady.resumed(steady.noted(begun(right=False), 2000.0), reading(5.0, 0.0, "two", right=False), 2002)
    assert found.boundary == 2002
    assert steady.second_of(found, 2000.0) == 2003


def test_of_two_restarts_in_the_dark_nobody_knows_which_took_how_long() -> None:
    """What a right clock says then is not put down to either; the hour ends it."""
    once = steady.resumed(steady.noted(begun(), 2000.0), reading(5.0, 0.0, "two", right=False), None)
    twice = steady.resumed(steady.noted(once, 2100.0), reading(5.0, 0.0, "three", right=False), None)
    assert (twice.boundary, twice.before) == (2100, None)
    known, older = steady.resolved(twice, reading(6.0, 90_000.0, "three"), 2101.0)
    assert (known.boundary, older) == (2100, 0)


def test_the_wall_clock_is_asked_for_now_and_then() -> None:
    """Its difference is known only while it is held right: a clock that nothing corrects drifts."""
    found = begun()
    assert not steady.should_ask(found, 1059.0)
    assert steady.should_ask(found, 1060.0)
    wrong, _ = steady.resolved(found, reading(1060.0, 99_999.0, right=False), 1060.0)
    assert wrong.anchor is None
    assert not steady.should_ask(wrong, 1061.0)
    right, _ = steady.resolved(found, reading(1060.0, 50_061.0), 1060.0)
    assert right.anchor == 50_061.0 - 1060.0


def test_a_second_is_rounded_up() -> None:
    """A stamp counts up to a second longer than it could, never shorter."""
    found = begun()
    assert steady.second_of(found, 1000.0) == 1000
    assert steady.second_of(found, 1000.001) == 1001
    assert steady.frees_at(1001) == 4601.0
    assert steady.over_up_to(4600.999) == 1000
    assert steady.over_up_to(4601.0) == 1001


@given(st.floats(0, 1e9), st.floats(0, 2 * HOUR))
def test_properties_of_an_hour(at: float, later: float) -> None:
    """A stamp counts for the whole hour after it, and for less than two seconds more."""
    second = steady.second_of(begun(), at)
    over = second <= steady.over_up_to(at + later)
    if later < HOUR:
        assert not over
    if later >= HOUR + 2:
        assert over
    assert steady.over_up_to(steady.frees_at(second)) == second
    assert steady.over_up_to(math.nextafter(steady.frees_at(second), 0)) < second
