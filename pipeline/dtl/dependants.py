"""Which entities of a source are joined with entities that changed. No I/O of its own: it asks what reads datasets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pipeline.dtl.compile import Compiler
from pipeline.dtl.errors import DtlError
from pipeline.dtl.paths import getter, sought, walked
from pipeline.dtl.registry import Run
from pipeline.dtl.scope import Host, Scope
from pipeline.dtl.tree import Block, Path
from pipeline.dtl.values import key_of, listed
from pipeline.dtl.ways_back import Back, Met, ways_back
from pipeline.entity import Entity
from pipeline.state.datasets import Reads, Scan

# Entities that are read with one look, and values that one look asks for.
_PAGE: Final = 1024
_VALUES: Final = 500
# Changes beyond which it costs less to shape all than to compute for each look what the source entities have.
_MOST_COMPUTED: Final = 10 * _PAGE


class UntracedError(Exception):
    """Any entity of the source may be joined with what changed."""


class _Way(NamedTuple):
    """A `Back` that is ready: to which of what is met (None: the source), by what stands there or is computed of it."""

    to: int | None
    path: tuple[str, ...]
    computed: Run | None
    alias: str


class _Ready(NamedTuple):
    """A `Met` that is ready."""

    dataset: str
    alias: str
    sought: Run
    by_id: bool
    subset: tuple[Run, frozenset[Any]] | None
    tracked: bool
    back: Sequence[_Way] | None


class Source(NamedTuple):
    """The dataset that is the source, and the position up to which its entities were shaped."""

    name: str
    upto: int


class Dependants:
    """Joins of a program, backwards."""

    def __init__(self, rules: Mapping[str, Block], compiler: Compiler, host: Host) -> None:
        """Of rules that are compiled."""
        met = ways_back(rules, namespaced=compiler.namespaces is not None)
        numbers = {id(one): number for number, one in enumerate(met)}
        self._host = host
        self._namespaces = compiler.namespaces
        self._met = [_ready(one, numbers, compiler) for one in met]
        self._traced = True
        self.datasets = sorted({one.dataset for one in self._met if one.tracked})
        """Those in which a change has dependants."""

    def untraced(self) -> None:
        """What enters the rules is not what the source has: there is no way back."""
        self._traced = False

    def lookups(self, source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The datasets, with the paths, that ways back ask for: what an index is good for."""
        for one in self._met if self._traced else ():
            for way in one.back or ():
                if way.computed is None and way.path != ("_id",):
                    yield (source if way.to is None else self._met[way.to].dataset), way.path

    def by_id(self, dataset: str) -> bool:
        """Whether entities of a dataset are found by their `_id` alone: then what they were before does not count."""
        return self._traced and all(one.by_id for one in self._met if one.tracked and one.dataset == dataset)

    def of(
        self, reads: Reads, source: Source, dataset: str, versions: Sequence[Entity], changes: int, known: Scan
    ) -> Iterator[Sequence[Entity]]:
        """Entities of the source, not deleted, that are or were joined with these versions of entities of a dataset.

        `changes` is how many there are in all. What is in `known` is left out, and what is given is added to it.
        """
        starts = [number for number, one in enumerate(self._met) if one.tracked and one.dataset == dataset]
        if starts and not self._traced:
            raise UntracedError
        tracing = _Tracing(self, reads, source, changes)
        for entities in tracing.back([(start, versions) for start in starts]):
            fresh = [one for one in entities if one["_updated"] not in known]
            for one in fresh:
                known.add(one["_updated"])
            if fresh:
                yield fresh

    def ready(self, number: int) -> _Ready:
        """One of what is met."""
        return self._met[number]

    def values(self, one: _Ready, entities: Iterable[Entity]) -> list[Any]:
        """The values by which entities are found, without those that are in no subset that is joined."""
        found: dict[Any, Any] = {}
        for entity in entities:
            scope = Scope(entity, {}, self._host)
            if one.subset is not None:
                expression, wanted = one.subset
                if wanted.isdisjoint(map(key_of, listed(expression(scope)))):
                    continue
            scope.rows = {one.alias: entity}
            for value in listed(one.sought(scope)):
                if value is not None:
                    found.setdefault(key_of(value), value)
        return list(found.values())

    def computed(self, way: _Way, entity: Entity) -> Iterator[Any]:
        """The keys of what is computed of an entity."""
        inner = walked(entity, [getter(part, self._namespaces) for part in way.path])
        for value in listed(inner):
            scope = Scope(value, {}, self._host)
            if way.alias:
                scope.rows = {way.alias: value}
            yield from map(key_of, listed(way.computed(scope) if way.computed else None))


