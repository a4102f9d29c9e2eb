"""The functions of the Data Transformation Language, as facts for people: from their declarations. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.dtl.functions import SUBJECTS
from pipeline.dtl.registry import Function, Shown


@dataclass(frozen=True, slots=True)
class Example:
    """What an expression gives, or a transform makes of a target; texts of JSON, empty where there is nothing."""

    expression: str
    result: str
    source: str
    target: str
    rules: str
    datasets: str
    before: str
    rdf: str


@dataclass(frozen=True, slots=True)
class FunctionManual:
    """A function. `calls` are the ways to call it."""

    name: str
    kind: str
    subject: str
    title: str
    calls: tuple[str, ...]
    doc: str
    examples: tuple[Example, ...]
    deprecated: str


@dataclass(frozen=True, slots=True)
class SubjectManual:
    """The functions of one subject, by name."""

    name: str
    title: str
    doc: str
    functions: tuple[FunctionManual, ...]


def subjects() -> Sequence[SubjectManual]:
    """All subjects, in the order of the manual."""
    return [
        SubjectManual(
            one.name,
            one.title,
            one.doc,
            tuple(sorted(map(_manual, one.functions), key=lambda function: function.name)),
        )
        for one in SUBJECTS
    ]


def functions(name: str = "") -> Iterator[FunctionManual]:
    """The functions of a name, in whatever case, or all of them. A name may be an expression and a transform."""
    for subject in subjects():
        for one in subject.functions:
            if not name or one.name == name.lower():
                yield one


def _manual(function: Function) -> FunctionManual:
    return FunctionManual(
        function.name,
        function.kind,
        function.subject.name,
        function.subject.title,
        tuple(one.written(function.name) for one in function.signatures),
        function.doc,
        tuple(map(_example, function.examples)),
        function.deprecated,
    )


def _example(shown: Shown) -> Example:
    return Example(
        _text(shown.expr),
        _text(shown.result),
        "" if shown.source is None else _text(shown.source),
        "" if shown.target is None else _text(shown.target),
        _text(shown.rules) if shown.rules else "",
        _text(shown.datasets) if shown.datasets else "",
        "" if shown.before is None else _text(shown.before),
        _text(shown.rdf) if shown.rdf else "",
    )


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps(value, ensure_ascii=False)
