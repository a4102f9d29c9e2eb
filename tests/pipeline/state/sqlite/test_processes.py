"""Several processes on one file, at once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any, Final

PROCESSES: Final = 4
EACH: Final = 60
LIMIT: Final = 100

SENDER: Final = f"""
import asyncio, sys
from pathlib import Path
from pipeline.clock import MachineClock
from pipeline.state.facts import Ask, Batch, MessageState, NewMessage, Settlement
from pipeline.state.keys import message_key
from pipeline.state.sqlite.store import SqliteState

name = sys.argv[2]
ask = Ask("office", "office", {LIMIT}, on_limit=sys.argv[3], most=7)
TO = ("ann@example.com",)

def message(number):
    # Every third entity is one that all of them read.
    entity = f"all-{{number}}" if number % 3 == 0 else f"{{name}}-{{number}}"
    key = message_key("welcome", entity, "v1", TO)
    return NewMessage(key, "welcome", "office", entity, TO, "{{}}", b"x", "{{}}")

async def send(state, claims):
    for claim in claims.messages:
        state.handing_over([claim])
        print(claim.entity_id)
        settled = Settlement(claim.id, claim.number, "office", 1, 1, state.now(), MessageState.SENT, None, 0, 1, "[]")
        state.settle([settled])
    return bool(claims.messages or claims.closed)

async def main():
    state = SqliteState.open(Path(sys.argv[1]), MachineClock(), None)
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(0, {EACH}, 5):
        batch = Batch(tuple(map(message, range(start, start + 5))))
        await send(state, (await state.admit(batch, ask)).claims)
    while await send(state, await state.claim(ask)):
        pass
    state.close()

asyncio.run(main())
"""


def sent_by_all(states: Any, on_limit: str) -> list[str]:
    """What processes that begin at once hand over."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SENDER, str(states.folder), str(number), on_limit],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    sent = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        sent += process.communicate()[0].split()
        assert process.returncode == 0
    return sent


# A third is read by all of them.
DIFFERENT: Final = EACH // 3 + PROCESSES * (EACH - EACH // 3)


def test_together_they_send_the_limit_and_nothing_twice(states: Any) -> None:
    """Exactly as many as the hour lets through; each of the others is on the list of what was discarded, once."""
    sent = sent_by_all(states, "discard")
    assert len(sent) == len(set(sent)) == LIMIT
    # A message that one discarded may come again from another, which replaces it on the list.
    words = Counter(dict(states.query("SELECT state, count(*) FROM message WHERE replaced IS NULL GROUP BY state")))
    assert words == {"sent": LIMIT, "discarded": DIFFERENT - LIMIT}
    assert states.gate() == (0, LIMIT)


def test_together_they_keep_what_has_to_wait(states: Any) -> None:
    """Nothing is lost between them."""
    sent = sent_by_all(states, "queue")
    assert len(sent) == len(set(sent)) == LIMIT
    words = Counter(states.rows().values())
    assert words == {"sent": LIMIT, "queued": DIFFERENT - LIMIT}
    assert states.gate() == (0, LIMIT)
