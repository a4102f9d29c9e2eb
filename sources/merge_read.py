"""Reading the entities of several datasets that have the same `_id`, as one. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from pipeline.entity import Entity, is_reserved
from pipeline.run import StoppedError
from pipeline.state.values import value_key
from sources.dataset_read import pages, position, positions

if TYPE_CHECKING:
    from pipeline.state.datasets import Reads

Strategy = Literal["latest", "all"]


class MergeDatasets:
    """Reads what changed in one dataset after the other, and looks up the same entities in all of them."""

    def __init__(
        self,
        reads: Reads,
        names: Sequence[str],
        strategy: Strategy = "latest",
        *,
        lasting: bool = True,
        fails: bool = False,
    ) -> None:
        """Unless `lasting`, every run reads all; it `fails` if there is nothing at all."""
        self._reads = reads
        self._names = tuple(dict.fromkeys(names))
        self._merge = latest if strategy == "latest" else combined
        self._lasting = lasting
        self._fails = fails
        self.afresh = False

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return not positions(since, [self._reads.dataset(name) for name in self._names])[1]

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """A page at a time, up to what was there when it began; each entity once."""
        found = [self._reads.dataset(name) for name in self._names]
        if self._fails and not any(one is not None and one.last for one in found):
            raise StoppedError(f"the datasets {', '.join(f'`{name}`' for name in self._names)} are empty")
        at, self.afresh = positions(since, found)
        begun = tuple(at)
        numbers = [None if one is None else one.number for one in found]
        for place, one in enumerate(found):
            if one is None:
                continue
            for entities, reached in pages(self._reads, one.number, at[place], one.last):
                at[place] = reached
                given = list(self._merged(entities, place, numbers, begun))
                yield given, position(found, at) if self._lasting else None

    def _merged(
        self, entities: Sequence[Entity], place: int, numbers: Sequence[int | None], begun: Sequence[int]
    ) -> Iterator[Entity]:
        ids = [entity["_id"] for entity in entities]
        looked = [{} if number is None else self._reads.many(number, ids) for number in numbers]
        for id_ in ids:
            # What changed in a dataset before this one was given with that.
            if any(id_ in looked[at] and looked[at][id_]["_updated"] > begun[at] for at in range(place)):
                continue
            yield from self._made([each.get(id_) for each in looked])

    def _made(self, versions: Sequence[Entity | None]) -> Iterator[Entity]:
        """What becomes of an entity, as it is in each of the datasets."""
        there = [one for one in versions if one is not None]
        yield self._merge([one for one in there if one.get("_deleted") is not True] or there)


def latest(versions: Sequence[Entity]) -> Entity:
    """The one that was stored last; of those at the same time that of the last dataset."""
    return max(enumerate(versions), key=lambda one: (one[1]["_ts"], one[0]))[1]


def combined(versions: Sequence[Entity]) -> Entity:
    """The properties of all; different values of one become a list, each once."""
    made = dict(versions[0])
    for version in versions[1:]:
        for name, value in version.items():
            if is_reserved(name):
                continue
            made[name] = _both(made[name], value) if name in made else value
    return made


def _both(one: object, other: object) -> object:
    values = [*(one if isinstance(one, list) else [one])]
    known = set(map(value_key, values))
    for value in other if isinstance(other, list) else [other]:
        if value_key(value) not in known:
            known.add(value_key(value))
            values.append(value)
    return values if len(values) > 1 or isinstance(one, list) or isinstance(other, list) else values[0]