class _Tracing:
    """One search, from changes back to the source."""

    def __init__(self, of: Dependants, reads: Reads, source: Source, changes: int) -> None:
        self._of = of
        self._reads = reads
        self._source = source
        self._many = changes > _MOST_COMPUTED
        self._seen: set[tuple[int, str]] = set()

    def back(self, starts: Iterable[tuple[int, Sequence[Entity]]]) -> Iterator[Sequence[Entity]]:
        """Entities of the source."""
        stack = [iter(starts)]
        try:
            while stack:
                step = next(stack[-1], None)
                if step is None:
                    stack.pop()
                    continue
                one = self._of.ready(step[0])
                values = self._of.values(one, step[1])
                if values and one.back is None:
                    raise UntracedError
                for way in one.back or () if values else ():
                    if way.to is None:
                        yield from self._found(self._source.name, way, values, self._source.upto)
                    else:
                        stack.append(self._further(way, way.to, values))
        except DtlError as error:
            # What cannot be computed of one entity may be joined with any.
            raise UntracedError from error

    def _further(self, way: _Way, to: int, values: Sequence[Any]) -> Iterator[tuple[int, Sequence[Entity]]]:
        name = self._of.ready(to).dataset
        head = self._reads.dataset(name)
        for entities in self._found(name, way, values, 0 if head is None else head.last):
            fresh = [one for one in entities if (to, one["_id"]) not in self._seen]
            self._seen.update((to, one["_id"]) for one in fresh)
            if fresh:
                yield to, fresh

    def _found(self, name: str, way: _Way, values: Sequence[Any], upto: int) -> Iterator[Sequence[Entity]]:
        """Entities of a dataset that have one of the values where a way leads."""
        if way.computed is not None:
            yield from self._computed(name, way, values, upto)
            return
        for start in range(0, len(values), _VALUES):
            part = values[start : start + _VALUES]
            after = 0
            while after < upto:
                page = self._reads.search(name, way.path, part, after, upto, _PAGE)
                after = page.last
                if page.entities:
                    yield page.entities

    def _computed(self, name: str, way: _Way, values: Sequence[Any], upto: int) -> Iterator[Sequence[Entity]]:
        head = self._reads.dataset(name)
        if self._many:
            raise UntracedError
        keys, after = set(map(key_of, values)), 0
        while head is not None and after < upto:
            page = self._reads.page(head.number, after, upto, _PAGE)
            after = page.last
            yield [
                one
                for one in page.entities
                if one.get("_deleted") is not True and not keys.isdisjoint(self._of.computed(way, one))
            ]


def _ready(one: Met, numbers: Mapping[int, int], compiler: Compiler) -> _Ready:
    subset = None
    if one.subset is not None:
        subset = (compiler.expression(one.subset[0]), frozenset(map(key_of, listed(one.subset[1]))))
    by_id = isinstance(one.sought, Path) and one.sought.parts == ("_id",)
    back = None if one.back is None else [_way(each, numbers, compiler) for each in one.back]
    return _Ready(one.dataset, one.alias, compiler.expression(one.sought), by_id, subset, one.tracked, _whole(back))


def _way(back: Back, numbers: Mapping[int, int], compiler: Compiler) -> _Way:
    to = None if back.spot.of is None else numbers[id(back.spot.of)]
    if back.computed is None:
        return _Way(to, sought(back.spot.parts, compiler.namespaces), None, "")
    return _Way(to, back.spot.parts, compiler.expression(back.computed), back.alias)


def _whole(back: Sequence[_Way] | None) -> Sequence[_Way] | None:
    """Without a path there is nothing to look for: entities themselves are no values."""
    return None if back is None or any(way.computed is None and not way.path for way in back) else back
