"""The flow of one pipe: what a source gives, through the transforms, in portions for the sink. No I/O of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from enum import Enum, auto
from itertools import chain, islice
from typing import Final, NamedTuple

from pipeline.component import Source, Transform
from pipeline.entity import Entity
from pipeline.errors import EndError, SourceError, TransformError
from pipeline.failing import Streak

# DESIGN's default: large enough that a portion costs little, small enough that a crash repeats little.
BATCH: Final = 256


class Mark(Enum):
    """What a reading has to do with all that the source has."""

    START = auto()  # it begins at the start
    ON = auto()  # it goes on where the last one stopped
    ELSEWHERE = auto()  # it leaves something out
    END = auto()  # it has come to the end


class Failed(NamedTuple):
    """An entity of the source that a transform has no answer to, and why."""

    entity: Entity
    text: str


class Portion(NamedTuple):
    """Entities for a sink, and the position in the source that is reached with them (None: it has none).

    `read` entities of the source went into it, of which `filtered` went no further; a sink that tracks gets them too.
    Those that `failed` are among the ones read, and stopped no other. One with a `mark` has no entities. `source` are
    the entities that were read, in their order, and `dropped` those filtered out that a sink does not get.
    """

    entities: Sequence[Entity]
    since: str | None
    read: int
    filtered: int
    mark: Mark | None = None
    failed: Sequence[Failed] = ()
    source: Sequence[Entity] = ()
    dropped: Sequence[Entity] = ()


class Wanted(NamedTuple):
    """Which entities of the source are wanted: one, the first ones, or all."""

    id: str | None = None
    most: int | None = None


EVERYTHING: Final = Wanted()


class FlowError(Exception):
    """The flow of a pipe stops at an entity that failed."""

    def __init__(self, failed: Sequence[Failed]) -> None:
        """The last of those that failed in a row is where it stops; no position behind them was told."""
        super().__init__(failed[-1].text)
        self.entity_id = str(failed[-1].entity.get("_id", ""))
        self.text = failed[-1].text
        self.failed = failed


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
    streak: Streak | None = None,
) -> Iterator[Portion]:
    """All that the source has after `since`, shaped. With `wanted` no position is told: not all was read.

    `tracks`: what was filtered out is passed on too. `streak` says when entities that fail end it, with a `FlowError`
    after those before them; without one the first does.
    """
    left = wanted.most
    streak = streak or Streak(1)
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
                portion, stopped = _shaped(chosen, transforms, position, streak, tracks=tracks)
                yield portion
                if stopped is not None:
                    raise stopped
            if left == 0:
                return


async def arriving(portions: Iterable[Portion]) -> AsyncIterator[Portion]:
    """The portions, each when it is there; while one is waited for, everything else goes on."""
    ready = getattr(portions, "ready", None)
    rest = iter(portions)
    while True:
        if ready is not None:
            await ready()
        portion = next(rest, None)
        if portion is None:
            return
        yield portion


def marked(source: Source, found: Iterator[Portion], since: str | None, *, elsewhere: bool) -> Iterator[Portion]:
    """The portions for a sink that tracks, with the marks of the reading. `elsewhere`: it is told where to begin."""
    first = next(found, None)
    afresh = since is None or getattr(source, "afresh", False)
    yield _mark(Mark.START if afresh else Mark.ELSEWHERE if elsewhere else Mark.ON)
    failed = False
    for portion in chain(() if first is None else (first,), found):
        # What it would have become is not known, so nobody knows whether that is gone.
        failed = failed or bool(portion.failed)
        yield portion
    left_out = getattr(source, "skipped", 0) or getattr(source, "cut", False) or failed
    yield _mark(Mark.ELSEWHERE if left_out else Mark.END)


def seldom(found: Iterator[Portion], interval: int) -> Iterator[Portion]:
    """The same portions, with the position of every so many of them, and of the last.

    What a kill lets a sink write twice it knows, so nothing is lost; storing positions apart costs it less.
    """
    held: str | None = None
    count = 0
    try:
        for portion in found:
            if portion.mark is Mark.END and held is not None:
                yield Portion((), held, 0, 0)
                held = None
            if portion.since is None:
                yield portion
                continue
            # The first one tells the sink that the source has positions.
            if count % interval == 0:
                yield portion
                held = None
            else:
                held = portion.since
                yield portion._replace(since=None)
            count += 1
    except (SourceError, FlowError, StoppedError):
        # What came before is written, and the next run goes on behind it.
        if held is not None:
            yield Portion((), held, 0, 0)
        raise
    if held is not None:
        yield Portion((), held, 0, 0)


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
    entities: Sequence[Entity],
    transforms: Sequence[Transform],
    since: str | None,
    streak: Streak,
    *,
    tracks: bool = False,
) -> tuple[Portion, FlowError | None]:
    """What becomes of entities, and whether the flow stops behind it."""
    failed: list[Failed] = []
    stopped: FlowError | None = None
    read = len(entities)
    try:
        shaped = _through(entities, transforms)
        if entities:
            streak.passed()
    except Exception:  # noqa: BLE001 - a transform may raise anything, and which entity it was shows below
        shaped, failed, stopped, read = _one_by_one(entities, transforms, streak)
    kept = [entity for entity in shaped if not entity.get("_filtered")]
    dropped = () if tracks or len(kept) == len(shaped) else [one for one in shaped if one.get("_filtered")]
    filtered = max(0, read - len(failed) - (0 if stopped is None else len(stopped.failed)) - len(kept))
    position = since if stopped is None else None
    found = entities if read == len(entities) else entities[:read]
    portion = Portion(
        shaped if tracks else kept, position, read, filtered, failed=tuple(failed), source=found, dropped=dropped
    )
    return portion, stopped


def _through(entities: Sequence[Entity], transforms: Sequence[Transform]) -> Sequence[Entity]:
    shaped = entities
    for transform in transforms:
        through: list[Entity] = []
        for entity in shaped:
            # What was filtered out goes no further: the next one would make something of it again.
            through += (entity,) if entity.get("_filtered") else transform(entity)
        shaped = through
    return shaped


def _one_by_one(
    entities: Sequence[Entity], transforms: Sequence[Transform], streak: Streak
) -> tuple[list[Entity], list[Failed], FlowError | None, int]:
    """Each entity by itself, as one of them fails: what became of them, how many were read, and where it stops."""
    shaped: list[Entity] = []
    failed: list[Failed] = []
    in_a_row = 0
    for place, entity in enumerate(entities, 1):
        made = _alone(entity, transforms)
        if not isinstance(made, str):
            shaped += made
            streak.passed()
            in_a_row = 0
            continue
        failed.append(Failed(entity, made))
        in_a_row += 1
        if streak.failed() or isinstance(made, _Last):
            at = len(failed) - in_a_row
            return shaped, failed[:at], FlowError(failed[at:]), place
    return shaped, failed, None, len(entities)


class _Last(str):
    """Why nothing becomes of an entity, and nothing more is read."""

    __slots__ = ()


def _alone(entity: Entity, transforms: Sequence[Transform]) -> Sequence[Entity] | str:
    """What becomes of one entity, or why nothing does."""
    shaped: Sequence[Entity] = (entity,)
    for transform in transforms:
        try:
            shaped = [made for one in shaped for made in ((one,) if one.get("_filtered") else transform(one))]
        except EndError as error:
            return _Last(error)
        except TransformError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - as above
            return f"{type(transform).__name__} failed: {type(error).__name__}: {error}"
    return shaped
