"""A bus, over each broker and in the state: what is published is read once, and what is no entity holds nothing up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailweir.bus import Bus
from mailweir.running import Asked, Run
from pipeline.clock import MachineClock
from pipeline.component import Wishes
from pipeline.config.load import Options, load
from pipeline.receipt import Report
from pipeline.state.failures import Chosen, Kept
from pipeline.state.sqlite.bus import SqliteBus
from pipeline.state.sqlite.looking import SqliteLook
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound
from sources.bus_read import MESSAGE, Opening, Reading, key_of
from sources.message_entities import Shape
from systems.brokers.messages import Message, Outgoing
from tests.buses import CARRIERS, bus_of


class Place:
    """A project with a pipe that reads a topic into a file that grows."""

    def __init__(self, folder: Path, systems: list[dict[str, Any]]) -> None:
        """One entity a line, and a topic that no other test has."""
        self.folder = folder
        self.topic = f"SERVICE.{folder.name}"
        self._systems = systems
        folder.joinpath("mailweir.json").write_text("{}")
        self.pipe()

    def pipe(self, *more: dict[str, Any], transform: object = None, pump: object = None, **source: object) -> None:
        """The pipe, otherwise; with others beside it."""
        told = {"type": "bus", "system": "bus", "topic": self.topic, "wait": 0.3, **source}
        out = {"type": "json", "path": "out.jsonl", "mode": "append"}
        pipe = {"_id": "mailer", "type": "pipe", "source": told, "sink": out, "pump": pump or {}}
        if transform is not None:
            pipe["transform"] = transform
        self.folder.joinpath("bus.conf.json").write_text(json.dumps([*self._systems, pipe, *more]))

    def publish(self, *messages: dict[str, Any] | str | bytes) -> None:
        """As another program does; bytes as they stand."""
        with Bus(self.folder) as bus:
            for one in messages:
                if isinstance(one, bytes):
                    publisher = bus._system.topics.publisher(self.topic)
                    assert list(publisher.publish([Outgoing("", one)])) == [""]
                    publisher.close()
                else:
                    bus.publish(self.topic, one)

    def put(self, entity: dict[str, Any], key: str = "", seconds: float = 1000.0) -> str:
        """Into the registry."""
        with Bus(self.folder) as bus:
            return bus.put(entity, key, seconds)

    def run(self, asked: Asked | None = None) -> Report:
        """Run it."""
        loaded = load(self.folder, Options(here=self.folder))
        assert not loaded.project.errors
        done = asyncio.run(Run(loaded, asked or Asked(("mailer",))).go())
        assert not done.fault
        return done.reports[0]

    def lines(self) -> list[dict[str, Any]]:
        """What is in the file."""
        path = self.folder / "out.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def dead(self) -> list[Kept]:
        """The dead letters, the oldest first."""
        look = SqliteLook.open(self.folder / ".mailweir", MachineClock())
        assert look is not None

        async def asked() -> list[Kept]:
            async with look:
                return list(await look.failures(Chosen(dead=True)))

        return asyncio.run(asked())[::-1]


@pytest.fixture(scope="module", params=CARRIERS)
def systems(request: pytest.FixtureRequest) -> Iterator[list[dict[str, Any]]]:
    """Each bus."""
    with bus_of(request.param) as made:
        yield made


@pytest.fixture
def place(systems: list[dict[str, Any]], tmp_path: Path) -> Place:
    """A project with a bus; a first run makes its reader known."""
    made = Place(tmp_path, systems)
    assert made.run().read == 0
    return made


def test_each_message_once(place: Place) -> None:
    """What is published is read by the next run, and by none after it."""
    place.publish(*({"_id": str(number), "title": "Hello"} for number in range(300)))
    assert place.run().read == 300
    place.publish({"_id": "one-more"})
    assert place.run().read == 1
    assert place.run().read == 0
    assert [one["_id"] for one in place.lines()] == [*map(str, range(300)), "one-more"]


def test_a_key_of_the_registry(place: Place) -> None:
    """A message that is a key becomes what was put under it, which is taken out then; as JSON text it is one too."""
    key = place.put({"recipients": "kari@example.com", "title": "Hello"})
    place.put({"_id": "own", "n": 1}, "by-name")
    place.publish(key, b'"by-name"')
    assert place.run().read == 2
    assert place.lines() == [
        {"_id": key, "recipients": "kari@example.com", "title": "Hello"},
        {"_id": "own", "n": 1},
    ]
    store = SqliteBus(place.folder / ".mailweir", MachineClock())
    try:
        assert (store.get(key), store.get("by-name"), store.get("nobody")) == (b"", b"", None)
    finally:
        store.close()


def test_a_key_that_is_published_again(place: Place) -> None:
    """It has had its entity: nothing more comes of it, and nobody has to look at it."""
    key = place.put({"title": "Hello"})
    place.publish(key)
    place.run()
    place.publish(key)
    report = place.run()
    assert (report.read, report.filtered) == (1, 1)
    assert [one["_id"] for one in place.lines()] == [key]
    assert place.dead() == []


def test_what_comes_under_a_key_too_late_stays() -> None:
    """An entity that is put while its message is being settled, for which nothing was there, is not taken out."""
    taken: list[str] = []
    found: dict[str, bytes] = {"there": b"{}"}

    class Registry:
        def take_out(self, keys: Any) -> None:
            taken.extend(keys)

    class Settled:
        def settle(self, messages: Any, refused: Any = ()) -> None:
            pass

    reading = Reading("bus/T", Shape(), found.get)
    messages = [Message(key.encode(), f"T:{number}") for number, key in enumerate(("late", "there"))]
    assert [MESSAGE in reading.entity(one) for one in messages] == [True, False]
    found["late"] = b"{}"
    opening: Any = Opening
    opening(Registry(), reading, Settled)().settle(messages)
    assert taken == ["there"]
    assert reading.used == set()


def test_what_is_no_entity_is_a_dead_letter(place: Place) -> None:
    """Each is kept with what is wrong and where, and those before and behind it go on."""
    place.publish({"_id": "1"}, b'{"_id": "x", "n": }', "nothing-here", b"[1]", b"\xff\xfe", b"", {"_id": "2"})
    report = place.run()
    assert not report.stopped
    assert [one["_id"] for one in place.lines()] == ["1", "2"]
    broken, missing, listed, bytes_, empty = place.dead()
    assert ":1:18: E108" in broken.reason
    assert broken.reason.startswith(f"bus/{place.topic} ")
    assert "E218 nothing is in the registry under this key" in missing.reason
    assert "E1" in listed.reason or "E2" in listed.reason
    assert "UTF-8" in bytes_.reason
    assert empty.reason
    assert json.loads(broken.entity)["$message"] == '{"_id": "x", "n": }'
    assert place.run().read == 0


def test_a_dead_letter_is_tried_again(place: Place) -> None:
    """A key that was published before its entity was put: once that is there, another try finds it."""
    place.publish("too-early")
    place.run()
    (dead,) = place.dead()
    place.put({"title": "Hello"}, "too-early")

    async def again() -> None:
        async with SqliteState.open(place.folder / ".mailweir", MachineClock(), outbound.stranded) as state:
            assert await state.failing.again([dead.number], {}) == 1

    asyncio.run(again())
    place.run()
    assert place.lines() == [{"_id": "too-early", "title": "Hello"}]
    assert place.dead() == []


def test_what_fails_behind_the_registry_is_kept_whole(place: Place) -> None:
    """An entity of the registry that a transform has no answer to is in its dead letter, not only its key."""
    place.pipe(transform={"type": "template", "template": '{"x": {{ nobody_has_it | tojson }}}'})
    place.publish(place.put({"title": "Hello"}, "k"))
    place.run()
    (dead,) = place.dead()
    assert json.loads(dead.entity) == {"_id": "k", "title": "Hello"}


def test_a_look_uses_nothing_up(place: Place) -> None:
    """Messages, and what is in the registry, are there for the run that is real."""
    key = place.put({"title": "Hello"})
    place.publish(key, {"_id": "2"})
    assert place.run(Asked(("mailer",), wishes=Wishes(to="me@example.com"))).read == 2
    place.folder.joinpath("out.jsonl").unlink()
    assert place.run().read == 2
    assert [one["_id"] for one in place.lines()] == [key, "2"]


def test_readers(place: Place) -> None:
    """Each reader of a topic gets all of its messages."""
    source = {"type": "bus", "system": "bus", "topic": place.topic, "wait": 0.3, "reader": "audit"}
    sink = {"type": "json", "path": "audit.jsonl", "mode": "append"}
    place.pipe({"_id": "audit-log", "type": "pipe", "source": source, "sink": sink})
    place.run(Asked())
    place.publish({"_id": "1"}, {"_id": "2"})
    place.run(Asked())
    for name in ("out.jsonl", "audit.jsonl"):
        assert [json.loads(line)["_id"] for line in (place.folder / name).read_text().splitlines()] == ["1", "2"]


def test_publishing_by_a_sink(place: Place) -> None:
    """Entities are published to the topic, or to the one that they name; a name that is none is rejected."""
    entities = [{"_id": "1"}, {"_id": "2", "to": place.topic}, {"_id": "3", "to": "no topic"}]
    sink = {"type": "bus", "system": "bus", "topic": place.topic, "topic_property": "to"}
    place.pipe({"_id": "out", "type": "pipe", "source": {"type": "embedded", "entities": entities}, "sink": sink})
    report = place.run(Asked(("out",)))
    assert report.read == 3
    assert [one.reason for one in place.dead()] == ["`to` is no name of a topic"]
    place.run()
    assert [one["_id"] for one in place.lines()] == ["1", "2"]


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b"mail-17", "mail-17"),
        (b' "mail:17"\n', "mail:17"),
        (b'"a\\u0062"', "ab"),
        (b"", None),
        (b"{}", None),
        (b'{"a": 1}', None),
        (b"two words", None),
        (b'"unfinished', None),
        (b"\xff", None),
        (b"[1]", None),
        (b"x" * 256, None),
        (None, None),
    ],
)
def test_keys(body: bytes | None, key: str | None) -> None:
    """A key is a name as it stands, or a text in JSON that is one."""
    assert key_of(body) == key
