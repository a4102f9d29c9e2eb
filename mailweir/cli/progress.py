"""How a run is going: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mailweir.cli.streams import put
from pipeline.receipt import Outcome, Report

if TYPE_CHECKING:
    from mailweir.cli.out import Out

# Ten times a second is smooth; every ten seconds is enough for a log.
BAR_EVERY: Final = 0.1
LINE_EVERY: Final = 10.0
BAR: Final = 30


class Progress:
    """Shows reports while they grow. It carries no fact that the summary does not have."""

    def __init__(self, out: Out, way: str, now: Callable[[], float] = time.monotonic) -> None:
        """`way` is `auto`, `bar`, `plain` or `none`."""
        self._out = out
        self.bar = way == "bar" or (way == "auto" and out.stderr.isatty())
        self.total = 0
        """How many entities there are for all pipes together; 0: nobody knows."""
        self._none = way == "none"
        self._now = now
        self._begun: float | None = None  # a question before the first news takes none of its time
        self._last = 0.0
        self._before = 0  # what the pipes before this one read
        self._pipe = ""
        self._read = 0
        self._drawn = False

    def news(self, report: Report) -> None:
        """A report has grown."""
        if report.pipe != self._pipe:
            self._before += self._read
            self._pipe = report.pipe
        self._read = report.read
        now = self._now()
        if self._begun is None:
            self._begun = self._last = now
        if self._none or now - self._last < (BAR_EVERY if self.bar else LINE_EVERY):
            return
        self._last = now
        if self.bar:
            width = self._out.width(self._out.stderr) - 1
            # To the start of the line, the text, and the rest of the line is cleared.
            put(self._out.stderr, f"\r{self._out.scrubber.scrub(self._line(report, now))[:width]}\x1b[K")
            self._drawn = True
        else:
            self._out.say(f"{time.strftime('%H:%M:%S')} {self._line(report, now)}")

    def end(self) -> None:
        """Take the bar away: the summary stays."""
        if self._drawn:
            put(self._out.stderr, "\r\x1b[K")
            self._drawn = False

    def _line(self, report: Report, now: float) -> str:
        done = report.outcomes.total() - report.outcomes[Outcome.QUEUED]
        rate = (self._before + done) / max(now - (self._begun or 0.0), 0.001)
        parts = [report.pipe]
        if self.total:
            share = min(1.0, (self._before + done) / self.total)
            if self.bar:
                parts.append("━" * round(share * BAR) + "─" * (BAR - round(share * BAR)))
            parts.append(f"{self._before + done:,}/{self.total:,}")
        else:
            parts.append(f"{done:,} of {report.read:,} read")
        parts.append(f"{rate:,.1f}/s")
        if self.total and rate:
            parts.append(f"{max(0, self.total - self._before - done) / rate:,.0f} s left")
        return "  ".join([*parts, *_said(report)])


def _said(report: Report) -> list[str]:
    earlier = [f"{report.earlier.total():,} from before"] if report.earlier else []
    return [
        *earlier,
        *(f"{count:,} {each.value.replace('_', ' ')}" for each, count in report.outcomes.items() if count),
    ]
