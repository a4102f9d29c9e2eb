"""Checking several projects as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mailweir.testing.files import files_of
from pipeline.config.load import Loaded, Options, load, project_root
from pipeline.config.project import ordered
from pipeline.config.selection import reported
from pipeline.config.tree import Document
from pipeline.errors import Problem
from pipeline.scrub import Scrubber


@dataclass(slots=True)
class Checked:
    """What was checked and what was found, over all projects."""

    documents: dict[str, Document] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    masks: dict[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    scrubber: Scrubber = field(default_factory=Scrubber)
    paths: dict[str, Path] = field(default_factory=dict)
    loaded: list[Loaded] = field(default_factory=list)

    @property
    def texts(self) -> dict[str, str]:
        """The text of every file, by name."""
        return {name: document.text for name, document in self.documents.items()}

    def exit_code(self, *, strict: bool = False) -> int:
        """1 when something counts as an error."""
        return int(any(strict or problem.level == "error" for problem in self.problems))

    def repair_only(self, names: Collection[str]) -> None:
        """Offer no repair that writes to another file than these, or than the one its fault is in."""
        self.problems = [
            problem
            if problem.span.file in names and all(edit.span.file == problem.span.file for edit in problem.fix)
            else replace(problem, fix=())
            for problem in self.problems
        ]


def check_paths(
    paths: Sequence[Path], options: Options, select: Sequence[str] = (), ignore: Sequence[str] = ()
) -> Checked:
    """Check the projects that the paths belong to, and those below them that are projects of their own."""
    checked = Checked()
    by_root: dict[Path, list[Path]] = {}
    for path in paths:
        by_root.setdefault(project_root(path), []).append(path)
    waiting = [(root, wanted if root not in wanted else []) for root, wanted in by_root.items()]
    done: set[Path] = set()
    while waiting:
        root, wanted = waiting.pop(0)
        if root in done:
            continue
        done.add(root)
        loaded = load(root, options, wanted)
        _add(checked, loaded, select, ignore)
        _add_tests(checked, loaded, options, wanted, select, ignore)
        nested = [n for n in loaded.nested if not wanted or any(n.is_relative_to(w) for w in wanted)]
        waiting[:0] = [(folder, []) for folder in nested]
    checked.repair_only(checked.paths)
    return checked


def checked_alone(loaded: Loaded) -> Checked:
    """A project as it was loaded, without those below it."""
    checked = Checked()
    _add(checked, loaded, (), ())
    checked.repair_only(checked.paths)
    return checked


def _add(checked: Checked, loaded: Loaded, select: Sequence[str], ignore: Sequence[str]) -> None:
    project = loaded.project
    checked.loaded.append(loaded)
    checked.documents.update(project.documents)
    checked.files += loaded.selected
    checked.paths.update({**loaded.files, **loaded.others})
    checked.masks.update(project.masks)
    if len(checked.scrubber):
        checked.scrubber.update(project.scrubber)
    else:
        checked.scrubber = project.scrubber
    selected = set(loaded.selected)
    for component in project.components:
        if component.given.document.name in selected:
            checked.counts[component.kind] += 1
    chosen = select or loaded.settings.select
    dropped = (*ignore, *loaded.settings.ignore)
    checked.problems += [problem for problem in loaded.problems if reported(problem, chosen, dropped)]


def _add_tests(
    checked: Checked,
    loaded: Loaded,
    options: Options,
    wanted: Sequence[Path],
    select: Sequence[str],
    ignore: Sequence[str],
) -> None:
    """The test files of a project."""
    if wanted and not loaded.files and not loaded.others:
        return
    chosen = select or loaded.settings.select
    dropped = (*ignore, *loaded.settings.ignore)
    for file in files_of(loaded, options.here, wanted, replaced=options.replaced):
        document = file.document
        checked.documents[document.name] = document
        checked.paths[document.name] = file.path
        # What is wrong with the text of a file that was asked for by name was found with the configuration.
        found = [problem for problem in ordered(file.planned.problems) if problem not in checked.problems]
        checked.problems += [problem for problem in found if reported(problem, chosen, dropped)]
