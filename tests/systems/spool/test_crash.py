"""Processes that end anywhere and machines without power: nothing is lost, and only what was in doubt goes twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

import pytest

from systems.disk import Disk
from systems.mail import Message, Status
from systems.spool.policy import Policy
from systems.spool.record import Standing
from systems.spool.store import Store
from systems.spool.system import Spool

Make = Callable[..., Message]
Delivery = Literal["at_least_once", "at_most_once"]


def watched(disk: type[Disk], at: int) -> Any:
    """A disk that ends the process at an operation, and knows what would be there after a power cut."""

    class Watched(disk):  # type: ignore[misc, valid-type]
        """`data` is what is safe of each file, `names` what is safe of each folder.

        Files have numbers of their own: those of the file system are given to new files when old ones are removed.
        """

        def __init__(self) -> None:
            super().__init__(at, kill=True)
            self.numbers: dict[int, int] = {}
            self.data: dict[int, bytes] = {}
            self.names: dict[Path, dict[str, int]] = {}

        def write_new(self, path: Path, data: bytes) -> None:
            super().write_new(path, data)
            self.numbers[path.stat().st_ino] = len(self.data)
            self.data[len(self.data)] = data

        def write_at(self, handle: int, data: bytes, offset: int, *, safe: bool = True) -> None:
            super().write_at(handle, data, offset, safe=safe)
            if safe:
                found = os.fstat(handle)
                self.data[self.numbers[found.st_ino]] = os.pread(handle, found.st_size, 0)

        def sync_folder(self, path: Path) -> None:
            super().sync_folder(path)
            with os.scandir(path) as entries:
                found = {one.name: one.inode() for one in entries if one.is_file()}
            self.names[path] = {name: self.numbers[inode] for name, inode in found.items() if inode in self.numbers}

    return Watched()


def as_it_is(folder: Path, _: Any, to: Path) -> None:
    """What a killed process leaves."""
    shutil.copytree(folder, to)


def only_what_is_safe(folder: Path, disk: Any, to: Path) -> None:
    """What a power cut leaves at the least."""
    for path in (folder, *(below for below in folder.rglob("*") if below.is_dir())):
        below = to / path.relative_to(folder)
        below.mkdir(mode=0o700)
        for name, number in disk.names.get(path, {}).items():
            (below / name).write_bytes(disk.data[number])
            (below / name).chmod(0o600)


def names_without_data(folder: Path, disk: Any, to: Path) -> None:
    """What a power cut leaves where names reach the disk before what they name."""
    shutil.copytree(folder, to)
    for path in folder.rglob("*"):
        if path.is_file():
            size = path.stat().st_size
            safe = disk.data.get(disk.numbers.get(path.stat().st_ino), b"")
            (to / path.relative_to(folder)).write_bytes(safe.ljust(size, b"\x00")[:size])


async def work(
    yard: Any, server: Any, messages: Sequence[Message], acked: list[Message], disk: Any, policy: Any
) -> None:
    """Queue messages and hand them on, and then one more."""
    store = Store(yard.folder, "out", disk)
    for group in (messages[:-1], messages[-1:]):
        async with Spool("out", store, None, lambda: yard.now) as spool:
            async for answered in spool.send(group, lambda _: None):
                acked += [one.message for one in answered if one.answers[0].status is Status.ACCEPTED]
        drain = yard.drain(server, disk=disk, policy=policy)
        drain.open()
        try:
            await drain.all_due()
        finally:
            drain.close()


def handed(yard: Any) -> set[tuple[str, str]]:
    """Who is handed over without an answer, by the records."""
    found = set()
    store = yard.store()
    for name in store.names():
        entry = store.entry(name, lock=False)
        entry.close()
        found |= {
            (entry.queued.key, one.address)
            for one in entry.queued.recipients
            if one.standing is not Standing.ACCEPTED
            if one.standing in {Standing.HANDED, Standing.IN_DOUBT}
        }
    return found


def let_go(folder: Path) -> None:
    """A process that ends closes its files, and with them its locks."""
    inodes = {path.stat().st_ino for path in folder.rglob("*")} if folder.exists() else set()
    for handle in range(3, 512):
        with suppress(OSError):
            if os.fstat(handle).st_ino in inodes:
                os.close(handle)


@pytest.mark.parametrize(
    ("cut", "delivery"),
    [
        (as_it_is, "at_least_once"),
        (as_it_is, "at_most_once"),
        (only_what_is_safe, "at_least_once"),
        (names_without_data, "at_least_once"),
    ],
)
def test_an_end_at_any_operation(
    yard: Any, mail: Make, serving: Any, faulty: Any, killed: Any, tmp_path: Path, cut: Any, delivery: Delivery
) -> None:
    """What was acknowledged is sent or kept with its reason; twice goes only what was handed over without an answer."""
    messages = [
        mail("a@example.org", key="1"),
        mail("a@example.org", "late@example.org", "not@example.org", key="2", content=b"x" * 5000),
        mail("not@example.org", key="0"),
        mail("b@example.org", key="3"),
    ]
    policy = Policy(delivery=delivery, max_tries=2)
    ends = doubts = twice = 0
    for at in range(1, 300):
        yard.folder = tmp_path / f"{at}"
        late: Counter[str] = Counter()

        def say(_: Message, recipient: str, late: Counter[str] = late) -> Status:
            late[recipient] += 1
            if recipient.startswith("late") and late[recipient] == 1:
                return Status.TEMPORARY
            return Status.PERMANENT if recipient.startswith("not") else Status.ACCEPTED

        server = serving(say, depth=2)
        acked: list[Message] = []
        disk = watched(faulty, at)
        with suppress(killed):
            asyncio.run(work(yard, server, messages, acked, disk, policy))
        let_go(yard.folder)
        if not disk.killed:
            break
        ends += 1
        after = tmp_path / f"{at}-after"
        if yard.folder.exists():
            cut(yard.folder, disk, after)
        yard.folder = after
        doubtful = handed(yard)
        doubts += bool(doubtful)
        for _ in range(3):
            drain = yard.drain(server, policy=policy)
            drain.open()
            assert asyncio.run(drain.all_due()).damaged == 0
            drain.close()
            yard.runs(700)
        store = yard.store()
        rejected = {
            (store.rejected(name).queued.key, one) for name in store.buried() for one in store.rejected(name).reasons
        }
        times = Counter(server.log)
        twice += max(times.values(), default=0) > 1
        kept = handed(yard)
        assert kept == (doubtful if delivery == "at_most_once" else set())
        for message in acked:
            for recipient in message.envelope.recipients:
                who = (message.key, recipient)
                assert (who in times) + (who in rejected) + (who in kept - set(times)) == 1, (at, who)
        for who, number in times.items():
            assert number == 1 or (delivery == "at_least_once" and who in doubtful), (at, who)
    assert ends > 50
    assert doubts > 3
    assert bool(twice) == (delivery == "at_least_once")


SCRIPT = dedent(
    """
    import asyncio, sys, time
    from pathlib import Path
    from systems.disk import Disk
    from systems.eml import Eml
    from systems.mail import Envelope, Message
    from systems.spool.drain import Drain
    from systems.spool.gate import Gate, of_this_machine
    from systems.spool.policy import Policy
    from systems.spool.store import Store
    from systems.spool.system import Spool

    queue, mails, first, count, later = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])

    class Quick(Disk):
        # A killed process leaves what it wrote, whether or not the disk has it already.
        def sync(self, handle):
            pass

    def now():
        return time.time_ns() + later * 10**9

    async def main():
        async with Eml("mails", mails, now, Quick()) as target:
            store = Store(queue, "out", Quick())
            gate = lambda: Gate(queue / "hour", 10**6, of_this_machine(), Quick())
            drain = Drain(store, target, Policy(), gate, now, lambda: 0.5)
            async with Spool("out", store, drain, now) as spool:
                def messages():
                    for number in range(first, first + count):
                        yield Message(str(number), Envelope("a@example.com", ("b@example.org",)), b"%d" % number)
                async for group in spool.send(messages(), lambda _: None):
                    print(*(one.message.key for one in group), flush=True)

    asyncio.run(main())
    """
)


def test_processes_that_are_killed_for_good(yard: Any, tmp_path: Path) -> None:
    """Real ones, one after the other, while they queue and hand on: every mail that was acknowledged is there."""
    mails = tmp_path / "mails"
    acked: set[str] = set()
    doubtful: set[str] = set()

    def start(first: int, count: int, later: int) -> subprocess.Popen[str]:
        arguments = [sys.executable, "-c", SCRIPT, str(yard.folder), str(mails), str(first), str(count), str(later)]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)

    for round_ in range(3):
        with start(round_ * 10**6, 10**6, 0) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(1 + 2 * round_)]
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        assert process.returncode == -signal.SIGKILL
        acked |= {key for line in lines if line.endswith("\n") for key in line.split()}
        doubtful |= {key for key, _ in handed(yard)}
    assert len(acked) >= 64 * 9
    # What is in doubt is sent again when a minute is over; that there was a kill after it is found out first.
    for later in (1, 1000, 2000):
        with start(0, 0, later) as process:
            process.communicate()
        assert process.returncode == 0
    assert [*yard.store().names()] == []
    times = Counter(path.name.partition("-")[2].partition(".")[0] for path in mails.glob("*.eml"))
    assert acked <= times.keys()
    assert {key for key, number in times.items() if number > 1} <= doubtful
    assert max(times.values()) <= 2 * 3
