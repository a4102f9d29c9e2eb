"""A dataset as a sink: entities are kept by the state, where other pipes read them. No I/O."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field

from pipeline.component import Many, Running, SinkConfig, SinkContext, Writes
from pipeline.entity import Entity, to_json
from pipeline.receipt import Outcome, Receipt, Tally
from pipeline.run import FlowError, Mark, Portion, StoppedError
from pipeline.state.datasets import Change, Entry, Scan, TooManyError, entity_hash
from pipeline.state.facts import Offset

# Entities and bytes of one transaction: more make it no cheaper, and what a kill repeats stays small.
MANY: Final = 2048
MANY_BYTES: Final = 8 * 2**20

_name: Final = b'"_'
_kept: Final = frozenset({"_id", "_deleted"})


class DatasetSinkConfig(SinkConfig):
    """Entities end in a dataset, where other pipes read them."""

    type: Literal["dataset"]
    """`dataset`; may be left out."""
    dataset: Annotated[str | None, Writes()] = None
    """The dataset to write. Default: the `_id` of the pipe."""
    indexes: Literal["$ids"] | Many[object] | None = None
    """Properties to keep an index of, for joins: `["email", "address.zip"]`, or `$ids`."""
    set_initial_offset: Literal["if-source-populated", "never", "always", "initially", "onload"] | None = None
    """Read from Sesam configurations and ignored."""
    track_children: bool | None = None
    """Read from Sesam configurations and ignored."""
    deletion_tracking: bool = True
    """Whether entities that a full run no longer sees are deleted."""
    mark_deletion_tracked: bool = False
    """Whether such deletes carry `$deletion_tracked`."""
    enable_optimistic_locking: bool = False
    """Refuse an entity whose `_previous` is not the `_updated` of the stored version."""
    circuit_breaker_threshold_factor: float | None = Field(default=None, ge=0)
    """Stop a run that changes more than this part of the dataset, unless it is empty."""
    circuit_breaker_threshold_count: int | None = Field(default=None, ge=0)
    """Stop a run that changes more than so many entities of a dataset, unless it is empty."""
    prevent_multiple_versions: bool = False
    """Keep only the latest version of an entity."""
    suppress_filtered: bool | None = None
    """Do not store that an entity was filtered out which was never stored. Default: yes."""
    max_entity_bytes_size: int | None = Field(default=None, ge=1)
    """Refuse larger entities."""
    batch_size: int | None = Field(default=None, ge=1)
    """How many entities are written together. Default: 2048."""

    def build(self, context: SinkContext) -> DatasetSink:
        """The sink itself."""
        settings = Settings(
            self.dataset or context.pipe,
            paths(self.indexes),
            tracks=self.deletion_tracking,
            marks=self.mark_deletion_tracked,
            locks=self.enable_optimistic_locking,
            most_part=self.circuit_breaker_threshold_factor,
            most=self.circuit_breaker_threshold_count,
            history=not self.prevent_multiple_versions,
            tombstones=self.suppress_filtered is False,
            largest=self.max_entity_bytes_size,
            batch=self.batch_size or MANY,
        )
        return DatasetSink(context.pipe, settings, context.run)


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


def paths(indexes: object) -> tuple[tuple[str, ...], ...]:
    """The paths of properties that `indexes` names."""
    names = [indexes] if isinstance(indexes, str) else indexes if isinstance(indexes, tuple) else ()
    return tuple(tuple(name.removeprefix("_S.").split(".")) for name in names if isinstance(name, str))


class DatasetSink:
    """Writes what is new or has changed; at the end of a full run it deletes what the run has not met."""

    tracks: Final = True

    def __init__(self, pipe: str, settings: Settings, running: Running) -> None:
        """`running` has the state."""
        self._pipe = pipe
        self._settings = settings
        self._running = running
        self._store = running.state.datasets
        self._scan: Scan | None = None
        self._entries: list[Entry] = []
        self._bytes = 0
        self._offset: Offset | None = None
        self._refused: list[Receipt] = []
        self._whole = True
        self._changed = 0
        self._most: int | None = None

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """What became of the entities, a transaction at a time."""
        await self._begin()
        rest = iter(portions)
        failed: FlowError | StoppedError | None = None
        while failed is None and not self._running.stopping.is_set():
            try:
                portion = next(rest, None)
            except (FlowError, StoppedError) as error:
                failed = error
                continue
            if portion is None:
                break
            if portion.mark is None:
                self._take(portion)
                if len(self._entries) < self._settings.batch and self._bytes < MANY_BYTES:
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
        entities = await self._store.prepare(settings.dataset, self._pipe, settings.indexes)
        if entities and (settings.most is not None or settings.most_part is not None):
            part = settings.most_part
            limits = [settings.most, None if part is None else int(part * entities)]
            self._most = min(limit for limit in limits if limit is not None)

    def _take(self, portion: Portion) -> None:
        for entity in portion.entities:
            made = self._entry(entity)
            if isinstance(made, str):
                self._whole = False
                self._refused.append(Receipt(str(entity.get("_id", "")), "", Outcome.REJECTED, made))
            else:
                self._entries.append(made)
        if portion.since is not None:
            self._offset = Offset(self._pipe, portion.since)

    def _entry(self, entity: Entity) -> Entry | str:
        """An entity as it is stored, or why it is not."""
        id_ = entity.get("_id")
        if type(id_) is not str or not id_:
            return "`_id` is missing" if id_ is None else "`_id` is no text" if id_ else "`_id` is empty"
        try:
            text = to_json(entity, ordered=True)
            if text.count(_name) == 1:
                # Nothing but `_id` begins like a reserved name.
                entry = Entry(id_, entity_hash(text), False, entity)
            else:
                entity, filtered, expected = self._stripped(entity)
                text = to_json(entity, ordered=True)
                entry = Entry(id_, entity_hash(text), "_deleted" in entity, entity, filtered, expected)
            id_.encode()
        except UnicodeEncodeError:
            return "`_id` has half a character"
        except (TypeError, ValueError, RecursionError) as error:
            return f"it cannot be stored: {error}"
        if self._settings.largest is not None and len(text) > self._settings.largest:
            return f"it has {len(text):,} bytes, and `max_entity_bytes_size` is {self._settings.largest:,}"
        self._bytes += len(text)
        return entry

    def _stripped(self, entity: Entity) -> tuple[Entity, bool, int | None]:
        """Without reserved names but those that are stored; whether it was filtered out; the version it is for."""
        kept = {name: value for name, value in entity.items() if name[:1] != "_" or name in _kept}
        filtered = bool(entity.get("_filtered"))
        if filtered:
            kept["_deleted"] = kept["_filtered"] = True
        elif kept.get("_deleted") is not True:
            kept.pop("_deleted", None)
        expected = entity.get("_previous") if self._settings.locks else None
        return kept, filtered, expected if isinstance(expected, int) else None

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
        )
        try:
            done = await self._store.put(change)
        except TooManyError:
            raise self._broken() from None
        self._changed += done.written + done.filtered
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
