"""Who passes the gate, who waits, who is too many."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from pipeline.state.gate import Count, Ready, sort

NEW = Ready(1, passed=False)
BACK = Ready(1, passed=True)


def test_what_fits_goes_and_the_rest_is_too_many() -> None:
    """In order: the first ones that are due take the places."""
    chosen = sort(Count(limit=3, in_flight=1, stamped=0), [NEW] * 4, "discard")
    assert (chosen.go, chosen.too_many, chosen.wait) == ([0, 1], [2, 3], [])


def test_a_queue_waits() -> None:
    """With `queue` nothing is ever too many."""
    chosen = sort(Count(limit=1, in_flight=0, stamped=0), [NEW] * 3, "queue")
    assert (chosen.go, chosen.wait, chosen.too_many) == ([0], [1, 2], [])


def test_what_was_let_through_once_is_not_thrown_away() -> None:
    """A message on a further try waits for a place, while new ones behind it are too many."""
    chosen = sort(Count(limit=1, in_flight=1, stamped=0), [BACK, NEW], "discard")
    assert (chosen.go, chosen.wait, chosen.too_many) == ([], [0], [1])


def test_nothing_overtakes_what_waits() -> None:
    """A small message behind a large one that waits goes after it, and is not thrown away while a place is free."""
    large = Ready(3, passed=True)
    chosen = sort(Count(limit=4, in_flight=2, stamped=0), [large, NEW, NEW, NEW], "discard")
    assert (chosen.go, chosen.wait, chosen.too_many) == ([], [0, 1, 2], [3])


def test_what_never_fits_is_said() -> None:
    """More places than any hour has are no matter of waiting; a limit of 0 is one of configuration."""
    assert sort(Count(limit=2, in_flight=0, stamped=0), [Ready(3, passed=False)], "queue").never == [0]
    assert sort(Count(limit=0, in_flight=0, stamped=0), [NEW], "queue").wait == [0]
    assert sort(Count(limit=0, in_flight=0, stamped=0), [NEW], "discard").too_many == [0]


def test_a_message_that_may_have_had_a_place_is_not_thrown_away() -> None:
    """While it is not known how old stamps are, as many wait as might have a place."""
    chosen = sort(Count(limit=5, in_flight=1, stamped=4, doubted=2), [NEW] * 4, "discard")
    assert (chosen.go, chosen.wait, chosen.too_many) == ([], [0, 1], [2, 3])


def test_a_lowered_limit_has_no_place() -> None:
    """What is over the limit already makes no negative places."""
    count = Count(limit=2, in_flight=1, stamped=4)
    assert (count.used, count.free, count.perhaps_free) == (5, 0, 0)
    assert sort(count, [NEW], "discard").too_many == [0]


@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=30),
    st.sampled_from(["discard", "queue"]),
)
def test_properties_of_sorting(
    limit: int,
    in_flight: int,
    stamped: int,
    doubted: int,
    messages: list[tuple[int, bool]],
    on_limit: Literal["discard", "queue"],
) -> None:
    """Each message is in one list, in order; no place is given twice; nothing is too many that might fit."""
    count = Count(limit, in_flight, stamped, min(doubted, stamped))
    ready = [Ready(*message) for message in messages]
    chosen = sort(count, ready, on_limit)
    lists = (chosen.go, chosen.wait, chosen.too_many, chosen.never)
    assert sorted(index for some in lists for index in some) == list(range(len(ready)))
    assert all(some == sorted(some) for some in lists)
    taken = sum(ready[index].places for index in chosen.go)
    assert taken <= count.free
    for index in chosen.too_many:
        assert on_limit == "discard"
        assert not ready[index].passed
        before = sum(ready[each].places for each in (*chosen.go, *chosen.wait) if each < index)
        assert before + ready[index].places > count.perhaps_free or any(
            ready[each].passed for each in chosen.wait if each < index
        )
    if not chosen.wait and not chosen.too_many and not chosen.never:
        assert len(chosen.go) == len(ready)
