"""A bus for programs in Python: what it takes is safe, and what it does not take is told without what it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.bus import Bus, BusError, TakenError, UnfitError
from pipeline.clock import MachineClock
from pipeline.state.sqlite.bus import SqliteBus
from tests.buses import bus_of

BUS = {"_id": "bus", "type": "system:bus"}


def project(folder: Path, *components: dict[str, Any]) -> Path:
    """A project with these."""
    folder.joinpath("mailweir.json").write_text("{}")
    folder.joinpath("all.conf.json").write_text(json.dumps(components))
    return folder


def posted(folder: Path, topic: str) -> list[bytes]:
    """What is in a topic."""
    store = SqliteBus(folder / ".mailweir", MachineClock())
    try:
        return [one.body for one in store.posted(topic, 0, 100)]
    finally:
        store.close()


def test_publishing(tmp_path: Path) -> None:
    """Entities and keys, in one go; an entity without an `_id` gets one; the only bus of a project needs no name."""
    with Bus(project(tmp_path, BUS)) as bus:
        first, second, third = bus.publish("T", {"_id": "a", "n": 1}, "key-1", {"n": 2})
        assert bus.publish("T") == []
    assert (first, second, len(third)) == ("a", "key-1", 32)
    entity, key, made = posted(tmp_path, "T")
    assert json.loads(entity) == {"_id": "a", "n": 1}
    assert key == b"key-1"
    assert json.loads(made) == {"_id": third, "n": 2}


@pytest.mark.parametrize(
    ("topic", "message", "words"),
    [
        ("no topic", {"n": 1}, "no name of a topic"),
        ("T", "two words", "an entity, or a key"),
        ("T", {"_id": 17}, "the `_id` of an entity is a text"),
        ("T", {"_id": ""}, "the `_id` of an entity is a text"),
        ("T", {"_id": "a", "secret": object()}, "the entity `a` is no JSON"),
    ],
)
def test_what_cannot_be_published(tmp_path: Path, topic: str, message: Any, words: str) -> None:
    """It is told, and nothing of the call is published."""
    with Bus(project(tmp_path, BUS)) as bus, pytest.raises(UnfitError, match=words):
        bus.publish(topic, {"_id": "good"}, message)
    assert posted(tmp_path, topic) == []


@pytest.mark.parametrize(
    ("key", "seconds", "words"),
    [("two words", 60, "a key has"), ("k" * 256, 60, "a key has"), ("k", 0, "seconds"), ("k", 1e9, "seconds")],
)
def test_what_cannot_be_put(tmp_path: Path, key: str, seconds: float, words: str) -> None:
    """A key is a name, and nothing is kept for ever."""
    with Bus(project(tmp_path, BUS)) as bus, pytest.raises(UnfitError, match=words):
        bus.put({"n": 1}, key, seconds)


def test_a_key_that_is_taken(tmp_path: Path) -> None:
    """The same entity may be put again, another one not."""
    with Bus(project(tmp_path, BUS)) as bus:
        assert bus.put({"n": 1}, "k") == bus.put({"n": 1}, "k") == "k"
        with pytest.raises(TakenError, match="`k`"):
            bus.put({"n": 2}, "k")


def test_which_bus(tmp_path: Path) -> None:
    """One that is none is told with the one that is meant; of several, one must be named."""
    with pytest.raises(BusError, match="no bus"):
        Bus(project(tmp_path, {"_id": "x", "type": "system:eml"}))
    project(tmp_path, BUS, {**BUS, "_id": "other"})
    with pytest.raises(BusError, match="bus, other"):
        Bus(tmp_path)
    with pytest.raises(BusError, match="Did you mean 'bus'"):
        Bus(tmp_path, "bos")


def test_nobody_there(tmp_path: Path) -> None:
    """A broker that is away is told without its login."""
    broker = {"_id": "broker", "type": "system:redis", "url": "redis://127.0.0.1:1", "password": "s3cr3t-pass"}
    with Bus(project(tmp_path, {**BUS, "system": "broker"}, broker)) as bus, pytest.raises(BusError) as told:
        bus.publish("T", {"n": 1})
    assert "127.0.0.1:1" in str(told.value)
    assert "s3cr3t-pass" not in str(told.value)


def test_a_topic_of_amqp_that_nobody_reads(tmp_path: Path) -> None:
    """What no queue would get is refused rather than lost."""
    with bus_of("amqp") as systems:
        bus = Bus(project(tmp_path, *systems))
        with bus, pytest.raises(BusError, match="routes it nowhere"):
            bus.publish("NOBODY", {"_id": "a"})
