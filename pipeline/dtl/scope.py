"""What an expression sees while it is evaluated. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from pipeline.entity import Entity


class Datasets(Protocol):
    """What rules may ask of datasets. Deleted entities are in none of the answers."""

    def get(self, dataset: str, id: str) -> Entity | None:
        """The entity with this `_id`."""
        ...

    def find(self, dataset: str, path: Sequence[str], values: Iterable[Any]) -> Iterable[Entity]:
        """The entities with one of these values at a path, each once, in the order of their `_id`.

        No value is null. A list at the path has each of its values. Values are the same as `values.key_of` says.
        """
        ...

    def all(self, dataset: str) -> Iterable[Entity]:
        """All entities, in the order of their `_id`."""
        ...

    def revision(self, dataset: str) -> int:
        """A number that is another one when the dataset has changed."""
        ...

    def completeness(self, via: str, dataset: str) -> int | None:
        """Nanoseconds since 1970 up to which a dataset is complete, as far as `via` knows."""
        ...

    def previous(self, dataset: str, entity: Entity) -> Entity | None:
        """The version before this one, deleted or not; None where it is not known."""
        ...


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


class Scope:
    """The variables of a rule that runs. One is made for each entity and for each value that a rule is applied to."""

    __slots__ = ("created", "host", "level", "parent", "root", "rows", "s", "t", "v")

    def __init__(self, source: Any, target: Entity, host: Host, parent: Scope | None = None) -> None:
        """Below `parent`, or the outermost one."""
        self.s = source
        self.t = target
        self.v: Any = None
        self.host = host
        self.parent = parent
        self.rows: Mapping[str, Any] = {}
        """The entities of a join, by alias."""
        if parent is None:
            self.root = self
            self.level = 0
            self.created: list[Entity] = []
        else:
            self.root = parent.root
            self.level = parent.level + 1
            self.created = parent.created

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
