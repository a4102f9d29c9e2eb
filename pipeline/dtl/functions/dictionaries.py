"""Functions of dicts, and rules that are applied to values. No I/O."""

from __future__ import annotations

from typing import Any, Final

from pipeline.dtl.errors import DtlError
from pipeline.dtl.limits import MOST_LEVELS, MOST_VALUES
from pipeline.dtl.namespaces import Way, identifier_of, spaced
from pipeline.dtl.paths import getter, walked
from pipeline.dtl.registry import Making, Run, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import first, listed

dictionaries: Final = Subject("dictionaries", "Dictionaries", "Values that are no dicts are left out.")


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [one for one in listed(values) if type(one) is dict]


@dictionaries.values(
    "dict",
    "| ITEMS | (KEY VALUE)+",
    "A dict of the pairs in ITEMS, or of keys and values in turn; of equal keys the last counts. What is no pair, or "
    "has a key that is no string, is left out.",
    shows(["dict", "name", ["upper", "_S.name"]], {"name": "KARI"}, {"name": "Kari"}),
    shows(["dict", ["list", ["list", "a", 1], "x", ["list", 2, 2]]], {"a": 1}),
    shows(["dict", None], {}),
    shows(["dict"], {}),
)
def _dict(*items: Any) -> dict[str, Any]:
    found = listed(items[0]) if items else ()
    return {pair[0]: pair[1] for pair in found if type(pair) is list and len(pair) == 2 and type(pair[0]) is str}


@dictionaries.values(
    "has-key",
    "KEY VALUES",
    "Whether the first value has the key; null if it is no dict.",
    shows(["has-key", "a", {"a": None}], True),
    shows(["has-key", "b", ["list", {"a": 1}, {"b": 1}]], False),
    shows(["has-key", "a", 5], None),
)
def _has_key(key: Any, values: Any) -> bool | None:
    name, found = first(key), first(values)
    return None if type(found) is not dict else type(name) is str and name in found


@dictionaries.values(
    "is-dict",
    "VALUES",
    "Whether the first value is a dict.",
    shows(["is-dict", {"a": 1}], True),
    shows(["is-dict", ["list", 5, {"a": 1}]], False),
    shows(["is-dict", None], False),
)
def _is_dict(values: Any) -> bool:
    return type(first(values)) is dict


@dictionaries.values(
    "keys",
    "DICTS",
    "The names in all dicts.",
    shows(["keys", {"a": 1, "b": 2}], ["a", "b"]),
    shows(["keys", ["list", {"a": 1}, 5, {"a": 2}]], ["a", "a"]),
    shows(["keys", None], []),
)
def _keys(values: Any) -> list[str]:
    return [name for one in _dicts(values) for name in one]


@dictionaries.values(
    "values",
    "DICTS",
    "The values in all dicts.",
    shows(["values", {"a": 1, "b": 2}], [1, 2]),
    shows(["values", ["list", {"a": 1}, 5, {"a": [2]}]], [1, [2]]),
    shows(["values", None], []),
)
def _values(values: Any) -> list[Any]:
    return [inner for one in _dicts(values) for inner in one.values()]


@dictionaries.values(
    "items",
    "DICTS",
    "A list of name and value for each property in all dicts.",
    shows(["items", {"a": 1, "b": 2}], [["a", 1], ["b", 2]]),
    shows(["items", ["list", {"a": 1}, 5, {"a": 2}]], [["a", 1], ["a", 2]]),
    shows(["items", None], []),
)
def _items(values: Any) -> list[list[Any]]:
    return [[name, inner] for one in _dicts(values) for name, inner in one.items()]


@dictionaries.values(
    "key-values",
    "DICTS",
    "A dict with `key` and `value` for each property in all dicts; of a single dict with a single property it is one.",
    shows(["key-values", {"a": 1}], {"key": "a", "value": 1}),
    shows(["key-values", ["list", {"a": 1}, 5]], [{"key": "a", "value": 1}]),
    shows(["key-values", None], []),
)
def _key_values(values: Any) -> Any:
    found = [{"key": name, "value": inner} for one in _dicts(values) for name, inner in one.items()]
    return found[0] if type(values) is dict and len(found) == 1 else found


