"""Kills `mailweir run` again and again, and holds what arrived against what is on record: `make reliability`.

    python -m bench.reliability [--entities N] [--kills N] [--seed N] [--only NAME]

The whole program runs as a process of its own, reads JSON Lines, and mails to a server that writes down what it takes
before it answers. Killed with `kill -9` it is started again, until everything is done. Then must be true:

- nothing is lost: each entity is on record once, and what is `sent` there the server took,
- a copy too many is explained: of each message the server took at most one more than went in doubt on record,
- nobody got more than 4 copies,
- the server took at most `max_per_hour` in any hour; where mail was discarded, just so many permits were used.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from bench.recording_server import WIDTH
from pipeline.clock import MachineClock
from pipeline.state.facts import MessageState
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.views import Filter, Row
from sinks.mail import delivery, outbound

TOP: Final = Path(__file__).parents[1]
HOUR: Final = 3600.0
# One kill in so many comes at any moment of a life, also while the program starts; the others while it sends.
ANY_MOMENT: Final = 5
# Seconds of a start, on a machine with little else to do.
START: Final = 1.0
# As long as no dot arrives for so many seconds, something is wrong; a doubt is left alone for 60.
STANDS_STILL: Final = 300.0


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is tried. `trouble` is the share of messages that the server makes some for."""

    name: str
    entities: int
    kills: int
    seed: int = 1
    processes: int = 1
    trouble: float = 0.0
    limit: int = 1_000_000
    chunking: bool = False
    wait: bool = True
    """Whether it goes on until nothing is in doubt any more, which takes more than a minute."""


@dataclass(slots=True)
class Found:
    """What came of it. `faults` are the promises that were broken."""

    campaign: Campaign
    seconds: float = 0.0
    starts: int = 0
    seen: int = 0
    taken: int = 0
    doubts: int = 0
    lost: int = 0
    duplicates: int = 0
    unexplained: int = 0
    most_copies: int = 0
    most_in_an_hour: int = 0
    states: Counter[MessageState] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """For people."""
        of = self.campaign
        states = ", ".join(f"{count:,} {state.value}" for state, count in self.states.most_common())
        lines = [
            f"{of.name}: {of.entities:,} entities, {of.kills} kills, seed {of.seed}, {self.seconds:.0f} s",
            f"  on record       {states}",
            f"  lost            {self.lost}",
            f"  duplicates      {self.duplicates:,}, unexplained {self.unexplained}",
            f"  in doubt        {self.doubts:,} tries, on record",
            f"  most copies     {self.most_copies} of one message (4 are the bound)",
            f"  the window      {self.most_in_an_hour:,} in an hour, {of.limit:,} are the limit",
            *(f"  BROKEN          {fault}" for fault in self.faults),
        ]
        return "\n".join(lines)


CAMPAIGNS: Final = (
    Campaign("One process", 20_000, 200),
    Campaign("Two processes at once", 20_000, 200, processes=2),
    Campaign("A limit that is reached, two processes", 20_000, 200, processes=2, limit=15_000, wait=False),
    Campaign("A server in trouble", 20_000, 200, trouble=0.02),
    Campaign("A server in trouble, BDAT", 20_000, 200, trouble=0.02, chunking=True),
)


def carried_out(campaign: Campaign, folder: Path, say: Callable[[str], None] = lambda _: None) -> Found:
    """Carry it out in an empty folder."""
    found = Found(campaign)
    log = folder / "server.log"
    begun = time.monotonic()
    with recording(log, campaign) as port:
        project = _project(folder / "project", port, campaign)
        _Killer(campaign, project, log, found, say).go()
    found.seconds = time.monotonic() - begun
    judge(found, mails_on_record(project / ".mailweir"), recorded(log))
    return found


def judge(found: Found, rows: Sequence[Row], log: Sequence[tuple[str, float, str]]) -> None:
    """Hold the record against what arrived."""
    campaign = found.campaign
    copies = Counter(name for what, _, name in log if what == "took")
    found.taken = copies.total()
    found.seen = len(log) - found.taken
    found.most_copies = max(copies.values(), default=0)
    found.states = Counter(row.state for row in rows)
    sent = 0
    for row in rows:
        (standing,) = delivery.standings_of(row.result, 1, 0.0)
        is_sent = row.state is MessageState.SENT
        sent += is_sent
        found.doubts += standing.doubts
        took = copies.pop(row.entity_id, 0)
        found.duplicates += max(0, took - 1)
        found.unexplained += max(0, took - standing.doubts - is_sent)
        found.lost += is_sent and not took
    found.lost += campaign.entities - len({row.entity_id for row in rows})
    times = sorted(at for what, at, _ in log if what == "took")
    found.most_in_an_hour = _most_within(times, HOUR)
    limited = found.states[MessageState.DISCARDED]
    broken = {
        "mail is lost": found.lost,
        "an entity is on record twice": len(rows) != campaign.entities,
        "copies have no explanation": found.unexplained,
        "the server has messages that are not on record": copies.total(),
        "somebody got more than 4 copies": found.most_copies > 4,
        "the limit was passed": found.most_in_an_hour > campaign.limit,
        "mail was discarded, and not as many permits were used as there are": limited
        and sent + found.doubts != campaign.limit,
        "not all was sent": campaign.wait and sent != campaign.entities,
    }
    found.faults = [fault for fault, is_so in broken.items() if is_so]


