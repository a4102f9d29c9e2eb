"""`mailweir dtl`: an expression of the Data Transformation Language, tried at once. Loads no configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import click

from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from pipeline.component import Datasets
    from pipeline.config.tree import Document, Node
    from pipeline.dtl.errors import DtlError
    from pipeline.dtl.parse import Fault
    from pipeline.dtl.scope import Host
    from pipeline.dtl.tree import Place
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
            return _one(values, text, sources, _host(Stored(reads), dataset), reads)
        except StateError as error:
            raise NotUsableError(error.text + (f"\n  help: {error.advice}" if error.advice else "")) from None


def _stored(reads: SqliteReads, name: str) -> Iterator[Any]:
    """The entities of a dataset that are not deleted, in the order of their changes."""
    from mailweir.cli.group import meant

    found = reads.dataset(name)
    if found is None:
        raise click.UsageError(f"no dataset '{name}'.{meant(name, _names(reads))}")
    after = 0
    while after < found.last:
        page = reads.page(found.number, after, found.last, _PAGE)
        yield from (one for one in page.entities if one.get("_deleted") is not True)
        after = page.last


def _names(reads: SqliteReads) -> list[str]:
    return [one.name for one in reads.datasets()]


def _one(values: Common, text: str, sources: Iterable[Any], host: Host, reads: SqliteReads) -> int:
    from pipeline.config.text import read
    from pipeline.config.tree import plain
    from pipeline.dtl.errors import DtlError
    from pipeline.dtl.trial import RulesError, evaluating, is_transform, transforming

    if not text.strip():
        raise click.UsageError("EXPR is empty")
    # No JSON begins with an underscore: it is a path, and the shell took the quotes.
    document = read(json.dumps(text.strip()) if text.strip().startswith("_") else text, _EXPRESSION)
    if document.problems or document.root is None:
        _show(values, document.problems, document)
        return 2
    expression = plain(document.root)
    try:
        tried = (transforming if is_transform(expression) else evaluating)(expression)
    except RulesError as error:
        _show(values, _problems(error.faults, document), document)
        return 2
    _tell_unknown(values, document.root, reads)
    code = 0
    for source in sources:
        try:
            values.out.record(_plain(tried(source, None, host)))
        except DtlError as error:
            values.out.fault(_failed(error, document))
            code = 1
        if values.out.gone:
            break
    return code


def _tell_unknown(values: Common, expression: Node, reads: SqliteReads) -> None:
    """The datasets that are joined and are not there: such a join is no fault, and finds nothing."""
    from mailweir.cli.group import meant
    from pipeline.transforms.dtl import datasets_in

    for name in dict.fromkeys(one.name for one in datasets_in(expression)):
        if reads.dataset(name) is None:
            values.out.say(f"warning: there is no dataset '{name}' here to join.{meant(name, _names(reads))}")


def _own(place: Place) -> Place:
    """Transforms are tried as the rule `default`; places in it begin with its name."""
    from pipeline.dtl.parse import DEFAULT

    return place[1:] if place[:1] == (DEFAULT,) else place


def _failed(error: DtlError, document: Document) -> str:
    from pipeline.config.tree import Lines
    from pipeline.dtl.told import node_at

    bare = _bare(error)
    if document.root is None:
        return f"error: {bare}"
    line, column = Lines(document.text).place(node_at(document.root, bare.place).start)
    return f"error: {bare}\n --> {_EXPRESSION}:{line}:{column}"


def _bare(error: DtlError) -> DtlError:
    from pipeline.dtl.errors import DtlError

    return DtlError(error.why, error.function, _own(error.place), error.value)


def _problems(faults: Iterable[Fault], document: Document) -> list[Problem]:
    from pipeline.dtl.told import problem_of

    root = document.root
    return [] if root is None else [problem_of(one._replace(place=_own(one.place)), document, root) for one in faults]


def _show(values: Common, problems: Iterable[Problem], document: Document) -> None:
    """Tell faults, without repairs: `check --fix` knows nothing of what is typed here."""
    from dataclasses import replace

    from pipeline.config.show import render

    out = values.out
    texts = {document.name: document.text}
    bare = [replace(one, fix=()) for one in problems]
    out.fault(render(bare, texts, width=out.width(out.stderr), color=out.colors(out.stderr)).rstrip())


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
    from codecs import BOM_UTF8

    data = _data(name).removeprefix(BOM_UTF8)
    lines = [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    if not lines:
        raise click.UsageError(f"{_named(name)} is empty")
    try:
        found = _decoded(data)
    except _NotJsonError:
        # Where the first line is a value for itself, each is.
        if len(lines) < 2 or not _is_json(lines[0][1]):
            _refuse(values, data, name)
    else:
        yield from found if isinstance(found, list) else [found]
        return
    for number, line in lines:
        try:
            yield _decoded(line)
        except _NotJsonError:
            _refuse(values, b"\n" * (number - 1) + line, name)


class _NotJsonError(ValueError):
    """No JSON."""


def _decoded(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    from msgspec import DecodeError
    from msgspec.json import decode

    try:
        return decode(data)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _NotJsonError(str(error)) from None


def _is_json(data: bytes) -> bool:
    try:
        _decoded(data)
    except _NotJsonError:
        return False
    return True


def _named(name: str) -> str:
    return "<stdin>" if name == "-" else name


def _refuse(values: Common, data: bytes, name: str) -> NoReturn:
    """Tell what is no JSON, at its place."""
    from pipeline.config.text import read

    document = read(data, _named(name))
    if not document.problems:
        raise click.UsageError(f"{_named(name)} is no JSON that can be read")
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
            told = _bare(error) if isinstance(error, DtlError) else error
            values.out.record({"error": str(told)})
            failed = True
        if values.out.gone:
            break
    return 1 if failed else 0


class _CaseError(ValueError):
    """A line that is no case."""


def _case(line: bytes, host: Host) -> Any:  # noqa: ANN401 - what an expression gives
    from pipeline.dtl.trial import evaluated, namespaces_of, transformed

    try:
        case = json.loads(line)
    except json.JSONDecodeError as error:
        raise _CaseError(f"this line is no JSON: {error.msg} at character {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise _CaseError(f"this line is no JSON: {error}") from None
    if not isinstance(case, dict) or "expr" not in case:
        raise _CaseError("a case is an object with `expr`")
    kind, target, pipe = case.get("kind", "expr"), case.get("target"), case.get("pipe")
    if kind not in ("expr", "transform"):
        raise _CaseError('`kind` is "expr" or "transform"')
    for name, value in (("target", target), ("pipe", pipe)):
        if value is not None and not isinstance(value, dict):
            raise _CaseError(f"`{name}` is an object")
    tried = transformed if kind == "transform" else evaluated
    return tried(case["expr"], case.get("source"), target, host, None if pipe is None else namespaces_of(pipe))
