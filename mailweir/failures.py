"""What becomes of entities that fail in a run: put on record before the source is read on, and tried again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.entity import from_json, to_json
from pipeline.failing import Fate, Streak, Tolerance
from pipeline.receipt import Outcome, Receipt
from pipeline.run import Failed, Portion, StoppedError
from pipeline.state.failures import Failure, Kept, Stage
from pipeline.state.keys import entity_text, entity_version
from pipeline.state.versions import stored_entity

if TYPE_CHECKING:
    from pipeline.entity import Entity
    from pipeline.state.port import State

# As many as a run tries again: the next one goes on.
MOST_RETRIED: Final = 10_000
# Names that are held to find later versions among all that flows; with more the state is asked for each portion.
MOST_WATCHED: Final = 100_000
# Entities that a sink may have and not have told about; their portions are kept to find one by its `_id`.
MOST_UNTOLD: Final = 10_000

_lost: Final = (Outcome.REJECTED, Outcome.DEAD)


class Failures:
    """Those of one pipe in one run. Unless it `keeps` them they are counted and nothing else.

    A version that failed gives way to each later one: when that goes on, this is on record before it reaches the sink.
    However the run ends then, nobody tries the old one again and puts it in the place of the new one.
    """

    def __init__(
        self, state: State, pipe: str, run: str, tolerance: Tolerance, *, keeps: bool, real: bool = True
    ) -> None:
        """`tolerance` is what its pump says. One that keeps nothing and is `real` writes all the same what it reads."""
        self._state = state
        self._pipe = pipe
        self._run = run
        self._tolerance = tolerance
        self._keeps = keeps
        self._real = real
        self.streak = Streak(tolerance.in_a_row)
        self._written = Streak(tolerance.in_a_row)
        self._kept: Sequence[Kept] = ()
        self._watched: dict[Stage, set[str]] = {"transform": set(), "sink": set()}
        self._too_many = False
        self._passed: dict[tuple[Stage, str], bool] = {}
        self._untold: deque[Portion] = deque()
        self._count = 0

    async def recall(self) -> None:
        """What earlier runs left."""
        if not self._keeps and not self._real:
            return
        names = await self._state.failed_names(self._pipe, MOST_WATCHED + 1)
        self._too_many = len(names) > MOST_WATCHED
        for one in names:
            self._watched[one.stage].add(one.name)
        if not self._keeps:
            return
        dead = self._tolerance.track_dead
        if any(one.later and (dead or not one.dead) for one in names):
            await self._state.failing.give_way(self._pipe, dead=dead, dataset=self._tolerance.dataset)
        self._kept = await self._state.waiting(self._pipe, MOST_RETRIED)

    def again(self, stage: Stage) -> list[Entity]:
        """The entities that wait for another try, and of which no later version has gone on in this run."""
        chosen = [one for one in self._kept if one.stage == stage and not self._passed.get((stage, one.name))]
        return [_entity(one.entity.encode()) for one in chosen]

    def flowing(self, portion: Portion, again: Stage | None = None) -> None:
        """A portion goes to the sink, and its position with it. `StoppedError` if no more entities may wait.

        Its entities are later versions of those that failed, unless they are tried `again` themselves.
        """
        if any(self._watched.values()):
            self._later("transform", portion.source, tried=again is not None)
            self._later("sink", (*portion.entities, *portion.dropped), tried=again == "sink")
        if portion.failed:
            self.keep([(one.entity, one.text) for one in portion.failed], "transform")
            self._later("transform", _behind(portion), tried=False)
        if self._keeps:
            self._untold.append(portion._replace(source=(), dropped=(), failed=()))
            self._count += len(portion.entities)
            while self._count > MOST_UNTOLD and len(self._untold) > 1:
                self._count -= len(self._untold.popleft().entities)

    def told(self, receipts: Sequence[Receipt]) -> bool:
        """What a sink could not write is kept too; whether any of these was that.

        `StoppedError` as above, or if the pump wants no more.
        """
        lost = [one for one in receipts if one.outcome in _lost]
        if lost:
            wanted = {one.entity_id for one in lost}
            known = {name: one for each in self._untold for one in each.entities if (name := _id(one)) in wanted}
            self.keep([(known.get(one.entity_id, {"_id": one.entity_id}), one.detail) for one in lost], "sink")
        for one in receipts:
            if one.outcome not in _lost:
                self._written.passed()
            elif self._written.failed():
                raise StoppedError(
                    f"the sink could not write {self._written.length} in a row; the last is `{one.entity_id}`:"
                    f" {one.detail}"
                )
        return bool(lost)

    def wrote(self) -> None:
        """The sink has written some."""
        self._written.passed()

    def keep(self, failed: Sequence[tuple[Entity, str]], stage: Stage) -> None:
        """Put some on record; when this returns that survives a kill."""
        if not self._keeps:
            self._passed.update({(stage, _name(entity)): False for entity, _ in failed})
            return
        failures = [self._failure(entity, text, stage) for entity, text in failed]
        if Fate.NO_ROOM in self._state.failing.put(failures, self._tolerance):
            raise StoppedError(
                f"{self._tolerance.may_wait:,} entities wait for another try, as many as"
                f" `max_write_errors_in_retry_dataset` lets; the next is `{_id(failed[0][0])}`: {failed[0][1]}"
            )
        self._passed.update({(stage, one.name): False for one in failures})
        # Later in this run a newer version of it may come.
        self._watched[stage].update(one.name for one in failures)

    async def settle(self) -> None:
        """The sink has written all that went to it: what passed waits no more."""
        stages: tuple[Stage, ...] = ("transform", "sink")
        for stage in stages:
            names = [name for (where, name), passed in self._passed.items() if where == stage and passed]
            if names:
                if not self._keeps:
                    self._state.failing.later(self._pipe, stage, names)
                dead, dataset = self._tolerance.track_dead, self._tolerance.dataset
                await self._state.failing.passed(self._pipe, stage, names, dead=dead, dataset=dataset)

    def _later(self, stage: Stage, entities: Sequence[Entity], *, tried: bool) -> None:
        """What is on record of these entities has passed, unless more is heard of it.

        If they are not those that were `tried` again themselves, that is on record before they go on.
        """
        watched = self._watched[stage]
        if not watched or not entities:
            return
        found: Collection[str] = {_name(entity) for entity in entities}
        marks = self._keeps and not tried
        if not self._too_many or not marks:
            found = watched.intersection(found)
        if found and marks:
            found = self._state.failing.later(self._pipe, stage, found)
        self._passed.update({(stage, name): True for name in found})

    def _failure(self, entity: Entity, text: str, stage: Stage) -> Failure:
        try:
            stored = to_json(entity).decode()
        except (TypeError, ValueError, RecursionError):
            stored = _text(entity)
        return Failure(self._pipe, _name(entity), _whole(_id(entity)), stage, _whole(text), stored, self._run)


class Again:
    """A source: these entities, once, without a position."""

    once: Final = True

    def __init__(self, entities: Callable[[], Sequence[Entity]]) -> None:
        """Asked for when they are read, and then all at once: they are no more than a run tries again."""
        self._entities = entities

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """All of them."""
        entities = self._entities()
        if entities:
            yield entities, None


def _behind(portion: Portion) -> Sequence[Entity]:
    """Of the entities of a portion that failed those that come again further on in it, and did not fail there."""
    failed = {id(one.entity) for one in portion.failed}
    last = {_name(entity): entity for entity in portion.source}
    names = {_name(one.entity) for one in portion.failed}
    return [entity for name, entity in last.items() if name in names and id(entity) not in failed]


def rejected(failed: Sequence[Failed]) -> list[Receipt]:
    """The word for entities that a transform has no answer to."""
    return [Receipt(_id(one.entity), "", Outcome.REJECTED, one.text) for one in failed]


def _id(entity: Entity) -> str:
    found = entity.get("_id", "")
    return found if isinstance(found, str) else str(found)


def _entity(text: bytes) -> Entity:
    try:
        return stored_entity(text)
    except KeyError:  # it has no `_id`
        found: Entity = from_json(text)
        return found


def _name(entity: Entity) -> str:
    """What tells it from others of its pipe: without an `_id` all that it holds."""
    return _whole(_id(entity)) or f"#{entity_version(entity, _text(entity))}"


def _whole(text: str) -> str:
    """A text that can be stored: without half characters."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _text(entity: Entity) -> str:
    try:
        return entity_text(entity)
    except (TypeError, ValueError, RecursionError):
        return "{}"
