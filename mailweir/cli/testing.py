"""What `mailweir test` does: collect, run, report, and write what is expected."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailweir.cli.group import meant
from mailweir.cli.loading import counted
from mailweir.cli.reviewing import Reviewed, review
from mailweir.cli.test_data import write_embedded
from mailweir.in_ci import in_ci
from mailweir.testing.came import file_beside
from mailweir.testing.coverage import document, lines, too_little
from mailweir.testing.files import FOLDER, may_name, unused_files
from mailweir.testing.reached import Reached
from mailweir.testing.renewed import lines as to_paste
from mailweir.testing.report import junit_report, record
from mailweir.testing.spec import ENDING
from mailweir.testing.suite import Suite
from mailweir.testing.update import REFUSED, write_expected
from pipeline.config.files import reason, shown
from pipeline.config.given import advice
from pipeline.config.glyphs import visible
from pipeline.config.selection import reported
from pipeline.config.show import render

if TYPE_CHECKING:
    from mailweir.cli.options import Common
    from mailweir.testing.came import Verdict
    from mailweir.testing.coverage import Coverage
    from mailweir.testing.plan import Test
    from mailweir.testing.suite import Found
    from pipeline.config.tree import Document
    from pipeline.errors import Problem


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for, as on the command line."""

    paths: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    first: bool = False
    update: str = ""
    new: str | None = None
    missing: bool = False
    full: bool = False
    coverage: bool = False
    least: float | None = None
    review: bool = False
    embedded: bool = False
    prune: bool = False
    escaped: bool = False
    junit: Path | None = None

    def takes(self, found: Found, test: Test, names: Sequence[str]) -> bool:
        """Whether a test is wanted."""
        if names and not any(f"{where}::{test.name}" in names for where in _names(found)):
            return False
        return all(word in f"{found.name}::{test.name}".lower() for word in self.words)


