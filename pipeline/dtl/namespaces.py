"""Names in namespaces, `crm:name`: what rules write, and which properties it means. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.dtl.wildcards import matcher


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
