"""The folder of a spool. Every state in which a crash can leave it is one that the next look at it puts right.

    new/NAME             content, as it goes out (`new`, `cur` and `tmp` make a Maildir, which mail programs can open)
    record/NAME          what has happened to it: while this is here, the message is queued
    rejected/NAME.eml    content of a message that will not be sent to everybody
    rejected/NAME.json   why, for each recipient, and all that had happened
    tmp/                 what is being written
    owner                the `_id` of the system
    hour                 what has been handed on in the last hour (`gate`)
    drain.lock           held by whoever hands messages on
    publish.lock         held for the moment in which a message comes in

A message comes in by the last of four steps: content written, content named, record written, record named. It goes
by the last of its own: content away, record away. So a content without a record is a message that never came in or
has gone, and a record without a content is of one that is going: its record says so.
"""

from __future__ import annotations

import heapq
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from systems.disk import Disk, FolderError, fault_of_folder, left_behind, make_folders, read_file, reason
from systems.file_names import digest, is_own_name, own_name
from systems.mail import Message
from systems.spool.entry import FAR, Entry
from systems.spool.lines import Event, RecordError, lines
from systems.spool.locks import held, take
from systems.spool.record import Queued, again, fold, queued

FOLDERS: Final = ("tmp", "new", "cur", "record", "rejected")
# The names that one look at the folder keeps in memory: the first of them by time.
MOST_AT_ONCE: Final = 10_000
LARGEST_REASON: Final = 100_000_000
LONGEST_OWNER: Final = 1000


