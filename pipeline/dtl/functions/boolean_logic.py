"""Functions of truth: `and`, `or`, `not`, `all`, `any`. No I/O."""

from __future__ import annotations

from typing import Any, Final

from pipeline.dtl.registry import Making, Run, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import is_true, listed

boolean_logic: Final = Subject(
    "boolean-logic", "Boolean logic", 'Only `false`, `null` and the empty list are false; `0` and `""` are true.'
)


@boolean_logic.special(
    "and",
    "CONDITIONS+",
    "Whether all conditions are true. Those after the first false one are not looked at.",
    shows(["and", ["gt", "_S.age", 17], ["eq", "_S.country", "NO"]], True, {"age": 30, "country": "NO"}),
    shows(["and", ["list", 0], "", 0], True),
    shows(["and", True, "_S.none"], False, {}),
)
def _and(making: Making, call: Call) -> Run:
    return all_true([making.expression(node) for node in call.args[0]])


@boolean_logic.special(
    "or",
    "CONDITIONS+",
    "Whether one of the conditions is true. Those after the first true one are not looked at.",
    shows(["or", ["eq", "_S.tier", "gold"], ["eq", "_S.tier", "silver"]], True, {"tier": "silver"}),
    shows(["or", ["list"], False], False),
    shows(["or", "_S.none", None], False, {}),
)
def _or(making: Making, call: Call) -> Run:
    runs = [making.expression(node) for node in call.args[0]]

    def run(scope: Scope) -> bool:
        for each in runs:  # noqa: SIM110 - a generator costs a frame
            if is_true(each(scope)):
                return True
        return False

    return run


@boolean_logic.special(
    "not",
    "CONDITIONS+",
    "Whether one of the conditions is false: the opposite of `and`.",
    shows(["not", ["eq", "_S.country", "NO"]], True, {"country": "SE"}),
    shows(["not", ["list"]], True),
    shows(["not", None], True),
)
def _not(making: Making, call: Call) -> Run:
    every = all_true([making.expression(node) for node in call.args[0]])
    return lambda scope: not every(scope)


def all_true(runs: list[Run]) -> Run:
    """Whether all are true, looked at in turn."""
    if len(runs) == 1:
        (only,) = runs
        return lambda scope: is_true(only(scope))

    def run(scope: Scope) -> bool:
        for each in runs:  # noqa: SIM110 - a generator costs a frame
            if not is_true(each(scope)):
                return False
        return True

    return run


@boolean_logic.special(
    "all",
    "[FUNCTION:each] VALUES",
    "Whether all values are true, or FUNCTION is true of each; so it is of no values.",
    shows(["all", ["gt", "_.", 2], ["list", 4, 5]], True),
    shows(["all", ["list", 1, False]], False),
    shows(["all", None], True),
)
def _all(making: Making, call: Call) -> Run:
    return _of_each(making, call, wanted=False)


@boolean_logic.special(
    "any",
    "[FUNCTION:each] VALUES",
    "Whether one of the values is true, or FUNCTION is true of one; so it is not of no values.",
    shows(["any", ["gt", "_.", 5], ["list", 4, 6]], True),
    shows(["any", ["list", False, 1]], True),
    shows(["any", None], False),
)
def _any(making: Making, call: Call) -> Run:
    return _of_each(making, call, wanted=True)


def _of_each(making: Making, call: Call, *, wanted: bool) -> Run:
    """`wanted` if there is a value with this truth, else the opposite."""
    function = None if call.args[0] is None else making.expression(call.args[0])
    values = making.expression(call.args[1])

    def run(scope: Scope) -> bool:
        found = listed(values(scope))
        if function is None:
            return wanted if any(is_true(value) is wanted for value in found) else not wanted
        scope.looks(call, len(found))
        outer: Any = scope.v
        result = not wanted
        for value in found:
            scope.v = value
            if is_true(function(scope)) is wanted:
                result = wanted
                break
        scope.v = outer
        return result

    return run
