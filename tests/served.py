"""`mailweir serve` as a process of its own, for tests."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

TOP = Path(__file__).parents[1]
# Far longer than anything here takes on a machine with nothing else to do.
PATIENCE = 240


class Served:
    """A service, and what it logs."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        """It begins."""
        self.lines: list[dict[str, Any]] = []
        self._news: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mailweir", "serve", "--port", "0", "--log-format", "json", *arguments],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._news.put(json.loads(line))
        self._news.put(None)

    def until(self, event: str, **facts: Any) -> dict[str, Any]:
        """The next line of this event that has these facts."""
        while True:
            try:
                one = self._news.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError(f"no {event} {facts} among {self.lines}") from None
            if one is None:
                raise AssertionError(f"it ended before {event} {facts}: {self.lines}")
            self.lines.append(one)
            if one["event"] == event and facts.items() <= one.items():
                return one

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Its exit code."""
        code = self.process.wait(PATIENCE)
        self._thread.join(PATIENCE)
        while not self._news.empty():
            if (one := self._news.get()) is not None:
                self.lines.append(one)
        return code

    def close(self) -> None:
        """Nothing is left of it."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(PATIENCE)
        self._thread.join(PATIENCE)
        assert self.process.stderr is not None
        self.process.stderr.close()
