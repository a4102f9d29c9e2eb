"""One queued message, locked: its record is read, and lines are added to it."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from systems.disk import Disk, open_file, read_open
from systems.spool.lines import Event, blank, line, read
from systems.spool.locks import try_lock
from systems.spool.record import fold, in_short, room

# A record has a line or two for each try; one of this size was not written here.
LARGEST_RECORD: Final = 50_000_000
# Every file system can keep this time. After it, what is kept for a person is looked at in every round.
FAR: Final = (2**31 - 1) * 1000
_full: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class BusyError(Exception):
    """Another process works on this message now."""


class Entry:
    """A record. Used by several threads: a message to many recipients can be on several ways at once."""

    def __init__(self, path: Path, disk: Disk, *, lock: bool) -> None:
        """Open and read it.

        FileNotFoundError if it is gone, BusyError if it is locked, FolderError if it is no file of ours, RecordError
        if it is not as it was written. Without `lock` it is only looked at.
        """
        self.path = path
        self.name = path.name
        self._disk = disk
        self._lock = Lock()
        self._handle = open_file(path, LARGEST_RECORD, write=lock)
        try:
            if lock:
                self._take()
            found = read(read_open(self._handle))
            self.events = found.events
            self.queued = fold(found.events)
        except BaseException:
            self.close()
            raise
        self._length = found.length
        self._torn = found.torn
        self._room = 0  # blanks behind the last line
        self._owed = 0  # those that are kept for answers

    def _take(self) -> None:
        if not try_lock(self._handle):
            raise BusyError
        # Whoever held it before may have finished it, and the name may be gone or another message's.
        if not os.path.samestat(os.fstat(self._handle), self.path.stat()):
            raise FileNotFoundError(self.path)

    def append(self, event: Event) -> None:
        """Add a line; it is safe when this returns."""
        with self._lock:
            self._put(event, self._owed)

    def hand(self, event: Event) -> None:
        """Add that recipients are handed over, with room for the answer: there is no full disk for it any more."""
        with self._lock:
            owed = self._owed + room(len(event["to"]))
            self._put(event, owed)
            self._owed = owed

    def settle(self, event: Event) -> OSError | None:
        """Add what became of those handed over; on a full disk in few words, and then it gives what the disk said."""
        with self._lock:
            count = len(event["answers"] if "answers" in event else event["to"])
            self._owed = max(0, self._owed - room(count))
            try:
                self._put(event, self._owed)
            except OSError as error:
                if error.errno not in _full:
                    raise
                self._put(in_short(event), 0)
                return error
            return None

    def _put(self, event: Event, owed: int) -> None:
        """Write a line and blanks behind it: room for what is owed, and over what a failed write left in the room."""
        data = line(event)
        kept = max(owed, self._room - len(data))
        if self._torn:
            self._mend()
        self._torn = True
        try:
            self._disk.write_at(self._handle, data + blank(kept), self._length)
        except OSError:
            with suppress(OSError):
                self._mend()
            raise
        self._torn = False
        self._length += len(data)
        self._room = kept
        self.events = (*self.events, event)
        self.queued = fold(self.events)

    def _mend(self) -> None:
        """Take away what a failed write left: it may look like a line that is whole."""
        self._disk.cut(self._handle, self._length + self._room)
        if self._room:
            self._disk.write_at(self._handle, blank(self._room), self._length)
        self._torn = False

    def hint(self, milliseconds: int | None) -> None:
        """When it is worth to look at it again; None: not before somebody changes it."""
        self._disk.stamp(self._handle, (FAR if milliseconds is None else milliseconds) * 10**6)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)
