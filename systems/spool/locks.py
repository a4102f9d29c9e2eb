"""Locks that the kernel releases when their holder ends, however it ends: nothing is left to delete by hand."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
LONGEST_NOTE: Final = 200


class HeldError(Exception):
    """Another process holds the lock; `by` is what it wrote of itself, if that can be read."""

    def __init__(self, by: str) -> None:
        """For `process 4711`."""
        super().__init__(by)
        self.by = by


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock that others hold for a moment only: wait for it."""
    handle = os.open(path, _FLAGS, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def take(path: Path) -> int:
    """Hold a lock until the handle is closed; HeldError if another process holds it."""
    handle = os.open(path, _FLAGS, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note = os.pread(handle, LONGEST_NOTE, 0).decode(errors="replace").strip()
        os.close(handle)
        raise HeldError(note or "another process") from None
    except BaseException:
        os.close(handle)
        raise
    # For people only, so a full disk does not matter.
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
    return handle


def try_lock(handle: int) -> bool:
    """Lock an open file; False if somebody else has."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
