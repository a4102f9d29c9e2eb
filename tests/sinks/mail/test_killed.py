"""Senders are killed, really, again and again: nothing is lost, and every copy too many is explained by a doubt."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pipeline.clock import MachineClock
from pipeline.state.facts import MessageState, Moment, Settlement, Stranded
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.views import Filter, Row
from sinks.mail import delivery

# More by hand: MESSAGES=20000 KILLS=200 pytest tests/sinks/mail/test_killed.py
MESSAGES: Final = int(os.environ.get("MESSAGES", "400"))
KILLS: Final = int(os.environ.get("KILLS", "8"))
LIMIT: Final = MESSAGES * 3 // 8
# A second of the machine is so many for the senders: an hour is short, and so is a minute in doubt.
FASTER: Final = 1000.0
DEADLINE: Final = 600.0

SENDER: Final = f"""
import asyncio, os, random, sys
from pathlib import Path
from pipeline.clock import MachineClock
from pipeline.state.facts import Ask, Batch, Known, NewMessage, Offset
from pipeline.state.keys import message_key
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound
from sinks.mail.delivery import Policy
from systems.mail import Answer, Envelope, Phase, Status

folder, log, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
chance = random.Random(seed)
ASK = Ask("office", "office", {LIMIT}, on_limit="queue", most=20)

class Clock(MachineClock):
    def boot(self):
        return super().boot() * {FASTER}

def message(number):
    to = (f"customer-{{number}}@example.com",)
    key = message_key("welcome", f"c-{{number}}", "v1", to)
    envelope = outbound.stored(Envelope("hello@example.com", to))
    return NewMessage(key, "welcome", "office", f"c-{{number}}", to, envelope, b"x" * chance.randrange(20_000), "{{}}")

async def send(state, server, claims):
    outs = [outbound.outbound(claim) for claim in claims.messages]
    for start in range(0, len(outs), 4):
        some = outs[start : start + 4]
        state.handing_over([out.claim for out in some])
        for out in some:
            os.write(server, f"{{state.now()!r}} {{out.message.key}}\\n".encode())
        # The server's answer takes its time: many a kill falls into it.
        await asyncio.sleep(chance.random() / 200)
        answer = [Answer("", Status.ACCEPTED, Phase.DOT, "office", 250)]
        state.settle([outbound.settlement(out, answer, Policy(), state.now(), 0.5) for out in some])

async def main():
    server = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    state = SqliteState.open(folder, Clock(), outbound.stranded)
    print("ready", flush=True)
    while (at := int(await state.offset("welcome") or 0)) < {MESSAGES}:
        until = min({MESSAGES}, at + 30)
        batch = Batch(tuple(map(message, range(at, until))), Offset("welcome", str(until)))
        await send(state, server, (await state.admit(batch, ASK)).claims)
    while True:
        claims = await state.claim(ASK)
        await send(state, server, claims)
        if claims.again_in is None:
            await state.flush()
            if not await state.counts():
                break
            await state.recover()
        await asyncio.sleep(min(0.05, (claims.again_in or 20) / {FASTER}))
    state.close()

asyncio.run(main())
"""


def sender(folder: Path, log: Path, seed: int) -> subprocess.Popen[str]:
    """A sender, at work."""
    command = [sys.executable, "-c", SENDER, str(folder), str(log), str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def accepted(log: Path) -> list[tuple[float, str]]:
    """What the server took, and when; a line that a kill cut short is none."""
    lines = log.read_text().splitlines(keepends=True) if log.exists() else []
    return [(float(at), key) for at, key in (line.split() for line in lines if line.endswith("\n"))]


def wait_for(log: Path, many: int, process: subprocess.Popen[str], end: float) -> None:
    """Until the server took so many, or the sender is done."""
    while len(accepted(log)) < many and process.poll() is None:
        assert time.monotonic() < end, "the senders stand still"
        time.sleep(0.002)


class Faster(MachineClock):
    """The clock of the senders."""

    def boot(self) -> float:
        """So many times as fast."""
        return super().boot() * FASTER


def all_rows(state: SqliteState) -> list[Row]:
    """All messages, page by page."""
    rows: list[Row] = []
    before: int | None = None
    while True:
        page = asyncio.run(state.messages(Filter(), before, most=1000))
        rows += page.rows
        before = page.next
        if before is None:
            return rows


def never(stranded: Stranded, _: Moment) -> Settlement:
    """Nothing is left to recover."""
    raise AssertionError(stranded)


def test_killed_again_and_again(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Two senders share the work, and one after the other is killed in the middle of it."""
    folder, log = tmp_path / ".mailweir", tmp_path / "server.log"
    chance = random.Random(4)
    end = time.monotonic() + DEADLINE
    at_work = [sender(folder, log, seed) for seed in (1, 2)]
    for number in range(KILLS):
        wait_for(log, int(MESSAGES * (number + chance.random()) / KILLS), at_work[0], end)
        time.sleep(chance.random() / 100)
        victim = at_work.pop(0)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        assert victim.stdout is not None
        victim.stdout.close()
        at_work.append(sender(folder, log, 10 + number))
    for process in at_work:
        assert process.wait(timeout=max(1.0, end - time.monotonic())) == 0
        assert process.stdout is not None
        process.stdout.close()

    took = accepted(log)
    copies = Counter(key for _, key in took)
    assert len(copies) == MESSAGES, "lost"
    assert max(copies.values()) <= 4
    state = SqliteState.open(folder, Faster(), never)
    rows = all_rows(state)
    state.close()
    assert len(rows) == MESSAGES
    for row in rows:
        (standing,) = delivery.standings_of(row.result, 1, 0.0)
        # Four times in doubt is a matter for a person.
        assert row.state is (MessageState.HELD if standing.doubts == 4 else MessageState.SENT)
        # Each copy but the one that was answered ended in doubt, and that is on record.
        assert copies[row.name] <= 1 + standing.doubts
    record_property("count", (f"messages through {KILLS} kills", MESSAGES))
    record_property("count", ("copies too many, each in doubt on record", len(took) - MESSAGES))
    times = sorted(at for at, _ in took)
    assert all(later - first > 3600.0 for first, later in zip(times, times[LIMIT:], strict=False))
