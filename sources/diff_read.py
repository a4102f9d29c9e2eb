"""Reading the entities that are not the same in several datasets. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.entity import Entity, is_reserved
from pipeline.state.values import value_key
from sources.merge_read import MergeDatasets, combined

if TYPE_CHECKING:
    from pipeline.state.datasets import Reads


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared: the properties of `only`, or all, but those of `without`."""

    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    lists_as_sets: bool = False
    ignores_deletes: bool = False

    def differences(self, names: Sequence[str], versions: Sequence[Entity | None]) -> dict[str, dict[str, object]]:
        """The properties that are not the same everywhere, with what each dataset has."""
        entities = [None if one is None or (self.ignores_deletes and _deleted(one)) else one for one in versions]
        found: dict[str, dict[str, object]] = {}
        for name in dict.fromkeys(name for one in entities if one is not None for name in one):
            if not self._compares(name):
                continue
            values = {there: one[name] for there, one in zip(names, entities, strict=True) if one and name in one}
            keys = {_key(value, sets=self.lists_as_sets) for value in values.values()}
            if len(keys) > 1 or len(values) < len(names):
                found[name] = values
        return found

    def _compares(self, name: str) -> bool:
        if is_reserved(name):
            return name == "_deleted"
        return name not in self.without and (self.only is None or name in self.only)


class DiffDatasets(MergeDatasets):
    """Reads what changed, and compares it with the same entity in the other datasets."""

    def __init__(
        self,
        reads: Reads,
        names: Sequence[str],
        comparison: Comparison,
        *,
        lasting: bool = True,
        fails: bool = False,
    ) -> None:
        """Unless `lasting`, every run reads all; it `fails` if there is nothing at all."""
        super().__init__(reads, names, "all", lasting=lasting, fails=fails)
        self._comparison = comparison

    def _made(self, versions: Sequence[Entity | None]) -> Iterator[Entity]:
        """The entity with its differences; one that has none any more, and may have had some, as deleted."""
        there = [one for one in versions if one is not None]
        found = self._comparison.differences(self._names, versions)
        if found:
            made = combined([one for one in there if not _deleted(one)] or there)
            made.pop("_deleted", None)
            yield made | {"$diff": found}
        elif any(one["_previous"] is not None for one in there) or len(there) > 1:
            yield {"_id": there[0]["_id"], "_deleted": True}


def _deleted(entity: Entity) -> bool:
    return entity.get("_deleted") is True


def _key(value: object, *, sets: bool) -> object:
    """The same for values that are equal."""
    if isinstance(value, list):
        keys = [_key(one, sets=sets) for one in value]
        return ("list", frozenset(keys) if sets else tuple(keys))
    if isinstance(value, dict):
        return ("dict", frozenset((name, _key(one, sets=sets)) for name, one in value.items()))
    return value_key(value)
