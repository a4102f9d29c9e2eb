"""A dataset as a source, with the datasets that are joined with it: what changes there has entities here. No I/O.

Its position is that of the source and, behind it, one in each dataset that is followed: `3.120 customers=5.77`; `-`
stands for one that is not there. So both are stored in one, whatever the sink is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pipeline.dtl.dependants import Dependants, Source, UntracedError
from pipeline.entity import Entity
from pipeline.state.datasets import Dataset, Reads, Scan
from sources.dataset_read import PAGE, DatasetSource, after

if TYPE_CHECKING:
    from pipeline.component import Transform

Given = tuple[Sequence[Entity], str | None]
_NOWHERE: Final = "-"


def followed(source: Any, transforms: Sequence[Transform], reads: Reads) -> Any:  # noqa: ANN401 - a source
    """The source, and what it is joined with; the source alone where nothing is joined, or all is read anyway."""
    if not isinstance(source, DatasetSource) or not source.lasting:
        return source
    found: list[Dependants] = []
    for place, transform in enumerate(transforms):
        dependants = getattr(transform, "dependants", None)
        if isinstance(dependants, Dependants) and dependants.datasets:
            if place:
                dependants.untraced()
            found.append(dependants)
    return FollowingSource(source, reads, found) if found else source


class FollowingSource:
    """Gives the entities that changes elsewhere concern, as they are now, and then what changed in the source."""

    def __init__(self, source: DatasetSource, reads: Reads, dependants: Sequence[Dependants]) -> None:
        """`dependants` are those of the transforms."""
        self._source = source
        self._reads = reads
        self._dependants = dependants
        self._names = sorted({name for one in dependants for name in one.datasets})
        self.lookups = sorted({lookup for one in dependants for lookup in one.lookups(source.name)})
        """The datasets, with the paths, that are looked into: what an index is good for."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the source has
        """Such as whether it began afresh."""
        return getattr(self._source, name)

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return self._source.knows(_split(since)[0] or "")

    def read(self, since: str | None) -> Iterator[Given]:
        """What is new, up to what was there when it began."""
        position, known = _split(since)
        heads = {name: self._reads.dataset(name) for name in self._names}
        now = {name: _position(head) for name, head in heads.items()}
        own = self._reads.dataset(self._source.name)
        at = None if own is None else after(position, own.number)
        if own is not None and at is not None:
            # One that was not followed before is from now on.
            begun = {name: known.get(name, reached) for name, reached in now.items()}
            if begun.keys() != known.keys():
                yield (), _joined(position or "", begun)
            source, met = Source(self._source.name, at), Scan(0, 0)
            try:
                for name, head in heads.items():
                    if begun[name] != now[name]:
                        yield from self._concerned(source, head, name, position, begun, met)
            except UntracedError:
                # All are given once more; that is no new beginning, as none of them is known to be gone.
                position = f"{own.number}.0"
        for entities, reached in self._source.read(position):
            yield entities, None if reached is None else _joined(reached, now)

    def _concerned(
        self, source: Source, head: Dataset | None, name: str, position: str | None, begun: dict[str, str], met: Scan
    ) -> Iterator[Given]:
        """The entities that are or were joined with what changed in one dataset; then the position behind it."""
        start = 0 if begun[name] == _NOWHERE else None if head is None else after(begun[name], head.number)
        if head is None or start is None:
            # It was removed, and nobody knows what it had.
            raise UntracedError
        at = start
        while at < head.last:
            page = self._reads.page(head.number, at, head.last, PAGE, history=True)
            for dependants in self._dependants:
                versions = page.entities
                if not dependants.by_id(name):
                    if len(versions) < page.last - at:
                        # Each change has a number of its own: some were cleared away.
                        raise UntracedError
                    versions = [*versions, *self._before(head.number, start, versions)]
                changes = head.last - start
                for entities in dependants.of(self._reads, source, name, versions, changes, met):
                    yield self._source.among(entities), None
            at = page.last
            begun[name] = f"{head.number}.{at}"
            yield (), _joined(position or "", begun)

    def _before(self, number: int, start: int, versions: Sequence[Entity]) -> Iterator[Entity]:
        """What versions have replaced that was there at the start: a join may have led to that."""
        for one in versions:
            previous = one["_previous"]
            if previous is not None and previous <= start:
                found = self._reads.page(number, previous - 1, previous, 1, history=True).entities
                if not found:
                    raise UntracedError
                yield from found


def _split(since: str | None) -> tuple[str | None, Mapping[str, str]]:
    position, *rest = (since or "").split(" ")
    parts = (part.rpartition("=") for part in rest)
    return position or None, {name: at for name, _, at in parts}


def _joined(position: str, followed: Mapping[str, str]) -> str:
    return " ".join([position, *(f"{name}={at}" for name, at in followed.items())])


def _position(head: Dataset | None) -> str:
    return _NOWHERE if head is None else f"{head.number}.{head.last}"
