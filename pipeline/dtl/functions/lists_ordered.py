"""Functions that order, group and add up the values of lists. No I/O."""

from __future__ import annotations

from typing import Any, Final

from pipeline.dtl.functions.lists import lists
from pipeline.dtl.growth import repeated
from pipeline.dtl.numbers import added, checked
from pipeline.dtl.registry import Making, Run, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import NUMBERS, distinct, in_order, key_of, listed
from pipeline.entity import to_json

__all__ = ["lists"]


_BINARY: Final = frozenset({int, float})


def _ordered(making: Making, call: Call, *, falling: bool) -> Run:
    function = None if call.args[0] is None else making.expression(call.args[0])
    values = making.expression(call.args[1])

    def run(scope: Scope) -> Any:
        found = values(scope)
        if type(found) is not list:
            return found
        if function is None:
            return in_order(found, falling=falling)
        keys = scope.each(call, function, found)
        return [found[at] for at in in_order(range(len(found)), keys.__getitem__, falling=falling)]

    return run


@lists.special(
    "sorted",
    "[FUNCTION:each] VALUES",
    "The values in order, or in the order of what FUNCTION gives for them. Values of different types are in the order "
    "of their types.",
    shows(["sorted", ["list", 4, "b", 2, "a"]], [2, 4, "a", "b"]),
    shows(["sorted", "_.age", ["list", {"age": 50}, {"age": 20}]], [{"age": 20}, {"age": 50}]),
    shows(["sorted", None], None),
)
def _sorted(making: Making, call: Call) -> Run:
    return _ordered(making, call, falling=False)


@lists.special(
    "sorted-descending",
    "[FUNCTION:each] VALUES",
    "As `sorted`, the greatest first.",
    shows(["sorted-descending", ["list", 4, "b", 2, "a"]], ["b", "a", 4, 2]),
    shows(["sorted-descending", "_.age", ["list", {"age": 20}, {"age": 50}]], [{"age": 50}, {"age": 20}]),
    shows(["sorted-descending", "a"], "a"),
)
def _sorted_descending(making: Making, call: Call) -> Run:
    return _ordered(making, call, falling=True)


def _outermost(making: Making, call: Call, *, greatest: bool) -> Run:
    ordered = _ordered(making, call, falling=greatest)

    def run(scope: Scope) -> Any:
        found = ordered(scope)
        if type(found) is list:
            return found[0] if found else None
        return found

    return run


@lists.special(
    "max",
    "[FUNCTION:each] VALUES",
    "The greatest value, or the one for which FUNCTION gives the greatest; of several that are level the first.",
    shows(["max", ["list", 4, 2, 5]], 5),
    shows(["max", "_.amount", ["list", {"amount": 5}, {"amount": 15}]], {"amount": 15}),
    shows(["max", ["list"]], None),
)
def _max(making: Making, call: Call) -> Run:
    return _outermost(making, call, greatest=True)


@lists.special(
    "min",
    "[FUNCTION:each] VALUES",
    "The least value, or the one for which FUNCTION gives the least; of several that are level the first.",
    shows(["min", ["list", 4, 2, 5]], 2),
    shows(["min", "_.amount", ["list", {"amount": 5}, {"amount": 15}]], {"amount": 5}),
    shows(["min", None], None),
)
def _min(making: Making, call: Call) -> Run:
    return _outermost(making, call, greatest=False)


@lists.values(
    "sum",
    "VALUES",
    "The sum of the numbers; other values do not count.",
    shows(["sum", ["list", 2, 4, "x", 0.5]], 6.5),
    shows(["sum", 5], 5),
    shows(["sum", None], 0),
)
def _sum(values: Any) -> Any:
    if type(values) is list and _BINARY.issuperset(map(type, values)):
        quick: float = 0
        for one in values:
            # One after the other: `sum` rounds in its own way, from version to version.
            quick += one
        return checked(quick)
    numbers = [one for one in listed(values) if type(one) in NUMBERS]
    total: Any = 0
    for one in numbers:
        total = added(total, one)
    return total


@lists.special(
    "distinct",
    "[FUNCTION:each] VALUES",
    "Each value once, or one value for each that FUNCTION gives; the first of them stays.",
    shows(["distinct", ["list", 4, 2, 4, True, 1]], [4, 2, True, 1]),
    shows(["distinct", ["upper", "_."], ["list", "a", "A", "b"]], ["a", "b"]),
    shows(["distinct", None], None),
)
def _distinct(making: Making, call: Call) -> Run:
    function = None if call.args[0] is None else making.expression(call.args[0])
    values = making.expression(call.args[1])

    def run(scope: Scope) -> Any:
        found = values(scope)
        if type(found) is not list:
            return found
        if function is None:
            return distinct(found)
        kept: dict[Any, Any] = {}
        for key, value in zip(scope.each(call, function, found), found, strict=True):
            kept.setdefault(key_of(key), value)
        return list(kept.values())

    return run


def _grouped(
    scope: Scope, call: Call, key: Run | None, value: Run | None, values: list[Any]
) -> list[tuple[Any, list[Any]]]:
    keys = values if key is None else scope.each(call, key, values)
    inner = values if value is None else scope.each(call, value, values)
    groups: dict[Any, tuple[Any, list[Any]]] = {}
    for name, one in zip(keys, inner, strict=True):
        groups.setdefault(key_of(name), (name, []))[1].append(one)
    return list(groups.values())


@lists.special(
    "group",
    "KEY:each VALUE:each VALUES",
    "Pairs of what KEY gives, and a list of what VALUE gives for all values with this key.",
    shows(["group", "_.a", "_.b", ["list", {"a": 1, "b": 2}, {"a": 1, "b": 3}]], [[1, [2, 3]]]),
    shows(["group", ["upper", "_."], "_.", "a"], [["A", ["a"]]]),
    shows(["group", "_.", "_.", None], []),
)
def _group(making: Making, call: Call) -> Run:
    key, value = (repeated(making, call, one) for one in call.args[:2])
    values = making.expression(call.args[2])
    return lambda scope: [list(pair) for pair in _grouped(scope, call, key, value, list(listed(values(scope))))]


@lists.special(
    "group-by",
    "[KEY:each] [STRING:each] VALUES",
    "The values by what KEY gives for them. A name is the key as JSON, or what STRING makes of the key.",
    shows(["group-by", ["length", "_."], ["list", "phi", "alpha", "rho"]], {"3": ["phi", "rho"], "5": ["alpha"]}),
    shows(["group-by", ["upper", "_."], "_.", ["list", "a", "A"]], {"A": ["a", "A"]}),
    shows(["group-by", None], {}),
)
def _group_by(making: Making, call: Call) -> Run:
    key = None if call.args[0] is None else making.expression(call.args[0])
    string = None if call.args[1] is None else making.expression(call.args[1])
    values = making.expression(call.args[2])

    def run(scope: Scope) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for each, group in _grouped(scope, call, key, None, list(listed(values(scope)))):
            name = to_json(each).decode() if string is None else scope.with_value(string, each)
            if type(name) is str:
                found.setdefault(name, []).extend(group)
        return found

    return run
