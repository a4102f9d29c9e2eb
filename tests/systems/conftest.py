"""Disks that refuse or lose power, and messages to write on them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from systems.disk import Disk
from systems.mail import DeliveryReports, Envelope, Message


class Killed(BaseException):
    """The process is gone: nothing that it meant to do happens any more."""


class Faulty(Disk):
    """Works until operation number `at`, which begins at 1. That one and, `for_good`, all later ones do not.

    With `kill` the process ends in the middle of it; otherwise the disk is full, or refuses with another `code`.
    """

    def __init__(self, at: int = 0, *, kill: bool = False, for_good: bool = True, code: int = errno.ENOSPC) -> None:
        """0: it never fails."""
        self.at = at
        self.kill = kill
        self.for_good = for_good or kill
        self.code = code
        self.count = 0
        self.killed = False

    def _fails(self) -> bool:
        if self.killed:
            raise Killed
        self.count += 1
        return bool(self.at) and (self.count >= self.at if self.for_good else self.count == self.at)

    def _fail(self) -> None:
        if self.kill:
            self.killed = True
            raise Killed
        raise OSError(self.code, "No space left on device")

    def _do(self, work: Callable[[], None], half: Callable[[], None] = lambda: None) -> None:
        if self._fails():
            half()
            self._fail()
        work()

    def make_folder(self, path: Path) -> None:
        """May fail."""
        self._do(lambda: Disk.make_folder(self, path))

    def write_new(self, path: Path, data: bytes) -> None:
        """May fail; a killed process leaves half of it."""

        def half() -> None:
            if self.kill:
                Disk.write_new(self, path, data[: len(data) // 2])

        self._do(lambda: Disk.write_new(self, path, data), half)

    def write_at(self, handle: int, data: bytes, offset: int, *, safe: bool = True) -> None:
        """A killed process leaves half of it; a full disk takes it as far as the file already is."""
        room = len(data) // 2 if self.kill else max(0, os.fstat(handle).st_size - offset)
        if room >= len(data):
            Disk.write_at(self, handle, data, offset, safe=safe)
            return
        self._do(
            lambda: Disk.write_at(self, handle, data, offset, safe=safe),
            lambda: Disk.write_at(self, handle, data[:room], offset, safe=False),
        )

    def cut(self, handle: int, size: int) -> None:
        """A full disk takes it."""
        if self.kill:
            self._do(lambda: Disk.cut(self, handle, size))
        else:
            Disk.cut(self, handle, size)

    def rename(self, old: Path, new: Path) -> None:
        """May fail."""
        self._do(lambda: Disk.rename(self, old, new))

    def remove(self, path: Path) -> None:
        """A full disk takes it."""
        if self.kill:
            self._do(lambda: Disk.remove(self, path))
        else:
            Disk.remove(self, path)

    def sync(self, handle: int) -> None:
        """Nobody pulls a plug in a test, so nothing is waited for."""

    def sync_folder(self, path: Path) -> None:
        """May fail."""
        self._do(lambda: Disk.sync_folder(self, path))


@pytest.fixture(scope="session")
def faulty() -> type[Faulty]:
    """Make a disk that fails."""
    return Faulty


@pytest.fixture(scope="session")
def killed() -> type[Killed]:
    """What a killed process raises."""
    return Killed


def _mail(
    *recipients: str,
    key: str = "k",
    content: bytes = b"Subject: Hi\r\n\r\nHello\r\n",
    sender: str = "a@example.com",
    reports: DeliveryReports | None = None,
) -> Message:
    return Message(key, Envelope(sender, recipients or ("b@example.org",), reports=reports), content)


@pytest.fixture(scope="session")
def mail() -> Callable[..., Message]:
    """Make a message."""
    return _mail
