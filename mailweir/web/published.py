"""What a pipe publishes, read anew for each request: its source, its transforms, its form, in portions of bytes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from mailweir.flows import PipeContext, source_of, transforms_of
from mailweir.serving.log import event
from mailweir.systems_of import Systems
from mailweir.web.route import RefusedError
from sinks.published import wanted
from sources.dataset_read import DatasetSource

if TYPE_CHECKING:
    from pipeline.component import Source, Transform
    from pipeline.config.load import Loaded
    from pipeline.entity import Entity
    from pipeline.pipe import PipeConfig
    from sinks.published import PublishedConfig

# A portion that goes out: a few packets.
_PORTION: Final = 64 * 2**10
# Entities that are told one by one in the log; then their number.
_MOST_TOLD: Final = 20


class Part(NamedTuple):
    """What is asked for: what changed since a position, and about how many; what one entity became is never cut."""

    since: int | None = None
    limit: int | None = None


class Publication:
    """One answer. All but the making is done in one thread."""

    def __init__(self, loaded: Loaded, pipe: PipeConfig, sink: PublishedConfig, part: Part) -> None:
        """Nothing is built or read yet."""
        self.systems = Systems(loaded)
        self._pipe = pipe
        self._sink = sink
        self._part = part
        self._source: Source | None = None
        self._transforms: Sequence[Transform] = ()
        self._failed = 0

    def build(self) -> None:
        """Build source and transforms, and the systems that they name."""
        for kind, one in [("source", self._pipe.source), *(("transform", one) for one in self._pipe.transform)]:
            if not hasattr(one, "build"):
                type_ = "" if one is None else f" of type `{one.type}`"
                raise RefusedError(503, f"the pipe `{self._pipe.id}` has a {kind}{type_} that cannot be used")
        context = PipeContext(self.systems, self._pipe.id, None)
        self._source = source_of(self._pipe, context)
        self._transforms = transforms_of(self._pipe, context)
        if self._part.since is not None and not isinstance(self._source, DatasetSource):
            raise RefusedError(400, f"the source of `{self._pipe.id}` is no dataset: leave `since` out, and all comes")

    def portions(self) -> Generator[bytes, None, None]:
        """The text."""
        form = self._sink.form()
        gathered, size, first = [form.head()], 0, True
        for entity in self._entities(form.text):
            if not first:
                gathered.append(form.between())
            first = False
            gathered.append(entity)
            size += len(entity)
            if size >= _PORTION:
                yield b"".join(gathered)
                gathered, size = [], 0
        if self._failed > _MOST_TOLD:
            told = f"{self._failed} entities could not be given"
            event("entity.rejected", told, logging.WARNING, pipe=self._pipe.id)
        yield b"".join([*gathered, form.tail()])

    def close(self) -> None:
        """Read no more."""
        self.systems.datasets.close()

    def _entities(self, text_of: Callable[[Entity], bytes]) -> Iterator[bytes]:
        deleted, given = not self._sink.leaves_out_deleted, 0
        for entity in self._read():
            if self._part.limit is not None and given >= self._part.limit:
                return
            try:
                found = [text_of(one) for one in wanted(self._shaped(entity), deleted=deleted)]
            except Exception as error:  # noqa: BLE001 - a transform may raise anything; its neighbours are given
                self._tell(entity, error)
                continue
            yield from found
            given += len(found)

    def _read(self) -> Iterator[Entity]:
        source = self._source
        assert source is not None  # noqa: S101 - it was built
        since = None if self._part.since is None else str(self._known(self._part.since))
        for entities, _ in source.read(since):
            yield from entities

    def _known(self, since: int) -> int:
        """A position that the dataset has not reached is one of a dataset that was deleted: all of this one is new."""
        source = self._source
        found = self.systems.datasets.dataset(source.name) if isinstance(source, DatasetSource) else None
        return 0 if found is None or since > found.last else since

    def _shaped(self, entity: Entity) -> Sequence[Entity]:
        """What becomes of an entity, with its place in the order of changes."""
        shaped: Sequence[Entity] = (entity,)
        for transform in self._transforms:
            shaped = [made for one in shaped for made in transform(one)]
        if not isinstance(self._source, DatasetSource):
            return shaped
        return [{**one, "_updated": entity["_updated"]} for one in shaped]

    def _tell(self, entity: Entity, error: Exception) -> None:
        self._failed += 1
        if self._failed <= _MOST_TOLD:
            id_ = str(entity.get("_id", ""))
            told = f"entity `{id_}` is not given: {error}"
            event("entity.rejected", told, logging.WARNING, pipe=self._pipe.id, entity=id_)
