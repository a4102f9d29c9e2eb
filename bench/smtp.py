"""How fast mail goes out over SMTP, with other clients in the same rounds: to a server that takes all it gets.

Rates are by the server's clock, from the first connection to the last message; smtp-sink has none, so there they are
by the client's. The client has one core and the server
another, so what is measured is the client. The peers are Postfix's smtp-source, a C program made to load servers;
aiosmtplib, and the standard library with a thread a connection.

On a machine that does other things, root gets steady figures with `chrt --rr 10 .venv/bin/python -m bench smtp`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

TOP: Final = Path(__file__).parents[1]
MADE: Final = TOP / ".bench"
POSTFIX: Final = Path(os.environ.get("MAILWEIR_MAIL_SERVERS", TOP / ".mail-servers")) / "postfix"
LIBRARIES: Final = f"{POSTFIX}/usr/lib/postfix:{POSTFIX}/usr/lib/{os.uname().machine}-linux-gnu"
CLIENTS: Final = Path(__file__).with_name("smtp_clients.py")

CONNECTIONS: Final = 10
SIZE: Final = 2000
ROUNDS: Final = 7
# What smtp-source puts above the bytes that it is told to send.
SOURCE_HEAD: Final = 126


@dataclass(frozen=True)
class Client:
    """A way to send: its command, how many messages take about a second, and how much faster we want to be."""

    name: str
    kind: str
    python: Path | None
    count: int
    far_count: int
    target: float = 0
    far_target: float = 0

    def command(self, port: int, count: int) -> list[str]:
        """The command that sends so many messages."""
        if self.python is None:
            options = (
                f"-d -s {CONNECTIONS} -m {count} -l {SIZE - SOURCE_HEAD} -f a@example.com -t b@example.org".split()
            )
            return [str(POSTFIX / "usr/sbin/smtp-source"), *options, f"inet:127.0.0.1:{port}"]
        return [str(self.python), str(CLIENTS), self.kind, *map(str, (port, CONNECTIONS, count, SIZE))]


@dataclass
class Figures:
    """What the rounds gave."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)


