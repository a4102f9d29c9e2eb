"""Where a value came from that a problem is about: a reference shows neither the value nor its place. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from pipeline.config.given import note
from pipeline.config.lookup import Found
from pipeline.config.mask import without_secrets
from pipeline.config.resolve import LONGEST_SHOWN, Use
from pipeline.config.tree import Document, Lines
from pipeline.errors import Note, Problem, Span

# A value that is put together from more references is not understood by reading on.
_MOST: Final = 3


def with_origins(
    problems: Iterable[Problem], uses: Iterable[Use], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """The problems, those about a value that references gave with a note for each of these."""
    by_place: dict[Span, dict[str, Use]] = {}
    for use in uses:
        # The `_id` of a component is its text as it is written, never a value.
        if use.found is not None and use.path[1:] != ("_id",):
            by_place.setdefault(use.value, {}).setdefault(f"${use.kind}({use.name})", use)
            if use.kind == "SECRET" or isinstance(use.found.value, dict | list):
                # A secret in the wrong place, and these within a text, are told at the reference itself.
                by_place.setdefault(use.span, {}).setdefault("", use)
    lines: dict[str, Lines] = {}
    for problem in problems:
        found = islice(by_place.get(problem.span, {}).values(), _MOST)
        notes = [_origin(use, use.found, documents, lines) for use in found if use.found]
        yield replace(problem, notes=(*notes, *problem.notes)) if notes else problem


def _origin(use: Use, found: Found, documents: Mapping[str, Document], lines: dict[str, Lines]) -> Note:
    """What a reference stands for, and where that is set."""
    place, spelling = found.place, found.spelling
    where = place.name
    span = place.at.get(spelling)
    if span is not None and span.file in documents:
        line, column = lines.setdefault(span.file, Lines(documents[span.file].text)).place(span.start)
        where = f"{span.file}:{line}:{column}"
    if place.profile:
        where += f" (profile `{place.profile}`)"
    if spelling != use.name:
        where += f", as `{spelling}`"
    name = f"`${use.kind}({use.name})`"
    if use.secret:
        return note(f"{name} is set in {where}; its value is not shown")
    return note(f"{name} is {shown(found.value)}, set in {where}")


def shown(value: object) -> str:
    """A value as JSON, without secrets, cut when it is long."""
    text = json.dumps(without_secrets(value), ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
