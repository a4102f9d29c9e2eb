"""While a test runs nothing reaches a network, whoever tries: the interpreter itself asks here before it connects.

What it asks cannot be taken back, so it is asked for once, and answers only while a test runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# What a socket can be used for that leaves the process, and programs that would do it instead.
_CONNECTING: Final = frozenset(
    {
        "socket.connect",
        "socket.sendto",
        "socket.sendmsg",
        "socket.bind",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
    }
)
_STARTING: Final = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"})


class OfflineError(OSError):
    """A test would have left the process."""


class _Guard:
    """Says no while it is closed; `mock` names what to write instead."""

    def __init__(self) -> None:
        self.closed = 0
        self.mock = ""
        self.installed = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.closed:
            return
        if event in _CONNECTING or event in _STARTING:
            add = f"add a mock for `{self.mock}`" if self.mock else "give its entities with `given`"
            what = "reaches no network" if event in _CONNECTING else "starts no program"
            raise OfflineError(f"tests are offline: a test {what}; {add}")


_guard: Final = _Guard()


@contextmanager
def offline(mock: str = "") -> Iterator[None]:
    """In here nothing reaches a network."""
    if not _guard.installed:
        _guard.installed = True
        sys.addaudithook(_guard)
    before = _guard.mock
    _guard.closed += 1
    _guard.mock = mock or before
    try:
        yield
    finally:
        _guard.closed -= 1
        _guard.mock = before