@dataclass(slots=True, repr=False)
class Done:
    """What came of a run of tests."""

    verdicts: list[tuple[Found, Verdict]] = field(default_factory=list)
    faulty: list[Found] = field(default_factory=list)
    files: list[tuple[str, int, int]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    """What was expected before an update, and no longer is."""
    missing: list[tuple[str, Problem, Document]] = field(default_factory=list)
    """Pipes that no test is for, each with what is told of it and where it stands."""
    tested: set[tuple[str, str]] = field(default_factory=set)
    """Pipes that a test is for, with the folders of their projects."""
    there: int = 0
    """How many tests there are, whether they are wanted or not."""
    left_out: int = 0
    """How many are not run, as another one is to be run alone."""
    unused: list[Path] = field(default_factory=list)
    """Files in `expected` that no test names."""
    reviewed: Reviewed | None = None
    coverage: Coverage | None = None
    least: float | None = None
    seconds: float = 0.0

    @property
    def short(self) -> str:
        """Why the coverage is too little, if it is."""
        return "" if self.coverage is None else too_little(self.coverage, self.least)

    @property
    def counts(self) -> Counter[str]:
        """How many of which state; a file that cannot be read counts as one error."""
        return Counter([verdict.state for _, verdict in self.verdicts] + ["error"] * len(self.faulty))


def run_tests(values: Common, wish: Wish) -> int:
    """Carry it out and answer the exit code."""
    if (wish.update or wish.new or wish.review or wish.prune or wish.embedded) and in_ci(os.environ):
        raise click.UsageError(REFUSED)
    if wish.review and not values.asks:
        raise click.UsageError("--review asks a person at a terminal, and there is none: --update writes all of it")
    measures = wish.coverage or wish.least is not None
    suite = Suite(values.loading(), wish.full, Reached() if measures else None)
    try:
        if wish.embedded:
            return write_embedded(values, suite)
        if wish.new is not None:
            _new(values, suite, wish.new)
            wish = Wish((f"{FOLDER}/{wish.new}{ENDING}",), update="new", full=wish.full, escaped=wish.escaped)
        done = asyncio.run(_run(values, suite, wish))
        if measures:
            done.coverage, done.least = suite.coverage(done.tested), wish.least
    finally:
        suite.close()
    return _tell(values, done, wish)


def _paths(values: Common, wish: Wish) -> tuple[list[Path], list[str], list[Path]]:
    """The paths to look into, the names of tests that are wanted, and the files of what is expected."""
    paths: list[Path] = []
    names: list[str] = []
    files: list[Path] = []
    for text in wish.paths:
        where, colons, _ = text.partition("::")
        path = Path(os.path.normpath(values.here / where))
        if colons:
            names.append(text)
        if not path.name.endswith(ENDING) and (path.name.endswith(".json") or path.is_file()):
            files.append(path)
            path = path.parent
        if not os.path.lexists(path):
            raise click.UsageError(f"no file or folder '{where}'")
        paths.append(path)
    return paths or [values.here], names, files


async def _run(values: Common, suite: Suite, wish: Wish) -> Done:
    done = Done()
    began = time.perf_counter()
    paths, names, files = _paths(values, wish)
    every = list(suite.collect(paths, expects=not wish.update))
    _look_for(names, every)
    done.tested = {(str(found.loaded.root), test.pipe) for found in every for test in found.file.planned.tests}
    if wish.missing:
        done.missing = list(_untested(values, suite, every))
    only = any(test.only for found in every for test in found.file.planned.tests)
    if only and in_ci(os.environ):
        raise click.UsageError("`only` leaves out all other tests, and `CI` is set: take it out")
    for found in every:
        if found.faults:
            if files and not any(may_name(found.file, path) for path in files):
                continue
            done.faulty.append(found)
            if wish.first:
                break
            continue
        for test in found.file.planned.tests:
            beside = None if test.file is None else found.file.path.parent / test.file
            done.there += 1
            if not wish.takes(found, test, names) or (files and beside not in files):
                continue
            if only and not test.only:
                done.left_out += 1
                continue
            verdict = await suite.run(found, test)
            if wish.update and beside is not None and verdict.state == "failed" and verdict.written is not None:
                _update(values, done, wish, beside, verdict)
            done.verdicts.append((found, verdict))
            if wish.first and verdict.state in {"failed", "error"}:
                done.seconds = time.perf_counter() - began
                return done
    done.seconds = time.perf_counter() - began
    if wish.review:
        done.reviewed = await review(values, suite, done.verdicts, escaped=wish.escaped)
        done.files += done.reviewed.files
    if (wish.update == "all" and not wish.paths) or wish.prune:
        done.unused = unused_files(every)
        if wish.prune:
            for path in done.unused:
                _remove(path)
    return done


def _look_for(names: Sequence[str], every: Sequence[Found]) -> None:
    """A test that is asked for by its name is there, or in a file that cannot be read."""
    known = [f"{where}::{test.name}" for found in every for where in _names(found) for test in found.file.planned.tests]
    faulty = {where for found in every if found.faults for where in _names(found)}
    for name in names:
        if name not in known and name.partition("::")[0] not in faulty:
            raise click.UsageError(f"no test '{name}'.{meant(name, known)}")


def _names(found: Found) -> tuple[str, str]:
    """What a test file is called on the command line."""
    return found.name, str(found.file.path)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise click.UsageError(f"cannot delete {path}: {reason(error)}") from None


def _untested(values: Common, suite: Suite, every: Sequence[Found]) -> Iterator[tuple[str, Problem, Document]]:
    """W705: the pipes of all projects that no test is for, as far as the settings want to hear of them."""
    tested = {(found.loaded.root, test.pipe) for found in every for test in found.file.planned.tests}
    for loaded in suite.projects():
        for one in loaded.project.components:
            if one.kind == "pipe" and one.id and (loaded.root, one.id) not in tested:
                where = "" if loaded.root == values.here else f" -C {shlex.quote(shown(loaded.root, values.here))}"
                help_ = advice(f"mailweir test{where} --new {one.id} writes one of what comes now")
                told = one.given.problem("W705", f"no test is for the pipe `{one.id}`", "_id", notes=(help_,))
                if reported(told, loaded.settings.select, loaded.settings.ignore):
                    yield one.id, told, one.given.document


def _update(values: Common, done: Done, wish: Wish, path: Path, verdict: Verdict) -> None:
    """Write what came as what is expected, and say what changes."""
    if wish.update == "new" and path.is_file():
        return
    if verdict.found and path.is_file():
        done.replaced += [*verdict.lines, ""]
    try:
        more, less = write_expected(path, verdict.written, escaped=wish.escaped)
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {reason(error)}") from None
    done.files.append((shown(path, values.here), more, less))
    verdict.state = "passed"
    if not verdict.written:
        values.out.say(f"note: nothing came of {verdict.test.pipe}: give it entities with `given`, and --update again")


def _new(values: Common, suite: Suite, pipe: str) -> None:
    """A test file for a pipe, that says that nobody has read it."""
    import json

    from mailweir.flows import mail_sink
    from mailweir.testing.plan import CAPTURED
    from pipeline.config.load import project_root
    from pipeline.pipe import PipeConfig

    root = project_root(values.here)
    pipes = [one for one in suite.loaded(root).project.components if one.kind == "pipe"]
    config = next((one.config for one in pipes if one.id == pipe), None)
    if not isinstance(config, PipeConfig):
        known = [one.id for one in pipes]
        why = "has errors: see `mailweir check`" if pipe in known else f"is not there.{meant(pipe, known)}"
        raise click.UsageError(f"the pipe '{pipe}' {why}")
    path = root / FOLDER / f"{pipe}{ENDING}"
    if os.path.lexists(path):
        raise click.UsageError(f"{FOLDER}/{path.name} is there; nothing was written")
    stage = {} if mail_sink(config) is None else {"stage": "mail"}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"description": CAPTURED, "pipe": pipe, **stage}, indent=2) + "\n", "utf-8")


