"""What an expression sees while it is evaluated. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from pipeline.component import Datasets
from pipeline.dtl.errors import DtlError
from pipeline.dtl.limits import MOST_MADE, MOST_TURNS, MUCH, TOO_MUCH
from pipeline.dtl.prefixes import BUILT_IN
from pipeline.dtl.tree import Call
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


LONG: Final = frozenset({str, list})
"""What can be long."""
NOTHING: Final[Mapping[str, Any]] = {}


class Scope:
    """The variables of a rule that runs. One is made for each entity and for each value that a rule is applied to."""

    __slots__ = ("applied", "created", "host", "level", "made", "parent", "root", "rows", "s", "t", "turns", "v")

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
            self.applied = self.turns = self.made = 0
        else:
            self.root = parent.root
            self.level = parent.level + 1

    def each(self, call: Call, function: Callable[[Scope], Any], values: Collection[Any]) -> list[Any]:
        """What a function expression gives for each value, with the value as `_`; DtlError at the call if too much."""
        self.looks(call, len(values))
        outer = self.v
        found: list[Any] = []
        for value in values:
            self.v = value
            one = function(self)
            if type(one) in LONG and len(one) > MUCH:
                self.makes(call, len(one))
            found.append(one)
        self.v = outer
        return found

    def looks(self, call: Call, values: int) -> None:
        """Count values that a loop is about to look at."""
        root = self.root
        root.turns += values
        if root.turns > MOST_TURNS:
            raise DtlError(f"more than {MOST_TURNS:,} values are looked at for one entity", call.name, call.place)

    def makes(self, call: Call, size: int) -> None:
        """Count what was made, about in bytes."""
        root = self.root
        root.made += size
        if root.made > MOST_MADE:
            raise DtlError(TOO_MUCH, call.name, call.place)

    def with_value(self, function: Callable[[Scope], Any], value: Any) -> Any:
        """What a function expression gives for one value."""
        outer = self.v
        self.v = value
        found = function(self)
        self.v = outer
        return found
