"""What a service has seen since it began, counted. No I/O."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.durations import Durations

if TYPE_CHECKING:
    from pipeline.receipt import Report


class Totals:
    """Counts that only grow."""

    def __init__(self) -> None:
        """Nothing so far."""
        self.outcomes: Counter[tuple[str, str, str]] = Counter()
        """By pipe, system (`""` where none mails) and word."""
        self.entities: Counter[tuple[str, str]] = Counter()
        """By pipe and stage: `read`, `filtered`."""
        self.succeeded: dict[str, float] = {}
        """The wall time of the last run of a pipe that came to its end."""
        self.durations: dict[str, Durations] = {}
        """How long messages took, by system."""

    def ended(self, report: Report, system: str | None, wall: float) -> None:
        """A run of a pipe came to its end."""
        for outcome, many in (report.outcomes + report.earlier).items():
            self.outcomes[report.pipe, system or "", outcome.value] += many
        self.entities[report.pipe, "read"] += report.read
        self.entities[report.pipe, "filtered"] += report.filtered
        if not report.stopped:
            self.succeeded[report.pipe] = wall

    def took(self, durations: Durations, system: str) -> None:
        """Messages went through a system."""
        self.durations.setdefault(system, Durations()).add_all(durations)
