"""Sinks that write batches to somebody else, who may be slow: in a thread, so that nobody else waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from pipeline.component import Running
from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt, Tally
from pipeline.run import Portion, arriving
from pipeline.state.facts import Batch, Offset


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

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """What became of the entities, a batch at a time."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "sink") as thread:
            writer = await loop.run_in_executor(thread, self._opened)
            try:
                async for portion in arriving(portions):
                    for first in range(0, len(portion.entities), self._batch):
                        part = portion.entities[first : first + self._batch]
                        refused = await loop.run_in_executor(thread, partial(writer.write, part))
                        yield Tally({Outcome.WRITTEN: len(part) - len(refused)})
                        if refused:
                            yield refused
                    if portion.since is not None:
                        await self._running.state.admit(Batch(offset=Offset(self._pipe, portion.since)))
            finally:
                await loop.run_in_executor(thread, writer.close)
