"""`mailweir serve` while its configuration changes under runs that go on, against a real server on loopback."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Semaphore, Thread
from typing import Any

import pytest

from tests.served import PATIENCE, Served

Command = Callable[..., Any]


class Turnstile:
    """A mail server that answers the end of a mail once for each `release`, and keeps what it was told."""

    def __init__(self) -> None:
        """It listens."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.ended = Event()
        self.recipients: list[str] = []
        self._may = Semaphore(0)
        Thread(target=self._serve, daemon=True).start()

    def release(self, mails: int) -> None:
        """So many more may end."""
        self._may.release(mails)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                talk, _ = self._socket.accept()
                Thread(target=self._talk, args=(talk,), daemon=True).start()

    def _talk(self, talk: socket.socket) -> None:
        with suppress(OSError), talk, talk.makefile("rb") as lines:
            talk.sendall(b"220 mx\r\n")
            recipient = ""
            for line in lines:
                if line == b".\r\n":
                    self.ended.set()
                    if not self._may.acquire(timeout=PATIENCE):
                        return
                    self.recipients.append(recipient)
                    talk.sendall(b"250 ok\r\n")
                elif line.startswith(b"RCPT"):
                    recipient = line.decode().partition("<")[2].partition(">")[0]
                    talk.sendall(b"250 ok\r\n")
                elif line.startswith((b"EHLO", b"MAIL", b"QUIT", b"RSET")):
                    talk.sendall(b"250 ok\r\n")
                elif line.startswith(b"DATA"):
                    talk.sendall(b"354 go\r\n")

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


@pytest.fixture
def turnstile() -> Iterator[Turnstile]:
    """Such a server."""
    server = Turnstile()
    yield server
    server.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Begin a service in the folder."""
    begun: list[Served] = []

    def begin(*arguments: str) -> Served:
        begun.append(Served(tmp_path, *arguments))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


def configured(folder: Path, port: int, limit: int, **pump: Any) -> None:
    """Mail to five people through a server, written at once as editors do."""
    office = {
        "_id": "office",
        "type": "system:smtp",
        "smtp_server": "127.0.0.1",
        "smtp_port": port,
        "connections": 1,
        "max_per_hour": limit,
        "on_limit": "queue",
    }
    welcome = {
        "_id": "welcome",
        "type": "pipe",
        "source": {
            "type": "embedded",
            "entities": [{"_id": f"c{at}", "email": f"c{at}@example.com"} for at in range(5)],
        },
        "sink": {
            "type": "mail",
            "system": "office",
            "mail_from": "hello@example.com",
            "recipients_property": "email",
            "subject_template": "Hi {{ _id }}",
            "body_template": "Hi",
        },
        "pump": pump or {"cron_expression": "0 0 1 1 *", "run_at_startup": True},
    }
    (folder / "all.part").write_text(json.dumps([office, welcome]))
    (folder / "all.part").rename(folder / "all.conf.json")


def test_a_run_that_goes_on_goes_by_the_new_limit(
    serve: Callable[..., Served], command: Command, turnstile: Turnstile, tmp_path: Path
) -> None:
    """Five mails are on their way when the limit becomes two: two go; with a higher one the others do, each once."""

    def window() -> tuple[int, int]:
        (one,) = json.loads(command(tmp_path, "limits", "--json").stdout)["window"]
        return one["used"], one["limit"]

    configured(tmp_path, turnstile.port, 1000)
    service = serve()
    assert turnstile.ended.wait(PATIENCE)
    configured(tmp_path, turnstile.port, 2)
    service.until("config.loaded")
    turnstile.release(100)
    service.until("run.ended", pipe="welcome")
    pause = Event()
    for _ in range(PATIENCE * 10):
        if len(turnstile.recipients) >= 2:
            break
        pause.wait(0.1)
    assert window() == (2, 2)
    assert len(turnstile.recipients) == 2
    configured(tmp_path, turnstile.port, 1000)
    service.until("config.loaded")
    for _ in range(PATIENCE * 10):
        if len(turnstile.recipients) >= 5:
            break
        pause.wait(0.1)
    assert service.end() == 0
    assert sorted(turnstile.recipients) == [f"c{at}@example.com" for at in range(5)]


def test_a_change_of_something_else_leaves_a_run_alone(
    serve: Callable[..., Served], turnstile: Turnstile, tmp_path: Path
) -> None:
    """A run whose pipe and system are as they were comes to its own end, with all five."""
    configured(tmp_path, turnstile.port, 1000)
    service = serve()
    assert turnstile.ended.wait(PATIENCE)
    other = {"_id": "other", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "a"}]}}
    (tmp_path / "other.conf.json").write_text(json.dumps(other))
    service.until("config.loaded", pipes=["other", "welcome"])
    turnstile.release(100)
    assert service.until("run.ended", pipe="welcome")["outcomes"]["sent"] == 5
    assert service.end() == 0
