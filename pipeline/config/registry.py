"""Which class a type name stands for. No I/O: `pipeline.config.installed` finds what there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.component import ComponentConfig, Kind

OWN: Final = "mailweir"
groups: Final[Mapping[str, Kind]] = {
    "mailweir.systems": "system",
    "mailweir.sources": "source",
    "mailweir.transforms": "transform",
    "mailweir.sinks": "sink",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A type name, the package it comes from, and how to get its class."""

    name: str
    package: str
    load: Callable[[], type[ComponentConfig]]


@dataclass(frozen=True, slots=True)
class Registry:
    """A plain value: kind → type name → entry. `closed` are types of installed packages that are not allowed."""

    types: Mapping[Kind, Mapping[str, Entry]]
    closed: Mapping[tuple[Kind, str], str] = field(default_factory=dict)

    def names(self, kind: Kind) -> list[str]:
        """The types of a kind, as a configuration writes them."""
        return sorted(written(kind, name) for name in self.types.get(kind, {}))

    def find(self, kind: Kind, type_name: str) -> type[ComponentConfig] | None:
        """The config class of a type as written (`system:smtp`), loaded now."""
        entry = self.types.get(kind, {}).get(type_name.removeprefix("system:") if kind == "system" else type_name)
        return entry.load() if entry and written(kind, entry.name) == type_name else None

    def closed_by(self, kind: Kind, type_name: str) -> str | None:
        """The installed package that brings this type and is not allowed."""
        return self.closed.get((kind, type_name))


def written(kind: Kind, name: str) -> str:
    """A type name as a configuration writes it."""
    return f"system:{name}" if kind == "system" else name
