"""Who is alive: each sender holds a lock that the kernel lets go when its process ends, however it ends.

No process id is compared and no age of a file is looked at: both lie after a crash.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
import weakref
from pathlib import Path
from typing import Final, Self

# A transaction takes a few milliseconds.
_LOOK_EVERY: Final = 0.0005
_flags: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class Lock:
    """The lock of a file, held as long as this is open. It belongs to this process and to no child that it forks."""

    def __init__(self, path: Path, file: int) -> None:
        """Of an open file."""
        self.path = path
        self._file = file
        # It is looked for before every group of messages that goes out.
        self._name = os.fspath(path)
        made = os.fstat(file)
        self._same = (made.st_ino, made.st_dev)
        _held.add(self)

    @classmethod
    def take(cls, path: Path, *, make: bool) -> Self | None:
        """The lock, or None if somebody else has it or if there is no such file, unless it is to be made."""
        while True:
            try:
                file = os.open(path, _flags | (os.O_CREAT if make else 0), 0o600)
            except FileNotFoundError:
                return None
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                return None
            except BaseException:
                os.close(file)
                raise
            lock = cls(path, file)
            if lock.stands():
                return lock
            # Whoever had it took the file away meanwhile.
            lock.release()

    def stands(self) -> bool:
        """Whether the file is still there under its name, so that others meet this lock."""
        try:
            found = os.stat(self._name)  # noqa: PTH116 # it takes half the time of that of a `Path`
        except OSError:
            return False
        return self._file >= 0 and (found.st_ino, found.st_dev) == self._same

    def release(self, *, remove: bool = False) -> None:
        """Let it go."""
        if self._file >= 0:
            if remove:
                self.path.unlink(missing_ok=True)
            self._drop()

    def _drop(self) -> None:
        file, self._file = self._file, -1
        os.close(file)


class Turn:
    """The right to write, which processes take in turns. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Nobody's turn yet. The file is never taken away."""
        self._file = os.open(path, _flags | os.O_CREAT, 0o600)
        _held.add(self)

    def take(self, seconds: float) -> bool:
        """Wait for it so long at most."""
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    return False
                time.sleep(_LOOK_EVERY)
            else:
                return True

    def give(self) -> None:
        """Let others write."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Take no more turns."""
        if self._file >= 0:
            self._drop()

    def _drop(self) -> None:
        file, self._file = self._file, -1
        os.close(file)


_held: weakref.WeakSet[Lock | Turn] = weakref.WeakSet()


def _forget_in_child() -> None:
    """A child that kept the file open would keep the lock when its parent dies."""
    for lock in tuple(_held):
        if lock._file >= 0:  # noqa: SLF001 # of this module
            lock._drop()  # noqa: SLF001 # as above


os.register_at_fork(after_in_child=_forget_in_child)


class Owners:
    """The folder in which owners keep their locks and journals."""

    def __init__(self, folder: Path) -> None:
        """The folder is there."""
        self.folder = folder

    def register(self, name: str) -> Lock:
        """The lock of a new owner. `FileExistsError` if somebody holds it."""
        lock = Lock.take(self.folder / f"{name}.lock", make=True)
        if lock is None:
            raise FileExistsError(errno.EEXIST, f"the owner {name} is alive")
        return lock

    def dead(self, names: tuple[str, ...]) -> dict[str, Lock | None]:
        """Which of them are dead, each with its lock taken over; None if its lock is gone from the folder."""
        found: dict[str, Lock | None] = {}
        for name in names:
            path = self.folder / f"{name}.lock"
            lock = Lock.take(path, make=False)
            if lock is not None or not path.exists():
                found[name] = lock
        return found

    def alive(self, name: str) -> bool:
        """Whether one of them lives. To whoever looks for the dead at this very moment it may seem to."""
        try:
            file = os.open(self.folder / f"{name}.lock", _flags)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(file)

    def left_behind(self, known: frozenset[str]) -> tuple[str, ...]:
        """Owners of locks that are in the folder and not among those known."""
        return tuple(sorted({path.stem for path in self.folder.glob("*.lock")} - known))
