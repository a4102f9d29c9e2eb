"""Reading the same entities of several datasets as one, and what others they became since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.dtl.errors import DtlError
from pipeline.entity import Entity
from pipeline.run import StoppedError
from sources.dataset_read import pages, position, positions
from sources.merge_entity import Identity, Strategy, deleted, identity_of, merged, replaced
from sources.merge_graph import Graph, Root, computed
from sources.merge_past import Node, Past

if TYPE_CHECKING:
    from pipeline.dtl.scope import Host
    from pipeline.state.datasets import Dataset, Reads
    from sources.merge_rules import Rules

# Runs that came to no end, behind which it is cheaper to begin anew.
_MOST_POINTS: Final = 8
_PART: Final = 500


@dataclass(frozen=True, slots=True)
class Merging:
    """How entities become one. `name` makes of an `_id` what stands in `$ids`."""

    rules: Rules
    identity: Identity
    strategy: Strategy
    most: int
    host: Host
    name: Callable[[str], object]


class Merge:
    """Reads what changed in one dataset after the other, and what became of all that it is joined with.

    Its position is the point up to which all is told. While a reading is on its way it has the points up to which
    something may have been told, then how far it has come: what is the same now is compared with what was the same
    then, and what is no more is deleted.
    """

    def __init__(self, reads: Reads, merging: Merging, *, lasting: bool = True, fails: bool = False) -> None:
        """Unless `lasting`, every run reads all; it `fails` if there is nothing at all."""
        self._reads = reads
        self._merging = merging
        self._lasting = lasting
        self._fails = fails
        self.afresh = False
        sides = merging.rules.sides
        paths = {(merging.rules.names[side.place], side.path) for side in sides if side.run is None}
        self.lookups = sorted(one for one in paths if one[1] != ("_id",))
        """The datasets, with the paths by which entities are looked up: what an index is good for."""

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return bool(_told(since, [self._reads.dataset(name) for name in self._merging.rules.names])[0])

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """A page at a time, up to what was there when it began."""
        names = self._merging.rules.names
        found = [self._reads.dataset(name) for name in names]
        if self._fails and not any(one is not None and one.last for one in found):
            raise StoppedError(f"the datasets {', '.join(f'`{name}`' for name in names)} are empty")
        upto = [0 if one is None else one.last for one in found]
        points, at = _told(since, found)
        self.afresh = not points
        if points == [upto] and at == upto:
            return
        with closing(Past()) as past:
            graphs = self._graphs(found, upto, points, past)
            if any(past.lost(graph.number) for graph in graphs):
                # What was told cannot be said any more.
                self.afresh, points, at = True, [], [0] * len(found)
                graphs = graphs[:1]
            computed(self._reads, found, self._merging.rules, past, self._merging.host)
            try:
                yield from self._read(found, graphs, points, at, past)
            except DtlError as error:
                raise StoppedError(f"the rules of the merge: {error}") from error

    def _graphs(
        self, found: Sequence[Dataset | None], upto: Sequence[int], points: Sequence[Sequence[int]], past: Past
    ) -> list[Graph]:
        """As all is now, and as it was."""
        merging = self._merging
        graphs = [
            Graph(number, self._reads, found, merging.rules, one, past, merging.host, most=merging.most)
            for number, one in enumerate([upto, *points])
        ]
        for graph in graphs[1:]:
            graph.refresh()
        return graphs

    def _read(
        self,
        found: Sequence[Dataset | None],
        graphs: Sequence[Graph],
        points: Sequence[Sequence[int]],
        at: list[int],
        past: Past,
    ) -> Iterator[tuple[Sequence[Entity], str | None]]:
        now = graphs[0]
        begun = tuple(at)
        before = ";".join(dict.fromkeys(position(found, point) for point in (*points, now.upto)))
        for place, one in enumerate(found):
            if one is None:
                continue
            for entities, reached in pages(self._reads, one.number, at[place], one.last):
                at[place] = reached
                for graph in graphs:
                    graph.forget()
                    graph.take(place, entities)
                given = list(self._regions([(place, entity["_id"]) for entity in entities], graphs, begun))
                yield given, f"{before};{position(found, at)}" if self._lasting else None
        # What has changed while it was read was on none of the pages.
        now.refresh()
        for place in range(len(found)):
            for ids in past.changed(now.number, place, begun[place], _PART):
                for graph in graphs:
                    graph.forget()
                yield list(self._regions([(place, id_) for id_ in ids], graphs, begun)), None
        yield [], position(found, now.upto) if self._lasting else None

    def _regions(self, nodes: Sequence[Node], graphs: Sequence[Graph], begun: Sequence[int]) -> Iterator[Entity]:
        """What became of entities, and of all that they are or were the same as; each region where it comes first."""
        known = set(nodes)
        new = known
        while new:
            new = {node for graph in graphs for node in graph.join(new)} - known
            known |= new
        now = graphs[0]
        groups = [graph.groups() for graph in graphs]
        wanted = set(nodes)
        for region in _regions(groups):
            changed = [
                (node[0], updated, node)
                for node in region.nodes
                if (entity := now.members.get(node)) is not None and (updated := entity["_updated"]) > begun[node[0]]
            ]
            if changed and min(changed)[2] in wanted:
                yield from self._told(region, now.members, {node for _, _, node in changed})

    def _told(self, region: _Region, members: Mapping[Node, Entity], changed: set[Node]) -> Iterator[Entity]:
        merging = self._merging
        living, dead = [], []
        for group in region.now:
            entities = [members[node] for node in group]
            id_ = identity_of(group, merging.identity)
            if entities[0].get("_deleted") is not True:
                living.append(merged(id_, entities, merging.strategy, merging.name))
            else:
                dead.append((id_, group[0]))
        here = {one["_id"] for one in living}
        gone = {id_: members[node] for id_, node in dead if node in changed and id_ not in here}
        told = {identity_of(group, merging.identity) for group in region.then}
        for id_ in sorted(told - here - {id_ for id_, _ in dead}):
            yield replaced(id_)
        for id_, entity in gone.items():
            yield deleted(id_, entity, merging.name)
        yield from living


@dataclass(slots=True)
class _Region:
    """Entities that are or were the same: the groups that they are now, and those that they were."""

    nodes: set[Node]
    now: list[list[Node]]
    then: list[list[Node]]


def _regions(groups: Sequence[Mapping[Root, list[Node]]]) -> Iterator[_Region]:
    of: dict[Node, list[tuple[int, list[Node]]]] = {}
    for number, found in enumerate(groups):
        for group in found.values():
            for node in group:
                of.setdefault(node, []).append((number, group))
    met: set[Node] = set()
    for first in of:
        if first in met:
            continue
        region = _Region(set(), [], [])
        taken: set[int] = set()
        ahead = [first]
        while ahead:
            node = ahead.pop()
            if node in met:
                continue
            met.add(node)
            region.nodes.add(node)
            for number, group in of[node]:
                if id(group) not in taken:
                    taken.add(id(group))
                    (region.then if number else region.now).append(group)
                    ahead += group
        region.now.sort()
        yield region


def _told(since: str | None, found: Sequence[Dataset | None]) -> tuple[list[list[int]], list[int]]:
    """The points up to which something was told, and where to go on; none, if it is to begin at the start."""
    points = []
    parts = (since or "").split(";")
    for part in parts:
        at, afresh = positions(part, found)
        if afresh or len(parts) > _MOST_POINTS:
            return [], [0] * len(found)
        points.append(at)
    return points[:-1] or points, list(points[-1])
