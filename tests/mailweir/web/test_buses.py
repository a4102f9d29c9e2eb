"""Messages that are published over HTTP, and entities that are put into the registry: safe before the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.bus import Bus
from mailweir.web.access import digest_of
from mailweir.web.open import Wanted
from tests.buses import CARRIERS, bus_of

Serve = Callable[..., Any]
BUS = {"_id": "bus", "type": "system:bus"}
READS = {
    "_id": "mailer",
    "type": "pipe",
    "source": {"type": "bus", "system": "bus", "topic": "SERVICE.MAILER", "wait": 0.1},
    "sink": {"type": "json", "path": "out.jsonl", "mode": "append"},
}
PATH = "/api/buses/bus/topics/SERVICE.MAILER/messages"
REGISTRY = "/api/buses/bus/registry"


def lines(folder: Path) -> list[dict[str, Any]]:
    """What the pipe has read."""
    path = folder / "out.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


@pytest.mark.parametrize("name", CARRIERS)
def test_messages_reach_the_pipe(serve: Serve, name: str) -> None:
    """One, a list, and a key of what was put before, over each bus."""
    with bus_of(name) as systems:
        service = serve(*systems, READS)
        if name == "amqp":
            # A topic has no queue before its first reader.
            service.until(lambda: service.post(PATH, {"_id": "a"}).status == 200)
        else:
            assert service.post(PATH, {"_id": "a"}).json == {"published": ["a"]}
        assert service.post(PATH, [{"_id": "b", "n": 1.50}, {"_id": "c"}]).json == {"published": ["b", "c"]}
        assert service.post(f"{REGISTRY}?key=k-1&expires_after=60", {"title": "T"}).json == {"key": "k-1"}
        assert service.post(PATH, "k-1").json == {"published": ["k-1"]}
        assert service.post(PATH, []).json == {"published": []}
        service.until(lambda: len(lines(service.folder)) == 4)
        assert lines(service.folder)[-1] == {"_id": "k-1", "title": "T"}


def test_names_are_made(serve: Serve) -> None:
    """An entity without an `_id`, and one that is put without a key, get one that nobody guesses."""
    service = serve(BUS, READS)
    (made,) = service.post(PATH, {"title": "T"}).json["published"]
    key = service.post(REGISTRY, {"title": "U"}).json["key"]
    assert len(made) == len(key) == 32
    service.post(PATH, key)
    service.until(lambda: len(lines(service.folder)) == 2)
    assert [one["_id"] for one in lines(service.folder)] == [made, key]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"_id": "x", "n": }', "body:1:18: E108"),
        (b'[{"_id": "x"},\n {"n": }]', "body:2:7: E108"),
        (b'[{"_id": "x"}, 17]', "message 2:1:1: E218 an entity is an object"),
        (b"17", "body:1:1: E218"),
        (b'"two words"', "a message is an entity, or a key of the registry"),
        (b'{"_id": 17}', "the `_id` of an entity is a text"),
    ],
)
def test_what_is_wrong_is_not_published(serve: Serve, body: bytes, detail: str) -> None:
    """Nothing of it, and it is told at its place."""
    service = serve(BUS, READS)
    refused = service.post(PATH, body)
    assert refused.status == 400
    assert detail in refused.json["detail"]
    service.post(PATH, {"_id": "good"})
    service.until(lambda: lines(service.folder))
    assert lines(service.folder) == [{"_id": "good"}]


def test_what_is_not_there(serve: Serve) -> None:
    """A bus that is none is told with the one that is meant, and so is a topic that is none."""
    service = serve(BUS, READS)
    missing = service.post("/api/buses/bos/topics/T/messages", {"_id": "a"})
    assert (missing.status, missing.json["detail"]) == (404, "no bus `bos`. Did you mean `bus`?")
    assert service.post("/api/buses/bus/topics/a..b/messages", {"_id": "a"}).status == 400
    assert service.post("/api/buses/bos/registry", {"_id": "a"}).status == 404


def test_the_registry(serve: Serve) -> None:
    """A key has one entity: the same is put again without harm, another one is refused."""
    service = serve(BUS, READS)
    for status, entity in ((200, {"n": 1}), (200, {"n": 1}), (409, {"n": 2})):
        assert service.post(f"{REGISTRY}?key=k", entity).status == status
    assert service.post(f"{REGISTRY}?key=two%20words", {"n": 1}).status == 400
    assert service.post(f"{REGISTRY}?expires_after=0", {"n": 1}).status == 400
    assert service.post(REGISTRY, b"[]").status == 400
    with Bus(service.folder) as bus:
        assert bus.put({"n": 1}, "k") == "k"


def test_a_broker_that_is_away(serve: Serve) -> None:
    """The answer is 503, without the login of the broker."""
    broker = {"_id": "broker", "type": "system:redis", "url": "redis://127.0.0.1:1", "password": "s3cr3t-pass"}
    service = serve({**BUS, "system": "broker"}, broker)
    refused = service.post(PATH, {"_id": "a"})
    assert refused.status == 503
    assert "127.0.0.1:1" in refused.json["detail"]
    assert b"s3cr3t-pass" not in refused.body


def test_who_may(serve: Serve, tmp_path: Path) -> None:
    """Only who may send, and no token that is for some pipes alone: a bus belongs to none."""
    tokens = [
        {"name": "sees", "sha256": digest_of("s" * 40), "roles": ["view", "content", "act"]},
        {"name": "pipe", "sha256": digest_of("p" * 40), "roles": ["send"], "pipes": ["mailer"]},
        {"name": "all", "sha256": digest_of("a" * 40), "roles": ["send"]},
    ]
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"tokens": tokens}))
    path.chmod(0o600)
    service = serve(BUS, READS, wanted=Wanted(port=0, tokens=path))
    for letter, status in (("s", 403), ("p", 403), ("a", 200)):
        assert service.post(PATH, {"_id": "a"}, token=letter * 40).status == status
        assert service.post(f"{REGISTRY}?key=k", {"n": 1}, token=letter * 40).status == status
