"""The one that writes: a thread that takes all that callers want written and settles it in one commit.

What is urgent begins a commit at once; while it lasts, the next group gathers. Settlements are on record in the journal
before they come here, so they wait a little for company. A call that fails by a fault of its own is undone alone. When
the file cannot be written, calls are refused and settlements are kept until it can.
"""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Final, TypeVar

from pipeline.clock import Clock
from pipeline.state.facts import Moment, Settlement
from pipeline.state.faults import StateError, StateReason
from pipeline.state.owners import Turn
from pipeline.state.place import room
from pipeline.state.sqlite import bearings as stored
from pipeline.state.sqlite.connection import meaning
from pipeline.state.sqlite.transaction import Transaction

T = TypeVar("T")

# Settlements wait so many seconds at most, or until there are so many. Of a sender that reads and sends without a break
# they go with the next portion that it admits: a commit of their own costs as much as some hundreds of them.
LINGER: Final = 0.05
MANY: Final = 768
# After a fault that may pass, what is kept is tried again after so many seconds.
TRY_AGAIN: Final = 1.0
# After so many seconds without work the log is written back and cut.
IDLE: Final = 5.0


@dataclass(slots=True)
class _Call:
    work: Callable[[Transaction], Any]
    future: Future[Any]
    needs_room: bool


