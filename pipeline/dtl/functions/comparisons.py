"""Functions that compare. No I/O."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from pipeline.dtl.errors import located
from pipeline.dtl.registry import Making, Run, Subject, folded, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import compared, same

# Of most comparisons both sides are of one of these types.
_QUICK: Final = frozenset({int, float, str})

comparisons: Final = Subject(
    "comparisons",
    "Comparisons",
    "`eq` and `neq` compare whole values, a single value as a list of one. The others compare the first value of each "
    "side; they are false where a side has none, or where the two are of types that have no common order.",
)


@comparisons.special(
    "eq",
    "A B",
    "Whether two values are the same. In the `where` of a join: whether they have a value in common.",
    shows(["eq", "_S.age", 42], True, {"age": 42}),
    shows(["eq", "_S.tags", ["list", "a", "b"]], False, {"tags": ["b", "a"]}),
    shows(["eq", ["list", "a"], "a"], True),
    shows(["eq", "_S.none", None], True, {}),
    shows(["eq", 1, True], False),
)
def _eq(making: Making, call: Call) -> Run:
    one, other = map(making.expression, call.args)
    fixed = making.constant(other)
    if fixed is not None and type(fixed[0]) is bool:
        truth = fixed[0]

        def decide(scope: Scope) -> bool:
            value = one(scope)
            return value is truth if type(value) is bool else same(value, truth)

        return decide
    if fixed is not None and type(fixed[0]) is str:
        text = fixed[0]

        def run(scope: Scope) -> bool:
            value = one(scope)
            return value == text if type(value) is str else same(value, text)

        return run
    return lambda scope: same(one(scope), other(scope))


@comparisons.values(
    "neq",
    "A B",
    "Whether two values are not the same: the opposite of `eq`.",
    shows(["neq", "_S.age", 42], True, {"age": 41}),
    shows(["neq", ["list", "a"], "a"], False),
    shows(["neq", "_S.none", None], False, {}),
)
def _neq(one: Any, other: Any) -> bool:
    return not same(one, other)


def _ordered(making: Making, call: Call, way: Callable[[Any, Any], bool]) -> Run:
    """Whether the first values of two sides stand to each other in a way."""
    one, other = map(making.expression, call.args)

    def decided(value: Any, beside: Any) -> bool:
        try:
            kind = type(value)
            if kind in _QUICK and type(beside) is kind:
                return way(value, beside)
            found = compared(value, beside)
            return found is not None and way(found, 0)
        except Exception as error:
            raise located(error, call, [value, beside]) from error

    fixed = making.constant(other)
    if fixed is None or type(fixed[0]) not in _QUICK or making.constant(one) is not None:
        return folded(making, call, (one, other), lambda scope: decided(one(scope), other(scope)))
    limit, kind = fixed[0], type(fixed[0])

    def run(scope: Scope) -> bool:
        value = one(scope)
        return way(value, limit) if type(value) is kind else decided(value, limit)

    return run


@comparisons.special(
    "gt",
    "A B",
    "Whether the first value of A is greater than the first of B.",
    shows(["gt", "_S.age", 42], True, {"age": 43}),
    shows(["gt", ["list", 5, 1], ["list", 4, 9]], True),
    shows(["gt", "_S.none", 42], False, {}),
    shows(["gt", "a", 42], False),
)
def _gt(making: Making, call: Call) -> Run:
    return _ordered(making, call, operator.gt)


@comparisons.special(
    "gte",
    "A B",
    "Whether the first value of A is greater than the first of B, or level with it.",
    shows(["gte", "_S.age", 42], True, {"age": 42}),
    shows(["gte", ["list", 5, 1], ["list", 5, 9]], True),
    shows(["gte", None, None], False),
)
def _gte(making: Making, call: Call) -> Run:
    return _ordered(making, call, operator.ge)


@comparisons.special(
    "lt",
    "A B",
    "Whether the first value of A is less than the first of B.",
    shows(["lt", "_S.name", "b"], True, {"name": "a"}),
    shows(["lt", ["list", 1, 5], 2], True),
    shows(["lt", "_S.none", 42], False, {}),
)
def _lt(making: Making, call: Call) -> Run:
    return _ordered(making, call, operator.lt)


@comparisons.special(
    "lte",
    "A B",
    "Whether the first value of A is less than the first of B, or level with it.",
    shows(["lte", "_S.age", 42], True, {"age": 42}),
    shows(["lte", ["list", 5, 1], ["list", 4, 9]], False),
    shows(["lte", "_S.none", 42], False, {}),
)
def _lte(making: Making, call: Call) -> Run:
    return _ordered(making, call, operator.le)
