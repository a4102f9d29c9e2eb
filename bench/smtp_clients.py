"""The clients of `bench.smtp`, each in a process of its own: `smtp_clients.py NAME PORT CONNECTIONS COUNT SIZE`.

It prints the processor time that sending took, without imports, and the most memory the process had.
"""

from __future__ import annotations

import asyncio
import json
import resource
import smtplib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

SENDER, RECIPIENT = "a@example.com", "b@example.org"


def content(size: int) -> bytes:
    """A mail of this size, in lines of 70 characters."""
    head = b"From: a@example.com\r\nTo: b@example.org\r\nSubject: A mail of some size\r\n\r\n"
    lines = b"Some words that fill a line of a mail, so that it looks like a mail.\r\n" * (size // 70 + 1)
    return (head + lines)[: size - 2] + b"\r\n"


def ours(port: int, connections: int, count: int, data: bytes, *, chunking: bool = False) -> Callable[[], None]:
    """`system:smtp`, as a sink uses it."""
    from systems.mail import Envelope, Message, Status
    from systems.smtp.build import build
    from systems.smtp.config import SmtpConfig

    given = {"_id": "bench", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port}
    limits = {"connections": connections, "messages_per_connection": 1_000_000, "chunking": chunking}
    config = SmtpConfig.model_validate(given | limits)
    envelope = Envelope(SENDER, (RECIPIENT,))

    def messages() -> Iterator[Message]:
        for number in range(count):
            yield Message(str(number), envelope, data)

    async def send() -> None:
        accepted = 0
        async with build(config, ".") as system:
            async for group in system.send(messages(), lambda _: None):
                for _, (answer,) in group:
                    accepted += answer.status is Status.ACCEPTED
        if accepted != count:
            raise RuntimeError(f"{accepted} of {count} accepted")

    return lambda: asyncio.run(send())


def threads(port: int, connections: int, count: int, data: bytes) -> Callable[[], None]:
    """The standard library, a thread for each connection."""

    def one(share: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            for _ in range(share):
                client.sendmail(SENDER, [RECIPIENT], data)

    def send() -> None:
        workers = [threading.Thread(target=one, args=(count // connections,)) for _ in range(connections)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return send


def aio(port: int, connections: int, count: int, data: bytes) -> Callable[[], None]:
    """The usual client for asyncio, a task for each connection."""
    import aiosmtplib  # type: ignore[import-not-found]

    async def one(share: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as client:
            for _ in range(share):
                await client.sendmail(SENDER, [RECIPIENT], data)

    async def send() -> None:
        await asyncio.gather(*(one(count // connections) for _ in range(connections)))

    return lambda: asyncio.run(send())


senders: dict[str, Callable[[int, int, int, bytes], Callable[[], None]]] = {
    "ours": ours,
    "chunking": partial(ours, chunking=True),
    "threads": threads,
    "aio": aio,
}


def main(name: str, *numbers: str) -> None:
    """Send, and say what it took."""
    port, connections, count, size = map(int, numbers)
    prepare = senders[name]
    send = prepare(port, connections, count, content(size))
    before, begun = time.process_time(), time.perf_counter()
    send()
    took, wall = time.process_time() - before, time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({"cpu": took, "wall": wall, "peak_kb": peak}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
