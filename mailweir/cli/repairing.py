"""The repairs that are certain: worked out in memory first, then shown or written."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

import click

from mailweir.cli.checking import Checked
from mailweir.cli.out import Out
from pipeline.config.edits import apply, compatible, encode
from pipeline.config.files import reason, replace_file
from pipeline.config.load import Loaded
from pipeline.config.mask import masked, secret_spans
from pipeline.config.store import StaleError, StoreError
from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import is_store, path_of, store_of
from pipeline.config.text import read
from pipeline.config.tree import Document, Lines
from pipeline.errors import Problem

# One repair can bring the next fault to light; what still changes after so many rounds is left to a person.
ROUNDS = 8

# Checks again, with these files saying something else than what they say on disk.
Again = Callable[[Mapping[Path, bytes]], Checked]


@dataclass(frozen=True, slots=True)
class Repair:
    """A fault that is repaired, and the text it was found in: that of the file, or after a round of repairs."""

    problem: Problem
    document: Document


@dataclass(slots=True)
class Plan:
    """What the certain repairs make of the files, and how a check of the result comes out."""

    checked: Checked
    repairs: list[Repair] = field(default_factory=list)
    before: dict[str, Document] = field(default_factory=dict)
    """The files that change, as they are."""
    after: dict[str, bytes] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    """Files whose repairs would bring more errors than there were; they do not change."""


def plan(checked: Checked, again: Again) -> Plan:
    """Work out all repairs, round by round, until none is left."""
    made = Plan(checked)
    for _ in range(ROUNDS):
        wanted = {name: compatible(found) for name, found in _fixable(made).items()}
        if not wanted or not _advance(made, wanted, again):
            break
    return made


def _fixable(made: Plan) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    for problem in made.checked.problems:
        if problem.fix and problem.span.file not in made.left:
            found.setdefault(problem.span.file, []).append(problem)
    return found


def _advance(made: Plan, wanted: Mapping[str, Sequence[Problem]], again: Again) -> bool:
    """Make one round of repairs: of all files at once, or one by one where that brings errors."""
    if _try(made, wanted, again):
        return True
    moved = False
    for name, problems in wanted.items():
        if len(wanted) > 1 and _try(made, {name: problems}, again):
            moved = True
        else:
            made.left.append(name)
    return moved


def _try(made: Plan, wanted: Mapping[str, Sequence[Problem]], again: Again) -> bool:
    documents = {name: made.checked.documents[name] for name in wanted}
    after = dict(made.after)
    for name, problems in wanted.items():
        edits = [edit for problem in problems for edit in problem.fix]
        after[name] = encode(documents[name], apply(documents[name].text, edits))
    result = again({made.checked.paths[name]: data for name, data in after.items()})
    if _errors(result) > _errors(made.checked):
        return False
    for name, document in documents.items():
        made.before.setdefault(name, document)
        made.repairs += [Repair(problem, document) for problem in wanted[name]]
    made.checked, made.after = result, after
    return True


def _errors(checked: Checked) -> int:
    return sum(problem.level == "error" for problem in checked.problems)


def write_files(made: Plan, out: Out) -> None:
    """Replace the files, each in one step, and say so. Wrong use when one of them cannot be; the others are done."""
    refused = []
    stored = {path_of(one.root, name): one.root for one in made.checked.loaded for name in _stored(one)}
    for name, data in made.after.items():
        path = made.checked.paths[name]
        if path in stored:
            why = _store(stored[path], path.name, encode(made.before[name], made.before[name].text), data)
            if why:
                refused.append(f"{name} {why}")
            else:
                out.say(f"{name}  {_count(made, name)} repaired")
            continue
        try:
            if path.read_bytes() != encode(made.before[name], made.before[name].text):
                refused.append(f"{name} was changed meanwhile")
                continue
            replace_file(path, data)
        except OSError as error:
            refused.append(f"cannot write {name}: {reason(error)}")
            continue
        out.say(f"{name}  {_count(made, name)} repaired")
    for name in made.left:
        out.say(f"{name}  left as it is: repaired it would have more errors")
    if refused:
        raise click.UsageError("; ".join(refused))


def _count(made: Plan, name: str) -> int:
    return sum(repair.problem.span.file == name for repair in made.repairs)


def _stored(loaded: Loaded) -> list[str]:
    """The components of a project that are in its database."""
    return [path.name for path in loaded.files.values() if is_store(loaded.root, path)]


def _store(root: Path, id: str, before: bytes, after: bytes) -> str:
    """Put a repaired text into the database; why that could not be."""
    from mailweir.configuration.desk import who

    try:
        with SqliteConfig.open(store_of(root), make=False) as store:
            now = store.snapshot()
            if now.texts.get(id) != before:
                return "was changed meanwhile"
            store.commit({id: after}, now.number, time.time(), who(), "mailweir check --fix")
    except StaleError:
        return "was changed meanwhile"
    except StoreError as error:
        return str(error)
    return ""


def diff(made: Plan) -> str:
    """What changes in the files, as a unified diff; secrets in it are masked."""
    parts: list[str] = []
    for name, document in sorted(made.before.items()):
        result = read(made.after[name], name)
        old = masked(document.text, secret_spans(document))
        new = masked(result.text, secret_spans(result))
        parts += unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm="")
    return "\n".join(parts)


def as_json(made: Plan) -> list[dict[str, object]]:
    """The faults that are repaired, each at its place in the text it was found in."""
    lines = {id(repair.document): Lines(repair.document.text) for repair in made.repairs}
    return [
        {"file": repair.problem.span.file, "code": repair.problem.code, "message": repair.problem.message}
        | dict(zip(("line", "column"), lines[id(repair.document)].place(repair.problem.span.start), strict=True))
        for repair in made.repairs
    ]
