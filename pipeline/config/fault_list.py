"""The list that faults of syntax are collected in, and the words that they share. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal
from unicodedata import name as unicode_name

from pipeline.config.tree import Array, Object
from pipeline.errors import Edit, Label, Note, Problem, Span

# One string can hold millions of wrong characters. So many repairs help nobody and would take gigabytes.
MOST_EDITS = 10_000

Place = tuple[int, int]
Edits = Sequence[tuple[int, int, str]]
Container = Array | Object

_MISSING = ("E102", "E110")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class FaultList:
    """The problems of one text.

    When there are more than `limit`, a last problem says so, `stopped` is true, and no more are taken.
    """

    __slots__ = ("_edits", "limit", "name", "problems", "stopped")

    def __init__(self, name: str, limit: int) -> None:
        """Start with none; `name` is the file's."""
        self.name = name
        self.limit = limit
        self.problems: list[Problem] = []
        self.stopped = False
        self._edits = 0

    def add(
        self,
        code: str,
        message: str,
        place: Place,
        label: str = "",
        *,
        also: Iterable[Place] = (),
        related: Iterable[tuple[Place, str]] = (),
        note: str = "",
        help: str = "",
        fix: Edits = (),
    ) -> None:
        """Take a problem; `fix` is left out when the text needs more edits than anyone can review."""
        if self.stopped:
            return
        if len(self.problems) >= self.limit:
            furthest = max((problem.span.start for problem in self.problems), default=0)
            self.stop(f"more than {count(self.limit)} faults, reading stops here", max(place[0], furthest))
            return
        self._edits += len(fix)
        if self._edits > MOST_EDITS:
            fix = ()
        notes: tuple[tuple[Literal["note", "help"], str], ...] = (("note", note), ("help", help))
        self.problems.append(
            Problem(
                code,
                message,
                self._span(place),
                label,
                also=tuple(Label(self._span(other)) for other in also),
                related=tuple(Label(self._span(other), text) for other, text in related),
                notes=tuple(Note(kind, text) for kind, text in notes if text),
                fix=tuple(Edit(Span(self.name, start, end), text) for start, end, text in fix),
            )
        )

    def stop(self, message: str, at: int, note: str = "") -> None:
        """Take a last problem, for a limit that the text passes at `at`."""
        if not self.stopped:
            notes = (Note("note", note),) if note else ()
            self.problems.append(Problem("E113", message, Span(self.name, at, at + 1), notes=notes))
            self.stopped = True

    def in_order(self) -> list[Problem]:
        """All problems in the order of the text; the one that ended the reading is the last.

        What is missing comes before what is wrong at the same place, and so do their edits.
        """
        last = self.problems[-1:] if self.stopped else []
        rest = self.problems[: len(self.problems) - len(last)]
        return sorted(rest, key=lambda problem: (problem.span.start, problem.code not in _MISSING)) + last

    def _span(self, place: Place) -> Span:
        return Span(self.name, place[0], place[1])


def kind(node: Container) -> str:
    """The user's word for a list or object."""
    return "list" if isinstance(node, Array) else "object"


def closer(node: Container) -> str:
    """The bracket that ends a list or object."""
    return "]" if isinstance(node, Array) else "}"


def naming(character: str) -> str:
    """A character in a sentence: by itself, or by number and name when it cannot be told by sight."""
    if "!" <= character <= "~":
        return f"`{character}`"
    name = unicode_name(character, "")
    return f"the character U+{ord(character):04X}" + (f" ({name})" if name else "")


def shown(name: str) -> str:
    """A property name as a message prints it: one line, not too long, nothing that cannot be encoded."""
    short = name if len(name) <= 60 else name[:59] + "…"
    return _UNPRINTABLE.sub("\ufffd", short)


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}".replace(",", " ")
