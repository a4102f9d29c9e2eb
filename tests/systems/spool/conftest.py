"""Answers as servers give them, a system that gives them, and queues in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Self

import pytest

from systems.disk import Disk
from systems.mail import Answer, Answered, Message, Phase, Status, Trouble
from systems.spool.drain import Drain
from systems.spool.gate import Gate, Times
from systems.spool.policy import Policy
from systems.spool.store import Store

_usual = {
    Status.ACCEPTED: (Phase.DOT, 250, "2.0.0", "ok"),
    Status.TEMPORARY: (Phase.RECIPIENT, 450, "4.2.0", "come back later"),
    Status.PERMANENT: (Phase.RECIPIENT, 550, "5.1.1", "no such user"),
    Status.IN_DOUBT: (Phase.DOT, None, "", "the connection broke"),
    Status.NOT_TRIED: (Phase.BEFORE, None, "", "nobody answers"),
}


def _said(status: Status, recipient: str = "b@example.org") -> Answer:
    phase, code, enhanced, text = _usual[status]
    return Answer(recipient, status, phase, "mx.example.org:25", code, enhanced, text)


@pytest.fixture(scope="session")
def said() -> Callable[..., Answer]:
    """Make the usual answer of a status."""
    return _said


@dataclass
class Server:
    """A system that says of each recipient what `say` says, and keeps a log of what it took, as a server does.

    It has `depth` messages on their way at once and answers the last one first.
    """

    say: Callable[[Message, str], Status] = lambda _message, _recipient: Status.ACCEPTED
    depth: int = 1
    log: list[tuple[str, str]] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    trouble: Trouble | None = None

    async def __aenter__(self) -> Self:
        """Nothing is opened."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is closed."""

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Take what it takes when it was put on record. If that fails, the others are answered first."""
        waiting = iter(messages)
        error: Exception | None = None
        while not (self.trouble or error) and (group := list(islice(waiting, self.depth))):
            answered = []
            for message in group:
                answers = [_said(self.say(message, one), one) for one in message.envelope.recipients]
                if any(one.status is not Status.NOT_TRIED for one in answers):
                    try:
                        handing_over([message])
                    except Exception as caught:  # noqa: BLE001 - it goes back to the caller
                        error = caught
                        break
                self.messages.append(message)
                self.senders.append(message.envelope.sender)
                taken = {Status.ACCEPTED, Status.IN_DOUBT}
                self.log += [(message.key, one.recipient) for one in answers if one.status in taken]
                answered.append(Answered(message, tuple(answers)))
            await asyncio.sleep(0)
            yield answered[::-1]
        if error is not None:
            raise error


class Quick(Disk):
    """Nobody pulls a plug in a test, so nothing is waited for."""

    def sync(self, handle: int) -> None:
        """Not here."""


@dataclass
class Yard:
    """A queue in a folder, with a clock that a test sets."""

    folder: Path
    now: int = 1_700_000_000 * 10**9

    def store(self, disk: Disk | None = None) -> Store:
        """The folder, open."""
        store = Store(self.folder, "out", disk or Quick())
        store.open()
        return store

    def drain(
        self, server: Server, *, disk: Disk | None = None, policy: Policy | None = None, limit: int = 1000, **more: Any
    ) -> Drain:
        """What works on the queue."""
        return Drain(
            Store(self.folder, "out", disk or Quick()),
            server,
            policy or Policy(),
            lambda: Gate(self.folder / "hour", limit, self.times(), disk or Quick()),
            lambda: self.now,
            lambda: 0.5,
            **more,
        )

    def times(self) -> Times:
        """The clocks, which all say the same."""
        return Times(lambda: self.now / 1e9, lambda: self.now / 1e9, "first")

    def put(self, *messages: Message) -> None:
        """Queue messages."""
        store = self.store()
        store.publish([store.stage(message, self.now // 10**6) for message in messages])

    def runs(self, seconds: float) -> None:
        """Time goes by."""
        self.now += int(seconds * 1e9)


@pytest.fixture(scope="session")
def serving() -> type[Server]:
    """Make a system behind."""
    return Server


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """A queue that is not there yet."""
    return Yard(tmp_path / "queue")
