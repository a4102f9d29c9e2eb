"""Functions that make lists and take from them. Those that order and group stand in `lists_ordered`. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pipeline.dtl.errors import located
from pipeline.dtl.growth import repeated
from pipeline.dtl.limits import MOST_VALUES, bounded
from pipeline.dtl.registry import Making, Run, Subject, folded, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import first, is_true, key_of, listed

lists: Final = Subject("lists", "Lists", "Null is a list of nothing, and a single value is a list of one.")


@lists.values(
    "list",
    "VALUES*",
    "A list of the arguments. One that is a list itself stays one.",
    shows(["list", "a", "b"], ["a", "b"]),
    shows(["list", "a", ["list", "b"]], ["a", ["b"]]),
    shows(["list", None], [None]),
)
def _list(values: list[Any]) -> list[Any]:
    return values


@lists.values(
    "combine",
    "VALUES+",
    "One list of the values of all arguments.",
    shows(["combine", 1, ["list", 2, 3]], [1, 2, 3]),
    shows(["combine", ["list", 1, ["list", 2]]], [1, [2]]),
    shows(["combine", None], []),
)
def _combine(values: list[Any]) -> list[Any]:
    found = [each for value in values for each in listed(value)]
    bounded(len(found), MOST_VALUES, "values")
    return found


@lists.values(
    "count",
    "VALUES",
    "How many values there are.",
    shows(["count", ["list", "a", None]], 2),
    shows(["count", "a"], 1),
    shows(["count", "_S.none"], 0, {}),
)
def _count(values: Any) -> int:
    return len(listed(values))


@lists.values(
    "is-empty",
    "VALUES",
    "Whether there are no values.",
    shows(["is-empty", "_S.tags"], True, {"tags": []}),
    shows(["is-empty", ["list", None]], False),
    shows(["is-empty", None], True),
)
def _is_empty(values: Any) -> bool:
    return not listed(values)


@lists.values(
    "is-not-empty",
    "VALUES",
    "Whether there are values.",
    shows(["is-not-empty", "_S.tags"], True, {"tags": ["a"]}),
    shows(["is-not-empty", ""], True),
    shows(["is-not-empty", None], False),
)
def _is_not_empty(values: Any) -> bool:
    return bool(listed(values))


@lists.values(
    "is-list",
    "VALUES",
    "Whether it is a list.",
    shows(["is-list", ["list", 1]], True),
    shows(["is-list", "a"], False),
    shows(["is-list", None], False),
)
def _is_list(values: Any) -> bool:
    return type(values) is list


lists.values(
    "first",
    "VALUES",
    "The first value of a list, or the value that is no list.",
    shows(["first", ["list", "a", "b"]], "a"),
    shows(["first", 5], 5),
    shows(["first", ["list"]], None),
)(first)


@lists.values(
    "last",
    "VALUES",
    "The last value of a list, or the value that is no list.",
    shows(["last", ["list", "a", "b"]], "b"),
    shows(["last", 5], 5),
    shows(["last", None], None),
)
def _last(values: Any) -> Any:
    if type(values) is list:
        return values[-1] if values else None
    return values


@lists.values(
    "nth",
    "INDEX VALUES",
    "The value at INDEX of a list; the first is at 0. A value that is no list is at 0.",
    shows(["nth", 1, ["list", "a", "b"]], "b"),
    shows(["nth", 0, "a"], "a"),
    shows(["nth", 2, ["list", "a"]], None),
    shows(["nth", "x", ["list", "a"]], None),
)
def _nth(index: Any, values: Any) -> Any:
    at, found = whole(index), listed(values)
    return found[at] if at is not None and 0 <= at < len(found) else None


def whole(value: Any) -> int | None:
    """An integer argument: the first value, if it is one."""
    found = first(value)
    return found if type(found) is int else None


@lists.values(
    "slice",
    "START [END] [STRIDE] VALUES",
    "The values from START up to END, every STRIDE-th of them. Negative numbers count from the end.",
    shows(["slice", 1, ["list", "a", "b", "c"]], ["b", "c"]),
    shows(["slice", 0, -1, 2, ["list", 0, 1, 2, 3, 4]], [0, 2]),
    shows(["slice", 0, 1, None], []),
)
def _slice(start: Any, end: Any, stride: Any, values: Any) -> list[Any]:
    step = whole(stride)
    if step == 0:
        raise ValueError("STRIDE is 0")
    return list(listed(values)[whole(start) : whole(end) : step])


@lists.values(
    "insert",
    "INDEX VALUES OBJECT",
    "The values with OBJECT before the one at INDEX. A negative number counts from the end.",
    shows(["insert", 1, ["list", "a", "c"], "b"], ["a", "b", "c"]),
    shows(["insert", -1, ["list", "a", "c"], ["list", "b"]], ["a", ["b"], "c"]),
    shows(["insert", 0, None, "a"], ["a"]),
)
def _insert(index: Any, values: Any, added: Any) -> list[Any]:
    found = list(listed(values))
    at = whole(index)
    found.insert(len(found) if at is None else at, added)
    return found


@lists.values(
    "reversed",
    "VALUES",
    "The values from the last to the first.",
    shows(["reversed", ["list", 1, 3, 2]], [2, 3, 1]),
    shows(["reversed", "abc"], "abc"),
    shows(["reversed", None], None),
)
def _reversed(values: Any) -> Any:
    return values[::-1] if type(values) is list else values


@lists.values(
    "flatten",
    "VALUES",
    "The values, with those of lists among them in their place; lists in those stay.",
    shows(["flatten", ["list", 1, ["list", 2, 3]]], [1, 2, 3]),
    shows(["flatten", ["list", ["list", 1, ["list", 2]]]], [1, [2]]),
    shows(["flatten", None], []),
)
def _flatten(values: Any) -> list[Any]:
    found = [inner for value in listed(values) for inner in (value if type(value) is list else (value,))]
    bounded(len(found), MOST_VALUES, "values")
    return found


@lists.values(
    "in",
    "VALUES ITEMS",
    "Whether all values are among ITEMS; no values are not.",
    shows(["in", "a", ["list", "a", "b"]], True),
    shows(["in", ["list", "a", "c"], ["list", "a", "b"]], False),
    shows(["in", None, ["list", None]], False),
)
def _in(values: Any, items: Any) -> bool:
    if type(values) is str and type(items) is list and set(map(type, items)) == {str}:
        return values in items
    known = set(map(key_of, listed(items)))
    found = listed(values)
    return bool(found) and all(key_of(value) in known for value in found)


@lists.values(
    "enumerate",
    "[START] VALUES",
    "Each value with its number, as `key` and `value`; the first has the number START, or 0.",
    shows(["enumerate", ["list", "a", "b"]], [{"key": 0, "value": "a"}, {"key": 1, "value": "b"}]),
    shows(["enumerate", 7, "a"], {"key": 7, "value": "a"}),
    shows(["enumerate", None], None),
)
def _enumerate(start: Any, values: Any) -> Any:
    begin = whole(start) or 0
    if type(values) is not list:
        return None if values is None else {"key": begin, "value": values}
    return [{"key": number, "value": value} for number, value in enumerate(values, begin)]


@lists.special(
    "range",
    "START STOP [STEP]",
    f"The whole numbers from START up to STOP and without it, in steps of STEP, or 1; at most {MOST_VALUES:,}.",
    shows(["range", 0, 3], [0, 1, 2]),
    shows(["range", 4, 0, -2], [4, 2]),
    shows(["range", 0, None], None),
)
def _range(making: Making, call: Call) -> Run:
    runs = [making.always(None) if node is None else making.expression(node) for node in call.args]

    def run(scope: Scope) -> list[int] | None:
        given = [each(scope) for each in runs]
        try:
            numbers = _numbers(*given)
        except ValueError as error:
            raise located(error, call, given) from error
        if numbers is None:
            return None
        scope.looks(call, len(numbers))
        return list(numbers)

    return folded(making, call, runs, run)


def _numbers(start: Any, stop: Any, step: Any) -> range | None:
    begin, end, by = whole(start), whole(stop), 1 if step is None else whole(step)
    if begin is None or end is None or by is None:
        return None
    if by == 0:
        raise ValueError("STEP is 0")
    # len() of a range that is too long would not fit into a machine's word.
    bounded(abs(end - begin) // abs(by), MOST_VALUES, "values")
    return range(begin, end, by)


def _mapping(each: Callable[[Scope, Call, Run, Any], Any]) -> Callable[[Making, Call], Run]:
    """A function expression and values."""

    def make(making: Making, call: Call) -> Run:
        function, values = repeated(making, call, call.args[0]), making.expression(call.args[1])
        return lambda scope: each(scope, call, function, values(scope))

    return make


@lists.special(
    "map",
    "FUNCTION:each VALUES",
    "What FUNCTION gives for each value, which is `_` in it.",
    shows(["map", ["upper", "_.name"], "_S.people"], ["KARI", "OLA"], {"people": [{"name": "Kari"}, {"name": "Ola"}]}),
    shows(["map", ["upper", "_."], "a"], "A"),
    shows(["map", "_.", None], None),
)
@_mapping
def _map(scope: Scope, call: Call, function: Run, values: Any) -> Any:
    if type(values) is list:
        return scope.each(call, function, values)
    return None if values is None else scope.with_value(function, values)


@lists.special(
    "filter",
    "FUNCTION:each VALUES",
    "The values of which FUNCTION is true; each is `_` in it.",
    shows(["filter", ["gt", "_.amount", 100], "_S.orders"], [{"amount": 150}], {"orders": [{"amount": 150}, {}]}),
    shows(["filter", ["eq", "_.", "a"], "a"], "a"),
    shows(["filter", ["eq", "_.", "a"], "b"], None),
)
@_mapping
def _filter(scope: Scope, call: Call, function: Run, values: Any) -> Any:
    if type(values) is not list:
        return values if values is not None and is_true(scope.with_value(function, values)) else None
    scope.looks(call, len(values))
    outer = scope.v
    found = []
    for value in values:
        scope.v = value
        truth = function(scope)
        if truth is True or (truth is not False and is_true(truth)):
            found.append(value)
    scope.v = outer
    return found


@lists.special(
    "map-values",
    "FUNCTION:each VALUES",
    "What FUNCTION gives for each value in dicts; each is `_` in it.",
    shows(["map-values", ["upper", "_."], {"a": "x", "b": "y"}], ["X", "Y"]),
    shows(["map-values", "_.", ["list", {"a": 1}, 5, {"a": 2}]], [1, 2]),
    shows(["map-values", "_.", None], []),
)
@_mapping
def _map_values(scope: Scope, call: Call, function: Run, values: Any) -> list[Any]:
    return scope.each(call, function, [inner for one in listed(values) if type(one) is dict for inner in one.values()])


@lists.special(
    "map-dict",
    "KEY:each VALUE:each VALUES",
    "Each dict with what KEY gives for its names and VALUE for its values; what gets a name that is no string is left "
    "out, and so is a dict of which nothing is left.",
    shows(["map-dict", ["upper", "_."], ["count", "_."], {"a": 1, "b": [2, 3]}], {"A": 1, "B": 2}),
    shows(["map-dict", ["if", ["eq", "_.", "a"], "_."], "_.", ["list", {"a": 1, "b": 2}, {"b": 3}]], [{"a": 1}]),
    shows(["map-dict", "_.", "_.", 5], None),
)
def _map_dict(making: Making, call: Call) -> Run:
    key, value = (repeated(making, call, one) for one in call.args[:2])
    values = making.expression(call.args[2])

    def made(scope: Scope, found: dict[str, Any]) -> dict[str, Any]:
        names = scope.each(call, key, found)
        return {
            name: scope.with_value(value, inner)
            for name, inner in zip(names, found.values(), strict=True)
            if type(name) is str
        }

    def run(scope: Scope) -> Any:
        found = values(scope)
        dicts = [made(scope, one) for one in listed(found) if type(one) is dict]
        kept = [one for one in dicts if one]
        return kept if type(found) is list else kept[0] if kept else None

    return run
