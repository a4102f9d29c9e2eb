"""What all real servers of tests need: a free port, a start that may take a second try, and an end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

# For anything that they do, on a machine that is busy with other things.
PATIENCE: Final = 120.0
# Ports are free when they are chosen and may be taken a moment later.
MOST_STARTS: Final = 5
TOP: Final = Path(__file__).parents[1]

T = TypeVar("T")


def unpacked() -> Path:
    """The folder into which `.ci/mail-servers` unpacks servers."""
    return Path(os.environ.get("MAILWEIR_MAIL_SERVERS") or TOP / ".mail-servers")


def program(name: str) -> str | None:
    """A server: the one that `.ci/mail-servers` unpacks, or that of the machine.

    `MAILWEIR_MAIL_SERVERS` says that it must be there.
    """
    if (path := unpacked() / "bin" / name).exists():
        return str(path)
    assert "MAILWEIR_MAIL_SERVERS" not in os.environ, f"{path} is missing: .ci/mail-servers makes it"
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def free_ports(many: int = 1) -> int:
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


def listens(port: int) -> bool:
    """Whether somebody takes a connection."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def nobody() -> Mapping[str, Any]:
    """Who runs a server that refuses to be root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def started(
    folder: Path,
    make: Callable[[], tuple[T, Sequence[str | Path]]],
    answers: Callable[[T], bool],
    **process: Any,
) -> Iterator[T]:
    """A server that answers.

    `make` chooses ports, and gives the server and its command; another try chooses anew. `answers` says whether it is
    ready.
    """
    log = folder / "log"
    for _ in range(MOST_STARTS):
        there, command = make()
        with log.open("wb") as file:
            server = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file, **process)
        if comes(server, partial(answers, there)):
            break
        end(server)
    else:
        raise RuntimeError(log.read_text(errors="replace"))
    try:
        yield there
    finally:
        end(server)


def comes(server: subprocess.Popen[bytes], answers: Callable[[], bool]) -> bool:
    """Wait until it answers, or has ended."""
    last = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < last:
        if answers():
            return True
        time.sleep(0.05)
    return False


def end(server: subprocess.Popen[bytes], sign: signal.Signals = signal.SIGTERM) -> None:
    """End it, in order if it can."""
    server.send_signal(sign)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
