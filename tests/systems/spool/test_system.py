"""`system:spool` at work: mail is accepted when it is on disk, and handed on in the background."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from systems.disk import FolderError
from systems.file_names import own_name
from systems.mail import Answered, Message, Phase, Reason, Status, SystemFault, Trouble, part
from systems.spool.drain import Drain
from systems.spool.store import Store
from systems.spool.system import LOOK_AGAIN, Spool

Make = Callable[..., Message]
# As long as a slow machine under load may take for a moment's work.
PATIENCE = 60.0


def spool(yard: Any, drain: Drain | None = None, disk: Any = None) -> Spool:
    """The system."""
    return Spool("out", Store(yard.folder, "out", disk), drain, lambda: yard.now)


async def sent(
    system: Spool, *messages: Message, handing_over: Callable[[Any], None] = lambda _: None
) -> list[Answered]:
    """What it says of them."""
    return [one async for group in system.send(messages, handing_over) for one in group]


def test_mail_is_accepted_when_it_is_queued(yard: Any, mail: Make) -> None:
    """For every recipient, with the name that it has in the queue; a message to nobody needs none."""

    async def run() -> list[Answered]:
        async with spool(yard) as system:
            return await sent(system, message)

    message = mail("a@example.org", "b@example.org")
    (answered,) = asyncio.run(run())
    assert answered.message == message
    assert [(one.recipient, one.status, one.phase, one.server, one.text) for one in answered.answers] == [
        (one, Status.ACCEPTED, Phase.DOT, "out", f"queued as {own_name(message)}")
        for one in message.envelope.recipients
    ]
    assert [*yard.store().names()] == [own_name(message)]


def test_a_message_to_nobody_is_over_at_once(yard: Any, mail: Make) -> None:
    """It has no answers and leaves nothing behind."""

    async def run() -> list[Answered]:
        async with spool(yard) as system:
            return await sent(system, part(mail(), ()))

    assert [one.answers for one in asyncio.run(run())] == [()]
    assert [*yard.store().names()] == []


def test_it_is_on_record_before_it_is_queued(yard: Any, mail: Make) -> None:
    """What the caller could not put on record is not queued, and nothing of it is left."""
    seen: list[int] = []

    def refuse(_: Any) -> None:
        seen.append(len([*yard.store().names()]))
        raise OSError(5, "no record")

    async def run() -> None:
        async with spool(yard) as system:
            await sent(system, mail(), handing_over=refuse)

    with pytest.raises(OSError, match="no record"):
        asyncio.run(run())
    assert seen == [0]
    assert [path for path in yard.folder.rglob("*") if path.parent.name in {"tmp", "new", "record"}] == []


def test_a_queue_that_is_not_worked_on_sends_nothing(yard: Any, mail: Make) -> None:
    """Mail only comes in; a system behind is not even there."""

    async def run() -> None:
        async with spool(yard) as system:
            await sent(system, mail())

    asyncio.run(run())
    asyncio.run(run())
    assert [*yard.store().names()] == [own_name(mail())]


def test_mail_leaves_while_more_comes_in(yard: Any, mail: Make, serving: Any) -> None:
    """It need not wait for the end."""
    gone = [asyncio.Event() for _ in range(3)]

    def say(message: Message, _: str) -> Status:
        gone[int(message.key)].set()
        return Status.ACCEPTED

    server = serving(say)

    async def run() -> None:
        async with spool(yard, yard.drain(server)) as system, asyncio.timeout(PATIENCE):
            for number in range(3):
                await sent(system, mail(key=str(number)))
                await gone[number].wait()

    asyncio.run(run())
    assert [message.key for message in server.messages] == ["0", "1", "2"]
    assert [*yard.store().names()] == []


def test_what_can_go_goes_before_the_end(yard: Any, mail: Make, serving: Any) -> None:
    """A short run sends what it queued, and what was queued before."""
    yard.put(mail(key="before"))
    server = serving()

    async def run() -> None:
        async with spool(yard, yard.drain(server)) as system:
            await sent(system, *[mail(key=str(number)) for number in range(100)])

    asyncio.run(run())
    assert len(server.messages) == 101
    os.close(yard.store().draining())


def test_after_a_fault_nothing_more_goes(yard: Any, mail: Make, serving: Any) -> None:
    """The fault of the caller comes through, and the queue keeps what is in it."""
    yard.put(*[mail(key=str(number)) for number in range(50)])
    server = serving(trouble=Trouble("mx", SystemFault(Phase.BEFORE, Reason.TIMEOUT, "silence"), 1000.0))

    async def run() -> None:
        async with spool(yard, yard.drain(server)):
            server.trouble = None
            raise RuntimeError("a fault of the caller")

    with pytest.raises(RuntimeError, match="a fault of the caller"):
        asyncio.run(run())
    assert server.messages == []
    os.close(yard.store().draining())


def test_two_processes_can_queue_and_one_hands_on(yard: Any, mail: Make, serving: Any) -> None:
    """Whoever came second queues, and leaves the work to the first."""
    first, second = serving(), serving()

    async def run() -> None:
        async with spool(yard, yard.drain(first)) as one:
            async with spool(yard, yard.drain(second)) as other:
                await sent(other, mail(key="other"))
            await sent(one, mail(key="one"))

    asyncio.run(run())
    assert sorted(message.key for message in first.messages) == ["one", "other"]
    assert second.messages == []


def test_a_folder_that_cannot_be_used_is_told_at_the_start(yard: Any, serving: Any) -> None:
    """Others can read it, or what was sent in the last hour is not known any more."""

    async def run() -> None:
        async with spool(yard, yard.drain(serving())):
            raise AssertionError("it opened")

    yard.folder.mkdir(mode=0o755)
    yard.folder.chmod(0o755)
    with pytest.raises(FolderError, match="others can use it"):
        asyncio.run(run())
    yard.folder.chmod(0o700)
    yard.store()
    (yard.folder / "hour").write_text("words")
    (yard.folder / "hour").chmod(0o600)
    with pytest.raises(FolderError, match="how much was sent"):
        asyncio.run(run())
    os.close(yard.store().draining())


@pytest.mark.parametrize("for_good", [True, False])
def test_a_full_disk_is_told_and_loses_nothing(yard: Any, mail: Make, faulty: Any, *, for_good: bool) -> None:
    """At any write: what is accepted is queued whole, and what is not tried is not there."""
    messages = [mail(key=str(number), content=b"x" * 1000) for number in range(3)]

    async def run(disk: Any) -> tuple[list[Answered], Trouble | None]:
        async with spool(yard, disk=disk) as system:
            return await sent(system, *messages), system.trouble

    for at in range(1, 100):
        yard.folder = yard.folder.with_name(f"queue{at}")
        yard.store()
        disk = faulty(at, for_good=for_good)
        answered, trouble = asyncio.run(run(disk))
        if trouble is None:
            assert disk.count < at
            break
        assert trouble.fault.text == "no space left on device"
        store = yard.store()
        for one in answered:
            name = own_name(one.message)
            match one.answers[0].status:
                case Status.ACCEPTED | Status.IN_DOUBT:
                    entry = store.entry(name)
                    assert store.content(entry.queued, name) == one.message.content
                    entry.close()
                case Status.NOT_TRIED:
                    assert not store.has(name)
                case other:
                    raise AssertionError(other)
        assert [*(yard.folder / "tmp").iterdir()] == []
    else:
        raise AssertionError("it did not end")
    assert at > 10


def test_a_system_with_a_full_disk_takes_no_more(yard: Any, mail: Make, faulty: Any) -> None:
    """The caller keeps what it has."""
    yard.store()
    rest = iter([mail(key=str(number)) for number in range(1000)])

    async def run() -> None:
        async with spool(yard, disk=faulty(1)) as system:
            for _ in range(3):
                async for _group in system.send(rest, lambda _: None):
                    pass

    asyncio.run(run())
    assert len([*rest]) > 900


TROUBLE = SystemFault(Phase.BEFORE, Reason.TIMEOUT, "silence")


@pytest.mark.parametrize(
    ("case", "seconds", "wakes"),
    [
        ("nothing", LOOK_AGAIN, True),
        ("progress", 0.0, True),
        ("full", 3600.0, False),
        ("trouble", 30.0, False),
        ("short trouble", 1.0, False),
        ("full disk", 60.0, False),
        ("no folder", 60.0, False),
        ("held", LOOK_AGAIN, False),
    ],
)
def test_how_long_the_work_rests(
    yard: Any, mail: Make, serving: Any, faulty: Any, case: str, seconds: float, *, wakes: bool
) -> None:
    """Not at all while it gets on; until the time that stands in its way is over; or until mail comes in."""
    disk = faulty()
    server = serving()
    drain = yard.drain(server, disk=disk, limit=1 if case == "full" else 10)
    if case != "nothing":
        yard.put(mail(key="1"), mail(key="2"))
    yard.store()
    if case == "held":
        right = yard.store().draining()
    else:
        drain.open()
    match case:
        case "trouble":
            server.trouble = Trouble("mx", TROUBLE, 30.0)
        case "short trouble":
            server.trouble = Trouble("mx", TROUBLE, 0.01)
        case "full disk":
            disk.at = disk.count + 1
        case "no folder":
            shutil.rmtree(yard.folder)
    system = spool(yard, drain)
    rests, waking = asyncio.run(system._once(drain))
    assert seconds <= rests <= seconds + (0 if seconds == 0 else PATIENCE)
    assert waking is (system._wake if wakes else system._stop)
    drain.close()
    if case == "held":
        os.close(right)


def test_a_fault_of_the_work_is_logged_and_the_work_goes_on(
    yard: Any, mail: Make, serving: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller's mail is safe; the fault has its place in the log."""
    server = serving()
    failed = asyncio.Event()

    class Failing(serving):  # type: ignore[misc]
        """Fails once."""

        async def send(self, messages: Any, handing_over: Any) -> Any:
            if not failed.is_set():
                failed.set()
                raise RuntimeError("a fault of its own")
            async for group in server.send(messages, handing_over):
                yield group

    async def run() -> None:
        async with spool(yard, yard.drain(Failing())) as system, asyncio.timeout(PATIENCE):
            await sent(system, mail())
            await failed.wait()

    with caplog.at_level(logging.ERROR, "mailweir.spool"):
        asyncio.run(run())
    assert "out: a round failed" in caplog.text
    assert len(server.messages) == 1


def test_a_cancelled_caller_leaves_the_queue_to_the_next(yard: Any, mail: Make, serving: Any) -> None:
    """Nothing is lost, and no lock is left."""
    hanging = asyncio.Event()

    class Hanging(serving):  # type: ignore[misc]
        """Hands over one message and never answers."""

        async def send(self, messages: Any, handing_over: Any) -> Any:
            for message in messages:
                handing_over([message])
                hanging.set()
                await asyncio.Event().wait()
            yield []

    async def run() -> None:
        async with spool(yard, yard.drain(Hanging())) as system:
            await sent(system, mail())
            await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.create_task(run())
        await hanging.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    os.close(yard.store().draining())
    entry = yard.store().entry(own_name(mail()))
    assert [event["what"] for event in entry.events] == ["queued", "handed", "doubted"]
    entry.close()
