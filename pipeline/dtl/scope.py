"""What an expression sees while it is evaluated. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from pipeline.component import Datasets
from pipeline.dtl.prefixes import BUILT_IN
from pipeline.entity import Entity


@dataclass(slots=True)
class Host:
    """What rules are given beside their entities: time, chance, datasets. Each is an argument, so that tests set it."""

    now: Callable[[], int]
    """Nanoseconds since 1970."""
    uuid: Callable[[], UUID]
    """A new random UUID."""
    datasets: Datasets | None = None
    source: str | None = None
    """The dataset that the entities come from."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The variable `_B`."""
    prefixes: Mapping[str, str] = field(default_factory=lambda: BUILT_IN)
    """What namespaces stand for, at the beginning of addresses."""
    rdf: Mapping[str, Any] = field(default_factory=dict)
    """How entities get addresses for names, by dataset."""


NOTHING: Final[Mapping[str, Any]] = {}


class Scope:
    """The variables of a rule that runs. One is made for each entity and for each value that a rule is applied to."""

    __slots__ = ("applied", "created", "host", "level", "parent", "root", "rows", "s", "t", "v")

    def __init__(self, source: Any, target: Entity, host: Host, parent: Scope | None = None) -> None:
        """Below `parent`, or the outermost one."""
        self.s = source
        self.t = target
        self.v: Any = None
        self.host = host
        self.parent = parent
        self.rows = NOTHING
        """The entities of a join, by alias."""
        if parent is None:
            self.root = self
            self.level = 0
            self.created: list[Entity] = []
            self.applied = 0
        else:
            self.root = parent.root
            self.level = parent.level + 1

    def each(self, function: Callable[[Scope], Any], values: Iterable[Any]) -> list[Any]:
        """What a function expression gives for each value, with the value as `_`."""
        outer = self.v
        found: list[Any] = []
        for value in values:
            self.v = value
            found.append(function(self))
        self.v = outer
        return found

    def with_value(self, function: Callable[[Scope], Any], value: Any) -> Any:
        """What a function expression gives for one value."""
        outer = self.v
        self.v = value
        found = function(self)
        self.v = outer
        return found
