"""An event loop in a thread of its own, for libraries that know no other way: it turns while nobody asks anything.

So heartbeats are answered while a sink works on what was taken.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from concurrent.futures import CancelledError
from threading import Thread
from typing import TypeVar

from systems.brokers.messages import BrokerError

T = TypeVar("T")


class Loop:
    """A loop that turns until it is closed."""

    def __init__(self) -> None:
        """Begin to turn."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._turn, name="broker", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether it turns no more."""
        return self._loop.is_closed()

    def run(self, work: Awaitable[T], seconds: float) -> T:
        """What is awaited gives; `BrokerError` if it takes longer. Not from within the loop."""

        async def done() -> T:
            return await work

        try:
            return asyncio.run_coroutine_threadsafe(asyncio.wait_for(done(), seconds), self._loop).result()
        except TimeoutError:
            raise BrokerError("it does not answer in time", lost=True) from None
        except CancelledError:
            raise BrokerError("the connection was closed", lost=True) from None

    def close(self) -> None:
        """Turn no more; what is not finished is cancelled."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _turn(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        # Sockets that are being closed want one more turn.
        self._loop.run_until_complete(asyncio.sleep(0))


class LoopConnection(ABC):
    """A connection, and the loop in which it lives."""

    def __init__(self, patience: float) -> None:
        """Answers are waited for so many seconds."""
        self.patience = patience
        self._loop = Loop()

    @property
    def closed(self) -> bool:
        """Whether somebody has left it."""
        return self._loop.closed

    def run(self, work: Awaitable[T], seconds: float | None = None) -> T:
        """Do something; `BrokerError`."""
        try:
            return self._loop.run(work, seconds or self.patience)
        except Exception as error:
            told = self._told(error)
            if told is None:
                raise
            raise told from None

    def close(self) -> None:
        """Leave, once."""
        if self.closed:
            return
        try:
            self.run(self._leave())
        except BrokerError:
            pass
        finally:
            self._loop.close()

    @abstractmethod
    def _told(self, error: Exception) -> BrokerError | None:
        """What an error of the library means; None of one that is none of its."""

    @abstractmethod
    async def _leave(self) -> None:
        """Say good-bye."""
