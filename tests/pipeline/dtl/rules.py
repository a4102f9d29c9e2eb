"""What tests of rules share: datasets in memory, a clock that stands still, and programs of rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.namespaces import Namespaces
from pipeline.dtl.parse import parse
from pipeline.dtl.program import Program
from pipeline.dtl.scope import Host
from pipeline.dtl.values import key_of
from pipeline.entity import Entity, transit, typed
from pipeline.state.values import values_at

NOW = 1_767_268_800_000_000_000


class Memory:
    """Datasets in memory. `asked` counts how often they were looked into, by the kind of the question."""

    def __init__(
        self, datasets: Mapping[str, Sequence[Mapping[str, Any]]], before: Mapping[str, Entity] | None = None
    ) -> None:
        """Entities by dataset; earlier versions by `_id`."""
        self._found = {name: {one["_id"]: typed(one) for one in entities} for name, entities in datasets.items()}
        self._before = before or {}
        self.asked: list[str] = []

    def get(self, dataset: str, id: str) -> Entity | None:
        """The entity, if it is not deleted."""
        self.asked.append("get")
        one = self._found.get(dataset, {}).get(id)
        return None if one is None or one.get("_deleted") is True else one

    def find(self, dataset: str, path: Sequence[str], values: Iterable[object]) -> list[Entity]:
        """Those with one of the values at the path."""
        self.asked.append("find")
        keys = set(map(key_of, values))
        return [one for one in self._all(dataset) if keys & set(map(key_of, values_at(one, path)))]

    def all(self, dataset: str) -> list[Entity]:
        """All that are not deleted."""
        self.asked.append("all")
        return self._all(dataset)

    def _all(self, dataset: str) -> list[Entity]:
        found = self._found.get(dataset, {})
        return [found[id_] for id_ in sorted(found) if found[id_].get("_deleted") is not True]

    def revision(self, dataset: str) -> int:
        """They never change."""
        return 1

    def completeness(self, via: str, dataset: str) -> int | None:
        """Known of one dataset."""
        return NOW if via == dataset == "orders" else None

    def previous(self, dataset: str, entity: Entity) -> Entity | None:
        """The earlier version."""
        return self._before.get(entity["_id"])


def host(datasets: Memory | None = None, source: str | None = None) -> Host:
    """A moment that stands still, and one UUID."""
    return Host(lambda: NOW, lambda: UUID(int=1), datasets, source)


def program(
    rules: Mapping[str, Any] | Sequence[Any],
    datasets: Memory | None = None,
    namespaces: Namespaces | None = None,
    *,
    source: str | None = None,
    id_required: bool = True,
) -> Program:
    """The program of some rules, or of a rule `default`."""
    named = rules if isinstance(rules, Mapping) else {"default": rules}
    parsed = parse(named, REGISTRY)
    assert parsed.faults == []
    return Program(parsed.rules, host(datasets, source), namespaces, id_required=id_required)


def made(rules: Mapping[str, Any] | Sequence[Any], entity: Entity, datasets: Memory | None = None) -> list[Entity]:
    """What rules make of an entity, as JSON."""
    return [transit(one) for one in program(rules, datasets)(entity)]
