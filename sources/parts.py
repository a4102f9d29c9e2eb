"""What the text of a source comes to: batches of entities, and faults with their places. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from pipeline.entity import Entity
from pipeline.errors import Note, Problem, Span

# DESIGN's batch: large enough that a batch costs little, small enough that a crash repeats little.
BATCH: Final = 256
MOST_BYTES: Final = 16_000_000

OnError = Literal["stop", "skip"]


class Place(NamedTuple):
    """Where something begins: the bytes before it, and its line and column, both from 1. Columns count characters."""

    offset: int = 0
    line: int = 1
    column: int = 1

    def after(self, data: bytes) -> Place:
        """The place behind these bytes."""
        last = data.rfind(b"\n") + 1
        length = len(data[last:].decode("utf-8", "surrogateescape"))
        column = length + (1 if last else self.column)
        return Place(self.offset + len(data), self.line + data.count(b"\n"), column)


class Fault(NamedTuple):
    """What is wrong with a piece: the places in the `problem` count characters of `text`, which stands at `place`.

    `resumes` says that what follows can be read. `unfinished`: it is the end of the text and may still be growing.
    """

    problem: Problem
    text: str
    place: Place
    resumes: bool = True
    unfinished: bool = False


def fault(
    name: str, place: Place, data: bytes, problem: tuple[str, str, str], at: int = 0, notes: tuple[Note, ...] = ()
) -> Fault:
    """The fault of code, message and label at a byte of a piece."""
    code, message, label = problem
    text = data.decode("utf-8", "surrogateescape")
    start = len(data[:at].decode("utf-8", "surrogateescape"))
    span = Span(name, start, min(start + 1, len(text)))
    return Fault(Problem(code, message, span, label, notes=notes), text, place)


def too_large(name: str, place: Place) -> Fault:
    """An entity past the limit."""
    words = ("E113", "the entity is too large", f"the limit is {MOST_BYTES // 1_000_000} MB")
    return fault(name, place, b"", words)


class Batch(NamedTuple):
    """Entities in the order of the text, and the place up to which everything has been read.

    Of JSON Lines one can go on from there, if it has entities or is at the beginning of a line. A `fault` is of what
    stands at that place; what follows it can be read if its `resumes` says so.
    """

    entities: Sequence[Entity]
    end: Place
    fault: Fault | None = None
