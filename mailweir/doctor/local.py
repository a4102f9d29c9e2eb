"""What can be told of a project without the network: Python, files, secrets, room on the disk."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mailweir.doctor.finding import Finding, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.config.load import Loaded

# A full disk stops sending. An hour of mail at a usual limit is far below the first figure.
LITTLE_ROOM: Final = 1 << 30
NO_ROOM: Final = 100 << 20


def findings(loaded: Loaded, state: Path) -> Iterator[Finding]:
    """A line for each check."""
    project = loaded.project
    yield Finding("Python", Verdict.OK, platform.python_version())
    kinds = [component.kind for component in project.components]
    systems, pipes = _counted(kinds.count("system"), "system"), _counted(kinds.count("pipe"), "pipe")
    yield Finding("Project", Verdict.OK, f"{loaded.root}, {systems}, {pipes}, profile {loaded.profile}")
    yield _config(loaded)
    yield from _secrets(loaded)
    yield _room(state)


def _config(loaded: Loaded) -> Finding:
    problems = loaded.project.problems
    errors = sum(problem.level == "error" for problem in problems)
    warnings = sum(problem.level == "warning" for problem in problems)
    text = f"{_counted(len(loaded.files), 'file')}, {_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
    if errors:
        return Finding("Config", Verdict.FAIL, text, help=("Read them: mailweir check",))
    return Finding("Config", Verdict.WARN if warnings else Verdict.OK, text)


def _secrets(loaded: Loaded) -> Iterator[Finding]:
    found = {use.name: use.found is not None for use in loaded.project.uses if use.kind == "SECRET"}
    missing = [name for name, there in found.items() if not there]
    text = f"{len(found) - len(missing)} of {len(found)} found"
    if missing:
        # Whoever has written it into a file that is not read need not set it again.
        unread = [problem for problem in loaded.project.problems if problem.code == "E312" and problem.level == "error"]
        help_ = tuple(
            ": ".join((problem.message, *(note.text for note in problem.notes if note.kind == "help")))
            for problem in unread
        ) or tuple(f"Set it: mailweir secret set {name}" for name in missing)
        yield Finding("Secrets", Verdict.FAIL, f"{text}; missing: {', '.join(missing)}", help=help_)
    else:
        yield Finding("Secrets", Verdict.OK, text)


def _room(state: Path) -> Finding:
    """The room where the state is, or will be."""
    place = state
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{state}, {_size(free)} free"
    if free < NO_ROOM:
        return Finding("State", Verdict.FAIL, text, help=("Make room: on a full disk nothing is sent.",))
    return Finding("State", Verdict.WARN if free < LITTLE_ROOM else Verdict.OK, text)


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
