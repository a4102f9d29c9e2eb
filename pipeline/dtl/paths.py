"""Paths to properties: `_S.orders.amount`. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pipeline.dtl.namespaces import Namespaces, in_all
from pipeline.dtl.registry import Run
from pipeline.dtl.scope import Scope
from pipeline.entity import NI
from pipeline.state.values import ANY_SPACE

# A variable is one of the language's, or the alias of a dataset in a join; a path goes on behind its dot.
_begin: Final = re.compile(r"(_[A-Za-z]?|[A-Za-z][A-Za-z0-9_-]*)\.")
_part: Final = re.compile(r"'((?:[^']|'')*)'(?=\.|$)|([^.]*)")

VARIABLES: Final = ("_S", "_T", "_P", "_R", "_B", "_")


def variable_of(text: str) -> str | None:
    """What stands before the first dot of a text, if a variable may be called so."""
    found = _begin.match(text)
    return found[1] if found else None


def parts_of(text: str) -> tuple[str, ...]:
    """The names in a path behind its variable. One in quotes may have dots, and two quotes for one."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        found = _part.match(text, at)
        if found is None:  # it matches the empty text
            break
        quoted, bare = found.groups()
        parts.append(bare if quoted is None else quoted.replace("''", "'"))
        at = found.end() + 1
    return tuple(parts)


def sought(parts: Sequence[str], namespaces: Namespaces | None) -> tuple[str, ...]:
    """A path as datasets are asked for what stands at it."""
    if namespaces is None:
        return tuple(parts)
    return tuple(ANY_SPACE + part if (exact := namespaces.exact(part)) is None else exact for part in parts)


Get = Callable[[dict[str, Any]], Any]
"""One step of a path: what a dict has at it; None for nothing."""


def getter(part: str, namespaces: Namespaces | None) -> Get:
    """What a dict has under a name; without a namespace, where names have one, under it in all of them."""
    exact = part if namespaces is None else namespaces.exact(part)
    if exact is not None:
        return lambda found: found.get(exact)

    def everywhere(found: dict[str, Any]) -> Any:
        names = in_all(part, found)
        if len(names) < 2:
            return found[names[0]] if names else None
        return [value for name in names for value in _flat(found[name])]

    return everywhere


def _flat(value: Any) -> Sequence[Any]:
    if type(value) is list:
        return value
    return () if value is None else (value,)


def reached(value: Any, get: Get) -> Any:
    """What is at one step from a value; of a list, the values that are at it from each of its values."""
    if type(value) is dict:
        return get(value)
    if type(value) is not list:
        return None
    found: list[Any] = []
    for each in value:
        inner = reached(each, get)
        if type(inner) is list:
            found += inner
        elif inner is not None:
            found.append(inner)
    return found


def walked(value: Any, gets: Sequence[Get]) -> Any:
    """What is at the end of a path from a value."""
    for get in gets:
        if value is None:
            return None
        value = reached(value, get)
    return value


def named(value: Any, names: Sequence[str]) -> Any:
    """As `walked`, by names that are exactly these."""
    for name in names:
        if type(value) is dict:
            value = value.get(name)
        elif type(value) is list:
            found: list[Any] = []
            for each in value:
                inner = each.get(name) if type(each) is dict else reached(each, getter(name, None))
                if type(inner) is list:
                    found += inner
                elif inner is not None:
                    found.append(inner)
            value = found
        else:
            return None
    return value


def path(variable: str, parts: Sequence[str], namespaces: Namespaces | None) -> Run:
    """What reads a path in a scope."""
    whole = parts[-1] if parts else variable
    root, parts = _root(variable, parts)
    if not parts:
        # The target goes on changing, and may not become a part of itself.
        return (lambda scope: dict(found) if type(found := root(scope)) is dict else found) if whole == "_T" else root
    if variable == "_S" and parts[0] == "$ids" and namespaces is not None:
        root, parts = _identities(root, namespaces), parts[1:]
        if not parts:
            return root
    if len(parts) > 1 and namespaces is None:
        names = tuple(parts)
        return lambda scope: named(root(scope), names)
    gets = [getter(part, namespaces) for part in parts]
    if len(parts) > 1:
        return lambda scope: walked(root(scope), gets)
    (get,) = gets
    exact = parts[0] if namespaces is None else namespaces.exact(parts[0])
    if exact is None or variable not in _QUICK:
        return lambda scope: reached(root(scope), get)
    return _QUICK[variable](exact, get)


def _source(name: str, get: Get) -> Run:
    def run(scope: Scope) -> Any:
        found = scope.s
        return found.get(name) if type(found) is dict else reached(found, get)

    return run


def _target(name: str, get: Get) -> Run:
    return lambda scope: scope.t.get(name)


def _value(name: str, get: Get) -> Run:
    def run(scope: Scope) -> Any:
        found = scope.v
        return found.get(name) if type(found) is dict else reached(found, get)

    return run


# Most paths are one property of one of these.
_QUICK: Final[Mapping[str, Callable[[str, Get], Run]]] = {"_S": _source, "_T": _target, "_": _value}


def _identities(root: Run, namespaces: Namespaces) -> Run:
    """`_S.$ids`: of an entity without them its own `_id`."""

    def run(scope: Scope) -> Any:
        found = root(scope)
        if type(found) is not dict or "$ids" in found or type(found.get("_id")) is not str:
            return reached(found, getter("$ids", None))
        return [NI(f"{namespaces.identity}:{found['_id']}")]

    return run


def _root(variable: str, parts: Sequence[str]) -> tuple[Run, Sequence[str]]:
    """What reads a variable, and the rest of the path behind it."""
    if variable == "_S":
        return (lambda scope: scope.s), parts
    if variable == "_T":
        return (lambda scope: scope.t), parts
    if variable == "_":
        return (lambda scope: scope.v), parts
    if variable == "_B":
        return (lambda scope: dict(scope.host.parameters)), parts
    if variable == "_R":
        return _above(lambda scope: scope.root, parts, parents=False)
    if variable == "_P":
        return _above(lambda scope: scope.parent, parts, parents=True)
    return (lambda scope: scope.rows.get(variable)), parts


def _above(find: Callable[[Scope], Scope | None], parts: Sequence[str], *, parents: bool) -> tuple[Run, Sequence[str]]:
    """The source or the target of another scope, or of a parent of it."""
    inner = parts[0] if parts else ""
    if inner == "_P" and parents:
        outer = find
        return _above(lambda scope: None if (found := outer(scope)) is None else found.parent, parts[1:], parents=True)
    if inner == "_S":
        return (lambda scope: None if (found := find(scope)) is None else found.s), parts[1:]
    if inner == "_T":
        return (lambda scope: None if (found := find(scope)) is None else found.t), parts[1:]
    return (lambda scope: _as_dict(find(scope), parents=parents)), parts


def _as_dict(scope: Scope | None, *, parents: bool) -> dict[str, Any] | None:
    if scope is None:
        return None
    found = {"_S": scope.s, "_T": dict(scope.t)}
    if parents and scope.parent is not None:
        found["_P"] = _as_dict(scope.parent, parents=True)
    return found
