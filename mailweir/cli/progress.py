"""How a run is going: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mailweir.cli.streams import put
from pipeline.receipt import Outcome, Report

if TYPE_CHECKING:
    from mailweir.cli.out import Out

# Ten times a second is smooth; every ten seconds is enough for a log.
BAR_EVERY: Final = 0.1
LINE_EVERY: Final = 10.0


class Progress:
    """Shows reports while they grow. It carries no fact that the summary does not have."""

    def __init__(self, out: Out, way: str) -> None:
        """`way` is `auto`, `bar`, `plain` or `none`."""
        self._out = out
        self._bar = way == "bar" or (way == "auto" and out.stderr.isatty())
        self._none = way == "none"
        self._begun = self._last = time.monotonic()
        self._drawn = False

    def news(self, report: Report) -> None:
        """A report has grown."""
        now = time.monotonic()
        if self._none or now - self._last < (BAR_EVERY if self._bar else LINE_EVERY):
            return
        self._last = now
        line = f"{report.pipe}  {report.read:,} read  {self._rate(report, now)}{_said(report)}"
        if self._bar:
            width = self._out.width(self._out.stderr) - 1
            # To the start of the line, the text, and the rest of the line is cleared.
            put(self._out.stderr, f"\r{self._out.scrubber.scrub(line)[:width]}\x1b[K")
            self._drawn = True
        else:
            self._out.say(f"{time.strftime('%H:%M:%S')} {line}")

    def end(self) -> None:
        """Take the bar away: the summary stays."""
        if self._drawn:
            put(self._out.stderr, "\r\x1b[K")
            self._drawn = False

    def _rate(self, report: Report, now: float) -> str:
        return f"{report.outcomes[Outcome.SENT] / max(now - self._begun, 0.001):,.1f}/s  "


def _said(report: Report) -> str:
    return "  ".join(f"{count:,} {each.value.replace('_', ' ')}" for each, count in report.outcomes.items() if count)
