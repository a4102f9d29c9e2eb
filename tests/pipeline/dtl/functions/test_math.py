from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dtl.errors import DtlError
from pipeline.dtl.numbers import rounded
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated
from pipeline.entity import typed

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS: st.SearchStrategy[Any] = st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.decimals(-1000, 1000, places=3)
HUGE = ["~f9.99E+999999999", "~f1E-999999999", 10**3000, -(10**3000), 1.7e308, "~f-0.5", 0, 3, 0.5, -7]


def value_of(expression: Any) -> Any:
    """What an expression gives."""
    return evaluated(expression, None, None, Host(lambda: 0, lambda: UUID(int=1)))


@given(NUMBERS, NUMBERS)
def test_words_are_signs_the_other_way_round(one: Any, other: Any) -> None:
    """`plus` and `+`, and so on, give the same of the same numbers, to the type."""
    for sign, word in [("+", "plus"), ("-", "minus"), ("*", "multiply"), ("/", "divide"), ("%", "mod")]:
        found = value_of([sign, one, other])
        assert value_of([word, other, one]) == found
        assert type(value_of([word, other, one])) is type(found)


@given(NUMBERS, NUMBERS.filter(lambda number: abs(number) > 1e-6))
def test_a_division_comes_apart(one: Any, other: Any) -> None:
    """What is left has the sign of the divisor and is smaller, for numbers of all types."""
    rest = value_of(["%", one, other])
    assert abs(rest) <= abs(other)
    assert rest == 0 or (rest < 0) == (other < 0)


@given(FLOATS, st.integers(-5, 20))
def test_rounding_is_that_of_the_number_as_it_is_written(number: float, digits: int) -> None:
    """Floor, nearest and ceiling lie in order, are nothing but that many digits, and less than one step away."""
    low, near, high = (rounded(number, digits, mode) for mode in (ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_CEILING))
    assert low <= near <= high
    if abs(number) < 1e15:
        written, step = Decimal(repr(number)), Decimal(1).scaleb(-digits)
        assert near in {low, high}
        assert digits > 10 or Decimal(repr(near)) % step == 0
        assert abs(Decimal(repr(near)) - written) <= step / 2


@pytest.mark.parametrize("name", ["+", "-", "*", "/", "%", "^", "mod", "pow", "divide"])
@pytest.mark.parametrize("other", HUGE, ids=range(len(HUGE)))
def test_numbers_without_measure_end(name: str, other: Any) -> None:
    """What is too large is null or is told, at once; nothing that is no number comes out."""
    for one in HUGE:
        try:
            found = value_of(typed([name, one, other]))
        except DtlError as error:
            assert "digits" in error.why  # noqa: PT017 - some give a value
        else:
            assert found is None or not isinstance(found, float) or math.isfinite(found)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (["/", 1, 3], 1 / 3),
        (["/", 10**40, 10**39], 10),
        (["/", 1, Decimal(3)], Decimal("0." + 100 * "3")),
        (["+", 0.1, Decimal("0.2")], Decimal("0.3")),
        (["^", 2, -1], 0.5),
        (["^", 0, 0], 1),
        (["^", 0, -1], None),
        (["^", 10, 400.0], None),
        (["+", True, 1], None),
        (["%", -7.5, 2], 0.5),
        (["round", 2, 2.675], 2.68),
        (["round", 0, 1e300], int(Decimal("1e300"))),
        (["ceil", 3, Decimal("2.5")], Decimal("2.5")),
        (["floor", -3, 12345], 12000),
        (["abs", Decimal("-1." + 60 * "1")], Decimal("1." + 60 * "1")),
        (["sqrt", 10**3000], None),
        (["tan", 10**3000], None),
        (["sin", 1e300], math.sin(1e300)),
    ],
)
def test_edges(expression: Any, expected: Any) -> None:
    """What lies at the edges, to the type."""
    found = value_of(expression)
    assert (type(found), found) == (type(expected), expected)


def test_powers_are_bounded_before_they_are_computed() -> None:
    """A number of a million digits is told, not made."""
    for expression in (["^", 10, 10**9], ["pow", 10**12, 7], ["*", 10**3999, 10**3999]):
        with pytest.raises(DtlError, match="more than 4,000 digits"):
            value_of(expression)
