"""The sink `dataset` at work: what is new or has changed goes into the state, with the position. No I/O."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final, NamedTuple

from pipeline.receipt import Outcome, Receipt, Tally
from pipeline.run import FlowError, Mark, Portion, StoppedError
from pipeline.state.datasets import Change, Entry, Scan, TooManyError, Writes
from pipeline.state.facts import Offset
from pipeline.state.versions import entries_of, entry_of

# Entities and bytes of one transaction: more make it no cheaper, and what a kill repeats stays small.
MANY: Final = 4096
MANY_BYTES: Final = 8 * 2**20


class Settings(NamedTuple):
    """What is declared, as plain values."""

    dataset: str
    indexes: tuple[tuple[str, ...], ...] = ()
    tracks: bool = True
    marks: bool = False
    locks: bool = False
    most_part: float | None = None
    most: int | None = None
    history: bool = True
    tombstones: bool = False
    largest: int | None = None
    batch: int = MANY


class DatasetSink:
    """Writes what is new or has changed; at the end of a full run it deletes what the run has not met."""

    tracks: Final = True

    def __init__(self, pipe: str, settings: Settings, store: Writes, is_stopping: Callable[[], bool]) -> None:
        """`store` keeps the entities; when the run `is_stopping` nothing more is taken from the source."""
        self._pipe = pipe
        self._settings = settings
        self._store = store
        self._is_stopping = is_stopping
        self._scan: Scan | None = None
        self._entries: list[Entry] = []
        self._bytes = 0
        self._offset: Offset | None = None
        self._refused: list[Receipt] = []
        self._whole = True
        self._changed = 0
        self._positioned = False
        self.repeated = ""
        """One that a source without positions has more than once, so that every run writes each of its versions."""
        self._most: int | None = None
        self.entities = 0
        """How many the dataset had when the run began."""

    @property
    def loses(self) -> str:
        """What would be lost if there were no entities any more; empty if nothing would."""
        if not self.entities or not self._settings.tracks:
            return ""
        many = "1 entity" if self.entities == 1 else f"{self.entities:,} entities"
        return f"the dataset `{self._settings.dataset}` has {many}: they would all be deleted"

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """What became of the entities, a transaction at a time."""
        await self._begin()
        rest = iter(portions)
        # Of a source that waits: while it does, everything else goes on.
        ready = getattr(portions, "ready", None)
        failed: FlowError | StoppedError | None = None
        while failed is None and not self._is_stopping():
            if ready is not None:
                await ready()
            try:
                portion = next(rest, None)
            except (FlowError, StoppedError) as error:
                failed = error
                continue
            if portion is None:
                break
            if portion.mark is None:
                self._take(portion)
                # One with a position alone says that there is no more for now: somebody may wait for it to be stored.
                few = len(self._entries) < self._settings.batch and self._bytes < MANY_BYTES
                if few and (portion.read or portion.since is None):
                    continue
            async for told in self._flushed():
                yield told
            if portion.mark is not None and self._settings.tracks:
                yield await self._marked(portion.mark)
        async for told in self._flushed():
            yield told
        if failed is not None:
            raise failed

    async def _begin(self) -> None:
        """Indexes are kept from the first entity on; a dataset that has entities may be protected."""
        settings = self._settings
        self.entities = entities = await self._store.prepare(settings.dataset, self._pipe, settings.indexes)
        if entities and (settings.most is not None or settings.most_part is not None):
            part = settings.most_part
            limits = [settings.most, None if part is None else int(part * entities)]
            self._most = min(limit for limit in limits if limit is not None)

    def _take(self, portion: Portion) -> None:
        if portion.since is not None:
            self._offset = Offset(self._pipe, portion.since)
            self._positioned = True
        quick = None if self._settings.locks else entries_of(portion.entities, self._settings.largest)
        if quick is not None:
            entries, size = quick
            self._entries += entries
            self._bytes += size
            return
        for entity in portion.entities:
            made = entry_of(entity, self._settings.largest, locks=self._settings.locks)
            if isinstance(made, str):
                self._whole = False
                self._refused.append(Receipt(str(entity.get("_id", "")), "", Outcome.REJECTED, made))
            else:
                self._entries.append(made[0])
                self._bytes += made[1]

    async def _flushed(self) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """Write what has gathered."""
        refused, self._refused = self._refused, []
        if refused:
            yield refused
        if not self._entries and self._offset is None:
            return
        entries, self._entries, self._bytes = self._entries, [], 0
        offset, self._offset = self._offset, None
        settings = self._settings
        unique = self._scan is not None and not self._positioned
        left = None if self._most is None else self._most - self._changed
        change = Change(
            settings.dataset,
            self._pipe,
            entries,
            offset,
            self._scan,
            history=settings.history,
            tombstones=settings.tombstones,
            most=left,
            unique=unique,
        )
        try:
            done = await self._store.put(change)
        except TooManyError:
            raise self._broken() from None
        self._changed += done.written + done.filtered
        if done.repeated and unique:
            self.repeated = done.repeated
        yield Tally({Outcome.WRITTEN: done.written, Outcome.SKIPPED: done.skipped})
        if done.refused:
            yield [Receipt(entries[place].id, "", Outcome.REJECTED, why) for place, why in done.refused]

    async def _marked(self, mark: Mark) -> Tally:
        """Keep track of a reading, and delete at its end what it has not met."""
        settings = self._settings
        if mark in (Mark.START, Mark.ON):
            self._scan = await self._store.scan(settings.dataset, self._pipe, afresh=mark is Mark.START)
        # Of an entity that was refused nobody knows whether the source still has it.
        if mark is Mark.ELSEWHERE or (mark is Mark.END and not self._whole):
            self._scan = None
            await self._store.abandon(settings.dataset)
        deleted = 0
        if mark is Mark.END and self._scan is not None:
            if self._most is not None and self._changed + await self._store.missing(self._scan) > self._most:
                raise self._broken()
            after: int | None = 0
            while after is not None:
                swept = await self._store.sweep(self._scan, after, marked=settings.marks, history=settings.history)
                deleted += swept.deleted
                after = swept.next
        return Tally({}, deleted)

    def _broken(self) -> StoppedError:
        return StoppedError(
            f"it would change more than {self._most:,} entities of the dataset `{self._settings.dataset}`:"
            " the circuit breaker stopped it"
        )
