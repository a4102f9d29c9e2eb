"""What is wrong with a template, as a value: where, what, and what to do. No I/O.

A place counts characters of a template's text; `Where` knows in which file that text stands, and how.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.errors import Decoded, Label, Note, Problem, Span

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.config.tree import Document

Spot = Callable[[int, int], Span]
_carriage: Final = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Place:
    """The characters `start` to `end` of a template: of the one that was asked for (`""`), or of a file by its name."""

    template: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Where:
    """Where the text of a template stands.

    `spot` finds characters of it in a file; without one the text has no place of its own (an entity brought it, or a
    reference) and faults show it by itself. `files` are the files in the folder of templates.
    """

    text: str = ""
    path: tuple[str, ...] = ()
    spot: Spot | None = None
    whole: Span = field(default_factory=lambda: Span("template", 0, 0))
    files: Mapping[str, Document] = field(default_factory=dict)
    alone: bool = False
    """Whether the text has a file to itself, where it is seen as it is."""

    def span(self, place: Place) -> Span:
        """The place in a file."""
        if not place.template:
            return self.spot(place.start, place.end) if self.spot else self.whole
        document = self.files.get(place.template)
        return _in_file(document, place.start, place.end) if document else Span(place.template, place.start, place.end)


def where_in(given: Given, name: str, source: str) -> Where:
    """The text of a property, where it stands in its configuration file; a value from elsewhere is shown by itself."""

    def spot(start: int, end: int) -> Span:
        return given.inside(name, original(source, start), original(source, end))

    path = (*given.path, name) if given.written(name) else given.path
    found = spot if given.literal(name) else None
    return Where(plain_lines(source), path, found, given.value(name), given.templates)


def where_in_file(documents: Mapping[str, Document], file: str, path: tuple[str, ...] = ()) -> Where:
    """The text of a file in the folder of templates; `path` leads to the property that names it."""
    document = documents[file]

    def spot(start: int, end: int) -> Span:
        return _in_file(document, start, end)

    return Where(plain_lines(document.text), path, spot, files=documents, alone=True)


def _in_file(document: Document, start: int, end: int) -> Span:
    return Span(document.name, original(document.text, start), original(document.text, end))


def plain_lines(text: str) -> str:
    """The text with a line feed at the end of each line, as Jinja2 reads it."""
    return _carriage.sub("\n", text) if "\r" in text else text


def original(text: str, offset: int) -> int:
    """Where a character of `plain_lines(text)` stands in the text."""
    if "\r" not in text:
        return offset
    pairs = [found.start() for found in _carriage.finditer(text) if len(found[0]) == 2]
    return offset + sum(1 for shift, start in enumerate(pairs) if start - shift < offset)


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """One fault. `chain` leads from the place outwards, through the tags that include it or call it."""

    code: str
    message: str
    place: Place
    label: str = ""
    notes: tuple[Note, ...] = ()
    chain: tuple[Place, ...] = ()

    def problem(self, where: Where) -> Problem:
        """The fault as it is shown."""
        decoded = None
        if not (self.place.template or where.alone) and (where.spot is None or "\n" in where.text):
            decoded = Decoded("the template itself", where.text, self.place.start, self.place.end)
        return Problem(
            self.code,
            self.message,
            where.span(self.place),
            self.label,
            where.path,
            related=tuple(Label(where.span(place), "from here") for place in self.chain),
            decoded=decoded,
            notes=self.notes,
        )
