"""Transforms that choose, stop and emit. Those that set properties stand in `transforms_names`. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pipeline.dtl.errors import DtlEndError, DtlError, shown
from pipeline.dtl.growth import counted
from pipeline.dtl.registry import Making, Signal, Step, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import distinct, first, is_true, listed, same
from pipeline.entity import Entity

transforms: Final = Subject(
    "transforms",
    "Transforms",
    "A transform changes the target entity and gives no value. Where transforms are an argument, it is one or a list.",
)


def carried_out(steps: Sequence[Step], scope: Scope) -> Signal | None:
    """Do the steps; what ends the rule ends them."""
    for step in steps:
        signal = step(scope)
        if signal is not None:
            return signal
    return None


@transforms.transform(
    "if",
    "CONDITION THEN:do [ELSE:do]",
    "Does THEN if CONDITION is true, otherwise ELSE.",
    shows(["if", ["gt", "_S.age", 17], ["add", "adult", True], ["add", "child", True]], {"adult": True}, {"age": 18}),
    shows(["if", "_S.tags", [["add", "a", 1], ["add", "b", 2]]], {"a": 1, "b": 2}, {"tags": ["x"]}),
    shows(["if", "_S.none", ["add", "a", 1]], {}, {}),
)
def _if(making: Making, call: Call) -> Step:
    condition, then = making.expression(call.args[0]), making.block(call.args[1])
    other = () if call.args[2] is None else making.block(call.args[2])
    if len(then) == 1 and len(other) < 2:
        (only,), otherwise = then, other[0] if other else None

        def short(scope: Scope) -> Signal | None:
            found = condition(scope)
            if found is True or (found is not False and is_true(found)):
                return only(scope)
            return None if otherwise is None else otherwise(scope)

        return short
    return lambda scope: carried_out(then if is_true(condition(scope)) else other, scope)


@transforms.transform(
    "case",
    "(CONDITION THEN:do)+ [ELSE:do]",
    "Does the THEN of the first CONDITION that is true, otherwise ELSE.",
    shows(["case", ["gte", "_S.age", 18], ["add", "is", "adult"], ["add", "is", "child"]], {"is": "child"}, {"age": 9}),
    shows(["case", ["list"], ["add", "a", 1], "_S.tags", [["add", "b", 2]]], {"b": 2}, {"tags": ["x"]}),
    shows(["case", "_S.none", ["add", "a", 1]], {}, {}),
)
def _case(making: Making, call: Call) -> Step:
    pairs = [(making.expression(condition), making.block(then)) for condition, then in call.args[0]]
    other = () if call.args[1] is None else making.block(call.args[1])

    def step(scope: Scope) -> Signal | None:
        for condition, then in pairs:
            if is_true(condition(scope)):
                return carried_out(then, scope)
        return carried_out(other, scope)

    return step


@transforms.transform(
    "case-eq",
    "VALUE (MATCH THEN:do)+ [ELSE:do]",
    "Does the THEN of the first MATCH that is the same as VALUE, otherwise ELSE.",
    shows(["case-eq", "_S.country", "NO", ["add", "eu", False], ["add", "eu", True]], {"eu": True}, {"country": "SE"}),
    shows(["case-eq", "_S.tags", "a", ["add", "b", 2]], {"b": 2}, {"tags": ["a"]}),
    shows(["case-eq", "_S.none", "a", ["add", "b", 2]], {}, {}),
)
def _case_eq(making: Making, call: Call) -> Step:
    value = making.expression(call.args[0])
    pairs = [(making.expression(match), making.block(then)) for match, then in call.args[1]]
    other = () if call.args[2] is None else making.block(call.args[2])

    def step(scope: Scope) -> Signal | None:
        found = value(scope)
        for match, then in pairs:
            if same(found, match(scope)):
                return carried_out(then, scope)
        return carried_out(other, scope)

    return step


def _unless(signal: Signal, making: Making, call: Call) -> Step:
    if call.args[0] is None:
        return lambda scope: signal
    condition = making.expression(call.args[0])

    def step(scope: Scope) -> Signal | None:
        found = condition(scope)
        return None if found is True or is_true(found) else signal

    return step


@transforms.transform(
    "filter",
    "[CONDITION]",
    "Ends the rule unless CONDITION is true. The entity is filtered out: a dataset that has it deletes it, and no "
    "other sink sees it.",
    shows(["filter", ["gt", "_S.age", 42]], {"_filtered": True}, {"age": 42}),
    shows(["filter", "_S.tags"], {}, {"tags": ["a"]}),
    shows(["filter"], {"_filtered": True}, {}),
)
def _filter(making: Making, call: Call) -> Step:
    return _unless("filter", making, call)


@transforms.transform(
    "discard",
    "[CONDITION]",
    "Ends the rule unless CONDITION is true, and there is no target: no sink ever hears of the entity.",
    shows(["discard", ["gt", "_S.age", 42]], None, {"age": 42}),
    shows(["discard", "_S.tags"], {}, {"tags": ["a"]}),
    shows(["discard"], None, {}),
)
def _discard(making: Making, call: Call) -> Step:
    return _unless("discard", making, call)


@transforms.transform(
    "comment",
    "ANYTHING:raw*",
    "Does nothing. What stands in it is not looked at, so that transforms can be put aside in it.",
    shows(["comment", "names of people"], {}, {"name": "Kari"}),
    shows(["comment", ["add", "a", 1]], {}, {}),
    shows(["comment"], {}, {}),
)
def _comment(making: Making, call: Call) -> Step:
    return lambda scope: None


def _entities(call: Call, values: Any) -> list[Entity]:
    """The dicts among the values; each needs an `_id`."""
    found = [one for one in listed(values) if type(one) is dict]
    for one in found:
        if type(one.get("_id")) is not str:
            raise DtlError("an entity needs an `_id` that is a string", call.name, call.place, shown(one))
    return found


@transforms.transform(
    "create",
    "VALUES",
    "Emits each dict among the values as an entity of its own, before the target. Each needs an `_id`.",
    shows(["create", "_S.orders"], {}, {"orders": [{"_id": "o1"}, 5]}),
    shows(["create", {"_id": "1", "a": 1}], {}, {}),
    shows(["create", None], {}, {}),
)
def _create(making: Making, call: Call) -> Step:
    values = counted(making, call, call.args[0])

    def step(scope: Scope) -> None:
        scope.root.created += map(dict, _entities(call, values(scope)))

    return step


@transforms.transform(
    "create-child",
    "VALUES",
    "Adds each dict among the values to the target's `$children`. Each needs an `_id`.",
    shows(["create-child", "_S.orders"], {"$children": [{"_id": "o1"}]}, {"orders": [{"_id": "o1"}, 5]}),
    shows(["create-child", {"_id": "a"}], {"$children": [{"_id": "b"}, {"_id": "a"}]}, {}, {"$children": {"_id": "b"}}),
    shows(["create-child", None], {}, {}),
)
def _create_child(making: Making, call: Call) -> Step:
    values = counted(making, call, call.args[0])

    def step(scope: Scope) -> None:
        children = _entities(call, values(scope))
        if children:
            scope.t["$children"] = distinct([*listed(scope.t.get("$children")), *children])

    return step


@transforms.transform(
    "merge",
    "VALUES",
    "Sets the properties of each dict among the values on the target, the later over the earlier; none whose name "
    "begins with `_`.",
    shows(["merge", ["list", {"a": 1}, {"a": 2, "b": 3}]], {"a": 2, "b": 3}, {}),
    shows(["merge", {"_id": "x", "a": 1}], {"a": 1}, {}),
    shows(["merge", ["list", None, 5]], {}, {}),
)
def _merge(making: Making, call: Call) -> Step:
    values = counted(making, call, call.args[0])

    def step(scope: Scope) -> None:
        for one in listed(values(scope)):
            if type(one) is dict:
                scope.t.update({name: value for name, value in one.items() if name[:1] != "_"})

    return step


@transforms.transform(
    "merge-union",
    "VALUES",
    "As `merge`, but values that a property of the target has already stay, each once, with the new ones behind them.",
    shows(["merge-union", ["list", {"a": 1}, {"a": 2, "b": 3}]], {"a": [1, 2], "b": 3}, {}),
    shows(["merge-union", {"a": ["x", "y"]}], {"a": ["x", "y"]}, {}, {"a": "x"}),
    shows(["merge-union", ["list", None, 5]], {}, {}),
)
def _merge_union(making: Making, call: Call) -> Step:
    values = counted(making, call, call.args[0])

    def step(scope: Scope) -> None:
        target = scope.t
        for one in listed(values(scope)):
            if type(one) is dict:
                for name, value in one.items():
                    if name[:1] != "_":
                        target[name] = joined(target[name], value) if name in target else value

    return step


def joined(one: Any, other: Any) -> Any:
    """The values of both, each once; as they are, where they are the same."""
    if other is None or same(one, other):
        return one
    return distinct([*listed(one), *listed(other)])


@transforms.transform(
    "fail!",
    "MESSAGE",
    "Stops the run with this message.",
    shows(["if", ["is-null", "_S.name"], ["fail!", "an entity without a name"]], {}, {"name": "Kari"}),
    shows(["if", ["list"], ["fail!", "never"]], {}, {}),
    shows(["if", None, ["fail!", "never"]], {}, {}),
)
def _fail(making: Making, call: Call) -> Step:
    return _failing(making, call)


@transforms.transform(
    "trip!",
    "MESSAGE",
    "Stops the run with this message, as `fail!` does.",
    shows(["if", ["is-null", "_S.name"], ["trip!", "an entity without a name"]], {}, {"name": "Kari"}),
    shows(["if", ["list"], ["trip!", "never"]], {}, {}),
    shows(["if", None, ["trip!", "never"]], {}, {}),
)
def _trip(making: Making, call: Call) -> Step:
    return _failing(making, call)


def _failing(making: Making, call: Call) -> Step:
    message = making.expression(call.args[0])

    def step(scope: Scope) -> None:
        found = first(message(scope))
        raise DtlEndError(found if type(found) is str else "stopped", call.name, call.place)

    return step


@transforms.transform(
    "sleep!",
    "SECONDS",
    "Does nothing: rules of other systems wait here, and no rule holds up a run.",
    shows(["sleep!", 10], {}, {}),
    shows(["sleep!", ["list", 1, 2]], {}, {}),
    shows(["sleep!", None], {}, {}),
)
def _sleep(making: Making, call: Call) -> Step:
    return lambda scope: None
