"""What tests of verbs share: a catcher beside them, the command as a process of its own, and a project with a past."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple, TypeVar

import pytest

from mailweir.catcher import Catcher
from mailweir.cli.group import run
from pipeline.clock import MachineClock, VirtualClock
from pipeline.state.facts import Ask, Batch, Claims, NewMessage
from pipeline.state.keys import message_key
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound
from sinks.mail.delivery import Policy
from systems.mail import Answer, Envelope, Phase, Status

TOP = Path(__file__).parents[3]
T = TypeVar("T")

SYSTEMS = """[
  {"_id": "office", "type": "system:smtp", "smtp_server": "mail.example.com"},
  {"_id": "backup", "type": "system:smtp", "smtp_server": "mail.example.com", "max_per_hour": 2},
  {"_id": "news", "type": "system:smtp", "smtp_server": "mail.example.com", "rate_group": "bulk", "max_per_hour": 50},
  {"_id": "ads", "type": "system:smtp", "smtp_server": "mail.example.com", "rate_group": "bulk", "max_per_hour": 40}
]
"""
OK = Answer("", Status.ACCEPTED, Phase.DOT, "mx", 250, "2.0.0", "ok")
GONE = Answer("", Status.PERMANENT, Phase.RECIPIENT, "mx", 550, "5.1.1", "no such user")
LATER = Answer("", Status.TEMPORARY, Phase.RECIPIENT, "mx", 450, "4.2.0", "come back")
SILENT = Answer("", Status.IN_DOUBT, Phase.DOT, "mx", text="timed out")
ANSWERS: Mapping[str, Answer] = {"gone": GONE, "later": LATER, "silent": SILENT}
# Two days before now everything begins.
LONG_AGO = 2 * 86_400.0


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


class Office:
    """The command in a project, and the mail that went out from it. An address says what became of mail to it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Nothing was sent."""
        self.folder = folder
        self.capsys = capsys
        machine = MachineClock()
        self.clock = VirtualClock(machine.boot() - LONG_AGO, machine.wall() - LONG_AGO, machine.boot_id)
        (folder / "systems").mkdir()
        (folder / "systems" / "a.conf.json").write_text(SYSTEMS)

    def __call__(self, *arguments: str) -> Done:
        """Run the command and take what it wrote."""
        with chdir(self.folder):
            code = run(arguments)
        return Done(code, *self.capsys.readouterr())

    def document(self, *arguments: str) -> dict[str, Any]:
        """The JSON document that it gives."""
        done = self(*arguments, "--json")
        found: dict[str, Any] = json.loads(done.out)
        head = (found["schema_version"], found["command"], found["exit_code"], found["ok"])
        assert head == (1, arguments[0], done.code, done.code == 0)
        return found

    def until(self, seconds_ago: float) -> None:
        """Time passes, until so long before now."""
        self.clock.advance(MachineClock().wall() - seconds_ago - self.clock.wall())

    def state(self) -> SqliteState:
        """The state of the project."""
        return SqliteState.open(self.folder / ".mailweir", self.clock, outbound.stranded)

    def inside(self, work: Callable[[SqliteState], Awaitable[T]]) -> T:
        """What a sender does."""

        async def working() -> T:
            async with self.state() as state:
                return await work(state)

        return asyncio.run(working())

    def message(self, number: int, *to: str, **facts: Any) -> NewMessage:
        """A message, composed."""
        recipients = to or (f"customer-{number}@example.com",)
        pipe, entity_id = facts.pop("pipe", "welcome"), facts.pop("entity_id", f"c-{number}")
        content = facts.pop("content", f"Subject: Hello {number}\r\n\r\nFrom us to you\r\n".encode())
        return NewMessage(
            facts.pop("key", message_key(pipe, entity_id, "v1", recipients)),
            pipe,
            facts.pop("system", "office"),
            entity_id,
            recipients,
            outbound.stored(Envelope("hello@example.com", recipients)),
            content,
            json.dumps({"_id": entity_id, "number": number}),
            facts.pop("subject", f"Hello {number}"),
            facts.pop("run", "7f3a"),
            **facts,
        )

    def admit(self, *messages: NewMessage, limit: int | None = None, gate: str = "", most: int = 256) -> None:
        """Put messages in, and send as many as the limit lets through; without one they wait."""

        async def admitting(state: SqliteState) -> None:
            ask = None if limit is None else Ask(messages[0].system, gate or messages[0].system, limit, most=most)
            admitted = await state.admit(Batch(messages), ask)
            self.answered(state, admitted.claims)

        self.inside(admitting)

    def send(self, limit: int, system: str = "office") -> None:
        """Send what waits."""

        async def sending(state: SqliteState) -> None:
            self.answered(state, await state.claim(Ask(system, system, limit)))

        self.inside(sending)

    def answered(self, state: SqliteState, claims: Claims) -> None:
        """Hand over what was claimed; answers come at once."""
        if not claims.messages:
            return
        state.handing_over(claims.messages)
        settlements = []
        for claim in claims.messages:
            out = outbound.outbound(claim)
            answers = self.answers(out.message.envelope.recipients)
            settlements.append(outbound.settlement(out, answers, Policy(), state.now(), jitter=1.0))
        state.settle(settlements)

    def answers(self, recipients: Sequence[str]) -> list[Answer]:
        """What is said of each."""
        return [ANSWERS.get(each.partition("@")[0], OK)._replace(recipient=each) for each in recipients]

    def ids(self, *arguments: str) -> list[str]:
        """Of the messages that a list has."""
        return [one["id"] for one in self.document("outbox", "list", *arguments)["messages"]]


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    """A project from which nothing was sent yet."""
    return Office(tmp_path, capsys)


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    """A catcher in a thread of its own."""
    there, over = Event(), Event()
    made: list[Catcher] = []

    async def serve() -> None:
        async with Catcher() as caught:
            made.append(caught)
            there.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert there.wait(30)
    yield made[0]
    over.set()
    thread.join(30)


@pytest.fixture(scope="session")
def command() -> Callable[..., Any]:
    """Run the command in a folder; its exit code and what it wrote."""

    def run(folder: Path, *arguments: str, given: str = "", **environ: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "mailweir", *arguments],
            input=given,
            capture_output=True,
            text=True,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP), **environ},
            check=False,
            timeout=300,
        )

    return run
