"""What a service takes: entities handed in one by one over HTTP, each on the disk before its answer.

Many connections ask at once, as many programs would, each for one entity at a time. The figure is of one core: what the
service did for each second of its processor, whatever else the machine did meanwhile; waiting is told beside it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Final, NamedTuple

REQUESTS: Final = 10_000
CONNECTIONS: Final = (1, 16, 64)
ROUNDS: Final = 3
PIPE: Final = {"_id": "orders", "type": "pipe", "source": {"type": "http_endpoint"}, "pump": {"mode": "manual"}}
# Seconds for a service to begin.
PATIENCE: Final = 60


class Round(NamedTuple):
    """What a round took: processor seconds of the service, seconds that passed, and those of each request."""

    processor: float
    passed: float
    waits: Sequence[float]


async def ask(port: int, token: str, numbers: Sequence[int], waits: list[float]) -> None:
    """Hand in entities over one connection, the next one when the one before is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /api/receivers/orders/entities HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    )
    for number in numbers:
        body = json.dumps({"_id": f"o-{number}", "customer": "Kari Moe", "total": 12.5, "lines": [1, 2, 3]})
        began = time.perf_counter()
        writer.write(f"{head}{len(body)}\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer)
        await reader.readexactly(int(length[1]) if length else 0)
        waits.append(time.perf_counter() - began)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(answer.decode())
    writer.close()


def processor(pid: int) -> float:
    """The seconds of a processor that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(pid: int, port: int, token: str, connections: int, first: int) -> Round:
    """One round."""
    waits: list[float] = []
    before, began = processor(pid), time.perf_counter()
    shares = [range(first + at, first + REQUESTS, connections) for at in range(connections)]
    await asyncio.gather(*(ask(port, token, share, waits) for share in shares))
    return Round(processor(pid) - before, time.perf_counter() - began, waits)


def run() -> None:
    """Print what each number of connections comes to."""
    print(f"service: {REQUESTS:,} requests with an entity each, each on the disk before its answer")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "all.conf.json").write_text(json.dumps([PIPE]))
        program = Path(sys.executable).with_name("mailweir")
        command = [str(program), "serve", "-C", folder, "--port", "0", "--log-format", "json"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as service:
            try:
                port, token = listening(service), Path(folder, ".mailweir", "token").read_text().strip()
                tell(service.pid, port, token)
            finally:
                service.send_signal(signal.SIGTERM)
                service.communicate(timeout=PATIENCE)


def listening(service: subprocess.Popen[str]) -> int:
    """The port, once it is there."""
    assert service.stderr is not None
    for line in service.stderr:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        if found:
            return int(found[1])
    raise RuntimeError("the service ended")


def tell(pid: int, port: int, token: str) -> None:
    """The rounds take turns, so that what else goes on is shared by all of them."""
    rounds: dict[int, list[Round]] = {connections: [] for connections in CONNECTIONS}
    first = 0
    for _ in range(ROUNDS):
        for connections, found in rounds.items():
            found.append(asyncio.run(measured(pid, port, token, connections, first)))
            first += REQUESTS
    for connections, found in rounds.items():
        rate = median(REQUESTS / one.processor for one in found)
        passed = median(REQUESTS / one.passed for one in found)
        p99 = median(quantiles(one.waits, n=100)[98] for one in found) * 1000
        p50 = median(median(one.waits) for one in found) * 1000
        print(
            f"  {connections:>3} connections  {rate:>7,.0f} a second of one core   {passed:>7,.0f} a second that passed"
            f"   half within {p50:.1f} ms, p99 {p99:.1f} ms"
        )
