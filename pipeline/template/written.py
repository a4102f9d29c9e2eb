"""Templates as they are written in a configuration: in a property, or in a file that it names. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.errors import Problem
from pipeline.template.check import no_such_file
from pipeline.template.faults import Place, Where, where_in, where_in_file
from pipeline.template.templates import Options, Templates

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.config.tree import Document


def source_of(given: Given, name: str, templates: Templates) -> tuple[str, Where] | Problem | None:
    """The text of a template and where it stands; what is wrong with the name of its file; or nothing to look at."""
    source = given.text(name)
    if source:
        return source, where_in(given, name, source)
    file = given.text(f"{name}_file")
    if file is None:
        return None
    if file not in templates.options.files:
        fault = no_such_file(file, Place("", 0, len(file)), templates.options)
        return fault.problem(where_in(given, f"{name}_file", file))
    return templates.options.files[file], where_in_file(given.templates, file, (*given.path, f"{name}_file"))


def templates_of(given: Given) -> Templates:
    """The templates of the project, as far as their files can be read."""
    return _templates(given.templates)


def _templates(documents: Mapping[str, Document]) -> Templates:
    files = tuple((name, document.text) for name, document in documents.items() if not document.problems)
    refused = tuple((name, document.problems[0].message) for name, document in documents.items() if document.problems)
    return _shared(files, refused)


@lru_cache(maxsize=2)
def _shared(files: tuple[tuple[str, str], ...], refused: tuple[tuple[str, str], ...]) -> Templates:
    """One for all sinks of a project: its files are read once."""
    return Templates(Options(files=dict(files), refused=dict(refused)))
