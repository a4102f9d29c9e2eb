"""What follows when an entity fails."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.failing import Fate, Streak, Tolerance, fate


def test_without_retries_it_is_dead_at_once() -> None:
    """Unless some may wait nothing is tried again."""
    assert fate(Tolerance(retries=5), 0, 0) is Fate.DEAD


def test_retries_end() -> None:
    """So many later runs try, then it is dead; without any it is dead at once."""
    tolerance = Tolerance(may_wait=10, retries=2)
    assert [fate(tolerance, tries, 0) for tries in range(4)] == [Fate.WAITS, Fate.WAITS, Fate.DEAD, Fate.DEAD]
    assert fate(Tolerance(may_wait=10, retries=0), 0, 0) is Fate.DEAD


@given(st.integers(1, 50), st.integers(0, 100))
def test_room(may_wait: int, waiting: int) -> None:
    """No more wait than may; who is dead needs no room."""
    tolerance = Tolerance(may_wait=may_wait, retries=1)
    assert fate(tolerance, 0, waiting) is (Fate.WAITS if waiting < may_wait else Fate.NO_ROOM)
    assert fate(tolerance, 1, waiting) is Fate.DEAD


@given(st.integers(1, 5), st.lists(st.booleans()))
def test_streak(most: int, passes: list[bool]) -> None:
    """It ends the run at the first time that so many have failed in a row, and not before."""
    streak = Streak(most)
    told = []
    for passed in passes:
        told.append(not passed and streak.failed())
        if passed:
            streak.passed()
    wanted = [at >= most - 1 and not any(passes[at - most + 1 : at + 1]) for at in range(len(passes))]
    assert told == wanted


def test_no_limit_in_a_row() -> None:
    """Unless the pump says so a run never stops for entities that fail."""
    streak = Streak(0)
    assert not any(streak.failed() for _ in range(1000))