def recorded(log: Path) -> list[tuple[str, float, str]]:
    """What the server wrote down."""
    lines = log.read_text("ascii").splitlines() if log.exists() else []
    return [(what, float(at), name) for what, at, name in (line.split() for line in lines)]


def _most_within(times: Sequence[float], span: float) -> int:
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - span:
            first += 1
        most = max(most, last - first + 1)
    return most


class _Killer:
    """Starts, kills and starts again."""

    def __init__(self, campaign: Campaign, project: Path, log: Path, found: Found, say: Callable[[str], None]) -> None:
        self._campaign = campaign
        self._project = project
        self._log = log
        self._found = found
        self._say = say
        self._chance = random.Random(campaign.seed)

    def go(self) -> None:
        """All kills, then until the end."""
        campaign, chance = self._campaign, self._chance
        at_work = [self._start() for _ in range(campaign.processes)]
        try:
            for number in range(campaign.kills):
                if chance.randrange(ANY_MOMENT):
                    # Two lines a message, and some come twice: the last kills meet the last messages.
                    share = (number + chance.random()) / campaign.kills
                    self._wait_for(int(2 * min(campaign.entities, campaign.limit) * share), at_work[0])
                    time.sleep(chance.random() / 50)
                else:
                    time.sleep(chance.random() * START)
                victim = at_work.pop(0)
                victim.send_signal(signal.SIGKILL)
                victim.wait()
                if not (number + 1) % 20:
                    self._say(f"  {number + 1} kills, the server has {self._lines() // 2:,} messages")
                at_work.append(self._start())
            for process in at_work:
                code = process.wait(timeout=STANDS_STILL * 4)
                # Without a fault, or with mail that has to be tried again.
                if code not in {0, 4}:
                    raise RuntimeError(f"mailweir run ended with {code}; see {self._project}")
        finally:
            for process in at_work:
                process.kill()
                process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        self._found.starts += 1
        command = [sys.executable, "-m", "mailweir", "run", "--yes", "--progress", "none"]
        with (self._project.parent / "said.txt").open("ab") as said:
            return subprocess.Popen(
                [*command, *(["--wait"] if self._campaign.wait else [])],
                cwd=self._project,
                env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def _lines(self) -> int:
        return self._log.stat().st_size // WIDTH if self._log.exists() else 0

    def _wait_for(self, lines: int, process: subprocess.Popen[bytes]) -> None:
        """Until the server wrote so many, or the process is done."""
        still, before = time.monotonic(), self._lines()
        while (now := self._lines()) < lines and process.poll() is None:
            if now != before:
                still, before = time.monotonic(), now
            elif time.monotonic() - still > STANDS_STILL:
                raise RuntimeError(f"nothing is sent any more; see {self._project}")
            time.sleep(0.002)


@contextmanager
def recording(log: Path, campaign: Campaign) -> Iterator[int]:
    """The server, as long as this lasts: its port."""
    script = Path(__file__).with_name("recording_server.py")
    command = [sys.executable, "-I", script, log, campaign.seed, campaign.trouble]
    process = subprocess.Popen([str(each) for each in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.communicate()


def _project(folder: Path, port: int, campaign: Campaign) -> Path:
    """A project with one pipe that mails, and its entities."""
    for part in ("systems", "pipes"):
        (folder / part).mkdir(parents=True)
    people = (
        {"_id": f"c-{number}", "email": f"c-{number}@example.com", "name": f"Ann {number}"}
        for number in range(campaign.entities)
    )
    (folder / "people.jsonl").write_text("".join(f"{json.dumps(person)}\n" for person in people), "utf-8")
    office: dict[str, Any] = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port}
    welcome = {
        "_id": "welcome-mail",
        "type": "pipe",
        "source": {"type": "json", "path": "people.jsonl"},
        "sink": {
            "type": "mail",
            "system": "office",
            "mail_from": "Example <hello@example.com>",
            "recipients_property": "email",
            "subject_template": "Welcome, {{ name }}",
            "body_template": "Hello {{ name }}",
            # A doubt is left alone for a minute whatever stands here; it is the 4xx of a server in trouble.
            "retry": {"first_wait": 5, "longest_wait": 5},
        },
    }
    office |= {"max_per_hour": campaign.limit, "chunking": campaign.chunking}
    (folder / "systems/office.conf.json").write_text(json.dumps(office), "utf-8")
    (folder / "pipes/welcome-mail.conf.json").write_text(json.dumps(welcome), "utf-8")
    return folder


def mails_on_record(folder: Path) -> list[Row]:
    """All messages on record."""
    state = SqliteState.open(folder, MachineClock(), outbound.stranded)
    rows: list[Row] = []
    before: int | None = None
    try:
        while True:
            page = asyncio.run(state.messages(Filter(), before, most=1000))
            rows += page.rows
            before = page.next
            if before is None:
                return rows
    finally:
        state.close()


def main(arguments: Sequence[str]) -> int:
    """All campaigns, or the one by name; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.reliability")
    parser.add_argument("--entities", type=int)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    given = parser.parse_args(arguments)
    broken = False
    for one in CAMPAIGNS:
        if given.only.lower() not in one.name.lower():
            continue
        entities = given.entities or one.entities
        campaign = replace(
            one,
            entities=entities,
            kills=one.kills if given.kills is None else given.kills,
            seed=given.seed,
            limit=one.limit * entities // one.entities,
        )
        with tempfile.TemporaryDirectory() as folder:
            found = carried_out(campaign, Path(folder), lambda text: print(text, file=sys.stderr, flush=True))
        print(found, flush=True)
        broken = broken or bool(found.faults)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
