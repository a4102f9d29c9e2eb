"""Reading datasets: what changed in them, in the order of changes. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.entity import Entity, typed
from pipeline.run import StoppedError
from pipeline.state.values import value_key, values_at

if TYPE_CHECKING:
    from pipeline.state.datasets import Dataset, Reads

# Entities that are read with one look.
PAGE: Final = 1024


class Subset:
    """Entities of which a value at a path is one of some."""

    def __init__(self, path: Sequence[str], values: Sequence[object]) -> None:
        """The path is of properties."""
        self._path = tuple(path)
        self._keys = frozenset(key for value in values if (key := value_key(typed(value))) is not None)

    def of(self, entities: Sequence[Entity]) -> list[Entity]:
        """Those that belong to it; one that does not, and may have before, as deleted."""
        found = []
        for entity in entities:
            if not self._keys.isdisjoint(map(value_key, values_at(entity, self._path))):
                found.append(entity)
            elif entity.get("_previous") is not None:
                found.append({**entity, "_deleted": True})
        return found


class DatasetSource:
    """Reads what changed since a position: the number of the dataset and `_updated`."""

    def __init__(
        self,
        reads: Reads,
        name: str,
        subset: Subset | None = None,
        *,
        lasting: bool = True,
        history: bool = False,
        replaced: bool = True,
        fails: bool = False,
        limit: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Unless `lasting`, every run reads all; it `fails` if there is nothing at all.

        `limit` tells up to which time entities are complete, in nanoseconds; None: all are.
        """
        self._reads = reads
        self._limit = limit
        self.cut = False
        self.name = name
        self._subset = subset
        self.lasting = lasting
        self._history = history
        self._replaced = replaced
        self._fails = fails
        self.afresh = False

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return after(since, 0 if (found := self._reads.dataset(self.name)) is None else found.number) is not None

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """A page at a time, up to what was there when it began."""
        found = self._reads.dataset(self.name)
        if found is None or not found.last:
            if self._fails:
                raise StoppedError(f"the dataset `{self.name}` is empty")
            return
        number = found.number
        at = after(since, number)
        self.afresh = at is None
        limit = self._limit()
        self.cut = False
        for entities, reached in pages(self._reads, number, at or 0, found.last, history=self._history):
            if limit is not None and any(one["_ts"] * 1000 > limit for one in entities):
                # The others come when what they depend upon is there.
                self.cut = True
                early = entities[: next(at for at, one in enumerate(entities) if one["_ts"] * 1000 > limit)]
                if early:
                    yield self._wanted(early), f"{number}.{early[-1]['_updated']}" if self.lasting else None
                return
            yield self._wanted(entities), f"{number}.{reached}" if self.lasting else None

    def among(self, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Those of entities, none of them deleted, that it gives."""
        return [one for one in self._wanted(entities) if one.get("_deleted") is not True]

    def _wanted(self, entities: Sequence[Entity]) -> Sequence[Entity]:
        if self._subset is not None:
            entities = self._subset.of(entities)
        return entities if self._replaced else merged_away(entities)


def pages(
    reads: Reads, number: int, after: int, upto: int, *, history: bool = False
) -> Iterator[tuple[Sequence[Entity], int]]:
    """The entities of a dataset, page by page, each with the `_updated` that is reached."""
    while after < upto:
        entities, after = reads.page(number, after, upto, PAGE, history=history)
        for entity in entities:
            if "_deleted" in entity:
                entity.pop("_filtered", None)
        yield entities, after


def after(since: str | None, number: int) -> int | None:
    """The `_updated` of a position in this dataset; None if it is of another one, or none. A number may stand alone."""
    dataset, dot, updated = (since or "").rpartition(".")
    known = updated.isascii() and updated.isdigit() and (not dot or dataset == str(number))
    return int(updated) if known else None


def positions(since: str | None, found: Sequence[Dataset | None]) -> tuple[list[int], bool]:
    """The `_updated` to go on from in each of several datasets, and whether that is the start of all.

    It is, unless the position is one in these very datasets.
    """
    parts = (since or "").split("|")
    if len(parts) == len(found):
        at = [_after(part, one) for part, one in zip(parts, found, strict=True)]
        known = [one for one in at if one is not None]
        if len(known) == len(at):
            return known, False
    return [0] * len(found), True


def _after(part: str, found: Dataset | None) -> int | None:
    if found is None:
        return 0 if part == "-" else None
    return after(part, found.number)


def position(found: Sequence[Dataset | None], at: Sequence[int]) -> str:
    """The position in several datasets."""
    return "|".join("-" if one is None else f"{one.number}.{updated}" for one, updated in zip(found, at, strict=True))


def merged_away(entities: Sequence[Entity]) -> list[Entity]:
    """Those that no merge has replaced."""
    return [one for one in entities if one.get("$replaced") is not True]


class UnionDatasets:
    """Reads one dataset after the other; its position has a part for each."""

    def __init__(
        self,
        reads: Reads,
        names: Sequence[str],
        *,
        prefixes: bool = True,
        lasting: bool = True,
        history: bool = False,
        replaced: bool = True,
        fails: bool = False,
    ) -> None:
        """Unless `lasting`, every run reads all; it `fails` if there is nothing at all."""
        self._reads = reads
        self._names = tuple(dict.fromkeys(names))
        self._prefixes = prefixes
        self._lasting = lasting
        self._history = history
        self._replaced = replaced
        self._fails = fails
        self.afresh = False

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return not positions(since, [self._reads.dataset(name) for name in self._names])[1]

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """A page at a time, up to what was there when it began."""
        found = [self._reads.dataset(name) for name in self._names]
        if self._fails and not any(one is not None and one.last for one in found):
            raise StoppedError(f"the datasets {', '.join(f'`{name}`' for name in self._names)} are empty")
        at, self.afresh = positions(since, found)
        for place, (name, one) in enumerate(zip(self._names, found, strict=True)):
            if one is None:
                continue
            for entities, reached in pages(self._reads, one.number, at[place], one.last, history=self._history):
                at[place] = reached
                wanted = entities if self._replaced else merged_away(entities)
                if self._prefixes:
                    for entity in wanted:
                        entity["_id"] = f"{name}:{entity['_id']}"
                yield wanted, position(found, at) if self._lasting else None
