"""Which entities of several datasets are the same, as the datasets were at some point."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pipeline.entity import Entity
from pipeline.run import StoppedError
from sources.dataset_read import PAGE
from sources.merge_past import LOST, NOW, Node, Past

if TYPE_CHECKING:
    from pipeline.dtl.scope import Host
    from pipeline.state.datasets import Dataset, Reads
    from sources.merge_rules import Rules

Value = tuple[int, bytes]
"""A value by which entities of a pair of sides are the same."""
Root = object
# As many values are looked up at once.
_MANY: Final = 500


class Graph:
    """Entities that are joined by values, as they were when the datasets had reached `upto`.

    What has changed since is found by going through the changes: of each entity the version of then is looked up among
    those that were replaced. `regions` forgets what it has found before.
    """

    def __init__(
        self,
        number: int,
        reads: Reads,
        datasets: Sequence[Dataset | None],
        rules: Rules,
        upto: Sequence[int],
        past: Past,
        host: Host,
        *,
        most: int,
    ) -> None:
        """At most `most` entities may be the same."""
        self.number = number
        self.upto = tuple(upto)
        self._reads = reads
        self._datasets = datasets
        self._rules = rules
        self._past = past
        self._host = host
        self._most = most
        self._seen = list(upto)
        self.forget()

    def forget(self) -> None:
        """Begin with no entity."""
        self.members: dict[Node, Entity] = {}
        self._above: dict[Root, Root] = {}
        self._sizes: dict[Root, int] = {}
        self._asked: dict[tuple[int, int, bytes], bool] = {}

    def take(self, place: int, entities: Iterable[Entity]) -> None:
        """Entities that were just read; those that have changed behind the point are not of it."""
        for one in entities:
            if one["_updated"] <= self.upto[place]:
                self.members[place, one["_id"]] = one

    def join(self, nodes: Collection[Node]) -> set[Node]:
        """Join entities with all that are the same by one rule: who they are."""
        self._fetch(nodes)
        asks: dict[tuple[int, int, int], dict[bytes, list[Node]]] = {}
        values: dict[bytes, Any] = {}
        for node in nodes:
            entity = self.members.get(node)
            if entity is None or entity.get("_deleted") is True:
                continue
            for pair, own, other in self._rules.of(node[0]):
                for key, value in self._rules.sides[own].values(entity, self._host).items():
                    values[key] = value
                    asks.setdefault((pair, own, other), {}).setdefault(key, []).append(node)
        met: set[Node] = set()
        for (pair, own, other), keys in asks.items():
            new = {key: values[key] for key in keys if (pair, own, key) not in self._asked}
            self._ask(pair, own, other, new, met)
            for key, nodes_of in keys.items():
                if self._asked[pair, own, key]:
                    for node in nodes_of:
                        self._unite(node, (pair, key))
        return met

    def groups(self) -> dict[Root, list[Node]]:
        """The entities that are there, by what they belong to; each list in the order of datasets and `_id`."""
        found: dict[Root, list[Node]] = {}
        for node in sorted(self.members):
            found.setdefault(self._root(node), []).append(node)
        return found

    def refresh(self) -> bool:
        """Look at what has changed since; whether there was something."""
        moved = False
        for place, one in enumerate(self._datasets):
            now = self._reads.dataset(self._rules.names[place])
            if (None if one is None else one.number) != (None if now is None else now.number):
                if one is None:
                    continue
                raise StoppedError(f"the dataset `{one.name}` was removed while it was read")
            if one is None or now is None or now.last <= self._seen[place]:
                continue
            moved = True
            after = self._seen[place]
            while after < now.last:
                page = self._reads.page(one.number, after, now.last, PAGE)
                known = self._past.versions(self.number, place, [entity["_id"] for entity in page.entities])
                for entity in page.entities:
                    if entity["_id"] not in known:
                        self._note(place, one.number, entity)
                after = page.last
            self._seen[place] = now.last
        return moved

    # Versions

    def _note(self, place: int, number: int, entity: Entity) -> None:
        then: Entity | None = entity
        version = 0
        while then is not None and then["_updated"] > self.upto[place]:
            version = then["_previous"] or 0
            then = _version(self._reads, number, version) if version else None
        if then is None and version:
            version = LOST
        keys = () if then is None else self._keys(place, then)
        self._past.note(self.number, (place, entity["_id"]), version, keys)

    def _keys(self, place: int, entity: Entity) -> Iterator[tuple[int, bytes]]:
        if entity.get("_deleted") is True:
            return
        for number, side in enumerate(self._rules.sides):
            if side.place == place:
                for key in side.values(entity, self._host):
                    yield number, key

    def _fetch(self, nodes: Iterable[Node]) -> None:
        wanted: dict[int, list[str]] = {}
        for node in nodes:
            if node not in self.members:
                wanted.setdefault(node[0], []).append(node[1])
        for place, ids in wanted.items():
            for one in self._as_it_was(place, ids):
                self.members[place, one["_id"]] = one

    def _as_it_was(self, place: int, ids: Sequence[str]) -> Iterator[Entity]:
        """Those of the entities that were there, as they were."""
        dataset = self._datasets[place]
        if dataset is None:
            return
        while True:
            self.refresh()
            found = self._reads.many(dataset.number, ids)
            later = [id_ for id_, one in found.items() if one["_updated"] > self.upto[place]]
            versions = self._past.versions(self.number, place, later)
            if len(versions) == len(later):
                break
        for id_, one in found.items():
            version = versions.get(id_)
            then: Entity | None = one
            if version is not None:
                then = _version(self._reads, dataset.number, version) if version > 0 else None
                if then is None and version:
                    raise StoppedError(
                        f"the entity `{id_}` of the dataset `{dataset.name}` has changed while it was merged, and its "
                        "replaced versions are not kept"
                    )
            if then is not None:
                yield then

    # Values

    def _ask(self, pair: int, own: int, side: int, values: Mapping[bytes, Any], met: set[Node]) -> None:
        """Find what has these values on the other side of a pair."""
        place = self._rules.sides[side].place
        rest = iter(values.items())
        while part := dict(islice(rest, _MANY)):
            self._asked.update(dict.fromkeys(((pair, own, key) for key in part), False))
            for entity in self._sought(side, part):
                node = place, entity["_id"]
                self.members.setdefault(node, entity)
                met.add(node)
                for key in self._rules.sides[side].values(entity, self._host).keys() & part.keys():
                    self._asked[pair, own, key] = True
                    self._unite(node, (pair, key))

    def _sought(self, number: int, values: Mapping[bytes, Any]) -> Iterator[Entity]:
        """The entities that had one of these values."""
        side = self._rules.sides[number]
        if self._datasets[side.place] is None:
            return
        self.refresh()
        while True:
            if side.run is None:
                found = self._reads.find(self._rules.names[side.place], side.path, values.values())
                ids = {one["_id"] for one in found}
            else:
                ids = self._past.sought(NOW, number, values)
            if not self.refresh():
                break
        ids |= self._past.sought(self.number, number, values)
        for entity in self._as_it_was(side.place, sorted(ids)):
            had = side.values(entity, self._host)
            if entity.get("_deleted") is not True and not values.keys().isdisjoint(had):
                yield entity

    # What belongs together

    def _root(self, one: Root) -> Root:
        above = self._above
        while (higher := above.get(one, one)) != one:
            above[one] = above.get(higher, higher)
            one = higher
        return one

    def _unite(self, node: Node, other: Node | Value) -> None:
        one, two = self._root(node), self._root(other)
        if one == two:
            return
        # Values are no entities.
        size = self._size(one, node) + self._size(two, other)
        if size > self._most:
            raise StoppedError(
                f"more than {self._most} entities are the same, among them `{node[1]}` of "
                f"`{self._rules.names[node[0]]}`: `max_merged`"
            )
        self._above[two] = one
        self._sizes[one] = size

    def _size(self, root: Root, one: Node | Value) -> int:
        return self._sizes.get(root, 1 if isinstance(one[1], str) else 0)


def computed(reads: Reads, datasets: Sequence[Dataset | None], rules: Rules, past: Past, host: Host) -> None:
    """Go through the datasets of which an expression is compared, as no index has its values."""
    for number, side in enumerate(rules.sides):
        dataset = datasets[side.place]
        if side.run is None or dataset is None:
            continue
        after = 0
        while after < dataset.last:
            page = reads.page(dataset.number, after, dataset.last, PAGE)
            for entity in page.entities:
                if entity.get("_deleted") is not True:
                    past.note_keys(NOW, entity["_id"], ((number, key) for key in side.values(entity, host)))
            after = page.last


def _version(reads: Reads, number: int, updated: int) -> Entity | None:
    found = reads.page(number, updated - 1, updated, 1, history=True).entities
    return found[0] if found else None
