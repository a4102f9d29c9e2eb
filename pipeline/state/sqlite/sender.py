"""A process that may hold claims: its lock, its journal and its row, and taking over from one that died."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipeline.clock import Clock
from pipeline.state import journal, place
from pipeline.state.facts import Claimed, Recovered, Settlement
from pipeline.state.faults import StateError, StateReason
from pipeline.state.journal import SEGMENT, Journal
from pipeline.state.owners import Lock, Owners
from pipeline.state.port import Decide
from pipeline.state.sqlite import recover, settling
from pipeline.state.sqlite.recover import Dead
from pipeline.state.sqlite.transaction import Transaction

_no_room: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Sender:
    """One owner of claims: this process."""

    def __init__(self, folder: Path, names: Iterator[str], segment: int = SEGMENT) -> None:
        """`names` are some that nobody had before; the journal takes room by segments of so many bytes.

        `StateError` when there is no room for it.
        """
        try:
            self.name, self._lock = _registered(Owners(folder), names)
            try:
                self._journal = Journal(folder, self.name, segment)
            except BaseException:
                self._lock.release(remove=True)
                raise
        except OSError as error:
            raise _fault(folder, error) from None
        self._folder = folder
        self.id = 0

    def enter(self, transaction: Transaction, clock: Clock) -> int:
        """Put its row in; gives the id."""
        process = f"{socket.gethostname()} (pid {os.getpid()})"
        cursor = transaction.connection.execute(
            "INSERT INTO owner (name, boot_id, process, began) VALUES (?, ?, ?, ?)",
            (self.name, clock.boot_id, process, transaction.now.wall),
        )
        return cursor.lastrowid or 0

    def handing_over(self, claims: Sequence[Claimed], answered: Sequence[Settlement] = ()) -> None:
        """On record: the last bytes of these are about to go out, and what became of those that were `answered`.

        Nothing goes out if the lock is gone: others have taken this process for dead then, and its claims are theirs.
        """
        if not self._lock.stands():
            if answered:
                self.settled(answered)
            raise StateError(
                StateReason.GONE,
                f"{self._lock.path} was removed while its process sent: others may have its mail now",
                "start it again, and leave the folder alone while mail is sent",
            )
        try:
            self._journal.handing_over([(claim.id, claim.number) for claim in claims], answered)
        except OSError as error:
            raise _fault(self._folder, error) from None

    def is_handed_over(self, claim: Claimed) -> bool:
        """Whether the last byte of it may have gone out."""
        return self._journal.is_handed_over(claim.id, claim.number)

    def settled(self, settlements: Sequence[Settlement]) -> None:
        """On record: what became of claims.

        When the disk refuses, the database may still take it; until then nothing more can be handed over.
        """
        with suppress(OSError):
            self._journal.settled(settlements)

    def taken_over(self, count: int) -> None:
        """The database has the settlements of so many calls."""
        self._journal.taken_over(count)

    def leave(self, transaction: Transaction) -> bool:
        """Give claims back. Whether that was all: a claim that may have gone is for whoever starts next to settle."""
        connection = transaction.connection
        held = connection.execute("SELECT id, number FROM message WHERE owner = ?", (self.id,)).fetchall()
        unsent = [claim for claim in held if not self._journal.is_handed_over(*claim)]
        settling.release(transaction, unsent, self.id)
        if len(unsent) < len(held):
            return False
        connection.execute("DELETE FROM owner WHERE id = ?", (self.id,))
        return True

    def close(self, *, clean: bool) -> None:
        """Let go of the lock; if it is not all settled, the files stay for whoever starts next."""
        if clean:
            self._journal.remove()
        else:
            self._journal.close()
        self._lock.release(remove=clean)


class Heirs:
    """Taking over what dead senders left. Used for one transaction, and told how it ended."""

    def __init__(self, folder: Path, clock: Clock, decide: Decide, own: str) -> None:
        """`own` is the name of the sender that asks, `""` if it is none."""
        self._owners = Owners(folder)
        self._folder = folder
        self._clock = clock
        self._decide = decide
        self._own = own
        self._locks: list[Lock] = []
        self._files: list[Path] = []

    def recover(self, transaction: Transaction) -> Recovered:
        """Take over from all that are dead."""
        on_record = {name: (owner, boot_id) for owner, name, boot_id in recover.owners(transaction)}
        found = self._owners.dead(tuple(name for name in on_record if name != self._own))
        dead = []
        for name, lock in found.items():
            owner, boot_id = on_record[name]
            told, files = journal.told(self._folder, name)
            self._files += files
            if lock is not None:
                self._locks.append(lock)
            whole = lock is not None and boot_id != "" and boot_id == self._clock.boot_id
            dead.append(Dead(owner, told, trusted=whole))
        # A sender that died before it had a row, or an heir that died before it tidied up.
        for name in self._owners.left_behind(frozenset({*on_record, self._own})):
            lock = Lock.take(self._folder / f"{name}.lock", make=False)
            if lock is not None:
                self._locks.append(lock)
                self._files += journal.told(self._folder, name)[1]
        return recover.recover(transaction, dead, self._decide)

    def end(self, *, done: bool) -> None:
        """The transaction is over; if it was done, the dead are forgotten."""
        if done:
            journal.remove(self._files)
        for lock in self._locks:
            lock.release(remove=done)
        self._locks.clear()
        self._files.clear()


def _registered(owners: Owners, names: Iterator[str]) -> tuple[str, Lock]:
    """The first name that can be had, and its lock.

    Between the making of a file and its locking somebody who looks for the dead may lock it, to take it away.
    """
    for name in names:
        with suppress(FileExistsError):
            return name, owners.register(name)
    raise FileExistsError(errno.EEXIST, "no name is free")


def _fault(folder: Path, error: OSError) -> StateError:
    if error.errno in _no_room:
        text = f"{folder}: no room for the journal"
        return StateError(
            StateReason.FULL, text, "make room and run it again; what still runs goes on by itself", passing=True
        )
    if isinstance(error, PermissionError | FileNotFoundError | NotADirectoryError):
        return place.refused(folder, error)
    return StateError(StateReason.FAILED, f"{folder}: the journal cannot be written: {error.strerror or error}")
