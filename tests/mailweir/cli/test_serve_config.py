"""`mailweir serve` whose configuration is changed through the websocket while mail flows to a catcher."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from mailweir.catcher import Catcher
from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import store_of
from tests.served import PATIENCE, Served
from tests.websocket import WebSocket

Command = Callable[..., Any]


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


class Office:
    """The service, the one that hands in entities, and the one that changes the limit."""

    def __init__(self, folder: Path, service: Served, catcher: Catcher) -> None:
        """They know where it listens."""
        url = service.until("serve.listening")["url"]
        self.port = int(url.rstrip("/").rpartition(":")[2])
        self.token = (folder / ".mailweir" / "token").read_text().strip()
        self.catcher = catcher
        self.version = 1
        self.socket = WebSocket(self.port, "/api/config/stream", self.headers)

    @property
    def headers(self) -> dict[str, str]:
        """Of each request."""
        return {"Authorization": f"Bearer {self.token}"}

    def hand_in(self, *ids: str) -> None:
        """New customers."""
        body = json.dumps([{"_id": one, "email": f"{one}@example.com"} for one in ids])
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            headers = {**self.headers, "Content-Type": "application/json"}
            connection.request("POST", "/api/receivers/welcome/entities", body, headers)
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())) == (200, {"received": len(ids)})
        finally:
            connection.close()

    def limit(self, most: int) -> None:
        """Change the limit, and wait until it is served."""
        text = office(self.catcher.port, most)
        components = {"office": {"text": text, "version": self.version}}
        made = self.socket.answer({"do": "change", "components": components, "about": f"to {most}"})
        assert made["ok"], made
        self.version += 1
        self.socket.event("served", change=made["change"])

    def got(self) -> Counter[str]:
        """Who got mail, how often."""
        return Counter(to for mail in list(self.catcher.mails) for to in mail.recipients)

    def until(self, mails: int) -> None:
        """So many were caught."""
        pause = Event()
        for _ in range(PATIENCE * 10):
            if sum(self.got().values()) >= mails:
                return
            pause.wait(0.1)
        raise AssertionError(f"{mails} mails were awaited: {self.got()}")


def office(port: int, limit: int) -> str:
    """The system, as text."""
    return json.dumps({
        "_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port,
        "max_per_hour": limit, "on_limit": "queue",
    })  # fmt: skip


@pytest.fixture
def running(serve: Callable[..., Served], catcher: Catcher, tmp_path: Path) -> Iterator[Office]:
    """A service whose limit is three."""
    welcome = {
        "_id": "welcome",
        "type": "pipe",
        "source": {"type": "http_endpoint"},
        "sink": {
            "type": "mail",
            "system": "office",
            "mail_from": "hello@example.com",
            "recipients_property": "email",
            "subject_template": "Hi {{ _id }}",
            "body_template": "Hi",
        },
    }
    (tmp_path / "mailweir.json").write_text('{"config_source": "database"}')
    with SqliteConfig.open(store_of(tmp_path)) as store:
        store.commit(
            {"office": office(catcher.port, 3).encode(), "welcome": json.dumps(welcome).encode()}, 0, 1.0, "kari", ""
        )
    found = Office(tmp_path, serve(), catcher)
    with found.socket:
        yield found


def test_the_next_decision_goes_by_the_limit_that_was_set_through_the_websocket(
    running: Office, command: Command, tmp_path: Path
) -> None:
    """Higher: what waited goes. Lower: what comes then waits. Higher again: everything has arrived, each mail once."""

    def used() -> tuple[int, int]:
        (one,) = json.loads(command(tmp_path, "limits", "--json").stdout)["window"]
        return one["used"], one["limit"]

    running.hand_in(*(f"a{at}" for at in range(6)))
    running.until(3)
    assert used() == (3, 3)
    running.limit(5)
    running.until(5)
    assert used() == (5, 5)
    running.limit(4)
    running.hand_in("b0", "b1")
    pause = Event()
    for _ in range(PATIENCE):
        waiting = json.loads(command(tmp_path, "outbox", "list", "--state", "queued", "--json").stdout)["messages"]
        if len(waiting) == 3:
            break
        pause.wait(0.2)
    assert len(waiting) == 3
    assert used() == (5, 4)
    assert sum(running.got().values()) == 5
    running.limit(100)
    running.until(8)
    assert running.got() == Counter({f"{one}@example.com": 1 for one in ["b0", "b1", *(f"a{at}" for at in range(6))]})


def test_nothing_is_lost_or_sent_twice_while_the_limit_changes_under_the_mail(running: Office) -> None:
    """Entities come in all the time, and the limit changes ten times; all of them get their mail, once each."""
    ids = [f"c{at}" for at in range(120)]

    def handing_in() -> None:
        for at in range(0, len(ids), 3):
            running.hand_in(*ids[at : at + 3])

    thread = Thread(target=handing_in)
    thread.start()
    for most in (10, 4, 30, 20, 60, 50, 90, 70, 110, 1000):
        running.limit(most)
    thread.join(PATIENCE)
    running.until(len(ids))
    assert running.got() == Counter({f"{one}@example.com": 1 for one in ids})
