"""Everywhere an id is named: where it is declared, where others name it, and which tests are for it. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.config.named import references
from pipeline.config.shape import shapes
from pipeline.config.tree import Document, Lines
from pipeline.config.typed import Component
from pipeline.errors import Span

Role = Literal["declares", "writes", "names", "tests"]


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that names an id; `path` leads from the component's `_id` to the property."""

    role: Role
    file: str
    line: int
    column: int
    path: tuple[str, ...]

    @property
    def place(self) -> str:
        """As editors and terminals open it."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Tested:
    """A test file. `span` is the name of the pipe in it; empty where the name of the file says it."""

    pipe: str
    document: Document
    span: Span


def mentions(
    id: str, components: Sequence[Component], tests: Sequence[Tested], documents: Mapping[str, Document]
) -> list[Mention]:
    """Every place that names a system, a pipe or a dataset, in the order of the files; tests come last."""
    lines: dict[str, Lines] = {}
    found = []
    for named in _all(components, tests):
        if named.name == id:
            file = named.span.file
            line, column = lines.setdefault(file, Lines(documents[file].text)).place(named.span.start)
            found.append(Mention(named.role, file, line, column, named.path))
    return sorted(dict.fromkeys(found), key=lambda one: (one.role == "tests", one.file, one.line, one.column))


def names(components: Sequence[Component], tests: Sequence[Tested]) -> list[str]:
    """Every id that is declared or named somewhere."""
    return list(dict.fromkeys(named.name for named in _all(components, tests)))


class _Named(NamedTuple):
    role: Role
    name: str
    span: Span
    path: tuple[str, ...]


def _all(components: Sequence[Component], tests: Sequence[Tested]) -> Iterator[_Named]:
    for top in components:
        if top.id and top.given.written("_id"):
            yield _Named("declares", top.id, top.given.value("_id"), (top.id, "_id"))
        for part in top.walk():
            yield from _written(part)
    for use in references(components):
        yield _Named("names", use.reference.name, use.span, use.path)
    for test in tests:
        yield _Named("tests", test.pipe, test.span, ("pipe",) if test.span.end else ())


def _written(component: Component) -> Iterator[_Named]:
    for shape in shapes(component.model).values():
        dataset = component.given.text(shape.written) if shape.writes else None
        if dataset is not None and component.given.written(shape.written):
            place = component.given.value(shape.written)
            yield _Named("writes", dataset, place, (*component.given.path, shape.written))
