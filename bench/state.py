"""What the state costs: messages of 2 kB admitted, claimed, handed over and settled, on the disk after every batch.

Beside it the bare minimum: the same bytes put into a table of SQLite in batches, with the same durability.
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from pipeline.clock import MachineClock
from pipeline.state.facts import Ask, Batch, MessageState, NewMessage, Offset, Settlement
from pipeline.state.keys import message_key
from pipeline.state.sqlite.connection import PAGE
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound
from sinks.mail.delivery import Policy
from systems.mail import Answer, Envelope, Message, Phase, Status

MESSAGES = 20_000
BATCH = 256
ROUNDS = 5
CONTENT = b"0123456789abcdef" * 125
ENTITY = '{"_id":"customer-1","email":"kari@example.com","name":"Kari Moe","joined":"2026-01-02"}'
TO = ("kari@example.com",)
SENDS = Envelope("hello@example.com", TO)
ENVELOPE = outbound.stored(SENDS)
ASK = Ask("our-smtp-server", "our-smtp-server", 10_000_000, most=BATCH)
RESULT = '[["sent",null,1,0,250,"2.0.0","Ok: queued as 4fK2bX","mail.example.com","dot"]]'


def batches(round_: int) -> list[tuple[Batch, list[Message]]]:
    """All messages, composed."""
    made: list[tuple[Batch, list[Message]]] = []
    for start in range(0, MESSAGES, BATCH):
        messages = tuple(
            NewMessage(
                message_key("welcome-mail", f"c-{number}", str(round_), TO),
                "welcome-mail",
                "our-smtp-server",
                f"c-{number}",
                TO,
                ENVELOPE,
                CONTENT,
                ENTITY,
                "Welcome, Kari Moe",
                "7f3a",
            )
            for number in range(start, min(start + BATCH, MESSAGES))
        )
        composed = [Message(message.key, SENDS, CONTENT) for message in messages]
        made.append((Batch(messages, Offset("welcome-mail", str(start))), composed))
    return made


async def through(state: SqliteState, work: list[tuple[Batch, list[Message]]], *, table: bool) -> None:
    """The way of every message; with the delivery table, or with settlements that are there already."""
    policy = Policy()
    answer = Answer(TO[0], Status.ACCEPTED, Phase.DOT, "mail.example.com", 250, "2.0.0", "Ok: queued as 4fK2bX")
    for batch, composed in work:
        claims = (await state.admit(batch, ASK)).claims.messages
        first = claims[0].id
        # As connections do it: some at a time.
        for start in range(0, len(claims), 16):
            some = claims[start : start + 16]
            state.handing_over(some)
            now = state.now()
            if table:
                outs = [outbound.outbound(claim, composed[claim.id - first]) for claim in some]
                state.settle([outbound.settlement(out, [answer], policy, now, 0.5) for out in outs])
            else:
                state.settle(
                    [
                        Settlement(claim.id, 1, claim.gate, 1, 1, now, MessageState.SENT, None, 0, 1, RESULT)
                        for claim in some
                    ]
                )
    await state.flush()


def plain(folder: Path) -> Callable[[list[tuple[Batch, list[Message]]]], None]:
    """One table, one row a message."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute(f"PRAGMA page_size = {PAGE}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, envelope TEXT, entity TEXT, content BLOB)")

    def run(work: list[tuple[Batch, list[Message]]]) -> None:
        for batch, _ in work:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO message (envelope, entity, content) VALUES (?, ?, ?)",
                [(message.envelope, message.entity, message.content) for message in batch.messages],
            )
            connection.execute("COMMIT")

    return run


def run() -> None:
    """In turns."""
    sys.stdout.write(f"State: {MESSAGES:,} messages of 2 kB, batches of {BATCH} (median of {ROUNDS} rounds in turn)\n")
    rivals = ("plain SQLite, executemany", "admitted, claimed, settled", "… and the delivery table")
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in rivals}
    with tempfile.TemporaryDirectory() as name, asyncio.Runner() as runner:
        folder = Path(name)
        bare = plain(folder)
        state = SqliteState.open(folder / "state", MachineClock(), outbound.stranded)
        for number in range(ROUNDS):
            for kind, taken in enumerate(figures.values()):
                work = batches(3 * number + kind)
                cpu, start = _cpu(), time.perf_counter()
                if kind:
                    runner.run(through(state, work, table=kind == 2))
                else:
                    bare(work)
                taken.append((time.perf_counter() - start, _cpu() - cpu))
        state.close()
    first = [median(column) for column in zip(*figures[rivals[0]], strict=True)]
    for rival, taken in figures.items():
        wall, cpu = (median(column) for column in zip(*taken, strict=True))
        sys.stdout.write(
            f"  {rival:32}{MESSAGES / wall:10,.0f} messages/s {wall / first[0]:6.2f} x"
            f"{cpu / MESSAGES * 1e6:9.1f} µs CPU {cpu / first[1]:6.2f} x\n"
        )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