def _tell(values: Common, done: Done, wish: Wish) -> int:
    counts = done.counts
    bad = counts["failed"] + counts["error"]
    code = 1 if bad or done.missing or done.short else 0 if counts.total() else 5
    if wish.junit is not None:
        _write_junit(wish.junit, junit_report(done.verdicts, done.faulty))
    if values.json:
        values.out.document(_document(done, code, paste=wish.update == "all"))
        return code
    out = values.out
    if not counts.total() and not done.missing:
        none = "no tests (looked for *.test.json). Make one: mailweir test --new PIPE"
        others = f"none of {counted(done.there, 'test')} is asked for"
        out.fault(f"error: {others if done.there else none}")
        return code
    for line in _overview(done):
        out.line(line)
    for line in _failures(done, paste=wish.update == "all"):
        out.line(visible(line))
    for found in done.faulty:
        faults = found.faults
        texts = {found.name: found.file.document.text}
        out.fault(render(faults, texts, width=out.width(out.stderr), color=out.colors(out.stderr)))
    for line in done.replaced:
        out.line(visible(line))
    for name, more, less in done.files:
        out.line(f"{name}  +{more} -{less}")
    for path in done.unused:
        out.line(f"{shown(path, values.here)}  {'deleted' if wish.prune else 'no test names it: --prune deletes it'}")
    if done.reviewed is not None:
        out.line(done.reviewed.summary())
    if done.missing:
        texts = {file.name: file.text for _, _, file in done.missing}
        told = [problem for _, problem, _ in done.missing]
        out.fault(render(told, texts, width=out.width(out.stderr), color=out.colors(out.stderr)))
    pipes = len({(found.loaded.root, verdict.test.pipe) for found, verdict in done.verdicts})
    words = [f"{counts[state]} {state}" for state in ("passed", "failed", "skipped") if counts[state]]
    words += [counted(counts["error"], "error")] if counts["error"] else []
    if counts.total():
        spent = f"in {done.seconds:.2f} s"
        out.line(f"{counted(pipes, 'pipe')}, {counted(counts.total(), 'test')}: {', '.join(words)} {spent}")
    if done.left_out:
        out.say(f"note: {counted(done.left_out, 'test')} left out, as another one says `only`")
    if done.coverage is not None and wish.coverage:
        out.line("")
        for line in lines(done.coverage, full=wish.full):
            out.line(visible(line))
    if done.short:
        out.fault(f"error: {done.short}")
    return code


def _write_junit(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise click.UsageError(f"--junit: cannot write '{path}': {reason(error)}") from None


def _overview(done: Done) -> Iterator[str]:
    """A line for each file."""
    by_file: dict[str, Counter[str]] = {}
    for found, verdict in done.verdicts:
        by_file.setdefault(found.name, Counter())[verdict.state] += 1
    for found in done.faulty:
        by_file.setdefault(found.name, Counter())["error"] += 1
    width = max(map(len, by_file), default=0)
    for name, counts in by_file.items():
        yield f"{name:{width}}  {', '.join(f'{many} {state}' for state, many in counts.items())}"


def _failures(done: Done, *, paste: bool = False) -> Iterator[str]:
    for found, verdict in done.verdicts:
        if verdict.state not in {"failed", "error"}:
            continue
        test = verdict.test
        yield ""
        yield f"{verdict.state.upper()} {found.name}:{found.line(test)} {test.pipe}: {test.name}"
        yield from (f"  {line}" if line else "" for line in verdict.lines)
        if test.file is not None and verdict.state == "failed" and verdict.written is not None:
            yield ""
            yield f"  accept it: mailweir test --update {shlex.quote(file_beside(test))}"
        if paste and verdict.paste is not None:
            yield ""
            yield from (f"  {line}" for line in to_paste(verdict.paste))
    if any(verdict.state in {"failed", "error"} for _, verdict in done.verdicts):
        yield ""


def _document(done: Done, code: int, *, paste: bool) -> dict[str, Any]:
    counts = done.counts
    return {
        "schema_version": 1,
        "command": "test",
        "ok": code == 0,
        "exit_code": code,
        "passed": counts["passed"],
        "failed": counts["failed"],
        "errors": counts["error"],
        "skipped": counts["skipped"],
        "seconds": round(done.seconds, 3),
        "tests": [record(found, verdict, paste=paste) for found, verdict in done.verdicts],
        "faults": [
            {"file": found.name, "code": one.code, "message": one.told} for found in done.faulty for one in found.faults
        ],
        **({} if done.coverage is None else {"coverage": document(done.coverage)}),
        "missing": [pipe for pipe, _, _ in done.missing],
        "written": [name for name, _, _ in done.files],
        "unused": [str(path) for path in done.unused],
    }
