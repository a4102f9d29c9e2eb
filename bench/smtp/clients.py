"""Clients in Python as processes of their own: `python -m bench.smtp.clients NAME PORT MESSAGES CONNECTIONS`."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

SENDER, RECIPIENT = "a@example.com", "b@example.com"
CONTENT = b"Subject: bench\r\n\r\n" + b"0123456789012345678901234567890123456789012345678901234567890\r\n" * 32


def mailweir(port: int, messages: int, connections: int) -> None:
    """`system:smtp`, as a sink uses it."""
    from systems.mail import Envelope, Message, Status
    from systems.smtp.build import build
    from systems.smtp.config import SmtpConfig

    envelope = Envelope(SENDER, (RECIPIENT,))

    async def send() -> None:
        given = {"_id": "bench", "type": "system:smtp", "url": f"smtp://127.0.0.1:{port}", "connections": connections}
        accepted = 0
        async with build(SmtpConfig.model_validate(given), ".") as system:
            made = (Message(str(number), envelope, CONTENT) for number in range(messages))
            async for group in system.send(made, lambda _: None):
                accepted += sum(answers[0].status is Status.ACCEPTED for _, answers in group)
        if accepted != messages:
            raise RuntimeError(f"{accepted} of {messages} were accepted")

    measured(lambda: asyncio.run(send()), messages)


def smtplib(port: int, messages: int, connections: int) -> None:
    """The standard library, a thread for each connection."""
    from smtplib import SMTP

    def send(count: int) -> None:
        with SMTP("127.0.0.1", port) as client:
            for _ in range(count):
                client.sendmail(SENDER, [RECIPIENT], CONTENT)

    def send_all() -> None:
        with ThreadPoolExecutor(connections) as pool:
            list(pool.map(send, [messages // connections] * connections))

    measured(send_all, messages // connections * connections)


def aiosmtplib(port: int, messages: int, connections: int) -> None:
    """aiosmtplib, a task for each connection."""
    from aiosmtplib import SMTP  # type: ignore[import-not-found]

    async def send(count: int) -> None:
        async with SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as client:
            for _ in range(count):
                await client.sendmail(SENDER, [RECIPIENT], CONTENT)

    async def send_all() -> None:
        await asyncio.gather(*(send(messages // connections) for _ in range(connections)))

    measured(lambda: asyncio.run(send_all()), messages // connections * connections)


def measured(work: Callable[[], None], messages: int) -> None:
    """Do it and print what it took."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    json.dump({"seconds": seconds, "cpu": used, "messages": messages, "memory": memory}, sys.stdout)


if __name__ == "__main__":
    {"mailweir": mailweir, "smtplib": smtplib, "aiosmtplib": aiosmtplib}[sys.argv[1]](*map(int, sys.argv[2:]))
