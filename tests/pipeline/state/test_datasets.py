"""What the state knows of entities without a file: marks of a reading, keys of values, paths."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entity import NI, URI
from pipeline.state.datasets import Scan
from pipeline.state.values import value_key, values_at
from pipeline.state.versions import stored_entity

places = st.one_of(st.integers(1, 40), st.integers(1, 1 << 40))


@given(st.lists(st.tuples(st.booleans(), places), max_size=60))
def test_a_scan_remembers_what_was_met(steps: list[tuple[bool, int]]) -> None:
    """It is a set of numbers, also after its pages went through the state."""
    scan = Scan(1, 0)
    met: set[int] = set()
    pages: dict[int, bytes] = {}
    for adds, updated in steps:
        if adds:
            scan.add(updated)
            met.add(updated)
        else:
            scan.discard(updated)
            met.discard(updated)
        pages.update(scan.touched())
        assert not list(scan.touched())
    for found in (scan, Scan(1, 0, pages)):
        assert len(found) == len(met)
        assert all((updated in found) == (updated in met) for _, updated in steps)


@pytest.mark.parametrize(
    "alike",
    [
        [1, 1.0, Decimal(1), Decimal("1.00")],
        [0, -0.0, Decimal(0)],
        [1.5, Decimal("1.5")],
        ["1"],
        [True],
        [NI("a:b")],
        ["a:b"],
        [URI("a:b")],
        [{"a": 1, "b": [2]}, {"b": [2], "a": 1}],
        [10**30, Decimal(10**30)],
        [Decimal("0.1")],
        [0.1],
        [float("inf")],
        [float("-inf")],
    ],
)
def test_equal_values_have_one_key(alike: list[object]) -> None:
    """A number is the same number whatever its type; nothing else is equal to it."""
    assert len({value_key(value) for value in alike}) == 1
    others = [1, 1.5, "1", True, NI("a:b"), "a:b", URI("a:b"), {"a": 1, "b": [2]}, 10**30, 0, Decimal("0.1"), 0.1]
    unlike = [other for other in others if other not in alike or isinstance(other, bool) != isinstance(alike[0], bool)]
    assert {value_key(other) for other in unlike}.isdisjoint(map(value_key, alike))


def test_null_is_equal_to_nothing() -> None:
    """It has no key; nor has what is no number."""
    assert value_key(None) is None
    assert value_key(float("nan")) is None


def test_a_path_goes_through_lists() -> None:
    """On its way and at its end; what is not there gives nothing."""
    entity = {"orders": [{"sku": ["a", "b"]}, {"sku": "c"}, 7, {"other": 1}]}
    assert list(values_at(entity, ("orders", "sku"))) == ["a", "b", "c"]
    assert list(values_at(entity, ("nothing", "sku"))) == []


def test_an_id_is_a_text_whatever_it_looks_like() -> None:
    """A name that would be a time or an identifier as a value stays a name."""
    for name in ("~:crm:42", "~t2020-01-01", "~f1.0", "plain"):
        assert stored_entity(b'{"_id":"%s","at":"~t2020-01-01"}' % name.encode())["_id"] == name
