"""Kills a service that takes mail from a bus, and holds what arrived against what was published: `make reliability`.

    python -m bench.bus [--mails N] [--kills N] [--seed N] [--only NAME]

A process of its own publishes mails to `SERVICE.MAILER`, every tenth as a key of the registry, while `mailweir serve`
is killed with `kill -9` and started again, until the last mail was answered. Then must be true what
`bench.reliability` says: each mail is on record once and arrived, and a copy too many is explained by a doubt on
record. No message may be a dead letter, and the registry must be empty but for keys that a kill kept from being taken
out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.recording_server import WIDTH
from bench.reliability import STANDS_STILL, TOP, Campaign, Found, judge, mails_on_record, recorded, recording
from pipeline.clock import MachineClock
from pipeline.state.facts import MessageState
from pipeline.state.failures import Chosen
from pipeline.state.sqlite.connection import looker
from pipeline.state.sqlite.looking import SqliteLook

TOPIC: Final = "SERVICE.MAILER"
PORTION: Final = 50
# One mail in so many is published as a key.
BY_KEY: Final = 10


def publish(project: Path, many: int) -> None:
    """Publish all of them, whatever the service does meanwhile; what may not be there is published once more."""
    from mailweir.bus import Bus, BusError

    end = time.monotonic() + STANDS_STILL
    with Bus(project, "bus") as bus:
        for first in range(0, many, PORTION):
            portion: list[dict[str, Any] | str] = []
            for number in range(first, min(first + PORTION, many)):
                mail = _mail(number)
                portion.append(bus.put(mail, f"key-{number}") if number % BY_KEY == 0 else mail)
            while True:
                try:
                    bus.publish(TOPIC, *portion)
                except BusError as error:
                    # In AMQP a topic has no queue before it was read for the first time.
                    if time.monotonic() > end:
                        raise
                    print(error, file=sys.stderr, flush=True)
                    time.sleep(0.5)
                else:
                    end = time.monotonic() + STANDS_STILL
                    break


def _mail(number: int) -> dict[str, Any]:
    name = f"c-{number}"
    return {"_id": name, "recipients": f"{name}@example.com", "title": f"Order {number}", "body": "It is on its way."}


def carried_out(
    campaign: Campaign, folder: Path, systems: Sequence[dict[str, Any]], say: Callable[[str], None] = lambda _: None
) -> Found:
    """Carry it out in an empty folder, with these systems: a bus, and what carries it."""
    found = Found(campaign)
    log = folder / "server.log"
    begun = time.monotonic()
    with recording(log, campaign) as port:
        project = _project(folder / "project", port, campaign, systems)
        _Killer(campaign, project, log, found, say).go()
    found.seconds = time.monotonic() - begun
    judge(found, mails_on_record(project / ".mailweir"), recorded(log))
    _judge_bus(found, project / ".mailweir")
    return found


def _judge_bus(found: Found, state: Path) -> None:
    """Nothing is left behind."""
    look = SqliteLook.open(state, MachineClock())
    assert look is not None

    async def failed() -> int:
        async with look:
            return len(await look.failures(Chosen()))

    if asyncio.run(failed()):
        found.faults.append("messages are dead letters")
    with closing(looker(state / "state.db")) as file:
        (keys,) = file.execute("SELECT count(*) FROM registry WHERE substr(entity, 1, 1) = x'7b'").fetchone()
    # A kill comes between a commit and the word of it to the registry: of one batch each at most.
    if keys > found.campaign.kills * PORTION:
        found.faults.append(f"{keys} keys are left in the registry")


class _Killer:
    """Starts the service, kills it and starts it again, while another process publishes."""

    def __init__(self, campaign: Campaign, project: Path, log: Path, found: Found, say: Callable[[str], None]) -> None:
        self._campaign = campaign
        self._project = project
        self._log = log
        self._found = found
        self._say = say
        self._chance = random.Random(campaign.seed)

    def go(self) -> None:
        """All kills, then until nothing waits."""
        campaign, chance = self._campaign, self._chance
        service = self._start("-m", "mailweir", "serve", "--no-http")
        publisher = self._start("-m", "bench.bus", "--publish", str(self._project), "--mails", str(campaign.entities))
        try:
            for number in range(campaign.kills):
                share = (number + chance.random()) / campaign.kills
                self._until(partial(self._has_come, int(2 * campaign.entities * share)), service)
                time.sleep(chance.random() / 50)
                service.send_signal(signal.SIGKILL)
                service.wait()
                self._say(f"  kill {number + 1}: the server has {self._lines() // 2:,} messages")
                service = self._start("-m", "mailweir", "serve", "--no-http")
            if publisher.wait(STANDS_STILL * 4):
                raise RuntimeError(f"publishing failed; see {self._project.parent}")
            self._until(self._is_done, service)
            service.send_signal(signal.SIGTERM)
            # One that was started a moment ago may not listen to signals yet.
            if service.wait(STANDS_STILL) not in {0, -signal.SIGTERM}:
                raise RuntimeError(f"the service did not end in order; see {self._project.parent}")
        finally:
            for process in (service, publisher):
                process.kill()
                process.wait()

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        self._found.starts += 1
        with (self._project.parent / "said.txt").open("ab") as said:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=self._project,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def _lines(self) -> int:
        return self._log.stat().st_size // WIDTH if self._log.exists() else 0

    def _has_come(self, lines: int) -> bool:
        return self._lines() >= lines

    def _is_done(self) -> bool:
        """Whether all mails are on record, and none waits; with `wait` none is in doubt either."""
        rows = self._counts()
        settled = {MessageState.SENT} if self._campaign.wait else {MessageState.SENT, MessageState.IN_DOUBT}
        return sum(rows.get(state.value, 0) for state in settled) >= self._campaign.entities

    def _counts(self) -> dict[str, int]:
        with closing(looker(self._project / ".mailweir" / "state.db")) as file:
            return dict(file.execute("SELECT state, count(*) FROM message WHERE owner IS NULL GROUP BY state"))

    def _until(self, holds: Callable[[], bool], service: subprocess.Popen[bytes]) -> None:
        still, before = time.monotonic(), self._lines()
        while not holds():
            if service.poll() is not None:
                raise RuntimeError(f"the service ended by itself; see {self._project.parent}")
            if self._lines() != before:
                still, before = time.monotonic(), self._lines()
            elif time.monotonic() - still > STANDS_STILL:
                raise RuntimeError(f"nothing arrives any more; see {self._project.parent}")
            time.sleep(0.02)


def _project(folder: Path, port: int, campaign: Campaign, systems: Sequence[dict[str, Any]]) -> Path:
    folder.mkdir()
    office = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port}
    mailer = {
        "_id": "mailer",
        "type": "pipe",
        "source": {"type": "bus", "system": "bus", "topic": TOPIC},
        "sink": {
            "type": "mail",
            "system": "office",
            "mail_from": "Example <post@example.com>",
            "subject_template": "{{ title }}",
            "text_body_template": "{{ body }}",
            "retry": {"first_wait": 5, "longest_wait": 5},
        },
        "pump": {"schedule_interval": 0.2},
    }
    folder.joinpath("mailweir.json").write_text("{}", "utf-8")
    text = json.dumps([*systems, {**office, "max_per_hour": campaign.limit}, mailer])
    folder.joinpath("mailer.conf.json").write_text(text, "utf-8")
    return folder


def main(arguments: Sequence[str]) -> int:
    """Each bus, or the one by name; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.bus")
    parser.add_argument("--mails", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--publish", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.publish is not None:
        publish(given.publish, given.mails)
        return 0
    import pytest

    from tests.buses import CARRIERS, bus_of

    broken = False
    for name in CARRIERS:
        if given.only not in {"", name}:
            continue
        campaign = Campaign(f"The bus {name}", given.mails, given.kills, given.seed)
        try:
            with tempfile.TemporaryDirectory() as folder, bus_of(name) as systems:
                found = carried_out(campaign, Path(folder), systems, lambda text: print(text, file=sys.stderr))
        except pytest.skip.Exception as why:
            print(f"{campaign.name}: {why}", flush=True)
            continue
        print(found, flush=True)
        broken = broken or bool(found.faults)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
