from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dtl.errors import DtlError
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated
from pipeline.entity import transit

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["~t2026-01-02T03:04:05Z", "~f1.50", "~:a:b", "~rhttps://example.com/", "~bw6U="]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def value_of(expression: Any, source: Any = None) -> Any:
    """What an expression gives, as JSON."""
    return transit(evaluated(expression, source, None, Host(lambda: 0, lambda: UUID(int=1))))


@given(VALUES)
def test_transit_is_read_as_it_was_written(value: Any) -> None:
    """`json-transit-parse` is the inverse of `json-transit`, for values of all types."""
    found = value_of(["json-transit-parse", ["json-transit", "_S.value"]], {"value": value})
    assert found == value_of("_S.value", {"value": value})


@given(st.text())
def test_what_is_no_json_is_left_out(text: str) -> None:
    """A text gives a value if, and only if, it is JSON."""
    try:
        expected = json.loads(text, parse_constant=int)
    except ValueError:
        expected = "none"
    assert value_of(["json-parse", ["string", "none"], ["literal", text]]) == expected


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", '"\\ud800"', "", " ", "{'a': 1}", "[1,]", "\ud800"])
def test_what_only_looks_like_json_is_none(text: str) -> None:
    """Numbers that are none, halves of characters and commas too many are no JSON."""
    assert value_of(["json-parse", "none", ["literal", text]]) == "none"


def test_json_that_is_too_deep_is_told() -> None:
    """It is JSON, so that it is not left out in silence."""
    with pytest.raises(DtlError, match="nested too deeply"):
        value_of(["json-parse", "_S.text"], {"text": "[" * 100_000 + "]" * 100_000})
