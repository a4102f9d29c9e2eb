"""Pipes and systems that a person has paused: who, when, why, and until when. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

PAUSES: Final = "pause:"

What = Literal["pipe", "system"]


class Pause(NamedTuple):
    """A pause. Times are wall times; without `until` it lasts until somebody resumes."""

    by: str
    at: float
    reason: str
    until: float | None = None

    def holds(self, wall: float) -> bool:
        """Whether it lasts still."""
        return self.until is None or wall < self.until


def name_of(what: What, id: str) -> str:
    """The name of its note."""
    return f"{PAUSES}{what}:{id}"


def text_of(pause: Pause) -> str:
    """For the note."""
    return json.dumps(pause)


def pauses_of(notes: Mapping[str, str], wall: float) -> dict[tuple[What, str], Pause]:
    """Those that hold. One that cannot be read holds too: somebody wanted it."""
    found: dict[tuple[What, str], Pause] = {}
    for name, text in notes.items():
        what, _, id_ = name.removeprefix(PAUSES).partition(":")
        pause = _read(text)
        if pause.holds(wall):
            found["system" if what == "system" else "pipe", id_] = pause
    return found


def _read(text: str) -> Pause:
    try:
        by, at, reason, until = json.loads(text)
        return Pause(str(by), float(at), str(reason), None if until is None else float(until))
    except (TypeError, ValueError):
        return Pause("somebody", 0.0, "the reason cannot be read")
