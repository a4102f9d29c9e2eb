"""Events of a real service, as they happen."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from mailweir.web.access import digest_of
from mailweir.web.open import Wanted

Serve = Callable[..., Any]
PATIENCE = 120
PIPE = {
    "_id": "p",
    "type": "pipe",
    "source": {"type": "embedded", "entities": [{"_id": "a"}]},
    "pump": {"mode": "manual"},
}


class Listening:
    """A stream, read an event at a time."""

    def __init__(self, answer: HTTPResponse) -> None:
        """Of this answer."""
        self.answer = answer

    def next(self) -> dict[str, str]:
        """The fields of the next event; what keeps the stream alive is passed over."""
        found: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode()
            if not line:
                return {}
            if line == "\n" and "event" in found:
                return found
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                found[name] = value

    def until(self, name: str, true: Callable[[Any], object] = lambda _: True) -> dict[str, str]:
        """The first of a name of which something is true."""
        while True:
            found = self.next()
            assert found, "the stream has ended"
            if found["event"] == name and true(json.loads(found["data"])):
                return found


@contextmanager
def listening(service: Any, path: str, **headers: str) -> Iterator[Listening]:
    """The stream, open."""
    connection = HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {service.token}", **given})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        yield Listening(answer)
        answer.close()
    finally:
        connection.close()


def test_what_happens_is_told(serve: Serve) -> None:
    """A run and a pause are told to who listens, with numbers that grow."""
    service = serve(PIPE)
    with listening(service, "/api/v1/events?topics=overview") as stream:
        first = stream.until("pipe")
        assert service.post("/api/pipes/p/run").status == 202
        ran = stream.until("pipe", lambda told: told["last_result"])
        assert service.post("/api/pipes/p/pause", {"reason": "the moon"}).status == 200
        paused = stream.until("pipe", lambda told: told["paused"])
    assert json.loads(paused["data"])["paused"]["reason"] == "the moon"
    assert int(first["id"]) < int(ran["id"]) < int(paused["id"])


def test_who_was_away_gets_the_rest(serve: Serve) -> None:
    """With the number of the last event that is known, what came behind it comes first; without it, a gap is told."""
    service = serve(PIPE)
    with listening(service, "/api/v1/events?topics=pipes") as stream:
        known = stream.until("pipe")["id"]
        service.post("/api/pipes/p/pause", {"reason": "one"})
        stream.until("pipe", lambda told: told["paused"])
    with listening(service, "/api/v1/events?topics=pipes", Last_Event_ID=known) as stream:
        told = stream.until("pipe", lambda one: one["paused"])
        assert json.loads(told["data"])["paused"]["reason"] == "one"
    with listening(service, f"/api/v1/events?topics=pipes&after={known}") as stream:
        assert int(stream.next()["id"]) == int(known) + 1
    with listening(service, "/api/v1/events?topics=pipes&after=17") as stream:
        gap = stream.next()
        assert gap["event"] == "gap"
    assert service.get("/api/v1/snapshot").json["id"] >= int(gap["id"])


def test_the_log_is_told_without_secrets(serve: Serve) -> None:
    """A line of the log comes as it is written, for who may see contents, and its secrets are masked."""
    system = {
        "_id": "s", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_username": "u",
        "smtp_password": "canary-7d20&two",
    }  # fmt: skip
    service = serve(PIPE, system)
    with listening(service, "/api/v1/events?topics=log") as stream:
        logging.getLogger("mailweir.serve").error("it is canary-7d20&two", extra={"event": "x", "facts": {}})
        told = json.loads(stream.until("log", lambda one: one["event"] == "x")["data"])
    assert (told["level"], told["message"]) == ("error", "it is ********")


def test_roles_of_topics(serve: Serve, tmp_path: Path) -> None:
    """Who may not see contents hears nothing of the log, and is told so when it is asked for."""
    tokens = tmp_path / "tokens.json"
    given = {"name": "x", "sha256": digest_of("x" * 32), "roles": ["view"]}
    tokens.write_text(json.dumps({"tokens": [given]}))
    service = serve(PIPE, wanted=Wanted(port=0, tokens=tokens))
    assert service.get("/api/v1/events?topics=log", token="x" * 32).status == 403
    with listening(service, "/api/v1/events", Authorization=f"Bearer {'x' * 32}") as stream:
        logging.getLogger("mailweir.serve").error("a line", extra={"event": "x", "facts": {}})
        service.post("/api/pipes/p/pause", {"reason": "one"})
        while (told := stream.next())["event"] != "pipe" or not json.loads(told["data"])["paused"]:
            assert told["event"] != "log"


@pytest.mark.parametrize("query", ["topics=nothing", "topics=", "topics=pipes,nothing", "after=x", "after=-1"])
def test_wrong_questions(serve: Serve, query: str) -> None:
    """A topic that there is none of, or a number that is none, is told."""
    assert serve(PIPE).get(f"/api/v1/events?{query}").status == 400


def test_what_a_page_showed_is_known(serve: Serve) -> None:
    """What was on a page and was over before the next look is told, or the page would keep it."""
    service = serve(PIPE)
    with listening(service, "/api/v1/events?topics=pipes") as stream:
        first = stream.until("pipe")
    service.post("/api/pipes/p/pause", {"reason": "the moon"})
    assert b"the moon" in service.get("/pipes").body
    service.post("/api/pipes/p/resume")
    with listening(service, f"/api/v1/events?topics=pipes&after={first['id']}") as stream:
        stream.until("pipe", lambda told: told["paused"])
        stream.until("pipe", lambda told: not told["paused"])


def test_streams_end_with_the_service(serve: Serve) -> None:
    """Who listens keeps no service from ending, and hears the end."""
    service = serve(PIPE)
    with listening(service, "/api/v1/events") as stream:
        stream.until("pipe")
        service.inside(service.service.stop)
        while stream.next():
            pass
    service.end()


def test_nobody_is_asked_for_nothing(serve: Serve) -> None:
    """When nobody listens any more, nothing is looked at; who comes then is told all the same."""
    service = serve(PIPE)
    for reason in ("one", "two"):
        with listening(service, "/api/v1/events?topics=pipes") as stream:
            service.post("/api/pipes/p/pause", {"reason": reason})
            while not (paused := json.loads(stream.until("pipe")["data"])["paused"]) or paused["reason"] != reason:
                pass
