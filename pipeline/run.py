"""The flow of one pipe: what a source gives, through the transforms, in portions for the sink. No I/O of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from itertools import islice
from typing import Final, NamedTuple

from pipeline.component import Source, Transform
from pipeline.entity import Entity
from pipeline.errors import TransformError

# DESIGN's default: large enough that a portion costs little, small enough that a crash repeats little.
BATCH: Final = 256


class Mark(Enum):
    """What a reading has to do with all that the source has."""

    START = auto()  # it begins at the start
    ON = auto()  # it goes on where the last one stopped
    ELSEWHERE = auto()  # it leaves something out
    END = auto()  # it has come to the end


class Portion(NamedTuple):
    """Entities for a sink, and the position in the source that is reached with them (None: it has none).

    `read` entities of the source went into it, of which `filtered` went no further; a sink that tracks gets them too.
    One with a `mark` has no entities.
    """

    entities: Sequence[Entity]
    since: str | None
    read: int
    filtered: int
    mark: Mark | None = None


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


class StoppedError(Exception):
    """A source or a sink does not go on; the text says why."""


def portions(
    source: Source,
    transforms: Sequence[Transform],
    since: str | None,
    wanted: Wanted = EVERYTHING,
    batch: int = BATCH,
    *,
    tracks: bool = False,
) -> Iterator[Portion]:
    """All that the source has after `since`, shaped. With `wanted` no position is told: not all was read.

    `tracks`: what was filtered out is passed on too.
    """
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
                yield _shaped(chosen, transforms, position, tracks=tracks)
            if left == 0:
                return


def marked(source: Source, found: Iterator[Portion], since: str | None, *, elsewhere: bool) -> Iterator[Portion]:
    """The portions for a sink that tracks, with the marks of the reading. `elsewhere`: it is told where to begin."""
    first = next(found, None)
    afresh = since is None or getattr(source, "afresh", False)
    yield _mark(Mark.START if afresh else Mark.ELSEWHERE if elsewhere else Mark.ON)
    if first is not None:
        yield first
    yield from found
    left_out = getattr(source, "skipped", 0) or getattr(source, "cut", False)
    yield _mark(Mark.ELSEWHERE if left_out else Mark.END)


def _mark(mark: Mark) -> Portion:
    return Portion((), None, 0, 0, mark)


def _parts(entities: Sequence[Entity], size: int) -> Iterator[Sequence[Entity]]:
    if len(entities) <= size:
        yield entities
        return
    rest = iter(entities)
    while part := list(islice(rest, size)):
        yield part


def _shaped(
    entities: Sequence[Entity], transforms: Sequence[Transform], since: str | None, *, tracks: bool = False
) -> Portion:
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
    return Portion(shaped if tracks else kept, since, len(entities), max(0, len(entities) - len(kept)))
