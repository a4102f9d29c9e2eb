"""What holds for every function, whatever it is given."""

from __future__ import annotations

import json
import math
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.dtl.errors import DtlError
from pipeline.dtl.functions import SUBJECTS
from pipeline.dtl.registry import Function
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import RulesError, evaluated
from pipeline.entity import transit, typed

FUNCTIONS = [one for subject in SUBJECTS for one in subject.functions if one.kind == "expression"]
WORDS = [
    *["", " a b ", "å", "\ud800", "0xff", "1.5", "1e999999", "-7", "true", "*a?", "{}", "[[1]]", "YQ==", "default"],
    *[
        "Europe/Oslo",
        "Europe",
        "../x",
        "%Y-%m-%d",
        "%d%m%y%H",
        "%",
        "2026-01-02",
        "day",
        "month",
        "murmur3",
        "NO",
        "e164",
    ],
    *["~t0001-01-01", "~t9999-12-31T23:59:59.999999999Z", "~:a:b", "~rtel:+47-22-22-22-22", "~rhttp://example.org/a"],
    *["~u9f598f65-eea5-4906-a8f5-82f6d8e69726", "~b/w==", "~f1.50", "~f1E+999999999", "~f-0", "~f9e-999999999"],
]
NUMBERS = [0, 1, -1, 7, 2**63, -(2**70), 10**400, 0.0, -0.0, 0.5, 2.675, 1e308, -1e-308, 1_000_001, 10**12]
SCALARS = (
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(WORDS) | st.integers() | st.text(max_size=9)
)
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS[:9]), inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.lists(
    VALUES.map(lambda value: ["literal", value]) | st.sampled_from(["_.", "_S.a", "NO", "day", 2]), max_size=4
)


def finite(value: Any) -> bool:
    """Whether there is no float in a value that JSON has no form for."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    return all(map(finite, value)) if isinstance(value, list) else True


def value_is_json(expression: Any, entity: dict[str, Any]) -> None:
    """What an expression gives can be written as JSON; or it cannot be, and that is told."""
    host = Host(lambda: 1_767_268_800_000_000_000, lambda: UUID(int=1))
    found, faults = None, ["none"]
    try:
        found = evaluated(typed(expression), entity, None, host)
    except RulesError as error:
        faults = [fault.message for fault in error.faults]
    except DtlError as error:
        faults = [error.why, error.function]
    assert faults
    assert all(faults)
    assert finite(found)
    json.dumps(transit(found), allow_nan=False)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(arguments=ARGUMENTS, entity=st.dictionaries(st.just("a"), VALUES))
def test_any_arguments_give_a_value_or_an_error_with_its_place(
    function: Function, arguments: list[Any], entity: dict[str, Any]
) -> None:
    """What a function makes can be written as JSON, and what it cannot do is told with its place."""
    value_is_json([function.name, *arguments], entity)


# A password is made into a key with many rounds on purpose.
QUICK = [one for one in FUNCTIONS if one.name not in {"encrypt", "decrypt"}]


def calls(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Calls of any function with as many of these arguments as it takes."""

    def call(function: Function) -> st.SearchStrategy[Any]:
        least = min(one.least for one in function.signatures)
        return st.lists(inner, min_size=least, max_size=least + 1).map(lambda args: [function.name, *args])

    return st.sampled_from(QUICK).flatmap(call)


LEAVES = VALUES.map(lambda value: ["literal", value]) | st.sampled_from(
    ["_.", "_S.a", "_S.", "%Y", "NO", "UTC", "day", 2]
)


@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
@given(expression=st.recursive(LEAVES, calls, max_leaves=8), entity=st.dictionaries(st.just("a"), VALUES))
def test_any_expression_gives_a_value_or_an_error_with_its_place(expression: Any, entity: dict[str, Any]) -> None:
    """However deep functions stand within each other."""
    value_is_json(expression, entity)
