"""Names in namespaces, `crm:name`: what rules write, and which properties it means. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.dtl.wildcards import matcher
from pipeline.entity import NI


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The namespaces of a pipe whose names have one."""

    identity: str
    property: str

    def added(self, name: str) -> str:
        """The name of a property that is added."""
        if name.startswith("::"):
            return name[2:]
        if name.startswith(":"):
            return self.property + name
        return name if ":" in name or is_own(name) else f"{self.property}:{name}"

    def identified(self, value: Any) -> Any:
        """The value of an `_id` that is added."""
        if type(value) is not str:
            return value
        if value.startswith("::"):
            return value[2:]
        if value.startswith(":"):
            return self.identity + value
        return value if ":" in value else f"{self.identity}:{value}"

    def exact(self, name: str) -> str | None:
        """The one property that is meant; None if it is this name in every namespace."""
        if name.startswith("::"):
            return name[2:]
        if name.startswith(":"):
            return self.property + name
        return name if ":" in name or is_own(name) else None

    def matcher(self, pattern: str) -> Callable[[str], bool]:
        """As `matcher`, where namespace and identifier are matched each for itself."""
        if pattern.startswith("::"):
            return matcher(pattern[2:])
        if pattern.startswith(":"):
            pattern = self.property + pattern
        space, colon, identifier = pattern.rpartition(":")
        of_identifier = matcher(identifier)
        if not colon:
            return lambda name: of_identifier(name.rpartition(":")[2])
        of_space = matcher(space)

        def matches(name: str) -> bool:
            found, colon, rest = name.rpartition(":")
            return bool(colon) and of_space(found) and of_identifier(rest)

        return matches


def is_own(name: str) -> bool:
    """Whether a property belongs to the engine or has a fixed meaning, and so no namespace."""
    return name[:1] in {"_", "$"}


def in_all(name: str, names: Iterable[str]) -> list[str]:
    """The names that are this one in any namespace, or in none."""
    end = ":" + name
    return [each for each in names if each == name or each.endswith(end)]


def identifier_of(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition(":")[2]


def space_of(name: str) -> str:
    """The namespace of a name; "" if it has none."""
    return name.rpartition(":")[0]


class Way(NamedTuple):
    """How namespaces are put before the names in dicts; null for none. `skip_…` leaves such names as they are."""

    property: str | None
    identity: str | None
    skip_underscore: bool = True
    skip_dollar: bool = True
    recursive: bool = True


def spaced(value: Any, way: Way) -> Any:
    """A value with namespaces before the names in it, and before `_id`."""
    if type(value) is list:
        return [spaced(one, way) for one in value]
    if type(value) is not dict:
        return value
    found = {}
    for name, inner in value.items():
        dollar = name[:1] == "$" and way.skip_dollar
        own = inner
        if name == "_id" and type(inner) is str:
            own = inner if way.identity is None else f"{way.identity}:{inner}"
        elif way.recursive and not dollar:
            own = spaced(inner, way)
        kept = dollar or (name[:1] == "_" and way.skip_underscore) or way.property is None or ":" in name
        found[name if kept else f"{way.property}:{name}"] = own
    return found


def bare(value: Any) -> Any:
    """A value without the namespaces of names, of `_id`s and of identifiers, at every depth."""
    if type(value) is dict:
        return {
            identifier_of(name): (inner.partition(":")[2] or inner)
            if name == "_id" and type(inner) is str
            else bare(inner)
            for name, inner in value.items()
        }
    if type(value) is list:
        return list(map(bare, value))
    return NI(value.text.partition(":")[2] or value.text) if type(value) is NI else value
