"""Datasets of the state, as rules ask for them. No I/O of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pipeline.completeness import COMPLETENESS, known_of
from pipeline.entity import Entity
from pipeline.state.datasets import Reads

# A revision is the number of the dataset and, in these bits, that of its latest change.
_BITS: Final = 48
_PART: Final = 1000


class Stored:
    """`pipeline.component.Datasets` over what reads the state."""

    def __init__(self, reads: Reads) -> None:
        """Read when something is asked."""
        self._reads = reads

    def get(self, dataset: str, id: str) -> Entity | None:
        """The entity with this `_id`."""
        found = self._reads.get(dataset, id)
        return None if found is None or found.get("_deleted") is True else found

    def find(self, dataset: str, path: Sequence[str], values: Iterable[object]) -> Sequence[Entity]:
        """The entities with one of these values at a path."""
        found = self._reads.find(dataset, path, values)
        return found if len(found) < 2 else sorted(found, key=_id)

    def all(self, dataset: str) -> Iterator[Entity]:
        """All entities."""
        found = self._reads.dataset(dataset)
        after = 0
        while found is not None and after < found.last:
            page = self._reads.page(found.number, after, found.last, _PART)
            if not page.entities:
                return
            yield from (one for one in page.entities if one.get("_deleted") is not True)
            after = page.last

    def revision(self, dataset: str) -> int:
        """The latest change."""
        found = self._reads.dataset(dataset)
        return 0 if found is None else (found.number << _BITS) + found.last

    def completeness(self, via: str, dataset: str) -> int | None:
        """What the runs that filled `via` have passed on."""
        if self._reads.dataset(via) is None or self._reads.dataset(dataset) is None:
            return None
        return known_of(self._reads.note(COMPLETENESS + via)).get(dataset)

    def previous(self, dataset: str, entity: Entity) -> Entity | None:
        """The version before this one."""
        found, before = self._reads.dataset(dataset), entity.get("_previous")
        if found is None or type(before) is not int:
            return None
        page = self._reads.page(found.number, before - 1, before, 1, history=True)
        return page.entities[0] if page.entities else None


def _id(entity: Entity) -> str:
    id_: str = entity["_id"]
    return id_
