"""Truth, lists, equality and order."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dtl.values import compared, distinct, equal, first, in_order, is_true, key_of, listed, same
from pipeline.entity import NI, URI, Datetime

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(-3, 3).map(lambda number: round(number, 1)),
    st.decimals(-3, 3, places=1),
    st.text("ab", max_size=2),
    st.builds(NI, st.text("ab", max_size=2)),
    st.builds(URI, st.text("ab", max_size=2)),
    st.builds(Datetime, st.integers(-2, 2)),
    st.uuids(),
    st.binary(max_size=2),
)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("ab"), inner, max_size=3))
)


@pytest.mark.parametrize("value", [False, None, []], ids=repr)
def test_what_is_false(value: Any) -> None:
    """Three values, and no other."""
    assert not is_true(value)


@pytest.mark.parametrize("value", [True, 0, 0.0, "", {}, [None], [False], b"", Decimal(0)], ids=repr)
def test_what_is_true(value: Any) -> None:
    """Also what other languages take for false."""
    assert is_true(value)


@given(values, values)
def test_equal_values_have_equal_keys(one: Any, other: Any) -> None:
    """Whoever looks values up by their keys finds what is equal, and nothing else."""
    assert (key_of(one) == key_of(other)) is equal(one, other)
    assert equal(one, one)


@given(st.lists(values, max_size=6))
def test_any_values_have_an_order(found: list[Any]) -> None:
    """Sorting never fails, loses nothing, and what is less stands first."""
    ordered = in_order(found)
    assert len(ordered) == len(found)
    for left, right in itertools.pairwise(ordered):
        assert compared([left], [right]) in {None, -1, 0}
    assert in_order(ordered) == ordered


def test_the_order_of_types() -> None:
    """Null, booleans, numbers, times, UUIDs, identifiers, addresses, strings, dicts, lists, bytes."""
    mixed = [b"a", [1], {"a": 1}, "a", URI("a"), NI("a"), Datetime(0), Decimal("1.5"), 1, 0.5, True, None]
    assert in_order(mixed) == [
        None,
        True,
        0.5,
        1,
        Decimal("1.5"),
        Datetime(0),
        NI("a"),
        URI("a"),
        "a",
        {"a": 1},
        [1],
        b"a",
    ]


def test_level_values_stay_as_they_were() -> None:
    """Rising and falling."""
    pairs = [("a", 1), ("b", 1), ("c", 0)]
    assert in_order(pairs, lambda pair: pair[1]) == [("c", 0), ("a", 1), ("b", 1)]
    assert in_order(pairs, lambda pair: pair[1], falling=True) == [("a", 1), ("b", 1), ("c", 0)]


@pytest.mark.parametrize(
    ("one", "other", "result"),
    [
        (1, 1.0, True),
        (1, Decimal(1), True),
        (1, True, False),
        ([True], [1], False),
        ({"a": [0]}, {"a": [False]}, False),
        ("a", ["a"], True),
        (None, [], False),
        (None, [None], False),
        ([], [], True),
        (NI("a"), "a", False),
        (NI("a"), URI("a"), False),
    ],
    ids=repr,
)
def test_what_is_the_same(one: Any, other: Any, result: bool) -> None:
    """A value and a list of it are the same; null, true and 1, and types of text are not."""
    assert same(one, other) is result
    assert same(other, one) is result


@pytest.mark.parametrize(
    ("one", "other", "result"),
    [(1, 2, -1), ([3, 0], 2, 1), ("a", "a", 0), ("a", 1, None), (None, 1, None), (None, None, None), ([], 1, None)],
    ids=repr,
)
def test_first_values_are_compared(one: Any, other: Any, result: int | None) -> None:
    """Null, nothing and values of different types do not compare."""
    assert compared(one, other) == result


@given(st.lists(values, max_size=8))
def test_distinct_values_are_found_once(found: list[Any]) -> None:
    """Each is there, where it stood first, and no two are equal."""
    once = distinct(found)
    assert all(any(equal(one, other) for other in once) for one in found)
    assert not any(equal(one, other) for at, one in enumerate(once) for other in once[:at])


def test_values_as_lists() -> None:
    """Null is no value, and a list is its values."""
    assert list(listed(None)) == []
    assert list(listed("ab")) == ["ab"]
    assert first([]) is None
    assert first([None, 1]) is None
    assert first({"a": 1}) == {"a": 1}
