"""Sinks that write batches to somebody else, who may be slow: in a thread, so that nobody else waits for it."""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from pipeline.component import Running
from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt, Tally
from pipeline.run import Portion, StoppedError, arriving
from pipeline.state.facts import Batch, Offset

# Seconds between two tries of a batch, at most, where nobody says how many.
LONGEST_WAIT: Final = 60.0

_log: Final = logging.getLogger("mailweir.sink")


class Writer(Protocol):
    """What writes; all that is asked of one is asked in one thread. `StoppedError` when it can go on no more."""

    def write(self, entities: Sequence[Entity]) -> list[Receipt]:
        """Those that were refused; all others are written, and safe."""
        ...

    def close(self) -> None:
        """It is not asked any more."""
        ...


class BatchSink:
    """Writes a batch at a time. A position is stored when that is done: after a crash some entities come again."""

    def __init__(self, pipe: str, opened: Callable[[], Writer], batch: int, running: Running) -> None:
        """`opened` makes the writer, in its thread; `running` has the state."""
        self._pipe = pipe
        self._opened = opened
        self._batch = batch
        self._running = running
        self._retries = 0
        self._wait = 0.0

    def retry(self, times: int, seconds: float) -> None:
        """Write a batch again so often that was not taken, so long after that; 0 seconds: longer each time."""
        self._retries, self._wait = times, seconds

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """What became of the entities, a batch at a time."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "sink") as thread:
            writer = _Reopened(await loop.run_in_executor(thread, self._opened), self._opened)
            try:
                async for portion in arriving(portions):
                    for first in range(0, len(portion.entities), self._batch):
                        part = portion.entities[first : first + self._batch]
                        refused = await self._written(partial(loop.run_in_executor, thread), writer, part)
                        yield Tally({Outcome.WRITTEN: len(part) - len(refused)})
                        if refused:
                            yield refused
                    if portion.since is not None:
                        await self._running.state.admit(Batch(offset=Offset(self._pipe, portion.since)))
            finally:
                await loop.run_in_executor(thread, writer.close)

    async def _written(
        self, threaded: Callable[..., Future[list[Receipt]]], writer: _Reopened, part: Sequence[Entity]
    ) -> list[Receipt]:
        """What was refused of a batch; `StoppedError` when it was tried often enough."""
        for left in range(self._retries, -1, -1):
            try:
                return await threaded(writer.write, part)
            except StoppedError as error:
                if not left or self._running.stopping.is_set():
                    raise
                seconds = self._wait or min(2.0 ** (self._retries - left), LONGEST_WAIT)
                words = "%s; the batch is tried again in %g s"
                _log.warning(words, error, seconds, extra={"pipe": self._pipe})
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._running.stopping.wait(), seconds)
                if self._running.stopping.is_set():
                    raise
        raise AssertionError


class _Reopened:
    """A writer that is opened anew after it could go on no more."""

    def __init__(self, writer: Writer, opened: Callable[[], Writer]) -> None:
        self._writer: Writer | None = writer
        self._opened = opened

    def write(self, entities: Sequence[Entity]) -> list[Receipt]:
        writer = self._writer = self._writer or self._opened()
        try:
            return writer.write(entities)
        except StoppedError:
            self.close()
            raise

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
