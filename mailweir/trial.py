"""Datasets as they would be: what a dry run would write lies over what is stored, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pipeline.entity import Entity, typed
from pipeline.state.datasets import Change, Changed, Compacted, Dataset, Entry, Page, Scan, Swept, TooManyError
from pipeline.state.values import value_key, values_at

if TYPE_CHECKING:
    from pipeline.state.datasets import Reads

# As many as fit into the memory of any machine; a dry run that would write more does not show what comes of the rest.
MOST: Final = 100_000
_PAGE: Final = 1000


class Trial:
    """`Reads` and `Writes` of `pipeline.state.datasets`. Nothing is stored, and indexes are not needed."""

    def __init__(self, reads: Reads) -> None:
        """`reads` has what is stored."""
        self._reads = reads
        self._stored: dict[str, Dataset] = {}
        self._heads: dict[str, Dataset] = {}
        self._over: dict[int, dict[str, Entity]] = {}
        self._many = 0

    @property
    def is_full(self) -> bool:
        """Whether more would be written than is shown."""
        return self._many >= MOST

    # Reading

    def dataset(self, name: str) -> Dataset | None:
        """A dataset."""
        if name in self._heads:
            return self._heads[name]
        found = self._reads.dataset(name)
        if found is not None:
            self._stored[name] = self._heads[name] = found
        return found

    def page(self, number: int, after: int, upto: int, most: int, *, history: bool = False) -> Page:
        """What is stored and stays as it is; behind that, what would be written."""
        over = self._over.get(number, {})
        stored = next((one.last for one in self._stored.values() if one.number == number), 0)
        if after < stored:
            page = self._reads.page(number, after, min(upto, stored), most, history=history)
            return Page([one for one in page.entities if history or one["_id"] not in over], page.last)
        written = sorted((one for one in over.values() if after < one["_updated"] <= upto), key=_updated)[:most]
        return Page([dict(one) for one in written], written[-1]["_updated"] if len(written) == most else upto)

    def get(self, name: str, id: str) -> Entity | None:
        """An entity."""
        found = self.dataset(name)
        return None if found is None else self.many(found.number, [id]).get(id)

    def many(self, number: int, ids: Sequence[str]) -> Mapping[str, Entity]:
        """Some entities."""
        over = self._over.get(number, {})
        stored = self._reads.many(number, [id_ for id_ in ids if id_ not in over]) if number > 0 else {}
        return {**stored, **{id_: over[id_] for id_ in ids if id_ in over}}

    def find(self, name: str, path: Sequence[str], values: Iterable[Any]) -> list[Entity]:
        """Entities that have one of these values."""
        wanted = list(values)
        found = self.dataset(name)
        over = {} if found is None else self._over.get(found.number, {})
        keys = {value_key(value) for value in wanted} - {None}
        stored = [one for one in self._reads.find(name, path, wanted) if one["_id"] not in over]
        return stored + [
            one
            for one in over.values()
            if one.get("_deleted") is not True and not keys.isdisjoint(map(value_key, values_at(one, path)))
        ]

    def note(self, name: str) -> str | None:
        """As it is stored."""
        return self._reads.note(name)

    def search(self, name: str, path: Sequence[str], values: Iterable[Any], after: int, upto: int, most: int) -> Page:
        """Some of them at a time."""
        found = [one for one in self.find(name, path, values) if after < one["_updated"] <= upto]
        found.sort(key=_updated)
        return Page(found[:most], found[most - 1]["_updated"] if len(found) >= most else upto)

    # Writing

    async def prepare(self, dataset: str, pipe: str, indexes: Sequence[Sequence[str]] = ()) -> int:
        """Make a dataset."""
        return self._head(dataset, pipe).entities

    async def scan(self, dataset: str, pipe: str, *, afresh: bool) -> Scan | None:
        """Begin to read a whole source. What an earlier run has met on its way is not known here."""
        head = self._head(dataset, pipe)
        return Scan(head.number, head.last) if afresh else None

    async def abandon(self, dataset: str) -> None:
        """Nothing is remembered."""

    async def put(self, change: Change) -> Changed:
        """Write entities."""
        head = self._head(change.dataset, change.pipe)
        known = dict(self.many(head.number, [entry.id for entry in change.entries]))
        written = skipped = filtered = 0
        refused: list[tuple[int, str]] = []
        repeated = ""
        last = {entry.id: place for place, entry in enumerate(change.entries)} if change.unique else {}
        for place, entry in enumerate(change.entries):
            if last.get(entry.id, place) != place:
                skipped += 1
                continue
            old = known.get(entry.id)
            updated = 0 if old is None else old["_updated"]
            gone = old is None or old.get("_deleted") is True
            if entry.expected is not None and entry.expected != updated:
                refused.append((place, f"its `_previous` is {entry.expected}, and the stored version is {updated}"))
            elif (old is not None and old["_hash"] == entry.hash.hex()) or (entry.deleted and gone):
                skipped += not entry.filtered
                if change.scan is not None and not gone:
                    change.scan.add(updated)
            else:
                if change.scan is not None and updated in change.scan:
                    repeated = entry.id
                known[entry.id] = self._put(change, entry, updated, gone=gone)
                written += not entry.filtered
                filtered += entry.filtered
        if change.most is not None and written + filtered > change.most:
            raise TooManyError
        return Changed(written, skipped, filtered, tuple(refused), repeated=repeated)

    def _put(self, change: Change, entry: Entry, updated: int, *, gone: bool) -> Entity:
        head = self._heads[change.dataset]
        live = head.entities + (not entry.deleted) - (not gone)
        head = self._heads[change.dataset] = head._replace(last=head.last + 1, entities=live)
        of_the_state = {"_updated": head.last, "_previous": updated or None, "_hash": entry.hash.hex(), "_ts": 0}
        entity: Entity = {**typed(entry.entity), "_id": entry.id, **of_the_state}
        if not self.is_full:
            self._over.setdefault(head.number, {})[entry.id] = entity
            self._many += 1
        if change.scan is not None and updated:
            change.scan.discard(updated)
        if change.scan is not None and not entry.deleted:
            change.scan.add(head.last)
        return entity

    async def missing(self, scan: Scan) -> int:
        """How many entities a reading has not met."""
        found = next((one for one in self._heads.values() if one.number == scan.number), None)
        return 0 if found is None else max(0, found.entities - len(scan))

    async def sweep(self, scan: Scan, after: int, *, marked: bool = False, history: bool = True) -> Swept:
        """Delete what was not met."""
        name = next((name for name, one in self._heads.items() if one.number == scan.number), None)
        if name is None or not await self.missing(scan):
            return Swept(0, None)
        before = (one for one in self._all(name) if one["_updated"] <= scan.began and one["_updated"] not in scan)
        lost = [one for one in before if one.get("_deleted") is not True]
        for one in lost:
            entity = {**one, "_deleted": True}
            entry = Entry(one["_id"], b"", deleted=True, entity=entity)
            self._put(Change(name, ""), entry, one["_updated"], gone=False)
        return Swept(len(lost), None)

    async def delete(self, dataset: str) -> int | None:
        """Nothing is removed."""
        return None

    async def compact(
        self, dataset: str, before: float, *, deleted: bool = False, read: int | None = None
    ) -> Compacted:
        """Nothing is removed."""
        return Compacted(0, 0)

    def _head(self, name: str, pipe: str) -> Dataset:
        found = self.dataset(name)
        if found is None:
            # No stored dataset has such a number.
            found = self._heads[name] = Dataset(-1 - len(self._heads), name, pipe, 0, 0, 0, 0.0)
        return found

    def _all(self, name: str) -> Iterator[Entity]:
        head, after = self._heads[name], 0
        while after < head.last:
            page = self.page(head.number, after, head.last, _PAGE)
            yield from page.entities
            after = page.last


def _updated(entity: Entity) -> int:
    updated: int = entity["_updated"]
    return updated
