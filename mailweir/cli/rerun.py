"""What `demo` and `dev` share: pipes run against a catcher, and again after each change of the project."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from watchfiles import awatch

from mailweir.catching import CatchingSystems, Place
from mailweir.cli.ledgers import now, zone
from mailweir.cli.run_report import counts, told_one_by_one, word
from mailweir.cli.watch import matters
from mailweir.ledger.windows import Gate, Window, row
from mailweir.running import Asked, Run
from pipeline.config.glyphs import visible

if TYPE_CHECKING:
    from mailweir.gallery import Gallery
    from pipeline.config.load import Loaded
    from pipeline.receipt import Report
    from pipeline.state.views import Usage

# As many mails with trouble as a person looks at; the others are counted.
MOST_LINES: Final = 5


class Session:
    """Runs that a person looks at, until a signal ends them.

    Each begins with an empty window and knows nothing of the mail of others: after each change all of it is seen.
    """

    def __init__(self, place: Place, folder: Path, gallery: Gallery | None) -> None:
        """`folder` is where the runs keep their state while they run; the gallery has the mail of the last one."""
        self.stopped = asyncio.Event()
        self.gallery = gallery
        self.blind = ""
        """Why changes are not seen."""
        self._place = place
        self._folder = folder
        self._run: Run | None = None

    def listen(self) -> None:
        """End at the first signal in good order; the second does not wait."""
        loop = asyncio.get_running_loop()

        def first() -> None:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            self.stopped.set()
            if self._run is not None:
                self._run.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, first)

    async def once(self, loaded: Loaded, pipes: tuple[str, ...] = ()) -> Run:
        """Run the pipes. `CannotRunError`, `NoSystemError`, `StateError` and `OSError` say why they cannot."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = Path(tempfile.mkdtemp(prefix="run-", dir=self._folder))
        try:
            run = Run(loaded, Asked(pipes), systems=CatchingSystems(loaded, self._place, state))
            if self.gallery is not None:
                self.gallery.begin()
                self.gallery.busy = True
            self._run = run
            if not self.stopped.is_set():
                await run.go()
            return run
        finally:
            self._run = None
            if self.gallery is not None and self.gallery.busy:
                self.gallery.busy = False
                self.gallery.list_all()
            shutil.rmtree(state, ignore_errors=True)

    @asynccontextmanager
    async def changes(self, root: Path) -> AsyncIterator[asyncio.Queue[list[str] | None]]:
        """The names of the files that have changed since now, batch by batch; None when there will be no more."""
        found: asyncio.Queue[list[str] | None] = asyncio.Queue()

        async def watch() -> None:
            try:
                async for batch in awatch(
                    root, watch_filter=lambda _, path: matters(Path(path), [root]), stop_event=self.stopped
                ):
                    found.put_nowait(sorted({_name(Path(path), root) for _, path in batch}))
            except (OSError, RuntimeError) as error:  # too many files for this machine, or the folder is gone
                self.blind = visible(str(error))
            finally:
                found.put_nowait(None)

        task = asyncio.create_task(watch())
        # One turn of the loop: from here on no change is missed.
        await asyncio.sleep(0)
        try:
            yield found
        finally:
            self.stopped.set()
            await task


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def line(report: Report, between: str = "   ") -> str:
    """What became of the entities of a pipe."""
    return between.join(counts(report)) if report.read or report.left_out else "nothing to read"


def troubles(report: Report) -> list[str]:
    """The mails that a person should look at."""
    lines = []
    for outcome in told_one_by_one:
        shown = report.shown.get(outcome, [])
        lines += [visible(f"{word(outcome)}  {one.entity_id}  {one.detail}") for one in shown[:MOST_LINES]]
        many = report.outcomes[outcome] - min(len(shown), MOST_LINES)
        if many > 0:
            lines.append(f"{word(outcome)}  and {many:,} more")
    if report.stopped:
        lines.append(visible(f"stopped  {report.stopped}"))
    return lines


def window(usage: Usage, signs: str) -> str:
    """How full a window is, with a bar of these two characters."""
    gate = Gate(usage.gate, usage.limit, (usage.gate,))
    return visible("  ".join(row(Window(gate, usage, {}), now(), zone(), signs)))
