"""The flow of one pipe: what a source gives, through the transforms, in portions for the sink. No I/O of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from pipeline.component import Source, Transform
from pipeline.entity import Entity
from pipeline.errors import TransformError

# DESIGN's default: large enough that a portion costs little, small enough that a crash repeats little.
BATCH: Final = 256


class Portion(NamedTuple):
    """Entities for a sink, and the position in the source that is reached with them (None: it has none).

    `read` entities of the source went into it, of which `filtered` went no further.
    """

    entities: Sequence[Entity]
    since: str | None
    read: int
    filtered: int


class Wanted(NamedTuple):
    """Which entities of the source are wanted: one, the first ones, or all."""

    id: str | None = None
    most: int | None = None


EVERYTHING: Final = Wanted()


class FlowError(Exception):
    """The flow of a pipe stops at an entity."""

    def __init__(self, entity_id: str, text: str) -> None:
        """`text` says what failed."""
        super().__init__(text)
        self.entity_id = entity_id
        self.text = text


def portions(
    source: Source,
    transforms: Sequence[Transform],
    since: str | None,
    wanted: Wanted = EVERYTHING,
    batch: int = BATCH,
) -> Iterator[Portion]:
    """All that the source has after `since`, shaped. With `wanted` no position is told: not all was read."""
    left = wanted.most
    partial = wanted != EVERYTHING
    for entities, reached in source.read(since):
        parts = list(_parts(entities, batch)) or [()]
        for place, part in enumerate(parts, 1):
            chosen = part if wanted.id is None else [one for one in part if str(one.get("_id", "")) == wanted.id]
            if left is not None:
                chosen = chosen[:left]
                left -= len(chosen)
            # The position of the source is reached with the last part of what it gave.
            position = reached if place == len(parts) and not partial else None
            if chosen or position is not None:
                yield _shaped(chosen, transforms, position)
            if left == 0:
                return


def _parts(entities: Sequence[Entity], size: int) -> Iterator[Sequence[Entity]]:
    if len(entities) <= size:
        yield entities
        return
    rest = iter(entities)
    while part := list(islice(rest, size)):
        yield part


def _shaped(entities: Sequence[Entity], transforms: Sequence[Transform], since: str | None) -> Portion:
    shaped = entities
    for transform in transforms:
        through: list[Entity] = []
        for entity in shaped:
            try:
                through += transform(entity)
            except Exception as error:
                told = isinstance(error, TransformError)
                text = str(error) if told else f"{type(transform).__name__} failed: {type(error).__name__}: {error}"
                raise FlowError(str(entity.get("_id", "")), text) from error
        shaped = through
    kept = [entity for entity in shaped if not entity.get("_filtered")]
    return Portion(kept, since, len(entities), max(0, len(entities) - len(kept)))