class Writer:
    """The thread and its connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        turn: Turn,
        clock: Clock,
        *,
        settle: Callable[[Transaction, Sequence[Settlement]], None],
        taken_over: Callable[[int], None],
        committed: Callable[[Transaction], None],
        floor: int,
        linger: float,
        patience: float,
    ) -> None:
        """Below `floor` bytes of free disk only what settles is written; another process is waited for `patience` long.

        `settle` writes settlements, `taken_over` hears of how many calls of `settle` that was; `committed` hears of
        every transaction that is on the disk.
        """
        self._connection = connection
        self._path = path
        self._inode = path.stat()
        self._turn = turn
        self._clock = clock
        self._settle = settle
        self._taken_over = taken_over
        self._committed = committed
        self._floor = floor
        self._linger = linger
        self._patience = patience
        self._waiting = Condition()
        self._calls: deque[_Call] = deque()
        self._settlements: deque[Sequence[Settlement]] = deque()
        self._settling = 0
        self._closing = False
        self._grown = False  # the log, since it was last cut
        self.fault: StateError | None = None
        self._thread = Thread(target=self._run, name="mailweir-state", daemon=True)
        self._thread.start()

    def call(self, work: Callable[[Transaction], T], *, needs_room: bool = True) -> Future[T]:
        """Do something in the next commit; the future has what it gives when that is on the disk."""
        future: Future[T] = Future()
        with self._waiting:
            if self._closing:
                raise StateError(StateReason.CLOSED, "the state is closed")
            self._calls.append(_Call(work, future, needs_room))
            self._waiting.notify()
        return future

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Write settlements soon. Everything that is called for later sees them."""
        with self._waiting:
            self._settlements.append(settlements)
            self._settling += len(settlements)
            if len(self._settlements) == 1 or self._settling >= MANY:
                self._waiting.notify()

    def close(self) -> None:
        """Write what is there, if it can be written, and end."""
        with self._waiting:
            self._closing = True
            self._waiting.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._waiting:
                self._wait()
                calls, self._calls = self._calls, deque()
                settlements, self._settlements = self._settlements, deque()
                self._settling = 0
                closing = self._closing
            if calls or settlements:
                self._group(calls, settlements)
            elif self._grown:
                self._shrink()
            if closing and not self._calls:
                return

    def _wait(self) -> None:
        """Until there is a reason to write, or nothing was to do for a while."""
        notified = True
        while not self._calls and not self._closing:
            if self._settlements and (self._settling >= MANY or not notified):
                return
            if self._settlements:
                notified = self._waiting.wait(TRY_AGAIN if self.fault else self._linger)
            elif self._grown:
                if not self._waiting.wait(IDLE):
                    return
            else:
                self._waiting.wait()

    def _group(self, calls: deque[_Call], settlements: deque[Sequence[Settlement]]) -> None:
        calls = deque(call for call in calls if call.future.set_running_or_notify_cancel())
        results: list[tuple[_Call, object, BaseException | None]] = []
        try:
            self._committed(self._in_turn(lambda: self._transact(calls, settlements, results)))
        except Exception as error:  # noqa: BLE001 # whatever it is, the thread goes on and callers hear of it
            self.fault = error if isinstance(error, StateError) else self._unforeseen(error)
            with self._waiting:
                # They do not count in `_settling`: what could not be written does not hurry.
                self._settlements.extendleft(reversed(settlements))
            for call in calls:
                call.future.set_exception(self.fault)
            return
        self.fault = None
        self._grown = True
        if settlements:
            self._taken_over(len(settlements))
        for call, result, failure in results:
            if failure is not None:
                call.future.set_exception(failure)
            else:
                call.future.set_result(result)

    def _in_turn(self, work: Callable[[], T]) -> T:
        if not self._turn.take(self._patience):
            raise StateError(StateReason.BUSY, f"{self._path}: another process of Mailweir holds it", passing=True)
        try:
            return work()
        except sqlite3.Error as error:
            raise meaning(error, self._path) or error from None
        except OSError as error:
            raise StateError(StateReason.FAILED, f"{self._path}: {error.strerror or error}") from None
        finally:
            self._turn.give()

    def _transact(
        self,
        calls: Sequence[_Call],
        settlements: Sequence[Sequence[Settlement]],
        results: list[tuple[_Call, object, BaseException | None]],
    ) -> Transaction:
        if self.fault is not None and not self.fault.passing:
            raise self.fault
        self._look_at_file()
        free = room(self._path.parent)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            bearings = stored.advance(self._connection, self._clock)
            transaction = Transaction(self._connection, bearings, Moment(bearings.noted, self._clock.wall()))
            if settlements:
                self._settle(transaction, tuple(chain.from_iterable(settlements)))
            for call in calls:
                if call.needs_room and free < self._floor:
                    results.append((call, None, self._too_full(free)))
                else:
                    results.append((call, *self._alone(call, transaction)))
            self._connection.execute("COMMIT")
        except BaseException:
            # What failed on the way to the disk was undone by SQLite itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            results.clear()
            raise
        return transaction

    def _alone(self, call: _Call, transaction: Transaction) -> tuple[object, BaseException | None]:
        """One call, undone if it fails by itself."""
        self._connection.execute("SAVEPOINT call")
        try:
            result = call.work(transaction)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and meaning(error, self._path):
                raise
            self._connection.execute("ROLLBACK TO call")
            self._connection.execute("RELEASE call")
            return None, error
        self._connection.execute("RELEASE call")
        return result, None

    def _unforeseen(self, error: Exception) -> StateError:
        return StateError(StateReason.FAILED, f"{self._path}: {type(error).__name__}: {error}")

    def _too_full(self, free: int) -> StateError:
        return StateError(
            StateReason.FULL,
            f"{self._path.parent} has {free // 2**20} MB left on its disk, and {self._floor // 2**20} MB are the least",
            "make room and run it again; what still runs goes on by itself",
            passing=True,
        )

    def _look_at_file(self) -> None:
        """SQLite itself would go on writing into a file that was removed."""
        try:
            same = os.path.samestat(self._path.stat(), self._inode)
        except FileNotFoundError:
            same = False
        if not same:
            raise StateError(
                StateReason.GONE,
                f"{self._path} was removed or replaced while it was in use",
                "put it back and start again: nothing that was admitted before is in the new one",
            )

    def _shrink(self) -> None:
        """Write the log back and cut it, while nobody waits."""
        self._grown = False
        try:
            self._in_turn(lambda: self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
        except StateError as error:
            if error.passing:
                # Nothing was to be written that could not be; later will do.
                self._grown = True
            else:
                self.fault = error
