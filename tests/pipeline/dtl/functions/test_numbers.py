from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dtl.errors import DtlError
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated
from pipeline.entity import typed


def value_of(expression: Any) -> Any:
    """What an expression gives."""
    return evaluated(expression, None, None, Host(lambda: 0, lambda: UUID(int=1)))


@given(st.integers(-(10**30), 10**30))
def test_hex_is_read_as_it_was_written(number: int) -> None:
    """`integer` is the inverse of `hex`; each byte has two digits and none is needless."""
    written = value_of(["hex", number])
    assert value_of(["integer", written]) == number
    assert len(written) % 2 == 0
    if len(written) > 4:
        assert value_of(["integer", "0x" + written[4:]]) != number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_as_they_were_written(number: float) -> None:
    """A float as a string, and as a decimal, is the same float again."""
    assert value_of(["float", ["string", number]]) == number
    assert value_of(["float", ["decimal", number]]) == number
    assert value_of(["decimal", ["string", number]]) == value_of(["decimal", number])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("integer", "1_000", None),
        ("integer", "\N{ARABIC-INDIC DIGIT ONE}", None),
        ("integer", "", None),
        ("integer", "0x", None),
        ("integer", "0x7f", 127),
        ("integer", "-0x7f", None),
        ("integer", 1e300, int(1e300)),
        ("integer", {"a": 1}, None),
        ("decimal", "nan", None),
        ("decimal", ".5", Decimal("0.5")),
        ("decimal", 10**40, Decimal(10**40)),
        ("float", "inf", None),
        ("float", 10**400, None),
        ("float", "~f1E+999999999", None),
        ("float", "~f1E-999999999", 0.0),
        ("float", "0x10", None),
    ],
)
def test_what_is_a_number(name: str, value: Any, expected: Any) -> None:
    """Digits of ASCII, and nothing that has no end."""
    found = value_of([name, ["literal", typed(value)]])
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize("expression", [["integer", "1" * 4001], ["decimal", "1" * 4001], ["integer", "~f1E+4001"]])
def test_digits_are_bounded(expression: Any) -> None:
    """What would take long to read is told."""
    with pytest.raises(DtlError, match="more than 4,000 digits"):
        value_of(typed(expression))
