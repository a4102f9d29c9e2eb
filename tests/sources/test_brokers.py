"""Sources and sinks of message brokers, with the brokers: nothing is lost, and nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, NamedTuple

import pytest

from mailweir.pumps import RECORDS, record_of
from mailweir.running import Asked, Run
from mailweir.serving.service import Options, Service
from pipeline.clock import MachineClock
from pipeline.component import Wishes
from pipeline.config.load import Options as LoadOptions
from pipeline.config.load import load
from pipeline.receipt import Outcome, Report
from pipeline.run import Wanted
from pipeline.state.sqlite.looking import SqliteLook
from tests.brokers import MosquittoServer, NatsServer, RabbitServer, RedisServer, Server, running
from tests.servers import PATIENCE

MAILWEIR: Final = Path(sys.executable).with_name("mailweir")


class Way(NamedTuple):
    """A way to read a broker. A queue keeps account itself of what was read."""

    server: type[Server]
    source: dict[str, Any]
    sink: dict[str, Any]
    queue: bool = True


_redis_out: Final = {"type": "redis_streams", "stream": "out"}
WAYS: Final = {
    "redis": Way(RedisServer, {"type": "redis_streams", "stream": "orders"}, _redis_out, queue=False),
    "amqp": Way(RabbitServer, {"type": "amqp", "queue": "orders"}, {"type": "amqp", "routing_key": "out"}),
    "mqtt": Way(MosquittoServer, {"type": "mqtt", "topics": "orders/#"}, {"type": "mqtt", "topic": "out"}),
    "nats": Way(NatsServer, {"type": "nats", "stream": "ORDERS"}, {"type": "nats", "subject": "out"}, queue=False),
    "nats-consumer": Way(
        NatsServer,
        {"type": "nats", "stream": "ORDERS", "consumer": "g", "ack_wait": 10},
        {"type": "nats", "subject": "out"},
    ),
    "redis-group": Way(RedisServer, {"type": "redis_streams", "stream": "orders", "group": "g"}, _redis_out),
}
QUEUES: Final = [name for name, way in WAYS.items() if way.queue]


class Place:
    """A project with a pipe that reads a broker into a file that grows, and what a person sees of it."""

    def __init__(self, folder: Path, way: Way, server: Server) -> None:
        """One entity a line: a line that is there twice was given twice."""
        self.folder = folder
        self.way = way
        self.server = server
        self._running = ExitStack()
        folder.joinpath("mailweir.json").write_text("{}")
        self.pipe()

    def pipe(self, sink: dict[str, Any] | None = None, pump: dict[str, Any] | None = None, **source: Any) -> None:
        """The pipe, otherwise."""
        told = {"system": "broker", "wait": 0.3, **self.way.source, **source}
        out = sink or {"type": "json", "path": "out.jsonl", "mode": "append"}
        self.write({"_id": "orders", "type": "pipe", "source": told, "sink": out, "pump": pump or {}})

    def write(self, *pipes: dict[str, Any], **system: Any) -> None:
        """Other pipes."""
        text = json.dumps([self.server.system(**system), *pipes])
        self.folder.joinpath("orders.conf.json").write_text(text)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`mailweir`, running."""
        process = subprocess.Popen(
            [MAILWEIR, *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._running.callback(process.communicate)
        self._running.callback(process.kill)
        return process

    def close(self) -> None:
        """Nothing runs any more."""
        self._running.close()

    def run(self, asked: Asked | None = None) -> Report:
        """Run it here; of several pipes what came of the first."""
        loaded = load(self.folder, LoadOptions(here=self.folder))
        assert not loaded.project.errors
        done = asyncio.run(Run(loaded, asked or Asked()).go())
        assert not done.fault
        assert not any("s3cr3t-pass" in report.stopped for report in done.reports)
        return done.reports[0]

    def rest(self) -> None:
        """Run it until there is nothing new."""
        while self.run().read or (self.way.queue and self.server.left()):
            pass

    def lines(self) -> list[str]:
        """The `_id` of each entity in the file."""
        path = self.folder / "out.jsonl"
        text = path.read_text() if path.exists() else ""
        # Somebody may be writing the last one.
        return [json.loads(line)["_id"] for line in text[: text.rfind("\n") + 1].splitlines()]

    def settled(self) -> None:
        """The broker has nothing left that it would hand out again."""
        if self.way.queue:
            until(lambda: self.server.left() in {None, 0})


def until(holds: Callable[[], bool]) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def entities(many: int, first: int = 0) -> list[bytes]:
    """Messages."""
    return [json.dumps({"_id": str(number), "n": number}).encode() for number in range(first, first + many)]


@contextmanager
def placed(name: str, folder: Path) -> Iterator[Place]:
    """A project with a broker."""
    way = WAYS[name]
    with running(way.server) as server, closing(Place(folder, way, server)) as place:
        yield place


@pytest.fixture(params=WAYS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each way."""
    with placed(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=QUEUES)
def queued(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each that is a queue."""
    with placed(request.param, tmp_path) as made:
        yield made


def test_each_message_once(place: Place) -> None:
    """A run reads what is there, the next what is new, also if it holds the same; then nothing is left."""
    place.server.publish(entities(700))
    assert place.run().read == 700
    place.settled()
    assert place.run().read == 0
    place.server.publish([*entities(2), *entities(2)])
    assert place.run().read == 4
    assert sorted(place.lines(), key=int) == sorted([*map(str, range(700)), "0", "0", "1", "1"], key=int)
    place.settled()


def test_broken_messages(place: Place) -> None:
    """What came before is delivered; the run says what is wrong and where, and the next one begins with it."""
    place.server.publish([*entities(3), b'{"_id": "x", "n": }', *entities(3, 3)])
    for _ in range(2):
        assert "E108" in place.run().stopped
        assert place.lines() == ["0", "1", "2"]
    place.pipe(on_error="skip")
    report = place.run()
    assert (report.read, report.left_out, report.stopped) == (3, 1, "")
    assert sorted(place.lines()) == ["0", "1", "2", "3", "4", "5"]
    place.settled()


def test_names_and_facts(place: Place) -> None:
    """The `_id` is made of properties or, where there is none, of what the broker knows; the rest is told on demand."""
    place.pipe(primary_key=["shop", "no"], message_property="message")
    place.server.publish([b'{"shop": "a:b", "no": 7}'])
    place.run()
    place.pipe()
    place.server.publish([b'{"no": 8}', b'{"no": 8}'])
    place.run()
    first, second, third = map(json.loads, place.folder.joinpath("out.jsonl").read_text().splitlines())
    assert first["_id"] == "a%3Ab:7"
    assert isinstance(first["message"], dict)
    assert second["_id"]
    assert "message" not in third


def test_a_look_uses_nothing_up(queued: Place) -> None:
    """A run of some entities, and one with mail to somebody else, leave every message for the next."""
    queued.server.publish(entities(20))
    assert queued.run(Asked(wanted=Wanted(most=3))).read == 3
    assert queued.run(Asked(wishes=Wishes(to="me@example.com"))).read == 20
    until(lambda: queued.server.left() in {None, 20})
    queued.folder.joinpath("out.jsonl").unlink()
    assert queued.run().read == 20
    assert sorted(queued.lines(), key=int) == [str(number) for number in range(20)]
    queued.settled()


def test_kill_9(place: Place) -> None:
    """Killed at any moment and run again, each entity is there once."""
    many = 1500
    if place.way.queue:
        place.pipe(prefetch=150)
    place.server.publish(entities(many))
    for number in range(4):
        process = place.start("run")
        before = len(place.lines())
        while process.poll() is None:
            if len(place.lines()) > before + 100 * number:
                process.kill()
            time.sleep(0.002)
        process.communicate(timeout=PATIENCE)
    place.rest()
    assert sorted(place.lines(), key=int) == [str(number) for number in range(many)]
    place.settled()


def test_a_broker_that_goes_away(place: Place) -> None:
    """It is waited for, and what it hands out a second time is not taken twice."""
    many = 1500
    more: dict[str, Any] = {"prefetch": 150} if place.way.queue else {}
    place.pipe(wait=5, **more)
    place.server.publish(entities(many))
    process = place.start("run")
    if place.way.queue:
        until(lambda: len(place.lines()) > 150 or process.poll() is not None)
    place.server.stop(place.server.sudden)
    place.server.start()
    out, err = process.communicate(timeout=PATIENCE)
    place.rest()
    assert sorted(place.lines(), key=int) == [str(number) for number in range(many)], (out, err)
    place.settled()


def test_serving(place: Place) -> None:
    """What is published while a service runs arrives soon; told to stop, it ends in order."""
    place.pipe(pump={"schedule_interval": 0.2})
    process = place.start("serve", "--no-ui", "--port", "0")
    for number in range(3):
        place.server.publish(entities(10, 10 * number))
        until(lambda: len(place.lines()) == 10 * (number + 1) or process.poll() is not None)  # noqa: B023 - at once
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (out, err)
    assert sorted(place.lines(), key=int) == [str(number) for number in range(30)]
    place.settled()


def test_messages_that_never_cease(tmp_path: Path) -> None:
    """A run of a service ends after its turn all the same, and the next one goes on."""
    with placed("redis", tmp_path) as place:
        place.pipe(wait=5, pump={"schedule_interval": 0.1})
        ended = Event()

        def publish() -> None:
            for number in count():
                if ended.wait(0.05):
                    return
                place.server.publish(entities(1, number))

        async def serve() -> None:
            options = Options(tmp_path / ".mailweir", MachineClock(), lambda: 0.5, turn=0.5)
            service = Service(lambda: load(tmp_path, LoadOptions(here=tmp_path)), options)
            serving = asyncio.create_task(service.go())
            starts: set[float | None] = {None}
            async with asyncio.timeout(PATIENCE):
                while len(starts) < 4:
                    await asyncio.sleep(0.05)
                    look = SqliteLook.open(tmp_path / ".mailweir", MachineClock())
                    if look is not None:
                        async with look:
                            notes = await look.notes(RECORDS)
                        starts.add(record_of(notes.get(f"{RECORDS}orders")).started)
            service.stop()
            await serving

        publishing = Thread(target=publish)
        publishing.start()
        try:
            asyncio.run(serve())
        finally:
            ended.set()
            publishing.join()
        place.rest()
        lines = place.lines()
        assert sorted(lines, key=int) == [str(number) for number in range(len(lines))]


def test_nobody_there(place: Place) -> None:
    """The run ends with where the broker should be."""
    place.server.stop()
    told = place.run().stopped
    assert "E610" in told
    assert f"127.0.0.1:{place.server.port}" in told


def test_a_wrong_login(place: Place) -> None:
    """It is told at once, without the password."""
    source = {"system": "broker", **place.way.source}
    place.write({"_id": "orders", "type": "pipe", "source": source, "sink": {"type": "null"}}, password="wr0ng-pass")
    told = place.run().stopped
    assert "E610" in told
    assert "wr0ng-pass" not in told


def test_publishing(place: Place) -> None:
    """Each entity is published once and in order, deleted ones too unless they are left out."""
    source = {"type": "json", "path": "in.jsonl"}
    given = [{"_id": str(number), "n": number} for number in range(250)]
    gone = {"_id": "gone", "_deleted": True}
    place.folder.joinpath("in.jsonl").write_text("\n".join(map(json.dumps, [*given, gone])) + "\n")
    sink = {"system": "broker", **place.way.sink}
    place.server.published()
    place.write({"_id": "all", "type": "pipe", "source": source, "sink": sink})
    assert place.run().outcomes[Outcome.WRITTEN] == 251
    assert [json.loads(body) for body in place.server.published()] == [*given, gone]
    place.write({"_id": "some", "type": "pipe", "source": source, "sink": {**sink, "skip_deleted": True}})
    assert place.run().outcomes[Outcome.SKIPPED] == 1


def test_publishing_to_nobody(tmp_path: Path) -> None:
    """What an exchange routes nowhere is rejected and said; where no queue is made, none is."""
    with placed("amqp", tmp_path) as place:
        source = {"type": "embedded", "entities": [{"_id": "1"}, {"_id": "2"}]}
        sink = {"type": "amqp", "system": "broker", "routing_key": "nobody"}
        place.write({"_id": "all", "type": "pipe", "source": source, "sink": sink})
        report = place.run()
        assert report.outcomes[Outcome.REJECTED] == 2
        assert "routes it nowhere" in report.shown[Outcome.REJECTED][0].detail
        place.write({"_id": "others", "type": "pipe", "source": source, "sink": {**sink, "declare": True}})
        assert place.run().outcomes[Outcome.WRITTEN] == 2


def test_publishing_while_a_broker_goes_away(place: Place) -> None:
    """It is waited for; every entity is published."""
    many = 1000
    place.folder.joinpath("in.jsonl").write_bytes(b"\n".join(entities(many)) + b"\n")
    sink = {"system": "broker", "batch_size": 20, **place.way.sink}
    place.write({"_id": "all", "type": "pipe", "source": {"type": "json", "path": "in.jsonl"}, "sink": sink})
    place.server.published()
    process = place.start("run")
    until(lambda: len(place.server.published()) > 20 or process.poll() is not None)
    place.server.stop(place.server.sudden)
    place.server.start()
    process.communicate(timeout=PATIENCE)
    assert not place.run().stopped
    assert {json.loads(body)["_id"] for body in place.server.published()} == {str(number) for number in range(many)}
