from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailweir.web.pages.window_series import Step, begin_of, by_minute, series_of, thinned, value_at
from pipeline.state.steady import HOUR, frees_at, over_up_to
from pipeline.state.views import Discarded, Freeing, LimitChange

NOW = 1_800_000_000.0


def test_a_message_counts_for_an_hour() -> None:
    """From the second in which it was taken, up to an hour later; what is on its way counts now."""
    series = series_of(NOW - 7200, NOW, [Freeing(NOW - 7000, 2), Freeing(NOW - 100, 1)], 3, 10, [], [])
    assert series.used == (
        Step(NOW - 7200, 0),
        Step(NOW - 7000, 2),
        Step(NOW - 3400, 0),
        Step(NOW - 100, 1),
        Step(NOW, 4),
    )
    assert (series.now, series.trend, series.highest) == (4, "rising", 10)


def test_what_was_taken_before_the_picture_begins_counts_in_it() -> None:
    """Its hour goes on."""
    series = series_of(NOW - 3600, NOW, [Freeing(NOW - 3601, 5), Freeing(NOW - 7300, 1)], 0, 10, [], [])
    assert series.used == (Step(NOW - 3600, 5), Step(NOW - 1, 0), Step(NOW, 0))
    assert series.trend == "falling"


@given(st.lists(st.integers(-9000, 0), max_size=40), st.integers(0, 3))
def test_the_line_is_what_the_limiter_goes_by(seconds: list[int], in_flight: int) -> None:
    """At each second it is the sum of the stamps that count then, properties of the window."""
    base = 100_000
    stamps = [base + second for second in seconds]
    series = series_of(NOW - 5000, NOW, [Freeing(NOW + second, 1) for second in seconds], in_flight, 9, [], [])
    for ago in range(1, 5000, 7):
        steady = float(base - ago)
        counted = sum(over_up_to(steady) < stamp <= steady for stamp in stamps)
        assert value_at(series.used, NOW - ago) == counted
        assert counted == sum(stamp <= steady < frees_at(stamp) for stamp in stamps)
    assert series.now == in_flight + sum(over_up_to(float(base)) < stamp for stamp in stamps)


def test_the_limit_has_a_history() -> None:
    """With that of before the picture begins, and today's where no decision has used it yet."""
    changes = [LimitChange(NOW - 50, 20), LimitChange(NOW - 9000, 5), LimitChange(NOW - 8000, 10)]
    assert series_of(NOW - 3600, NOW, [], 0, 20, changes, []).limits == (Step(NOW - 3600, 10), Step(NOW - 50, 20))
    assert series_of(NOW - 3600, NOW, [], 0, 7, changes, []).limits[-1] == Step(NOW, 7)
    assert series_of(NOW - 3600, NOW, [], 0, 7, [], []).limits == (Step(NOW - 3600, 7),)


def test_a_message_above_the_limit_is_a_fault() -> None:
    """One that was taken above it is flagged; what counts above it only because it was lowered is none."""
    begin = NOW - 3600
    three = [Freeing(NOW - 3000 + at, 1) for at in range(3)]
    assert series_of(begin, NOW, three, 0, 2, [], []).broken == (Step(NOW - 2998, 3),)
    assert series_of(begin, NOW, three, 0, 3, [], []).broken == ()
    lowered = [LimitChange(NOW - 9000, 3), LimitChange(NOW - 2000, 1)]
    assert series_of(begin, NOW, three, 0, 1, lowered, []).broken == ()
    # It was on its way already.
    late = [*three[:2], Freeing(NOW - 1990, 1)]
    assert series_of(begin, NOW, late, 0, 1, lowered, []).broken == ()
    assert series_of(begin, NOW, [*three, Freeing(NOW - 1000, 1)], 0, 1, lowered, []).broken == (Step(NOW - 1000, 4),)


def test_a_picture_begins_where_an_hour_is_known() -> None:
    """Counts are kept for a week, so the first hour of it cannot be drawn."""
    assert begin_of(HOUR, NOW) == NOW - HOUR
    assert begin_of(7 * 86_400, NOW) == NOW - 7 * 86_400 + HOUR


@given(st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 50)), min_size=1, max_size=300), st.integers(1, 20))
def test_thinning_keeps_what_stands_out(values: list[tuple[float, int]], columns: int) -> None:
    """The properties of a line stay: its ends, its highest and its lowest value, and the order."""
    steps = tuple(Step(at, value) for at, value in sorted(values, key=lambda one: one[0]))
    kept = list(thinned(steps, 0, 1000, columns))
    assert (kept[0], kept[-1]) == (steps[0], steps[-1])
    assert [step.at for step in kept] == sorted(step.at for step in kept)
    assert max(step.value for step in kept) == max(step.value for step in steps)
    assert min(step.value for step in kept) == min(step.value for step in steps)
    assert len(kept) <= 4 * columns


def test_places_that_come_free_are_counted_by_minute() -> None:
    """Each minute with its beginning."""
    found = by_minute([Freeing(60.0, 1), Freeing(119.9, 2), Freeing(300.5, 4)])
    assert found == [Freeing(60.0, 3), Freeing(300.0, 4)]


def test_discarded_mail_is_counted() -> None:
    """All of it."""
    series = series_of(NOW - 60, NOW, [], 0, 1, [], [Discarded(NOW - 9, NOW - 8, 3), Discarded(NOW, NOW, 1)])
    assert series.thrown == 4
