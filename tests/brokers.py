"""Real message brokers for tests, each in a folder of its own on loopback; they can be stopped and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

if TYPE_CHECKING:
    import redis

# For anything that they do, on a machine that is busy with other things.
PATIENCE: Final = 120.0
# Ports are free when they are chosen and may be taken a moment later.
MOST_STARTS: Final = 5

B = TypeVar("B", bound="Server")


def program(name: str) -> str | None:
    """A server: the one that `.ci/mail-servers` unpacks, or that of the machine.

    `MAILWEIR_MAIL_SERVERS` says that it must be there.
    """
    told = os.environ.get("MAILWEIR_MAIL_SERVERS")
    folder = Path(told) if told else Path(__file__).parents[1] / ".mail-servers"
    if (folder / "bin" / name).exists():
        return str(folder / "bin" / name)
    assert not told, f"{folder}/bin/{name} is missing: .ci/mail-servers makes it"
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


class Server(ABC):
    """A server that is running."""

    program: str
    ports = 1

    def __init__(self, folder: Path, path: str) -> None:
        """Nothing runs yet."""
        self.folder = folder
        self.path = path
        self.port = 0
        self._running = ExitStack()

    @abstractmethod
    def commands(self) -> Sequence[Sequence[str]]:
        """What is started; the last is the server."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it is ready."""

    @abstractmethod
    def system(self, **properties: object) -> dict[str, object]:
        """It as a system of a project, with the `_id` `broker`."""

    @abstractmethod
    def publish(self, bodies: Iterable[bytes]) -> None:
        """Put messages where the sources of tests read."""

    @abstractmethod
    def published(self) -> list[bytes]:
        """What the sinks of tests have written, in its order."""

    def left(self) -> int:
        """How many messages of queues are not settled; who leaves may need a moment for it."""
        return 0

    def environ(self) -> Mapping[str, str]:
        """What it is to know."""
        return {}

    def start(self) -> None:
        """Start it, where it was before if it was started before."""
        for attempt in range(MOST_STARTS):
            first = self.port or free_ports(self.ports)
            self.port = first
            if self._starts(attempt):
                return
            self._running.close()
            # After a stop the same port is wanted; it is free as soon as the system has noticed.
            time.sleep(0.2)
        raise RuntimeError((self.folder / "log").read_text(errors="replace"))

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Stop it; what it has on the disk stays."""
        self._sign = sign
        self._running.close()

    _sign = signal.SIGTERM

    def _starts(self, attempt: int) -> bool:
        environ = {"PATH": f"{Path(self.path).parent}:/usr/bin:/bin", "HOME": str(self.folder), **self.environ()}
        process = None
        for command in self.commands():
            with (self.folder / "log").open("ab") as log:
                process = subprocess.Popen(command, env=environ, cwd=self.folder, stdout=log, stderr=log)
            self._running.callback(self._end, process)
        assert process is not None
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
                if self.answers():
                    return True
            time.sleep(0.05)
        return False

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(self._sign)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_ports(many: int) -> int:
    """The first of several ports in a row that are free."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                for more in range(1, many):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port + more))
            except (OSError, OverflowError):
                continue
            return port


@contextmanager
def running(kind: type[B]) -> Iterator[B]:
    """A server of a kind; where there is none, the test is skipped."""
    path = program(kind.program)
    if path is None:
        pytest.skip(f"{kind.program} is not there: .ci/mail-servers unpacks it")
    with TemporaryDirectory(prefix="broker-") as text:
        server = kind(Path(text), path)
        server.start()
        try:
            yield server
        finally:
            server.stop()


class RedisServer(Server):
    """Redis, with every entry on the disk before it answers."""

    program = "redis-server"

    def commands(self) -> Sequence[Sequence[str]]:
        """One."""
        return [
            [
                *(self.path, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""),
                *("--appendonly", "yes", "--appendfsync", "always", "--requirepass", "s3cr3t-pass"),
            ]
        ]

    def answers(self) -> bool:
        """It has loaded what it had."""
        import redis  # noqa: PLC0415 - for those who ask

        with suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def client(self) -> redis.Redis:
        """A client of our own."""
        import redis  # noqa: PLC0415 - for those who ask

        return redis.Redis(port=self.port, password="s3cr3t-pass")

    def publish(self, bodies: Iterable[bytes]) -> None:
        """As entries."""
        with self.client() as client:
            sent = client.pipeline(transaction=False)
            for body in bodies:
                sent.xadd("orders", {"entity": body})
            sent.execute()

    def published(self) -> list[bytes]:
        """The entries."""
        with self.client() as client:
            entries: Any = client.xrange("out")
            return [fields[b"entity"] for _, fields in entries]

    def left(self) -> int:
        """What the group has handed out, and what it has not."""
        with self.client() as client:
            groups: Any = client.xinfo_groups("orders")
            return sum(group["pending"] + (group["lag"] or 0) for group in groups)

    def system(self, **properties: object) -> dict[str, object]:
        """With its password."""
        url = f"redis://127.0.0.1:{self.port}/0"
        return {"_id": "broker", "type": "system:redis", "url": url, "password": "s3cr3t-pass", **properties}
