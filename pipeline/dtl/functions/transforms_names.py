"""Transforms that set and remove properties by their names, which may have namespaces. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pipeline.dtl.errors import DtlError
from pipeline.dtl.functions.transforms import transforms
from pipeline.dtl.growth import counted
from pipeline.dtl.namespaces import Namespaces, identifier_of, in_all, space_of
from pipeline.dtl.registry import Making, Run, Step, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import first, is_true, listed
from pipeline.dtl.wildcards import matcher
from pipeline.entity import NI

__all__ = ["transforms"]

# Properties of the engine that tell of one version of one entity, and of no other that is made of it.
_OF_A_VERSION = frozenset({"_updated", "_hash", "_previous", "_ts", "_tracked"})


def _plain(name: str) -> str:
    return name


def _names(making: Making, node: Any, call: Call) -> Callable[[Scope], list[str]] | str:
    """The names that an expression gives; a string, where it is always one."""
    added = _plain if making.namespaces is None else making.namespaces.added
    run = making.expression(node)
    fixed = making.constant(run)
    if fixed is not None and type(fixed[0]) is str:
        return added(fixed[0])

    def names(scope: Scope) -> list[str]:
        found = listed(run(scope))
        if not all(type(name) is str for name in found):
            raise DtlError("the name of a property is a string", call.name, call.place)
        return [added(name) for name in found]

    return names


def _given(making: Making, name: str, value: Run) -> Run:
    """The value; of `_id` with its namespace."""
    spaces = making.namespaces
    if name != "_id" or spaces is None:
        return value
    return lambda scope: spaces.identified(value(scope))


def _setting(making: Making, call: Call, value: Run, may: Callable[[Scope, str, Any], bool] | None = None) -> Step:
    names = _names(making, call.args[0], call)
    if isinstance(names, str):
        name, given = names, _given(making, names, value)
        if may is None:

            def quick(scope: Scope) -> None:
                scope.t[name] = given(scope)

            return quick

        def one(scope: Scope) -> None:
            found = given(scope)
            if may(scope, name, found):
                scope.t[name] = found

        return one
    spaces = making.namespaces
    several = names

    def step(scope: Scope) -> None:
        found = value(scope)
        for each in several(scope):
            made = spaces.identified(found) if each == "_id" and spaces is not None else found
            if may is None or may(scope, each, made):
                scope.t[each] = made

    return step


@transforms.transform(
    "add",
    "PROPERTY VALUES",
    "Sets a property of the target, or several by a list of names; null is a value too.",
    shows(["add", "name", ["upper", "_S.name"]], {"name": "KARI"}, {"name": "Kari"}),
    shows(["add", ["list", "a", "b"], ["list", 1, 2]], {"a": [1, 2], "b": [1, 2]}, {}),
    shows(["add", "a", "_S.none"], {"a": None}, {}),
)
def _add(making: Making, call: Call) -> Step:
    return _setting(making, call, counted(making, call, call.args[1]))


@transforms.transform(
    "add-if",
    "PROPERTY [CONDITION:each] VALUES",
    "As `add`, if CONDITION is true of the values, which are `_` in it; without it, if they are not null.",
    shows(["add-if", "age", ["gte", "_.", 18], "_S.age"], {"age": 20}, {"age": 20}),
    shows(["add-if", "tags", ["list"]], {"tags": []}, {}),
    shows(["add-if", "name", "_S.none"], {}, {}),
)
def _add_if(making: Making, call: Call) -> Step:
    if call.args[1] is None:
        return _setting(making, call, counted(making, call, call.args[2]), lambda scope, name, value: value is not None)
    condition = making.expression(call.args[1])

    def may(scope: Scope, name: str, value: Any) -> bool:
        return is_true(scope.with_value(condition, value))

    return _setting(making, call, counted(making, call, call.args[2]), may)


@transforms.transform(
    "default",
    "PROPERTY VALUES",
    "As `add`, unless the target has the property.",
    shows(["default", "country", "NO"], {"country": "NO"}, {}),
    shows(["default", ["list", "a", "b"], 1], {"a": 2, "b": 1}, {}, {"a": 2}),
    shows(["default", "a", 1], {"a": None}, {}, {"a": None}),
)
def _default(making: Making, call: Call) -> Step:
    return _setting(making, call, counted(making, call, call.args[1]), lambda scope, name, value: name not in scope.t)


def _matchers(patterns: Iterable[str], spaces: Namespaces | None) -> list[Callable[[str], bool]]:
    return [matcher(one) if spaces is None else spaces.matcher(one) for one in patterns]


@transforms.transform(
    "copy",
    "INCLUDE:patterns [EXCLUDE:patterns]",
    "Copies the properties of the source that match one of the patterns of INCLUDE and none of EXCLUDE; `*` stands for "
    "any characters, `?` for one. What the engine says of a version (`_updated`, `_hash`, …) is copied by name only.",
    shows(["copy", "a*", "ab*"], {"age": 1}, {"age": 1, "abc": 2, "b": 3}),
    shows(["copy", ["list", "a", "b"]], {"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}),
    shows(["copy", "none"], {}, {"a": 1}),
)
def _copy(making: Making, call: Call) -> Step:
    include: list[str] = call.args[0].value
    exclude: list[str] = [] if call.args[1] is None else call.args[1].value
    spaces = making.namespaces
    if not exclude and spaces is None and not any("*" in one or "?" in one for one in include):
        return _copying_by_name(include)
    kept, left = _matchers(include, spaces), _matchers(exclude, spaces)
    # Entities of a pipe have the same few names.
    known: dict[str, bool] = {}

    def wanted(name: str) -> bool:
        if name in _OF_A_VERSION and name not in include:
            return False
        return any(fits(name) for fits in kept) and not any(fits(name) for fits in left)

    def step(scope: Scope) -> None:
        source = scope.s
        if type(source) is not dict:
            return
        target = scope.t
        for name, value in source.items():
            copied = known.get(name)
            if copied is None:
                copied = wanted(name)
                if len(known) < 4096:
                    known[name] = copied
            if copied:
                target[name] = value

    return step


def _copying_by_name(names: list[str]) -> Step:
    def step(scope: Scope) -> None:
        source = scope.s
        if type(source) is dict:
            for name in names:
                if name in source:
                    scope.t[name] = source[name]

    return step


@transforms.transform(
    "remove",
    "PROPERTY:patterns",
    "Removes the properties of the target that match the pattern, as in `copy`.",
    shows(["remove", "temp_*"], {"b": 1}, {}, {"temp_a": 3, "temp_b": 2, "b": 1}),
    shows(["remove", ["list", "a", "b"]], {"c": 3}, {}, {"a": 1, "b": 2, "c": 3}),
    shows(["remove", "none"], {"a": 1}, {}, {"a": 1}),
)
def _remove(making: Making, call: Call) -> Step:
    patterns = _matchers(call.args[0].value, making.namespaces)

    def step(scope: Scope) -> None:
        for name in [name for name in scope.t if any(fits(name) for fits in patterns)]:
            del scope.t[name]

    return step


def _from_and_to(
    making: Making, call: Call, old: Run, new: Callable[[Scope, str], Any]
) -> Callable[[Scope], list[tuple[str, list[str]]]]:
    """What is meant by a name of the source and one of the target: new names with the old ones that go there."""
    spaces = making.namespaces

    def pairs(scope: Scope) -> list[tuple[str, list[str]]]:
        source, name = scope.s, first(old(scope))
        if type(source) is not dict or name is None:
            return []
        other = first(new(scope, name)) if type(name) is str else None
        if type(name) is not str or type(other) is not str:
            raise DtlError("the name of a property is a string", call.name, call.place)
        if spaces is None:
            return [(other, [name])] if name in source else []
        exact = spaces.exact(name)
        found = in_all(name, source) if exact is None else [one for one in (exact,) if one in source]
        to = spaces.exact(other)
        if to is not None:
            return [(to, found)] if found else []
        return [(f"{space}:{other}" if (space := space_of(one)) else other, [one]) for one in found]

    return pairs


def _renaming(before: str, after: str) -> Step:
    def step(scope: Scope) -> None:
        source = scope.s
        if type(source) is dict and before in source:
            scope.t[after] = source[before]

    return step


@transforms.transform(
    "rename",
    "FROM TO",
    "Copies the property FROM of the source to the target as TO.",
    shows(["rename", "age", "years"], {"years": 3}, {"age": 3}),
    shows(["rename", "tags", "labels"], {"labels": ["a", "b"]}, {"tags": ["a", "b"]}),
    shows(["rename", "a", "b"], {"b": None}, {"a": None}),
)
def _rename(making: Making, call: Call) -> Step:
    old, new = map(making.expression, call.args)
    before, after = making.constant(old), making.constant(new)
    if making.namespaces is None and before and after and type(before[0]) is type(after[0]) is str:
        return _renaming(before[0], after[0])
    pairs = _from_and_to(making, call, old, lambda scope, name: new(scope))

    def step(scope: Scope) -> None:
        for name, found in pairs(scope):
            values = [scope.s[one] for one in found]
            scope.t[name] = values[0] if len(values) == 1 else [one for value in values for one in listed(value)]

    return step


@transforms.transform(
    "make-ni",
    "NAMESPACE FROM [TO]",
    "Copies the strings of the property FROM of the source as identifiers in NAMESPACE, to the property TO of the "
    "target, or to FROM with `-ni` behind it; where there are no strings, nothing is set.",
    shows(["make-ni", "crm", "customer", "ref"], {"ref": "~:crm:42"}, {"customer": "42"}),
    shows(["make-ni", "crm", "all"], {"all-ni": ["~:crm:1", "~:crm:2"]}, {"all": ["1", 5, "2"]}),
    shows(["make-ni", "crm", "customer"], {}, {"customer": None}),
)
def _make_ni(making: Making, call: Call) -> Step:
    space, old = making.expression(call.args[0]), making.expression(call.args[1])
    new = None if call.args[2] is None else making.expression(call.args[2])

    def to(scope: Scope, name: str) -> Any:
        return f"{name if making.namespaces is None else identifier_of(name)}-ni" if new is None else new(scope)

    pairs = _from_and_to(making, call, old, to)

    def step(scope: Scope) -> None:
        prefix = first(space(scope))
        if type(prefix) is not str:
            raise DtlError("NAMESPACE is a string", call.name, call.place)
        for name, found in pairs(scope):
            values = [scope.s[one] for one in found]
            made = [NI(f"{prefix}:{one}") for value in values for one in listed(value) if type(one) is str]
            single = len(values) == 1 and type(values[0]) is not list
            if made:
                scope.t[name] = made[0] if single else made

    return step
