"""The journal of one sender: what must survive a kill goes here before the next byte goes out.

An append is one write to a file that already has its room on the disk: it survives the death of the process at once,
and a disk that becomes full does not stop it. It is not flushed to the disk: what a power cut takes from it is told by
the machine's having started anew (`pipeline.state.sqlite.recover`). What the database has taken over is dropped when
the next segment begins.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from pipeline.state import records
from pipeline.state.facts import Settlement
from pipeline.state.records import Told

SEGMENT: Final = 4 * 2**20
_new: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_old: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


class Journal:
    """Appends of one process, in segments of `<owner>-<number>.journal`. `OSError` when the disk refuses."""

    def __init__(self, folder: Path, owner: str, segment: int = SEGMENT) -> None:
        """Begin the first segment, of so many bytes."""
        self._folder = folder
        self._owner = owner
        self._room = segment
        self._lock = Lock()
        self._handed_over: dict[int, int] = {}
        self._kept: deque[bytes] = deque()  # settlements that the database has not taken over
        self._file = -1
        self._size = 0
        self._number = 0
        self._path: Path | None = None
        self._at = 0
        self._begin(0)

    def handing_over(self, claims: Sequence[tuple[int, int]], settlements: Sequence[Settlement] = ()) -> None:
        """Claims are about to be handed over; when this returns, that is on record.

        So is, in the same append, what became of others, as with `settled`.
        """
        record = records.handing_over(claims)
        with self._lock:
            if settlements:
                self._settle(settlements, record)
            else:
                self._append(record)
            self._handed_over.update(claims)

    def settled(self, settlements: Sequence[Settlement]) -> None:
        """What became of claims; when this returns, it is on record. `taken_over` must follow, in the same order."""
        with self._lock:
            self._settle(settlements, b"")

    def _settle(self, settlements: Sequence[Settlement], more: bytes) -> None:
        record = records.settled(settlements)
        # Also if the disk refuses now: the next segment gets it.
        self._kept.append(record)
        try:
            self._append(record + more)
        finally:
            forget = self._handed_over.pop
            for settlement in settlements:
                forget(settlement[0], None)

    def is_handed_over(self, id: int, number: int) -> bool:
        """Whether a claim without a settlement is on record as about to be handed over."""
        with self._lock:
            return self._handed_over.get(id) == number

    def taken_over(self, count: int) -> None:
        """The database has the settlements of the oldest `count` calls."""
        with self._lock:
            for _ in range(count):
                self._kept.popleft()

    def close(self) -> None:
        """Close the file and let it stand."""
        with self._lock, suppress(OSError):
            os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """Close the file and take it away: nothing in it matters any more."""
        self.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _append(self, record: bytes) -> None:
        if self._at + len(record) > self._size:
            self._begin(len(record))
        _write(self._file, record, self._at)
        self._at += len(record)

    def _begin(self, more: int) -> None:
        """A new segment that repeats what still matters, with room for as much again; then the old one goes."""
        number = self._number + 1
        start = [records.begin(self._owner, number)]
        if self._handed_over:
            start.append(records.handing_over(self._handed_over.items()))
        data = b"".join((*start, *self._kept))
        path = self._folder / f"{self._owner}-{number}.journal"
        size = max(self._room, 2 * (len(data) + more))
        file = os.open(path, _new, 0o600)
        try:
            os.posix_fallocate(file, 0, size)
            _write(file, data, 0)
        except BaseException:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        old_file, old_path = self._file, self._path
        self._file, self._path, self._number, self._size, self._at = file, path, number, size, len(data)
        if old_path is not None:
            os.close(old_file)
            old_path.unlink(missing_ok=True)


def told(folder: Path, owner: str) -> tuple[Told, tuple[Path, ...]]:
    """What the journal of an owner tells, and its files."""
    numbered = {}
    for path in folder.glob(f"{owner}-*.journal"):
        number = path.name.removeprefix(f"{owner}-").removesuffix(".journal")
        if number.isdecimal():
            numbered[int(number)] = path
    result = Told()
    paths = tuple(path for _, path in sorted(numbered.items()))
    for path in paths:
        records.read(_contents(path), owner, result)
    return result, paths


def remove(paths: Iterable[Path]) -> None:
    """Take files away that were told."""
    for path in paths:
        path.unlink(missing_ok=True)


def _contents(path: Path) -> bytes:
    file = os.open(path, _old)
    try:
        pieces = []
        while piece := os.read(file, SEGMENT):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(file)


def _write(file: int, data: bytes, at: int) -> None:
    done = os.pwrite(file, data, at)
    while done < len(data):
        done += os.pwrite(file, memoryview(data)[done:], at + done)
