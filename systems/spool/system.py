"""`system:spool` at work: it takes mail by writing it, and hands it on in the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, Self

from systems.disk import PAUSE, FolderError, Refusal
from systems.mail import Answered, Message, Status, Trouble, answered_alike
from systems.spool.drain import Drain
from systems.spool.locks import HeldError
from systems.spool.round import Round
from systems.spool.store import Staged, Store

_log = logging.getLogger("mailweir.spool")

# So many messages share the orders to the disk to keep their names.
GROUP: Final = 64
# How long mail waits that another process put into the queue.
LOOK_AGAIN: Final = 5.0


class Spool:
    """A queue behind the port for mail. Used on one event loop."""

    def __init__(self, name: str, store: Store, drain: Drain | None, now: Callable[[], int]) -> None:
        """`now` gives nanoseconds since 1970. Without `drain` mail is only queued."""
        self.name = name
        self.store = store
        self.drain = drain
        self._now = now
        self._refusal = Refusal(name, now)
        self._stop = asyncio.Event()
        self._wake = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the folder, and begin to work on what is in it."""
        self.store.open()
        if self.drain is not None:
            self._stop.clear()
            # Another process may work on it; then this one only queues until that one has gone.
            with suppress(HeldError):
                self.drain.open()
            self._work = asyncio.create_task(self._follow(self.drain))
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Hand on what can go now, unless something went wrong; the rest stays in the queue."""
        work, self._work = self._work, None
        if work is None or self.drain is None:
            return
        self._stop.set()
        self._wake.set()
        try:
            await work
            if self.drain.is_open and not any(exc):
                await self.drain.all_due()
        finally:
            self.drain.close()

    @property
    def trouble(self) -> Trouble | None:
        """The disk refused to write a moment ago."""
        return self._refusal.trouble

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Write them. What cannot be written was not tried: the disk is to blame."""
        waiting = iter(messages)
        while self.trouble is None and (group := list(islice(waiting, GROUP))):
            answered = [Answered(message, ()) for message in group if not message.envelope.recipients]
            group = [message for message in group if message.envelope.recipients]
            staged, error = await asyncio.to_thread(self._stage, group)
            taken, left = group[: len(staged)], group[len(staged) :]
            if error is not None:
                answered += [self._answer(one, Status.NOT_TRIED, self._refusal.begin(error)) for one in left]
            if taken:
                try:
                    handing_over(taken)
                except BaseException:
                    self.store.unstage(staged)
                    raise
                answered += await asyncio.to_thread(self._publish, taken, staged)
                self._wake.set()
            yield answered

    def _stage(self, group: Sequence[Message]) -> tuple[list[Staged], OSError | None]:
        staged: list[Staged] = []
        for message in group:
            try:
                staged.append(self.store.stage(message, self._now() // 1_000_000))
            except OSError as error:
                return staged, error
        return staged, None

    def _publish(self, taken: Sequence[Message], staged: Sequence[Staged]) -> list[Answered]:
        why = ""
        try:
            self.store.publish(staged)
        except OSError as error:
            why = self._refusal.begin(error)
            self.store.unstage(staged)
        answered = []
        for message, one in zip(taken, staged, strict=True):
            status, text = Status.ACCEPTED, f"queued as {one.name}"
            if why:
                # One that is in the queue need not be there after a power cut.
                status, text = Status.IN_DOUBT if self.store.has(one.name) else Status.NOT_TRIED, why
            answered.append(self._answer(message, status, text))
        return answered

    def _answer(self, message: Message, status: Status, text: str) -> Answered:
        return answered_alike(message, status, self.name, text)

    async def _follow(self, drain: Drain) -> None:
        """Rounds, until it is told to stop."""
        while not self._stop.is_set():
            self._wake.clear()
            seconds, waking = await self._once(drain)
            if seconds > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await waking.wait()

    async def _once(self, drain: Drain) -> tuple[float, asyncio.Event]:
        """A round; how many seconds to wait then, and what ends the wait early."""
        began = asyncio.get_running_loop().time()
        try:
            if not drain.is_open:
                drain.open()
            found = await drain.round(lambda: not self._stop.is_set())
        except HeldError:
            return LOOK_AGAIN, self._stop
        except (FolderError, OSError) as error:
            _log.error("%s: the queue cannot be worked on: %s", self.name, error)
            return PAUSE, self._stop
        except Exception:  # noqa: BLE001 - it is logged
            # The queue must not stand still for as long as the process runs; everything in it is on record.
            _log.exception("%s: a round failed", self.name)
            return PAUSE, self._stop
        if found.blocked:
            return self._pause(drain, found), self._stop
        if found.progress:
            return 0.0, self._wake
        # To look through a long queue takes a while, which must stay a small part of the time.
        return max(LOOK_AGAIN, 20 * (asyncio.get_running_loop().time() - began)), self._wake

    def _pause(self, drain: Drain, found: Round) -> float:
        if found.refusal:
            return PAUSE
        if found.trouble:
            _log.warning("%s: nothing can be sent now: %s", self.name, found.trouble.fault.text)
            return max(1.0, found.trouble.seconds)
        wait = drain.free_in()
        return LOOK_AGAIN if wait is None else max(1.0, wait)
