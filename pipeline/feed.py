"""What waits for others is done in a thread of its own, and nobody else waits for it.

A source that waits is read one batch ahead. Transforms that wait are carried out when a portion is wanted and not
before: what they look up must be as the portion before has left it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from pipeline.component import Source, Transform
from pipeline.entity import Entity
from pipeline.run import Portion

T = TypeVar("T")
Given = tuple[Sequence[Entity], str | None]


class FedSource:
    """A source whose steps are made in a thread; all of one reading in the same, as connections want it.

    What else is asked of it is asked of the source itself.
    """

    def __init__(self, source: Source) -> None:
        """Nothing is read yet."""
        self._source = source
        self._feed: Feed[Given] | None = None
        self._begun: str | None = None
        self._primed = False
        self.given = 0
        """How many entities this reading has given so far."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the source has
        """Such as what it left out."""
        return getattr(self._source, name)

    def begin(self, since: str | None) -> None:
        """Begin the reading that is asked for next: then its first batch can be waited for too."""
        self.close()
        self._feed, self._begun, self._primed = Feed(self._source.read(since)), since, True

    def read(self, since: str | None) -> Iterator[Given]:
        """As the source reads."""
        if not self._primed or self._begun != since:
            self.begin(since)
        feed, self._primed, self.given = self._feed, False, 0
        if feed is not None:
            for batch in feed:
                self.given += len(batch[0])
                yield batch

    async def ready(self, read: int) -> None:
        """Wait until more than `read` of this reading can be had at once, or its end."""
        if self._feed is not None and (self._primed or read >= self.given):
            await self._feed.ready()

    def close(self) -> None:
        """Read no further. The thread ends when the source lets it."""
        if self._feed is not None:
            self._feed.close()

    async def closed(self, seconds: float) -> None:
        """Wait for that, but no longer."""
        if self._feed is not None:
            await self._feed.ended(seconds)


class Feed(Generic[T]):
    """The items of an iterator, made in a thread."""

    def __init__(self, items: Iterator[T], *, ahead: bool = True) -> None:
        """`ahead`: the next one is made while this one is worked on; it begins with the first at once."""
        self._items = items
        self._ahead = ahead
        self._asked: SimpleQueue[Future[tuple[T | None, BaseException | None]] | None] = SimpleQueue()
        self._next = self._ask() if ahead else None
        # It is nothing to wait for at the end of the program: what it has made ahead comes again.
        self._ended: Future[None] = Future()
        Thread(target=self._serve, name="source", daemon=True).start()

    def __iter__(self) -> Feed[T]:
        """Itself."""
        return self

    def __next__(self) -> T:
        """The next one; waits for it if it is not there yet."""
        item, error = (self._next or self._ask()).result()
        if error is not None:
            raise error
        if item is None:
            raise StopIteration
        self._next = self._ask() if self._ahead else None
        return item

    async def ready(self) -> None:
        """Wait until the next one, the end or a fault is there."""
        self._next = self._next or self._ask()
        await _until(self._next)

    def close(self) -> None:
        """Make no more."""
        self._asked.put(None)

    async def ended(self, seconds: float) -> None:
        """Wait until nothing is made any more."""
        with suppress(TimeoutError):
            await asyncio.wait_for(_until(self._ended), seconds)

    def _ask(self) -> Future[tuple[T | None, BaseException | None]]:
        wanted: Future[tuple[T | None, BaseException | None]] = Future()
        self._asked.put(wanted)
        return wanted

    def _serve(self) -> None:
        while (wanted := self._asked.get()) is not None:
            try:
                wanted.set_result((next(self._items, None), None))
            except BaseException as error:  # noqa: BLE001 - it is raised where the item is asked for
                wanted.set_result((None, error))
        close = getattr(self._items, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._ended.set_result(None)


async def _until(future: Future[Any]) -> None:
    """Wait until it is done. Who waits no longer leaves it as it is."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(tell)
    await done.wait()


class Pulled:
    """Portions that are made in a thread, or of what is read in one. When the run is to stop, they end."""

    def __init__(
        self, portions: Iterator[Portion], ready: Callable[[int], Awaitable[None]], stopping: asyncio.Event
    ) -> None:
        """`ready` waits until there is more than so many entities that were read."""
        self._portions = portions
        self._ready = ready
        self._stopping = stopping
        self._read = 0
        self._stopped = False

    def __iter__(self) -> Pulled:
        """Itself."""
        return self

    def __next__(self) -> Portion:
        """As they come."""
        if self._stopped:
            raise StopIteration
        portion = next(self._portions)
        self._read += portion.read
        return portion

    async def ready(self) -> None:
        """Wait for the next one, or until the run is to stop."""
        tasks = [asyncio.ensure_future(self._ready(self._read)), asyncio.create_task(self._stopping.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        self._stopped = self._stopping.is_set()


class UnwantedError(BaseException):
    """Nobody waits any more for what a transform would make. Not for those who catch faults of transforms."""


def unless(ended: Callable[[], bool], transforms: Iterable[Transform]) -> list[Transform]:
    """The transforms, which do nothing more from when it has `ended`: so a service is not asked in vain."""

    def one(transform: Transform) -> Transform:
        def shape(entity: Entity) -> Sequence[Entity]:
            if ended():
                raise UnwantedError
            return transform(entity)

        return shape

    return [one(transform) for transform in transforms]
