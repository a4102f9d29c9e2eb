"""A run in a thread of its own, with a loop of its own: a source that blocks keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mailweir.flows import CannotRunError
from mailweir.systems_of import NoSystemError
from pipeline.errors import UnusableError
from pipeline.state.faults import StateError

if TYPE_CHECKING:
    from mailweir.running import Done, Run
    from pipeline.receipt import Report


class Ended(NamedTuple):
    """What came of a job. `fault` says why it could not run, `crash` that this is a fault of ours."""

    done: Done | None = None
    fault: str = ""
    crash: BaseException | None = None


@dataclass(slots=True)
class _Loop:
    """The loop of the thread, once it turns, and what is to be done as soon as it does."""

    loop: asyncio.AbstractEventLoop | None = None
    run: Run | None = None
    stopped: bool = False
    aborted: bool = False


class Job:
    """One run, and how far it is."""

    def __init__(self, make: Callable[[], Run], name: str) -> None:
        """`make` is called in the thread: building may take a while."""
        self.report: Report | None = None
        self.run_name = ""
        self.ended: Future[Ended] = Future()
        self._make = make
        self._guard = threading.Lock()
        self._state = _Loop()
        # A thread that hangs does not keep the process from ending: what it had not finished the state knows.
        self._thread = threading.Thread(target=self._work, name=f"mailweir-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let what is on its way come home, and store the rest."""
        self._ask(abort=False)

    def abort(self) -> None:
        """Wait for no answer."""
        self._ask(abort=True)

    def _ask(self, *, abort: bool) -> None:
        with self._guard:
            state = self._state
            state.stopped, state.aborted = True, state.aborted or abort
            if state.loop is not None and state.run is not None and not state.loop.is_closed():
                state.loop.call_soon_threadsafe(state.run.abort if abort else state.run.stop)

    def _work(self) -> None:
        try:
            ended = Ended(asyncio.run(self._go()))
        except (CannotRunError, NoSystemError, UnusableError) as error:
            ended = Ended(fault=str(error))
        except StateError as error:
            ended = Ended(fault=error.text)
        except OSError as error:
            ended = Ended(fault=f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
        except BaseException as error:  # noqa: BLE001 - it ends this run and no other
            ended = Ended(fault=f"a fault in mailweir itself: {type(error).__name__}", crash=error)
        with self._guard:
            self._state.loop = None
        self.ended.set_result(ended)

    async def _go(self) -> Done:
        run = self._make()
        try:
            return await self._run(run)
        finally:
            run.systems.datasets.close()

    async def _run(self, run: Run) -> Done:
        self.run_name = run.done.name
        with self._guard:
            state = self._state
            state.loop, state.run = asyncio.get_running_loop(), run
            if state.aborted:
                run.abort()
            elif state.stopped:
                run.stop()
        return await run.go(self._news)

    def _news(self, report: Report) -> None:
        self.report = report
