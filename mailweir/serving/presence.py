"""How others know of a service that runs: a lock that lives as long as it does, and a file that says how it is.

The file is for whoever looks: `status` and `health` ask no process, so they answer also when one hangs. Several
services may run on one state; each has a lock and a file of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipeline.state import place
from pipeline.state.owners import Lock, Owners

FOLDER: Final = "serve"
PUMPS: Final = "pumps"
# Services that have ended, of which the latest is told about.
MOST_ENDED: Final = 20


class Found(NamedTuple):
    """A service that runs or ran, and what it said of itself last."""

    alive: bool
    facts: Mapping[str, Any]


class Presence:
    """That of this process."""

    def __init__(self, state: Path, name: str) -> None:
        """`state` is the folder of the state, which is there."""
        folder = state / FOLDER
        place.prepare(folder, network=False)
        _tidy(folder)
        self._file = folder / f"{name}.json"
        self._lock = Owners(folder).register(name)

    def say(self, facts: Mapping[str, Any]) -> None:
        """How it is. On a full disk what was said last stays."""
        temporary = self._file.with_suffix(".part")
        with suppress(OSError):
            temporary.touch(0o600)
            temporary.write_text(json.dumps(facts), "utf-8")
            temporary.replace(self._file)

    def end(self) -> None:
        """It runs no more. What it said last stays."""
        self._lock.release(remove=True)


def found(state: Path) -> list[Found]:
    """The services of a state: those that run first, and the one that was heard last first."""
    folder = state / FOLDER
    alive = Owners(folder).alive
    all_ = [Found(alive(path.stem), facts) for path in folder.glob("*.json") if (facts := _read(path)) is not None]
    return sorted(all_, key=lambda one: (not one.alive, -float(one.facts.get("beat", 0))))


def pump_lock(state: Path, pipe: str) -> Lock | None:
    """The right to run a pipe, which one process has at a time; None if another has it."""
    folder = state / PUMPS
    place.prepare(folder, network=False)
    return Lock.take(folder / f"{blake2b(pipe.encode(), digest_size=16).hexdigest()}.lock", make=True)


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        facts = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def _tidy(folder: Path) -> None:
    """Remove what services left that ended long ago."""
    alive = Owners(folder).alive
    with suppress(OSError):
        ended = [path for path in folder.glob("*.json") if not alive(path.stem)]
        for path in sorted(ended, key=_age)[MOST_ENDED:]:
            path.unlink(missing_ok=True)
            path.with_suffix(".lock").unlink(missing_ok=True)


def _age(path: Path) -> float:
    with suppress(OSError):
        return -os.stat(path).st_mtime  # noqa: PTH116 - the newest first
    return 0.0
