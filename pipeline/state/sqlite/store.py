"""The state in a file: `.mailweir/state.db`, shared by all processes of one machine."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pipeline.clock import Clock
from pipeline.state import steady
from pipeline.state.datasets import Writes
from pipeline.state.facts import (
    Admitted,
    Ask,
    Batch,
    Claimed,
    Claims,
    Moment,
    Recovered,
    Retention,
    Retried,
    Retry,
    Settlement,
    Tidied,
)
from pipeline.state.failures import FailureWrites
from pipeline.state.faults import StateError, StateReason
from pipeline.state.journal import SEGMENT
from pipeline.state.port import Decide
from pipeline.state.sqlite import admission, claims, people, settling, tidy
from pipeline.state.sqlite.connection import BUSY_SECONDS
from pipeline.state.sqlite.dataset_store import SqliteWrites
from pipeline.state.sqlite.failures import SqliteFailures
from pipeline.state.sqlite.looking import Queries
from pipeline.state.sqlite.opening import Opened, opened
from pipeline.state.sqlite.reading import Reader
from pipeline.state.sqlite.sender import Heirs, Sender
from pipeline.state.sqlite.transaction import Transaction
from pipeline.state.sqlite.writer import LINGER, Writer

T = TypeVar("T")


class SqliteState(Queries):
    """The port, on one file. Several may be open at once, in this process and in others."""

    def __init__(
        self, place: Opened, clock: Clock, decide: Decide, *, floor: int, linger: float, patience: float, segment: int
    ) -> None:
        """Use `SqliteState.open`."""
        self._place = place
        self._clock = clock
        self._decide = decide
        self._segment = segment
        self._process = os.getpid()
        self._sender: Sender | None = None
        self._entering = asyncio.Lock()
        self._bearings = place.bearings
        self._closed = False
        super().__init__(Reader(place.path, clock), place.senders)
        self.recovered = Recovered()
        self.datasets: Writes = SqliteWrites(self._do)
        self.failing: FailureWrites = SqliteFailures(self._call, self._do)
        self._writer = Writer(
            place.connection,
            place.path,
            place.turn,
            clock,
            settle=self._write_settlements,
            taken_over=self._taken_over,
            committed=self._committed,
            floor=floor,
            linger=linger,
            patience=patience,
        )

    @classmethod
    def open(
        cls,
        folder: Path,
        clock: Clock,
        decide: Decide,
        *,
        floor: int = 64 * 2**20,
        accept_older: bool = False,
        on_network: bool = False,
        linger: float = LINGER,
        patience: float = BUSY_SECONDS,
        segment: int = SEGMENT,
    ) -> Self:
        """Open the state in a folder, make it if there is none, and take over what senders that died left behind.

        With less than `floor` bytes left on the disk nothing is admitted or claimed. A file that is older than what
        was here before, a backup, is refused unless `accept_older`: it does not know what was sent since. Settlements
        wait `linger` seconds for others, and writing waits `patience` seconds for other processes. The journal of
        what is sent takes room on the disk by segments of so many bytes.
        """
        place = opened(folder, clock, accept_older=accept_older, on_network=on_network)
        state = cls(place, clock, decide, floor=floor, linger=linger, patience=patience, segment=segment)
        try:
            state._found(state._recovering().result())
        except BaseException:
            state.close()
            raise
        return state

    async def __aenter__(self) -> Self:
        """The state."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Write what is under way, give claims back and close. Calls that were not awaited are done before."""
        if self._closed:
            return
        self._closed = True
        clean = False
        if self._sender is not None:
            try:
                clean = self._writer.call(self._sender.leave, needs_room=False).result()
            except StateError:
                # Whoever starts next finds it all.
                clean = False
        self._writer.close()
        self._reader.close()
        if self._sender is not None:
            self._sender.close(clean=clean)
        self._place.close()

    @property
    def fault(self) -> StateError | None:
        """Why nothing can be written just now."""
        return self._writer.fault

    def now(self) -> float:
        """The steady time."""
        return steady.steady(self._bearings, self._clock.boot())

    async def admit(self, batch: Batch, ask: Ask | None = None) -> Admitted:
        """Put a batch in."""
        owner = None if ask is None else await self._owner()
        future = self._call(lambda transaction: admission.admit(transaction, batch, ask, owner))
        return await self._claiming(future, lambda admitted: admitted.claims)

    async def claim(self, ask: Ask) -> Claims:
        """Take messages that wait."""
        owner = await self._owner()
        future = self._call(lambda transaction: claims.claim(transaction, ask, owner))
        return await self._claiming(future, lambda claimed: claimed)

    def handing_over(self, claims: Sequence[Claimed], answered: Sequence[Settlement] = ()) -> None:
        """The last byte of these is about to go out, and this became of those that were `answered`."""
        sender = self._sending()
        if (fault := self._writer.fault) is not None:
            self.settle(answered)
            raise fault
        try:
            sender.handing_over(claims, answered)
        finally:
            if answered:
                self._writer.settle(answered)

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """What became of claims."""
        if settlements:
            self._sending().settled(settlements)
            self._writer.settle(settlements)

    async def release(self, claims: Sequence[Claimed]) -> None:
        """Give claims back of which nothing was handed over."""
        sender = self._sending()
        pairs = [(claim.id, claim.number) for claim in claims if not sender.is_handed_over(claim)]
        await self._do(lambda transaction: settling.release(transaction, pairs, sender.id), needs_room=False)

    async def flush(self) -> None:
        """Until all that was settled is on the disk."""
        await self._do(lambda _: None, needs_room=False)

    async def recover(self) -> Recovered:
        """Look for senders that died since."""
        # Shielded: once begun it goes to its end.
        return self._found(await asyncio.shield(asyncio.wrap_future(self._recovering())))

    async def tidy(self, retention: Retention, after: int = 0, most: int = 500) -> Tidied:
        """Remove a little of what was settled long enough ago."""
        return await self._do(lambda transaction: tidy.tidy(transaction, retention, after, most), needs_room=False)

    async def retry(self, ids: Sequence[int], decide: Callable[[Retry, Moment], Retried | None]) -> int:
        """Put messages back into the queue."""
        return await self._do(lambda transaction: people.retry(transaction, ids, decide))

    async def postpone(self, ids: Sequence[int], seconds: float) -> int:
        """Let messages that wait be due no sooner."""
        return await self._do(lambda transaction: people.postpone(transaction, ids, seconds), needs_room=False)

    async def delete(self, ids: Sequence[int]) -> int:
        """Remove messages that nobody has claimed."""
        return await self._do(lambda transaction: people.delete(transaction, ids), needs_room=False)

    async def _owner(self) -> int:
        """The id under which this process claims; it becomes an owner with its first claim."""
        async with self._entering:
            if self._sender is None:
                self._check()
                sender = Sender(self._place.senders, iter(partial(secrets.token_hex, 8), ""), self._segment)
                try:
                    sender.id = await self._do(lambda transaction: sender.enter(transaction, self._clock))
                except BaseException:
                    # Should its row be there all the same, it is an owner that died without claims.
                    sender.close(clean=False)
                    raise
                self._sender = sender
            return self._sender.id

    def _sending(self) -> Sender:
        self._check()
        if self._sender is None:
            raise ValueError("nothing was claimed here")
        return self._sender

    def _check(self) -> None:
        if self._closed:
            raise StateError(StateReason.CLOSED, "the state is closed")
        if os.getpid() != self._process:
            raise StateError(StateReason.CLOSED, "the state was opened by another process", "open it in each process")

    def _call(self, work: Callable[[Transaction], T], *, needs_room: bool = True) -> Future[T]:
        self._check()
        return self._writer.call(work, needs_room=needs_room)

    async def _do(self, work: Callable[[Transaction], T], *, needs_room: bool = True) -> T:
        return await asyncio.wrap_future(self._call(work, needs_room=needs_room))

    async def _claiming(self, future: Future[T], claims_of: Callable[[T], Claims]) -> T:
        """What was claimed while its caller was cancelled goes back: nobody would send it."""
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(partial(self._give_back, claims_of))
            raise

    def _give_back(self, claims_of: Callable[[T], Claims], future: Future[T]) -> None:
        if future.cancelled() or future.exception() is not None or self._closed or self._sender is None:
            return
        got = claims_of(future.result())
        pairs = [(claim.id, claim.number) for claim in (*got.messages, *got.overdue)]
        owner = self._sender.id
        self._writer.call(lambda transaction: settling.release(transaction, pairs, owner), needs_room=False)

    def _recovering(self) -> Future[Recovered]:
        own = "" if self._sender is None else self._sender.name
        heirs = Heirs(self._place.senders, self._clock, self._decide, own)
        found: Future[Recovered] = Future()

        def end(done: Future[Recovered]) -> None:
            """Also if nobody waits any more."""
            error = done.exception()
            heirs.end(done=error is None)
            if error is None:
                found.set_result(done.result())
            else:
                found.set_exception(error)

        self._call(heirs.recover, needs_room=False).add_done_callback(end)
        return found

    def _found(self, found: Recovered) -> Recovered:
        self.recovered = Recovered(*map(sum, zip(self.recovered, found, strict=True)))
        return found

    def _write_settlements(self, transaction: Transaction, settlements: Sequence[Settlement]) -> None:
        if self._sender is not None:
            settling.settle(transaction, settlements, self._sender.id)

    def _taken_over(self, count: int) -> None:
        if self._sender is not None:
            self._sender.taken_over(count)

    def _committed(self, transaction: Transaction) -> None:
        self._bearings = transaction.bearings
        self._place.committed(transaction.now.steady)
