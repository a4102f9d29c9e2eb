"""Sources that wait for others are read in a thread of their own, one batch ahead, and nobody else waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any

from pipeline.component import Source
from pipeline.entity import Entity
from pipeline.run import Portion

Given = tuple[Sequence[Entity], str | None]
_Found = tuple[Given | None, BaseException | None]


class FedSource:
    """A source whose steps are made in a thread; all of one reading in the same, as connections want it.

    What else is asked of it is asked of the source itself.
    """

    def __init__(self, source: Source) -> None:
        """Nothing is read yet."""
        self._source = source
        self._feed: Feed | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the source has
        """Such as what it left out."""
        return getattr(self._source, name)

    def read(self, since: str | None) -> Iterator[Given]:
        """As the source reads."""
        self.close()
        feed = self._feed = Feed(self._source.read(since))
        return feed

    @property
    def given(self) -> int:
        """How many entities this reading has given so far."""
        return 0 if self._feed is None else self._feed.given

    async def ready(self) -> None:
        """Wait until the next batch can be had at once."""
        if self._feed is not None:
            await self._feed.ready()

    def close(self) -> None:
        """Read no further. The thread ends when the source lets it."""
        if self._feed is not None:
            self._feed.close()

    async def closed(self, seconds: float) -> None:
        """Wait for that, but no longer."""
        if self._feed is not None:
            await self._feed.ended(seconds)


class Feed:
    """The batches of one reading. The next one is read while this one is worked on."""

    def __init__(self, batches: Iterator[Given]) -> None:
        """Begin with the first."""
        self.given = 0
        self._batches = batches
        self._asked: SimpleQueue[Future[_Found] | None] = SimpleQueue()
        self._next = self._ask()
        # It is nothing to wait for at the end of the program: what it has read ahead comes again.
        self._ended: Future[None] = Future()
        Thread(target=self._serve, name="source", daemon=True).start()

    def __iter__(self) -> Feed:
        """Itself."""
        return self

    def __next__(self) -> Given:
        """The next batch; waits for it if it is not there yet."""
        batch, error = self._next.result()
        if error is not None:
            raise error
        if batch is None:
            raise StopIteration
        self._next = self._ask()
        self.given += len(batch[0])
        return batch

    async def ready(self) -> None:
        """Wait until the next batch, the end or a fault is there."""
        loop, there = asyncio.get_running_loop(), asyncio.Event()

        def tell(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                loop.call_soon_threadsafe(there.set)

        self._next.add_done_callback(tell)
        await there.wait()

    def close(self) -> None:
        """Read no further."""
        self._asked.put(None)

    async def ended(self, seconds: float) -> None:
        """Wait until nothing is read any more."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(self._ended), seconds)

    def _ask(self) -> Future[_Found]:
        wanted: Future[_Found] = Future()
        self._asked.put(wanted)
        return wanted

    def _serve(self) -> None:
        while (wanted := self._asked.get()) is not None:
            try:
                wanted.set_result((next(self._batches, None), None))
            except BaseException as error:  # noqa: BLE001 - it is raised where the batch is asked for
                wanted.set_result((None, error))
        close = getattr(self._batches, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._ended.set_result(None)


class Pulled:
    """Portions that are made of what a fed source gives."""

    def __init__(self, portions: Iterator[Portion], source: FedSource) -> None:
        """`portions` come from the source."""
        self._portions = portions
        self._source = source
        self._read = 0

    def __iter__(self) -> Iterator[Portion]:
        """As they come."""
        for portion in self._portions:
            self._read += portion.read
            yield portion

    async def ready(self) -> None:
        """Wait for the next batch, if all that the source has given has been made into portions."""
        if self._read >= self._source.given:
            await self._source.ready()


async def arriving(portions: Iterable[Portion], stopping: asyncio.Event) -> AsyncIterator[Portion]:
    """The portions, each when it is there; while one is waited for, everything else goes on.

    The end of the run ends the waiting too.
    """
    ready = getattr(portions, "ready", None)
    rest = iter(portions)
    while True:
        if ready is not None and not await _before(ready(), stopping):
            return
        portion = next(rest, None)
        if portion is None:
            return
        yield portion


async def _before(ready: Any, stopping: asyncio.Event) -> bool:  # noqa: ANN401 - something to wait for
    """Wait for it; false if the run is to stop before."""
    tasks = [asyncio.ensure_future(ready), asyncio.create_task(stopping.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    return tasks[0].done() and not tasks[0].cancelled()