@dataclass(frozen=True, slots=True)
class Staged:
    """A message that is written and not in the queue yet."""

    name: str
    content: Path
    record: Path


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that is kept because not everybody gets it. `reasons` are of the recipients that have one."""

    name: str
    at: int
    events: tuple[Event, ...]
    queued: Queued
    reasons: Mapping[str, str]


class Store:
    """The files. No method waits for a network; all of them wait for the disk."""

    def __init__(self, folder: Path, owner: str, disk: Disk | None = None) -> None:
        """Nothing is opened. `owner` is the system that queues here."""
        self.folder = folder
        self.owner = owner
        self._disk = disk or Disk()
        self._numbers = count()
        self._last = 0

    def open(self) -> None:
        """Make what is missing; FolderError if the folder is not this user's alone, or another system's queue."""
        make_folders(self._disk, self.folder)
        if not self.look():
            with held(self.folder / "publish.lock"):
                self._disk.write_whole(self.folder / "owner", f"{self.owner}\n".encode())
                self._disk.sync_folder(self.folder)
        for name in FOLDERS:
            make_folders(self._disk, self.folder / name)

    def look(self) -> bool:
        """Whether this is a queue already, without making it one; FolderError if it is none for this system.

        One queue is of one system: what another one put in would go out through the wrong one.
        """
        path = self.folder / "owner"
        try:
            if fault := fault_of_folder(self.folder):
                raise fault
            owner = read_file(path, LONGEST_OWNER).decode(errors="replace").strip()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise FolderError(self.folder, f"it cannot be read: {reason(error)}") from None
        if owner != self.owner:
            raise FolderError(
                self.folder, f"it is the queue of `{owner}`", f"name another folder, or after renaming: rm {path}"
            )
        return True

    def has(self, name: str) -> bool:
        """Whether a message is in the queue."""
        return self._record(name).exists()

    # Coming in.

    def stage(self, message: Message, now: int) -> Staged:
        """Write a message where nobody looks."""
        return self._stage(own_name(message), message.content, [queued(message, now)], now)

    def _stage(self, name: str, content: bytes, events: Iterable[Event], now: int) -> Staged:
        staged = Staged(name, self._temporary(name), self._temporary(name))
        # What comes in within a millisecond stays in its order too.
        self._last = max(now * 10**6, self._last + 1000)
        try:
            self._disk.write_new(staged.content, content)
            self._disk.write_new(staged.record, lines(events))
            self._disk.stamp(staged.record, self._last)
        except BaseException:
            self.unstage([staged])
            raise
        return staged

    def unstage(self, staged: Iterable[Staged]) -> None:
        """Take away what was written and not published."""
        for one in staged:
            with suppress(OSError):
                self._disk.remove(one.content)
                self._disk.remove(one.record)

    def publish(self, staged: Sequence[Staged]) -> None:
        """Put the messages into the queue. They are in it, and stay in it, when this returns.

        One that is in it already stays as it is: its record may say by now that it was handed over.
        """
        with held(self.folder / "publish.lock"):
            new = {one.name: one for one in staged if not self._record(one.name).exists()}.values()
            for one in new:
                self._disk.rename(one.content, self._content(one.name))
            if new:
                self._disk.sync_folder(self.folder / "new")
            for one in new:
                self._disk.rename(one.record, self._record(one.name))
            # Also for those that were in it: nobody knows whether their names are safe.
            self._disk.sync_folder(self.folder / "record")
        self.unstage(staged)

    # What is there.

    def names(self) -> Iterator[str]:
        """Every message in the queue, in no order."""
        return (name for name in self._listed("record") if is_own_name(name))

    def strangers(self) -> Iterator[Path]:
        """Files among the records that were not put there by a spool."""
        return (self._record(name) for name in self._listed("record") if not is_own_name(name))

    def due(self, now: int, longest_wait: float) -> list[str]:
        """Messages whose time has come, the earliest first. A hint: their records say what is so."""
        return [name for _, name in heapq.nsmallest(MOST_AT_ONCE, self._due(now, longest_wait))]

    def _due(self, now: int, longest_wait: float) -> Iterator[tuple[int, str]]:
        # A time that is farther away than any wait is of a clock that was wrong.
        latest, wrong, never = now * 10**6 + 10**6, (now + int(longest_wait * 1000)) * 10**6, FAR * 10**6
        return ((at, name) for at, name in self._hints() if at < latest or never != at > wrong)

    def _hints(self) -> Iterator[tuple[int, str]]:
        with os.scandir(self.folder / "record") as entries:
            for entry in entries:
                if is_own_name(entry.name):
                    with suppress(FileNotFoundError):
                        yield entry.stat(follow_symlinks=False).st_mtime_ns, entry.name

    def entry(self, name: str, *, lock: bool = True) -> Entry:
        """A message in the queue; it raises what `Entry` does."""
        return Entry(self._record(name), self._disk, lock=lock)

    def content(self, found: Queued, name: str, *, rejected: bool = False) -> bytes:
        """The bytes of a message; RecordError if they are not those that came in."""
        path = self._rejected(name, "eml") if rejected else self._content(name)
        try:
            data = read_file(path, found.size)
        except FileNotFoundError:
            raise RecordError("its content is missing") from None
        except FolderError as error:
            raise RecordError(f"its content cannot be used: {error.why}") from None
        if len(data) != found.size or digest(data) != found.digest:
            raise RecordError("its content is not as it was written")
        return data

    def draining(self) -> int:
        """The right to hand messages on, until the handle is closed; HeldError if another process has it."""
        return take(self.folder / "drain.lock")

    def sweep(self, nanoseconds: int) -> None:
        """Take away what a killed process left: files half written, and contents without a record."""
        old = left_behind(self.folder / "tmp", nanoseconds)
        old += [path for path in left_behind(self.folder / "new", nanoseconds) if self._is_left(path)]
        old += [path for path in left_behind(self.folder / "rejected", nanoseconds) if path.suffix == ".tmp"]
        for path in old:
            with suppress(OSError):
                self._disk.remove(path)

    def _is_left(self, content: Path) -> bool:
        return is_own_name(content.name) and not self._record(content.name).exists()

    # Going.

    def finish(self, entry: Entry) -> None:
        """Everybody has it, or nobody shall: it leaves the queue."""
        for path in (self._rejected(entry.name, "json"), self._rejected(entry.name, "eml")):
            self._disk.remove(path)
        self._disk.remove(self._content(entry.name))
        self._disk.remove(entry.path)

    def forget(self, name: str) -> None:
        """It goes, whatever its record says: for one that cannot be read."""
        self.discard(name)
        self._disk.remove(self._content(name))
        self._disk.remove(self._record(name))

    def bury(self, entry: Entry, reasons: Mapping[str, str], now: int) -> None:
        """Keep it where it is not tried any more, with the reasons by recipient."""
        found = entry.queued
        facts = {
            "schema_version": 1,
            "at": now,
            "key": found.key,
            "sender": found.envelope.sender,
            "recipients": list(found.envelope.recipients),
            "rejected": [{"recipient": one, "reason": why} for one, why in reasons.items()],
            "events": list(entry.events),
        }
        with suppress(FileNotFoundError):
            self._disk.rename(self._content(entry.name), self._rejected(entry.name, "eml"))
        self._disk.write_whole(self._rejected(entry.name, "json"), f"{json.dumps(facts, indent=2)}\n".encode())
        self._disk.sync_folder(self.folder / "rejected")
        self._disk.remove(entry.path)

    # What was rejected.

    def buried(self) -> Iterator[str]:
        """The messages that will not be sent to everybody, in no order; those that are queued again are not."""
        for file in self._listed("rejected"):
            name = file.removesuffix(".json")
            if file.endswith(".json") and is_own_name(name) and not self._record(name).exists():
                yield name

    def rejected(self, name: str) -> Rejected:
        """One of them; FileNotFoundError if it is gone, FolderError and RecordError as `Entry`."""
        data = read_file(self._rejected(name, "json"), LARGEST_REASON)
        try:
            facts: Any = json.loads(data)
            events = tuple(facts["events"])
            reasons = {str(one["recipient"]): str(one["reason"]) for one in facts["rejected"]}
            return Rejected(name, int(facts["at"]), events, fold(events), reasons)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RecordError(f"its reason cannot be read: {error}") from None

    def revive(self, found: Rejected, places: Iterable[int], now: int) -> None:
        """Queue it again for these recipients."""
        content = self.content(found.queued, found.name, rejected=True)
        self.publish([self._stage(found.name, content, (*found.events, again(places, now)), now)])
        self.discard(found.name)

    def discard(self, name: str) -> None:
        """Forget one of them."""
        self._disk.remove(self._rejected(name, "json"))
        self._disk.remove(self._rejected(name, "eml"))

    def _listed(self, folder: str) -> Iterator[str]:
        with suppress(FileNotFoundError), os.scandir(self.folder / folder) as entries:
            for entry in entries:
                yield entry.name

    def _record(self, name: str) -> Path:
        return self.folder / "record" / name

    def _content(self, name: str) -> Path:
        return self.folder / "new" / name

    def _rejected(self, name: str, ending: str) -> Path:
        return self.folder / "rejected" / f"{name}.{ending}"

    def _temporary(self, name: str) -> Path:
        return self.folder / "tmp" / f"{name}.{os.getpid()}.{next(self._numbers)}"