class Helper:
    """A C program beside the clients: it says its port, and with each line it is given what it counted."""

    def __init__(self, name: str, *arguments: object) -> None:
        """Compile it if it has changed, and start it."""
        source, program = Path(__file__).with_name(f"{name}.c"), MADE / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            MADE.mkdir(exist_ok=True)
            subprocess.run(["cc", "-O2", "-o", program, source], check=True)
        command = [str(program), *map(str, arguments)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        on_core(self._process.pid, last=True)
        self.port = int(self._said())

    def counted(self) -> list[int]:
        """Messages, bytes, connections and nanoseconds since the last question."""
        if self._process.stdin:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        return [int(word) for word in self._said().split()]

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _said(self) -> str:
        return self._process.stdout.readline() if self._process.stdout else ""


def on_core(process: int, *, last: bool) -> None:
    """Give a process the last of our cores, or the first, so that client and server do not share one."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(process, {cores[-1 if last else 0]})


@contextmanager
def helper(name: str, *arguments: object) -> Iterator[Helper]:
    """A helper for a while."""
    running = Helper(name, *arguments)
    try:
        yield running
    finally:
        running.close()


class Sink:
    """Postfix's server that throws all mail away. It counts nothing: the clock is the client's."""

    def __init__(self, port: int) -> None:
        """It listens there."""
        self.port = port

    def counted(self) -> None:
        """Nothing."""


@contextmanager
def postfix_sink() -> Iterator[Sink]:
    """smtp-sink for a while, on the core of the servers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    who = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [str(POSTFIX / "usr/sbin/smtp-sink"), *who, f"127.0.0.1:{port}", "1000"]
    process = subprocess.Popen(command, env=os.environ | {"LD_LIBRARY_PATH": LIBRARIES})
    try:
        on_core(process.pid, last=True)
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield Sink(port)
    finally:
        process.kill()
        process.wait()


def run() -> None:
    """Loopback, 5 ms of distance, and memory over many messages."""
    if shutil.which("cc") is None:
        sys.stdout.write("SMTP: the server to send to is compiled with `cc`, which is not here\n")
        return
    clients = list(available())
    plain = [client for client in clients if client.kind != "chunking"]
    if POSTFIX.exists():
        with postfix_sink() as sink:
            title = f"SMTP to Postfix's smtp-sink on loopback, {CONNECTIONS} connections, {SIZE:,} bytes"
            table(title, plain, measured(plain, sink, sink.port, far=False), far=False)
        sys.stdout.write("\n")
    with ExitStack() as stack:
        server = stack.enter_context(helper("null_server"))
        title = f"SMTP to a null server on loopback, {CONNECTIONS} connections, {SIZE:,} bytes"
        table(title, clients, measured(clients, server, server.port, far=False), far=False)
        proxy = stack.enter_context(helper("delay_proxy", server.port, 0))
        straight, through = (rate_of(clients[0], server, port) for port in (server.port, proxy.port))
        sys.stdout.write(f"\nThe proxy without a delay carries {through:,.0f} messages/s of {straight:,.0f}\n\n")
        proxy = stack.enter_context(helper("delay_proxy", server.port, 2500))
        title = f"SMTP over 5 ms of round trip, {CONNECTIONS} connections"
        table(title, clients, measured(clients, server, proxy.port, far=True), far=True)
        memory(clients[0], server)


def available() -> Iterator[Client]:
    """The clients that can run here; what is missing is said."""
    python = Path(sys.executable)
    yield Client("system:smtp", "ours", python, 30_000, 3_000)
    yield Client("system:smtp, chunking", "chunking", python, 60_000, 10_000)
    if not POSTFIX.exists():
        subprocess.run([TOP / ".ci" / "mail-servers"], check=False)
    if POSTFIX.exists():
        yield Client("Postfix smtp-source (C)", "smtp-source", None, 20_000, 1_000, 2.0, 3.4)
    else:
        sys.stdout.write("without smtp-source: .ci/mail-servers could not fetch it\n")
    peers = MADE / "venv" / "bin" / "python"
    if not peers.exists():
        venv.create(MADE / "venv", with_pip=True)
        subprocess.run([peers, "-m", "pip", "install", "aiosmtplib"], capture_output=True, check=False)
    if subprocess.run([peers, "-c", "import aiosmtplib"], capture_output=True, check=False).returncode == 0:
        yield Client("aiosmtplib", "aio", peers, 5_000, 1_000, 12.0, 3.4)
    else:
        sys.stdout.write("without aiosmtplib: it could not be installed\n")
    yield Client("smtplib in threads", "threads", python, 10_000, 1_000, 4.0, 3.4)


def once(client: Client, server: Helper | Sink, port: int, count: int) -> tuple[float, float, float]:
    """Send, and give messages a second, processor seconds a message, and the most memory in MB."""
    server.counted()
    begun = time.perf_counter()
    process = subprocess.Popen(
        client.command(port, count),
        stdout=subprocess.PIPE,
        env=os.environ | ({} if client.python else {"LD_LIBRARY_PATH": LIBRARIES}),
    )
    on_core(process.pid, last=False)
    said = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - begun
    counted = server.counted()
    messages, _, _, nanoseconds = counted or (count, 0, 0, 0)
    if process.returncode or messages != count:
        raise RuntimeError(f"{client.name} ended with {process.returncode} after {messages} of {count} messages")
    own = json.loads(said) if client.python else {"cpu": usage.ru_utime + usage.ru_stime, "peak_kb": usage.ru_maxrss}
    seconds = nanoseconds / 1e9 if counted else own.get("wall", took)
    return messages / seconds, own["cpu"] / count, own["peak_kb"] / 1000


def rate_of(client: Client, server: Helper | Sink, port: int) -> float:
    """The median of three."""
    return median(once(client, server, port, client.count)[0] for _ in range(3))


def measured(clients: Sequence[Client], server: Helper | Sink, port: int, *, far: bool) -> dict[str, Figures]:
    """The figures of each client, in rounds that take turns."""
    found = {client.name: Figures() for client in clients}
    for _ in range(ROUNDS):
        for client in clients:
            rate, cpu, peak = once(client, server, port, client.far_count if far else client.count)
            figures = found[client.name]
            figures.rates.append(rate)
            figures.cpu.append(cpu)
            figures.peak_mb.append(peak)
    return found


def table(title: str, clients: Sequence[Client], found: dict[str, Figures], *, far: bool) -> None:
    """Medians, and ratios: of each round, so that a machine whose speed drifts drifts for both."""
    sys.stdout.write(f"{title} (median of {ROUNDS} rounds in turn)\n")
    sys.stdout.write(
        f"  {'':26}{'messages/s':>12}{'spread':>18}{'we are':>9}{'wanted':>9}{'µs CPU':>9}{'we need':>9}{'MB':>6}\n"
    )
    ours = found[clients[0].name]
    for client in clients:
        figures = found[client.name]
        spread = f"{min(figures.rates):,.0f} to {max(figures.rates):,.0f}"
        faster = median(mine / its for mine, its in zip(ours.rates, figures.rates, strict=True))
        cheaper = median(mine / its for mine, its in zip(ours.cpu, figures.cpu, strict=True))
        target = client.far_target if far else client.target
        wanted = f"≥ {target}x" if target else ""
        sys.stdout.write(
            f"  {client.name:26}{median(figures.rates):12,.0f}{spread:>18}{faster:8.2f}x{wanted:>9}"
            f"{median(figures.cpu) * 1e6:9.1f}{cheaper:8.2f}x{median(figures.peak_mb):6.0f}\n"
        )


def memory(client: Client, server: Helper) -> None:
    """The most memory over few messages and over many: what is kept of a message that was answered shows here."""
    few, many = 20_000, 200_000
    (_, _, before), (_, _, after) = (once(client, server, server.port, count) for count in (few, many))
    sys.stdout.write(f"\nMemory: {before:.1f} MB at most over {few:,} messages, {after:.1f} MB over {many:,}\n")


if __name__ == "__main__":
    run()
