"""`mailweir dtl`: an expression of the Data Transformation Language, tried at once. Loads no configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from pipeline.component import Datasets
    from pipeline.config.tree import Document
    from pipeline.dtl.parse import Fault
    from pipeline.dtl.scope import Host
    from pipeline.errors import Problem
    from pipeline.state.sqlite.dataset_look import SqliteReads

# What the text of the command line is called where a fault in it is shown.
_EXPRESSION = "<expression>"
# Entities that are read with one look.
_PAGE = 1000


@click.command(
    "dtl",
    epilog="""\b
Examples:
  mailweir dtl '["upper", "a"]'
  mailweir dtl '["concat", "Hi ", "_S.name"]' --entity kari.json
  echo '{"name": "Kari"}' | mailweir dtl '["concat", "Hi ", "_S.name"]' --entity -
  mailweir dtl '[["copy", "name"], ["add", "n", 1]]' --entity kari.json    transforms: the target
  mailweir dtl '["hops", {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.of"]}]' --dataset customers
  mailweir dtl --batch cases.jsonl""",
)
@click.argument("expression", metavar="EXPR", required=False)
@click.option("--entity", metavar="FILE", help="The entity that is `_S`, JSON or JSON Lines; `-` is standard input.")
@click.option("--dataset", metavar="NAME", help="Each entity of this dataset of the project is `_S`.")
@click.option("--batch", metavar="FILE", help="Cases, a line each; `-` is standard input. See below.")
@common
def dtl_command(
    values: Common, expression: str | None, *, entity: str | None, dataset: str | None, batch: str | None
) -> int:
    """Evaluate EXPR, an expression or transforms in JSON, and print the value as JSON.

    With several entities there is a line for each. A line of --batch is an object with `expr` and, if needed,
    `source`, `target`, `kind` ("expr" or "transform") and `pipe` (with the namespaces of one); its answer is a line
    {"result": …} or {"error": …}. EXPR joins the datasets of the project around the folder, or of -C; cases have
    none. Exits with 0; 1 when an expression failed; 2 for wrong use.
    """
    if (expression is None) == (batch is None):
        raise click.UsageError("give an expression, or --batch with a file of them")
    if batch is not None:
        if entity is not None or dataset is not None:
            raise click.UsageError("the cases of --batch have their own entities")
        return _batch(values, batch)
    if entity is not None and dataset is not None:
        raise click.UsageError("the entities come from --entity or from --dataset")
    return _joining(values, str(expression), entity, dataset)


def _host(datasets: Datasets | None = None, source: str | None = None) -> Host:
    import time
    from uuid import uuid4

    from pipeline.dtl.scope import Host

    return Host(time.time_ns, uuid4, datasets, source)


def _joining(values: Common, text: str, entity: str | None, dataset: str | None) -> int:
    """Try it with the datasets of the project, as far as there is one with datasets."""
    from contextlib import closing

    from mailweir.cli.queues import NotUsableError
    from pipeline.config.load import project_root
    from pipeline.dtl.stored import Stored
    from pipeline.state.faults import StateError
    from pipeline.state.sqlite.dataset_look import SqliteReads

    with closing(SqliteReads(project_root(values.here) / ".mailweir")) as reads:
        try:
            sources: Iterable[Any] = [None]
            if dataset is not None:
                sources = _stored(reads, dataset)
            elif entity is not None:
                sources = _entities(values, entity)
            return _one(values, text, sources, _host(Stored(reads), dataset))
        except StateError as error:
            raise NotUsableError(error.text + (f"\n  help: {error.advice}" if error.advice else "")) from None


def _stored(reads: SqliteReads, name: str) -> Iterator[Any]:
    """The entities of a dataset that are not deleted, in the order of their changes."""
    from mailweir.cli.group import meant

    found = reads.dataset(name)
    if found is None:
        known = [one.name for one in reads.datasets()]
        raise click.UsageError(f"no dataset '{name}'.{meant(name, known)}")
    after = 0
    while after < found.last:
        page = reads.page(found.number, after, found.last, _PAGE)
        yield from (one for one in page.entities if one.get("_deleted") is not True)
        after = page.last


def _one(values: Common, text: str, sources: Iterable[Any], host: Host) -> int:
    from pipeline.config.text import read
    from pipeline.config.tree import plain
    from pipeline.dtl.errors import DtlError
    from pipeline.dtl.trial import RulesError, evaluated, is_transform, transformed

    document = read(text, _EXPRESSION)
    if document.problems or document.root is None:
        _show(values, document.problems, document)
        return 2
    expression, code = plain(document.root), 0
    tried = transformed if is_transform(expression) else evaluated
    for source in sources:
        try:
            found = tried(expression, source, None, host)
        except RulesError as error:
            _show(values, _problems(error.faults, document), document)
            return 2
        except DtlError as error:
            values.out.fault(f"error: {error}")
            code = 1
            continue
        values.out.record(_plain(found))
    return code


def _problems(faults: Iterable[Fault], document: Document) -> list[Problem]:
    from dataclasses import replace

    from pipeline.dtl.parse import DEFAULT
    from pipeline.dtl.told import problem_of

    root = document.root
    if root is None:
        return []
    # Transforms are tried as the rule `default`; their places begin with its name.
    bare = (one._replace(place=one.place[1:]) if one.place[:1] == (DEFAULT,) else one for one in faults)
    return [replace(problem_of(one, document, root), fix=()) for one in bare]


def _show(values: Common, problems: Iterable[Problem], document: Document) -> None:
    from pipeline.config.show import render

    out = values.out
    texts = {document.name: document.text}
    out.fault(render(list(problems), texts, width=out.width(out.stderr), color=out.colors(out.stderr)).rstrip())


def _data(name: str) -> bytes:
    import sys
    from pathlib import Path

    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{name}: {error.strerror}") from None


def _entities(values: Common, name: str) -> Iterator[Any]:
    """The value in a file, those of a list, or those of its lines."""
    from msgspec import DecodeError
    from msgspec.json import decode

    data = _data(name)
    try:
        found = decode(data)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        pass
    else:
        yield from found if isinstance(found, list) else [found]
        return
    lines = [line for line in data.splitlines() if line.strip()]
    whole = len(lines) > 1 and all(_is_json(line) for line in lines[:2])
    if not whole:
        _refuse(values, data, name)
    for number, line in enumerate(lines, 1):
        try:
            yield decode(line)
        except (DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise click.UsageError(f"{_named(name)}: line {number}: {error}") from None


def _is_json(data: bytes) -> bool:
    from msgspec import DecodeError
    from msgspec.json import decode

    try:
        decode(data)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _named(name: str) -> str:
    return "<stdin>" if name == "-" else name


def _refuse(values: Common, data: bytes, name: str) -> None:
    from pipeline.config.text import read

    document = read(data, _named(name))
    _show(values, document.problems, document)
    raise click.exceptions.Exit(2)


def _plain(value: Any) -> Any:  # noqa: ANN401 - what an expression gives
    from pipeline.entity import transit

    return transit(value)


def _batch(values: Common, name: str) -> int:
    from pipeline.dtl.errors import DtlError
    from pipeline.dtl.trial import RulesError

    host = _host()
    failed = False
    for line in _data(name).splitlines():
        if not line.strip():
            continue
        try:
            values.out.record({"result": _plain(_case(line, host))})
        except (DtlError, RulesError, _CaseError) as error:
            values.out.record({"error": str(error)})
            failed = True
    return 1 if failed else 0


class _CaseError(ValueError):
    """A line that is no case."""


def _case(line: bytes, host: Host) -> Any:  # noqa: ANN401 - what an expression gives
    from pipeline.dtl.trial import evaluated, namespaces_of, transformed

    try:
        case = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _CaseError(f"this line is no JSON: {error}") from None
    if not isinstance(case, dict) or "expr" not in case:
        raise _CaseError("a case is an object with `expr`")
    pipe = case.get("pipe")
    tried = transformed if case.get("kind") == "transform" else evaluated
    spaces = namespaces_of(pipe) if isinstance(pipe, dict) else None
    target = case.get("target")
    return tried(case["expr"], case.get("source"), target if isinstance(target, dict) else None, host, spaces)
