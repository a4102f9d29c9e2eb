"""`mailweir list`: components of a project, where an id is named, values of references, types, functions, codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from mailweir.cli.group import meant
from mailweir.cli.lines import can_show, table
from mailweir.cli.loading import counted, errors, load_here, registry_here
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.flow_graph.ends import End
    from mailweir.listing.components import Listed
    from mailweir.listing.values import Value
    from pipeline.component import Kind
    from pipeline.config.load import Loaded
    from pipeline.config.lookup import Place
    from pipeline.config.registry import Entry
    from pipeline.config.tree import Document

ARROW: Final = "→"
# More of a value is not read in a list.
LONGEST_VALUE: Final = 60

_of_project: Final[Mapping[str, Kind]] = {"systems": "system", "pipes": "pipe"}
_of_types: Final[Mapping[str, Kind]] = {"sources": "source", "transforms": "transform", "sinks": "sink"}
kinds: Final = (*_of_project, *_of_types, "functions", "codes")


@click.command(
    "list",
    epilog="""\b
Examples:
  mailweir list                         systems and pipes, what they read and write
  mailweir list pipes                   pipes only; also: systems
  mailweir list sinks                   the types that a sink can have; also: sources transforms
  mailweir list functions               every function of rules (Data Transformation Language)
  mailweir list codes                   every code that a check can report
  mailweir list --refs our-smtp-server  everywhere an id is named, before it is renamed
  mailweir list --values                every $ENV() and $SECRET(), and where its value comes from""",
)
@click.argument("kind", required=False)
@click.option("--refs", metavar="ID", help="Everywhere the id of a system, a pipe or a dataset is named.")
@click.option("--values", "of_values", is_flag=True, help="Every $ENV() and $SECRET(); a secret is never shown.")
@common
def list_command(values: Common, kind: str | None, *, refs: str | None, of_values: bool) -> int:
    """List what a project has: systems and pipes; or the types of one KIND, functions or codes.

    KIND is one of: systems pipes sources transforms sinks functions codes. Opens no connection.
    """
    if kind is not None and kind not in kinds:
        raise click.UsageError(f"no kind '{kind}'.{meant(kind, kinds)} Kinds: {' '.join(kinds)}")
    if (kind is not None) + (refs is not None) + of_values > 1:
        raise click.UsageError("a KIND, `--refs` and `--values` are three different lists: ask for one")
    if refs is not None:
        return _refs(values, refs)
    if of_values:
        return _values(values)
    if kind == "codes":
        return _codes(values)
    if kind == "functions":
        return _functions(values)
    if kind is not None and kind in _of_types:
        return _types(values, _of_types[kind])
    return _components(values, kind)


def _components(values: Common, kind: str | None) -> int:
    from mailweir.listing.components import listed
    from mailweir.listing.tests import find_tests

    loaded = load_here(values)
    counts: dict[str, int] = {}
    for test in find_tests(loaded.root, values.here, loaded.settings.exclude):
        counts[test.pipe] = counts.get(test.pipe, 0) + 1
    found = listed(loaded.project.components, counts)
    found = [one for one in found if kind is None or one.kind == _of_project[kind]]
    if values.json:
        facts = [_component_facts(one) for one in found]
        _document(values, {"components": facts, "errors": len(errors(loaded))})
        return 0
    arrow = ARROW if can_show(values.out.stdout, ARROW) else "->"
    rows = [("TYPE", "ID", "READS", "WRITES", "TESTS"), *(_row(one, arrow) for one in found)]
    if found:
        _print(values, rows)
    else:
        values.out.say(f"no {kind or 'components'} in this project")
    _tell_errors(values, loaded)
    return 0


def _row(one: Listed, arrow: str) -> tuple[str, ...]:
    read = ", ".join(_end(end) for end in one.reads)
    written = one.address or ", ".join(_target(end, arrow) for end in one.writes)
    tests = "" if one.tests is None else str(one.tests or "none")
    return one.type, one.id, read, written, tests


def _end(end: End) -> str:
    return f"{end.name} ({', '.join(end.when)})" if end.when else end.name


def _target(end: End, arrow: str) -> str:
    if end.kind == "type":
        return _end(end)
    if end.kind == "dataset":
        return f"dataset {_end(end)}"
    return f"{'mail ' if end.mail else ''}{arrow} {_end(end)}"


def _component_facts(one: Listed) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": one.kind, "type": one.type, "id": one.id, "file": one.file}
    if one.kind == "system":
        facts["address"] = one.address or None
    if one.kind == "pipe":
        facts |= {"reads": [_end_facts(end) for end in one.reads], "writes": [_end_facts(end) for end in one.writes]}
        facts["tests"] = one.tests
    return facts


def _end_facts(end: End) -> dict[str, Any]:
    return {
        "kind": end.kind,
        "name": end.name,
        "mail": end.mail,
        "joined": end.joined,
        "when": list(end.when) or None,
    }


def _refs(values: Common, id: str) -> int:
    from mailweir.listing.named import mentions, names
    from mailweir.listing.tests import find_tests

    loaded = load_here(values)
    tests = find_tests(loaded.root, values.here, loaded.settings.exclude)
    documents = {**loaded.project.documents, **{test.document.name: test.document for test in tests}}
    found = mentions(id, loaded.project.components, tests, documents)
    if not found:
        close = meant(id, names(loaded.project.components, tests))
        raise click.UsageError(f"no system, pipe or dataset '{id}'.{close}")
    if values.json:
        facts = [
            {"file": one.file, "line": one.line, "column": one.column, "role": one.role, "path": list(one.path)}
            for one in found
        ]
        _document(values, {"id": id, "refs": facts, "errors": len(errors(loaded))})
        return 0
    _print(values, [("PLACE", "", "PROPERTY"), *((one.place, one.role, ".".join(one.path)) for one in found)])
    _tell_errors(values, loaded)
    return 0


def _values(values: Common) -> int:
    from mailweir.listing.values import values as values_of

    loaded = load_here(values, take_secrets=True)
    found = values_of(loaded.project.uses, _own_places(loaded), _documents(loaded))
    if values.json:
        facts = [_value_facts(one) for one in found]
        _document(values, {"values": facts, "errors": len(errors(loaded))})
        return 0
    if found:
        _print(values, [_value_row(one) for one in found], head=False)
    else:
        values.out.say("no $ENV() and no $SECRET() in this project")
    _tell_errors(values, loaded)
    return 0


def _own_places(loaded: Loaded) -> Sequence[Place]:
    """The places that are files of the project: what they set and nothing uses is listed too."""
    return [place for place in (*loaded.lookup.env, *loaded.lookup.secrets) if place.file]


def _documents(loaded: Loaded) -> list[Document]:
    """The files that hold components."""
    return [loaded.project.documents[name] for name in loaded.files]


def _value_row(one: Value) -> tuple[str, ...]:
    words = one.words if len(one.words) <= LONGEST_VALUE else f"{one.words[:LONGEST_VALUE]}…"
    used = f"used by {', '.join(one.used_by)}" if one.used_by else "not used"
    if one.elsewhere:
        used = "used by an alternative that is not chosen now"
    return one.reference, words, one.place, used


def _value_facts(one: Value) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "name": one.name,
        "set": one.state != "unset",
        "shown": one.state == "shown",
        "value": one.value,
        "place": one.place or None,
        "used_by": list(one.used_by),
        "used_by_other_alternative": one.elsewhere,
    }


def _types(values: Common, kind: Kind) -> int:
    registry = registry_here(values.here)
    entries = sorted(registry.types.get(kind, {}).values(), key=lambda entry: entry.name)
    found = [(entry.name, _summary(entry), entry.package) for entry in entries]
    if values.json:
        facts = [{"type": name, "summary": words, "package": package} for name, words, package in found]
        _document(values, {"types": facts})
        return 0
    _print(values, [("TYPE", "WHAT IT IS", "PACKAGE"), *found])
    return 0


def _summary(entry: Entry) -> str:
    from pipeline.component import ComponentConfig

    try:
        model: type[ComponentConfig] = entry.load()
    except Exception:  # noqa: BLE001 - what a plugin raises while it is imported is not known here
        return "cannot be loaded"
    return (model.__doc__ or "").strip().split("\n", 1)[0]


def _codes(values: Common) -> int:
    from mailweir.codes import codes

    pages = codes()
    if values.json:
        facts = [
            {"code": page.code, "level": page.level, "title": page.title, "reserved": page.reserved} for page in pages
        ]
        _document(values, {"codes": facts})
        return 0
    marks = {True: "reserved", False: ""}
    _print(values, [("CODE", "", "MEANING"), *((page.code, marks[page.reserved], page.title) for page in pages)])
    return 0


def _functions(values: Common) -> int:
    from mailweir.dtl_manual import functions

    found = sorted(functions(), key=lambda one: (one.name, one.kind))
    if values.json:
        facts = [{"name": one.name, "kind": one.kind, "subject": one.subject, "summary": one.doc} for one in found]
        _document(values, {"functions": facts})
        return 0
    rows = [(one.name, one.kind, one.title, one.calls[0]) for one in found]
    _print(values, [("FUNCTION", "", "SUBJECT", "CALL"), *rows])
    return 0


def _print(values: Common, rows: Sequence[Sequence[str]], *, head: bool = True) -> None:
    lines = table(rows if head else [("",) * len(rows[0]), *rows])
    for line in lines if head else lines[1:]:
        values.out.line(line)


def _document(values: Common, facts: Mapping[str, object]) -> None:
    values.out.document({"schema_version": 1, "command": "list", "ok": True, "exit_code": 0, **facts})


def _tell_errors(values: Common, loaded: Loaded) -> None:
    found = errors(loaded)
    if found:
        values.out.say(f"the config has {counted(len(found), 'error')}; this is what loads. See: mailweir check")
