"""What becomes of entities that fail in a run: put on record before the source is read on, and tried again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.entity import from_json, to_json
from pipeline.failing import Fate, Streak, Tolerance
from pipeline.receipt import Outcome, Receipt
from pipeline.run import Failed, Portion, StoppedError
from pipeline.state.failures import Chosen, Failure, Kept, Stage
from pipeline.state.keys import entity_text, entity_version
from pipeline.state.versions import stored_entity

if TYPE_CHECKING:
    from pipeline.component import Source
    from pipeline.entity import Entity
    from pipeline.state.port import State

# As many as a run tries again: the next one goes on.
MOST_RETRIED: Final = 10_000
# Entities that a sink may have and not have told about; their portions are kept to find one by its `_id`.
MOST_UNTOLD: Final = 10_000

_lost: Final = (Outcome.REJECTED, Outcome.DEAD)


class Failures:
    """Those of one pipe in one run. Unless it `keeps` them they are counted and nothing else."""

    def __init__(self, state: State, pipe: str, run: str, tolerance: Tolerance, *, keeps: bool) -> None:
        """`tolerance` is what its pump says."""
        self._state = state
        self._pipe = pipe
        self._run = run
        self._tolerance = tolerance
        self._keeps = keeps
        self.streak = Streak(tolerance.in_a_row)
        self._written = Streak(tolerance.in_a_row)
        self._kept: Sequence[Kept] = ()
        self._watched: dict[Stage, set[str]] = {"transform": set(), "sink": set()}
        self._passed: dict[tuple[Stage, str], bool] = {}
        self._again: set[tuple[Stage, str]] = set()
        self._untold: deque[Portion] = deque()
        self._count = 0

    async def recall(self) -> None:
        """What earlier runs left."""
        if not self._keeps:
            return
        self._kept = await self._state.waiting(self._pipe, MOST_RETRIED)
        dead: Sequence[Kept] = ()
        if self._tolerance.track_dead:
            dead = await self._state.failures(Chosen(self._pipe, dead=True), most=MOST_RETRIED)
        for one in (*self._kept, *dead):
            self._watched[one.stage].add(one.name)

    def again(self, stage: Stage) -> list[Entity]:
        """The entities that wait for another try, which has begun."""
        chosen = [one for one in self._kept if one.stage == stage]
        self._again.update((stage, one.name) for one in chosen)
        self._passed.update({(stage, one.name): True for one in chosen})
        return [_entity(one.entity.encode()) for one in chosen]

    def watched(self, source: Source) -> Source:
        """The source; what it has of entities that wait, or are dead, is a later version of them."""
        names = self._watched["transform"]
        return _Watched(source, names, self._passed) if names else source

    def flowing(self, portion: Portion) -> None:
        """A portion goes to the sink, and its position with it. `StoppedError` if no more entities may wait."""
        if portion.failed:
            self.keep([(one.entity, one.text) for one in portion.failed], "transform")
        names = self._watched["sink"]
        if names:
            found = {_name(entity) for entity in portion.entities} & names
            self._passed.update({("sink", name): True for name in found})
        if self._keeps:
            self._untold.append(portion)
            self._count += len(portion.entities)
            while self._count > MOST_UNTOLD and len(self._untold) > 1:
                self._count -= len(self._untold.popleft().entities)

    def told(self, receipts: Sequence[Receipt]) -> bool:
        """What a sink could not write is kept too; whether any of these was that.

        `StoppedError` as above, or if the pump wants no more.
        """
        lost = [one for one in receipts if one.outcome in _lost]
        if lost and self._keeps:
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
            return
        failures = [self._failure(entity, text, stage) for entity, text in failed]
        if Fate.NO_ROOM in self._state.failing.put(failures, self._tolerance):
            raise StoppedError(
                f"{self._tolerance.may_wait:,} entities wait for another try, as many as"
                f" `max_write_errors_in_retry_dataset` lets; the next is `{_id(failed[0][0])}`: {failed[0][1]}"
            )
        self._passed.update({(stage, one.name): False for one in failures})

    async def settle(self, *, whole: bool) -> None:
        """The run has ended: what passed waits no more. If it was not the `whole` run, that is what was tried again."""
        for stage in ("transform", "sink"):
            names = [
                name
                for (where, name), passed in self._passed.items()
                if where == stage and passed and (whole or (where, name) in self._again)
            ]
            if names:
                dead, dataset = self._tolerance.track_dead, self._tolerance.dataset
                await self._state.failing.passed(self._pipe, stage, names, dead=dead, dataset=dataset)

    def _failure(self, entity: Entity, text: str, stage: Stage) -> Failure:
        try:
            stored = to_json(entity).decode()
        except (TypeError, ValueError, RecursionError):
            stored = _text(entity)
        return Failure(self._pipe, _name(entity), _whole(_id(entity)), stage, _whole(text), stored, self._run)


class _Watched:
    """A source of which it is noted which of some entities it has."""

    def __init__(self, source: Source, names: set[str], passed: dict[tuple[Stage, str], bool]) -> None:
        self._source = source
        self._names = names
        self._passed = passed

    def __getattr__(self, name: str) -> object:
        """What else there is to know of it."""
        return getattr(self._source, name)

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """The same batches."""
        for entities, reached in self._source.read(since):
            found = {_name(entity) for entity in entities} & self._names
            self._passed.update({("transform", name): True for name in found})
            yield entities, reached


class Again:
    """A source: these entities, once, without a position."""

    once: Final = True

    def __init__(self, entities: Sequence[Entity]) -> None:
        """All at once: they are no more than a run tries again."""
        self._entities = entities

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """All of them."""
        if self._entities:
            yield self._entities, None


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
