"""What can be wrong with a configuration, as values. No I/O.

A `Problem` carries everything that a person or an editor needs to see one fault: where it is, what is wrong,
what to do. `pipeline.config.show` turns problems into text and into the formats of other tools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The characters `start` to `end` (exclusive) of the decoded text of `file`."""

    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Label:
    """A place with a few words beside it."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A fact (`note`) or an action (`help`)."""

    kind: Literal["note", "help"]
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters of `span` by `text`; an empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A second view of a long string: its decoded text, with a span in that text."""

    title: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a configuration.

    `also` are further places that are wrong in the same way (drawn with `^` too); `related` are places that
    explain the fault (drawn with `-`), in this file or another. `path` leads from the component's `_id` to the
    property. `fix` is given only when a single repair is possible. `reason` is what the labels of the places say, where
    the message alone would not tell what is wrong.
    """

    code: str
    message: str
    span: Span
    label: str = ""
    path: tuple[str, ...] = ()
    also: tuple[Label, ...] = ()
    related: tuple[Label, ...] = ()
    decoded: Decoded | None = None
    notes: tuple[Note, ...] = ()
    fix: tuple[Edit, ...] = ()
    reason: str = ""

    @property
    def told(self) -> str:
        """The message for those who see no labels."""
        return f"{self.message}: {self.reason}" if self.reason else self.message

    @property
    def level(self) -> Level:
        """Codes that begin with W are warnings."""
        return "warning" if self.code.startswith("W") else "error"


class ConfigError(Exception):
    """A configuration that cannot be used; carries every problem that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems; the text of the exception names the first."""
        super().__init__("; ".join(f"{p.code} {p.message}" for p in problems[:3]))
        self.problems = tuple(problems)


class UnusableError(ValueError):
    """A part of a pipe cannot be used as declared, for a reason that only shows beside its files and libraries."""


class TransformError(Exception):
    """A transform that has no answer to an entity. Its text says where and why."""


class EndError(TransformError):
    """A transform that ends the run at an entity, however many may fail."""


class SourceError(Exception):
    """A source that cannot go on. What it gave before stands.

    The places in `problem` count characters of `text`, the piece of the input that stands at `line` and `column`.
    The text of the exception has the place and no data.
    """

    def __init__(self, problem: Problem, text: str = "", line: int = 1, column: int = 1) -> None:
        """Keep the problem and what it points into."""
        before = text[: problem.span.start]
        last = before.rfind("\n") + 1
        self.line = line + before.count("\n")
        self.column = len(before) - last + (1 if last else column)
        super().__init__(f"{problem.span.file}:{self.line}:{self.column}: {problem.code} {problem.told}")
        self.problem = problem
        self.text = text
        self._begin = line, column

    def shown(self, pipe: str = "") -> tuple[Problem, dict[str, str]]:
        """The problem and the texts to render it with; without a text where it stands too far behind in the input.

        `pipe` is whose source it is.
        Lines before the piece are empty, and of its first line the characters before it are blanks.
        """
        line, column = self._begin
        path = (pipe, "source") if pipe else ()
        # The excerpt counts its lines from the first.
        if line > 1_000_000 or column > 1_000_000:
            return replace(self.problem, message=str(self), path=path), {}
        before = "\n" * (line - 1) + " " * (column - 1)
        span = self.problem.span
        moved = replace(span, start=span.start + len(before), end=span.end + len(before))
        return replace(self.problem, span=moved, path=path, also=(), related=()), {span.file: before + self.text}
