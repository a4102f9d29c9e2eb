"""Sources and sinks of message brokers, with the brokers: nothing is lost, and nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from mailweir.running import Asked, Run
from pipeline.component import Wishes
from pipeline.config.load import Options, load
from pipeline.receipt import Outcome, Report
from pipeline.run import Wanted
from tests.brokers import PATIENCE, RedisServer, Server, running

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
        return subprocess.Popen(
            [MAILWEIR, *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, asked: Asked | None = None) -> Report:
        """Run it here; of several pipes what came of the first."""
        loaded = load(self.folder, Options(here=self.folder))
        assert not loaded.project.errors
        done = asyncio.run(Run(loaded, asked or Asked()).go())
        assert not done.fault
        assert not any("s3cr3t-pass" in report.stopped for report in done.reports)
        return done.reports[0]

    def rest(self) -> None:
        """Run it until there is nothing new."""
        while (report := self.run()).read or report.stopped:
            assert not report.stopped

    def lines(self) -> list[str]:
        """The `_id` of each entity in the file."""
        path = self.folder / "out.jsonl"
        return [json.loads(line)["_id"] for line in path.read_text().splitlines()] if path.exists() else []

    def settled(self) -> None:
        """The broker has nothing left that it would hand out again."""
        if self.way.queue:
            until(lambda: self.server.left() == 0)


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
    with running(way.server) as server:
        yield Place(folder, way, server)


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
    until(lambda: queued.server.left() == 20)
    queued.folder.joinpath("out.jsonl").unlink()
    assert queued.run().read == 20
    assert sorted(queued.lines(), key=int) == [str(number) for number in range(20)]
    queued.settled()


def test_kill_9(place: Place) -> None:
    """Killed at any moment and run again, each entity is there once."""
    many = 4000
    if place.way.queue:
        place.pipe(prefetch=300)
    place.server.publish(entities(many))
    for number in range(4):
        process = place.start("run")
        before = len(place.lines())
        while process.poll() is None:
            if len(place.lines()) > before + 150 * number:
                process.kill()
            time.sleep(0.002)
        process.communicate()
    place.rest()
    assert sorted(place.lines(), key=int) == [str(number) for number in range(many)]
    place.settled()


def test_a_broker_that_goes_away(place: Place) -> None:
    """It is waited for, and what it hands out a second time is not taken twice."""
    many = 4000
    more: dict[str, Any] = {"prefetch": 300} if place.way.queue else {}
    place.pipe(wait=5, **more)
    place.server.publish(entities(many))
    process = place.start("run")
    if place.way.queue:
        until(lambda: len(place.lines()) > 300 or process.poll() is not None)
    place.server.stop(signal.SIGKILL)
    place.server.start()
    out, err = process.communicate(timeout=PATIENCE)
    place.rest()
    assert sorted(place.lines(), key=int) == [str(number) for number in range(many)], (out, err)
    place.settled()


def test_serving(place: Place) -> None:
    """What is published while a service runs arrives soon; told to stop, it ends in order."""
    place.pipe(pump={"schedule_interval": 0.2})
    with place.start("serve", "--no-ui") as process:
        try:
            for number in range(3):
                place.server.publish(entities(10, 10 * number))
                until(lambda: len(place.lines()) == 10 * (number + 1) or process.poll() is not None)  # noqa: B023 - at once
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (out, err)
    assert sorted(place.lines(), key=int) == [str(number) for number in range(30)]
    place.settled()


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


def test_publishing_while_a_broker_goes_away(place: Place) -> None:
    """It is waited for; every entity is published."""
    many = 3000
    place.folder.joinpath("in.jsonl").write_bytes(b"\n".join(entities(many)) + b"\n")
    sink = {"system": "broker", "batch_size": 20, **place.way.sink}
    place.write({"_id": "all", "type": "pipe", "source": {"type": "json", "path": "in.jsonl"}, "sink": sink})
    place.server.published()
    process = place.start("run")
    until(lambda: len(place.server.published()) > 20 or process.poll() is not None)
    place.server.stop(signal.SIGKILL)
    place.server.start()
    process.communicate(timeout=PATIENCE)
    assert not place.run().stopped
    assert {json.loads(body)["_id"] for body in place.server.published()} == {str(number) for number in range(many)}
