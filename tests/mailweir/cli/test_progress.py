"""What is shown while a run goes on."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper

from mailweir.cli.out import Out
from mailweir.cli.progress import Progress
from pipeline.receipt import Outcome, Report


class Terminal(TextIOWrapper):
    """A stream in memory that may say that it is a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        """Nothing is written yet."""
        self.raw_bytes = BytesIO()
        self._terminal = terminal
        super().__init__(self.raw_bytes, encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        """As told."""
        return self._terminal

    @property
    def text(self) -> str:
        """What was written."""
        return self.raw_bytes.getvalue().decode()


def shown(way: str, *, terminal: bool, total: int = 0) -> str:
    """What half a run shows, after 20 seconds."""
    stream = Terminal(terminal=terminal)
    times = iter((0.0, 20.0, 20.01))
    progress = Progress(Out(stdout=stream, stderr=stream), way, lambda: next(times))
    progress.total = total
    report = Report("welcome-mail", read=100)
    progress.news(report)
    report.outcomes[Outcome.SENT] = 50
    report.outcomes[Outcome.QUEUED] = 3
    progress.news(report)
    progress.news(report)
    progress.end()
    return stream.text


def test_a_terminal_gets_a_bar_that_goes_away() -> None:
    """How far it is, how fast, how long it takes; redrawn in place and removed at the end."""
    text = shown("auto", terminal=True, total=100)
    assert text.startswith("\rwelcome-mail  ━━━━━━━━━━━━━━━───────────────  50/100  2.5/s  20 s left  50 sent")
    assert text.endswith("\r\x1b[K")
    assert "\n" not in text


def test_elsewhere_a_plain_line_now_and_then() -> None:
    """A log file gets lines without signs that move a cursor, and no more than one in ten seconds."""
    text = shown("auto", terminal=False)
    assert text.count("\n") == 1
    assert "welcome-mail  50 of 100 read  2.5/s  50 sent" in text
    assert "\x1b" not in text


def test_none_shows_nothing() -> None:
    """The summary is enough."""
    assert shown("none", terminal=True, total=100) == ""