@dictionaries.special(
    "path",
    "PATH VALUES",
    "What is at a path from the values. PATH is a name or a list of names; what is no string in it is left out.",
    shows(["path", "age", {"age": 24}], 24),
    shows(["path", ["list", "a", "b"], ["list", {"a": {"b": 1}}, {"a": [{"b": 2}, {"b": 3}]}]], [1, 2, 3]),
    shows(["path", "none", {"age": 24}], None),
)
def _path(making: Making, call: Call) -> Run:
    names, values = map(making.expression, call.args)
    spaces = making.namespaces

    def run(scope: Scope) -> Any:
        parts = [getter(one, spaces) for one in listed(names(scope)) if type(one) is str]
        return walked(values(scope), parts)

    return run


_BIG: Final = {"big": [["filter", ["gt", "_S.n", 5]], ["rename", "n", "size"]]}


@dictionaries.special(
    "apply",
    "RULE:rule VALUES",
    "What a rule makes of each value: the value is `_S` in it, a new entity is `_T`, and `_P` is where it is applied. "
    "What the rule filters or discards is left out.",
    shows(["apply", "big", {"n": 9}], {"size": 9}, None, None, _BIG),
    shows(["apply", "big", "_S.orders"], [{"size": 9}], {"orders": [{"n": 9}, {"n": 1}]}, None, _BIG),
    shows(["apply", "big", "_S.none"], None, {}, None, _BIG),
    pure=False,
)
def _apply(making: Making, call: Call) -> Run:
    values = making.expression(call.args[1])
    applied = applying(making, call)

    def run(scope: Scope) -> Any:
        found = values(scope)
        if found is None:
            return None
        made = applied(scope, listed(found))
        return made if type(found) is list else made[0] if made else None

    return run


def applying(making: Making, call: Call) -> Any:
    """What applies the rule that is the first argument to values, in a scope."""
    steps = making.rule(call.args[0].value)

    def applied(outer: Scope, values: Any) -> list[Any]:
        if outer.level >= MOST_LEVELS:
            raise DtlError(f"rules are applied within each other {MOST_LEVELS} times", call.name, call.place)
        made = []
        root = outer.root
        root.applied += len(values)
        if root.applied > MOST_VALUES:
            raise DtlError(f"rules are applied to more than {MOST_VALUES:,} values", call.name, call.place)
        for value in values:
            if value is None:
                continue
            scope = Scope(value, {}, outer.host, outer)
            for step in steps:
                if step(scope) is not None:
                    break
            else:
                made.append(scope.t)
        return made

    return applied


def _stripped(value: Any) -> Any:
    if type(value) is dict:
        return {identifier_of(name): _stripped(inner) for name, inner in value.items()}
    return list(map(_stripped, value)) if type(value) is list else value


@dictionaries.values(
    "strip-ns",
    "VALUES",
    "The values with the names in dicts without their namespaces, at every depth.",
    shows(["strip-ns", {"crm:a": {"crm:b": 1}}], {"a": {"b": 1}}),
    shows(["strip-ns", ["list", {"x:a": 1}, 5]], [{"a": 1}]),
    shows(["strip-ns", 5], None),
)
def _strip_ns(values: Any) -> Any:
    if type(values) is list:
        return list(map(_stripped, _dicts(values)))
    return _stripped(values) if type(values) is dict else None


@dictionaries.special(
    "apply-ns",
    "NAMESPACE:constant VALUES",
    "The values with a namespace before the names in dicts, and before `_id`. NAMESPACE is a string, or a dict with "
    "`property_namespace`, `identity_namespace`, `skip_underscore`, `skip_dollar` and `recursive`.",
    shows(["apply-ns", "crm", {"_id": "1", "a": {"b": 2}}], {"_id": "crm:1", "crm:a": {"crm:b": 2}}),
    shows(["apply-ns", "crm", ["list", {"a": 1}, 5]], [{"crm:a": 1}]),
    shows(["apply-ns", {"property_namespace": "crm", "identity_namespace": None}, {"_id": "1"}], {"_id": "1"}),
    shows(["apply-ns", "crm", None], None),
)
def _apply_ns(making: Making, call: Call) -> Run:
    given = call.args[0].value
    spaces = making.namespaces
    own = (None, None) if spaces is None else (spaces.property, spaces.identity)
    if type(given) is str:
        own = given, given
    settings = given if type(given) is dict else {}
    way = Way(
        settings.get("property_namespace", own[0]),
        settings.get("identity_namespace", own[1]),
        *(settings.get(name, True) is not False for name in ("skip_underscore", "skip_dollar", "recursive")),
    )
    values = making.expression(call.args[1])

    def run(scope: Scope) -> Any:
        found = values(scope)
        if type(found) is list:
            return [spaced(one, way) for one in _dicts(found)]
        return spaced(found, way) if type(found) is dict else None

    return run
