"""What the system behind lets through in an hour, kept in a file over restarts and crashes.

A message is on record here before it is on its way and counts until an hour after its answer. What is on record
without an answer when the file is opened counts from then on: nobody can say when it was taken.

The times in the file are of the clock that runs on while the machine sleeps. After the machine was started again
they are moved by the time of day.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from systems.disk import Disk, FolderError, read_file
from systems.spool.lines import Event, RecordError, line, read
from systems.window import Bucket, Full, Permit, Window

# The file is written anew when it has grown by so much: a line is about a hundred bytes.
LARGEST: Final = 1_000_000
_FLAGS: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class Times(NamedTuple):
    """The clocks of this machine: seconds since it was started, seconds since 1970, and which start that was."""

    clock: Callable[[], float]
    wall: Callable[[], float]
    boot: str


class Gate:
    """At most `limit` messages an hour. One process at a time has the file open."""

    def __init__(self, path: Path, limit: int, times: Times, disk: Disk | None = None) -> None:
        """Read what was let through; FolderError if that cannot be known."""
        self._path = path
        self._times = times
        self._disk = disk or Disk()
        self._window = Window(limit)
        self._handle = -1
        self._size = 0
        self._torn = False
        self._flying = 0  # messages on record without an answer
        try:
            restore(self._window, read(read_file(path, 100 * LARGEST)).events, times)
        except FileNotFoundError:
            pass
        except (RecordError, ValueError, KeyError, TypeError):
            advice = f"remove it when the last mail is an hour old: rm {path}"
            raise FolderError(path, "it does not say any more how much was sent", advice) from None
        self._rewrite()

    def take(self, places: int) -> Permit | Full:
        """Leave for a message, or when to ask again."""
        return self._window.take(self._times.clock(), places)

    def hand(self, places: int) -> None:
        """A message that has leave is on its way: put it on record."""
        if self._size > LARGEST:
            self._rewrite()
        self._write({"hand": places})
        self._flying += places

    def settle(self, permit: Permit, gone: int, handed: int) -> None:
        """Of `handed` messages on record, `gone` may have been taken; the rest of the permit was not used.

        That it is on record is of no weight: what is not settled there counts for longer.
        """
        now = self._times.clock()
        if gone:
            self._window.settle(permit, now, gone)
        if permit.places > gone:
            self._window.give_back(permit, permit.places - gone)
        if handed:
            self._write({"settle": handed, "gone": gone, "at": math.ceil(now)}, safe=False)
            self._flying -= handed

    def free_at(self, full: Full) -> float | None:
        """In how many seconds places free; None if that rests on answers that have not come."""
        return None if full.free_at is None else max(0.0, full.free_at - self._times.clock())

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _write(self, event: Event, *, safe: bool = True) -> None:
        data = line(event)
        if self._torn:
            self._disk.cut(self._handle, self._size)
        self._torn = True
        self._disk.write_at(self._handle, data, self._size, safe=safe)
        self._torn = False
        self._size += len(data)

    def _rewrite(self) -> None:
        """The file with what counts now, and nothing else."""
        clock = self._times.clock()
        facts = {
            "boot": self._times.boot,
            "clock": clock,
            "wall": self._times.wall(),
            "counts": [list(bucket) for bucket in self._window.buckets(clock)],
            "flying": self._flying,
        }
        data = line(facts)
        self._disk.write_whole(self._path, data)
        self.close()
        self._handle = os.open(self._path, _FLAGS)
        self._size = len(data)
        self._torn = False


def restore(window: Window, events: Sequence[Event], times: Times) -> None:
    """Count what the events of a file say."""
    first, *rest = events
    now = times.clock()
    shift = 0.0
    if not times.boot or first["boot"] != times.boot:
        shift = (now - times.wall()) - (first["clock"] - first["wall"])
    counts = list(first["counts"])
    flying = first["flying"]
    for event in rest:
        if "hand" in event:
            flying += event["hand"]
        else:
            flying -= event["settle"]
            counts.append((event["at"], event["gone"]))
    # A clock that was set back must not keep places for longer than an hour from now.
    latest = math.ceil(now)
    window.restore(Bucket(min(latest, math.ceil(second + shift)), places) for second, places in counts)
    window.restore([Bucket(latest, flying)])


def of_this_machine() -> Times:
    """Its clocks."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Times(lambda: time.clock_gettime(clock), time.time, boot)
