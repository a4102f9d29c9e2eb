"""The right to run a pipe, which one process has at a time; runs wait for it, and services pass by."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from mailweir.serving.presence import pump_lock

# So long a run waits for another process that runs the same pipe: most runs of a service take less. Runs that a clock
# starts, and that take longer than the time between two, must not pile up.
PATIENCE: Final = 60.0
LOOK_EVERY: Final = 0.05
BUSY: Final = "another process runs it and has not ended; nothing was read (see: mailweir status)"

_log: Final = logging.getLogger("mailweir.run")


@asynccontextmanager
async def turn(state: Path, pipe: str, patience: float | None, stopping: asyncio.Event) -> AsyncIterator[bool]:
    """The right to run a pipe; false if it did not come in time, or the run is to stop.

    Who has it already has no `patience`.
    """
    if patience is None:
        yield True
        return
    end = time.monotonic() + patience
    told = False
    while (lock := pump_lock(state, pipe)) is None:
        if stopping.is_set() or time.monotonic() >= end:
            yield False
            return
        if not told:
            _log.warning("`%s` is being run by another process: waiting for its end", pipe, extra={"pipe": pipe})
            told = True
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_EVERY)
    try:
        yield True
    finally:
        # The file stays: who waits for the lock has it open.
        lock.release()
