"""How long things took, counted in buckets: what fits into a figure, however many there were. No I/O."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

# A server next door answers in milliseconds; one may take ten minutes to say that it has a message (RFC 5321 section
# 4.5.3.2.6).
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)


@dataclass(slots=True)
class Durations:
    """Counts by bucket, the last for what took longer than all bounds, and the seconds of all together."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def add_all(self, others: Durations) -> None:
        """What was counted elsewhere."""
        self.counts = [own + more for own, more in zip(self.counts, others.counts, strict=True)]
        self.seconds += others.seconds
