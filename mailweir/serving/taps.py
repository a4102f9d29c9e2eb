"""Looking into a flow while it goes on: a run shows what passes to those who have a tap in its pipe.

A tap is a socket in the folder of the state, named after pipe and stage. A run looks whether there are any before each
portion; who does not keep up misses some, so that a tap slows a run a little and never stops it.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self

from pipeline.entity import to_json
from pipeline.state import place

if TYPE_CHECKING:
    from pipeline.component import Source
    from pipeline.entity import Entity

FOLDER: Final = "taps"
Stage = Literal["source", "sink"]
# A packet has a few entities: Linux lets some 200 kB wait in a socket, and counts each packet twice.
MOST_BYTES: Final = 32_000
# So long a run waits for a tap that does not keep up, at most, for each portion.
PATIENCE: Final = 0.05
_ROOM: Final = 4 * 2**20


class Taps:
    """Those of a project, as runs see them."""

    def __init__(self, state: Path) -> None:
        """None is looked for yet."""
        self._folder = state / FOLDER
        self._at: int | None = None
        self._names: tuple[str, ...] = ()
        self._missed: dict[str, int] = {}

    def show(self, pipe: str, stage: Stage, entities: Sequence[Entity]) -> None:
        """Show what passes to those who look; nothing happens if nobody does."""
        begin = _begin(pipe, stage)
        for name in self._there():
            if name.startswith(begin):
                self._send(name, entities)

    def tapped(self, pipe: str, source: Source) -> Source:
        """The source, whose entities can be looked at too."""
        return _Tapped(self, pipe, source)

    def _there(self) -> tuple[str, ...]:
        try:
            at = self._folder.stat().st_mtime_ns
            if at != self._at:
                self._names = tuple(path.name for path in self._folder.iterdir())
                self._at = at
        except OSError:
            self._names = ()
        return self._names

    def _send(self, name: str, entities: Sequence[Entity]) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(PATIENCE)
            missed = self._missed.pop(name, 0)
            rest = _packets(entities)
            for lines, large in rest:
                packet = b"\n".join([json.dumps({"missed": missed + large}).encode(), *lines])
                try:
                    with _reachable(self._folder, name) as path:
                        sender.sendto(packet, path)
                    missed = 0
                except (ConnectionRefusedError, FileNotFoundError):
                    # Whoever had it is gone without taking it away.
                    (self._folder / name).unlink(missing_ok=True)
                    return
                except OSError:
                    missed += large + len(lines) + sum(more + len(others) for others, more in rest)
            if missed:
                self._missed[name] = missed


def _packets(entities: Sequence[Entity]) -> Iterator[tuple[list[bytes], int]]:
    """Entities as lines of JSON, in packets, each with how many were too large for any."""
    lines: list[bytes] = []
    size = large = 0
    for entity in entities:
        try:
            line = to_json(entity)
        except (TypeError, ValueError, RecursionError):
            line = b"x" * (MOST_BYTES + 1)
        if len(line) > MOST_BYTES:
            large += 1
            continue
        if size + len(line) > MOST_BYTES:
            yield lines, large
            lines, size, large = [], 0, 0
        lines.append(line)
        size += len(line) + 1
    if lines or large:
        yield lines, large


class _Tapped:
    """A source that shows its entities."""

    def __init__(self, taps: Taps, pipe: str, source: Source) -> None:
        self._taps = taps
        self._pipe = pipe
        self._source = source

    def __getattr__(self, name: str) -> object:
        """What else there is to know of it."""
        return getattr(self._source, name)

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """The same batches."""
        for entities, reached in self._source.read(since):
            self._taps.show(self._pipe, "source", entities)
            yield entities, reached


class Seen(NamedTuple):
    """Entities that passed, and how many more did that could not be shown."""

    entities: list[Any]
    missed: int


class Tap:
    """A tap, for who looks. Entered, it is there."""

    def __init__(self, state: Path, pipe: str, stage: Stage) -> None:
        """`state` is the folder of the state."""
        self._folder = state / FOLDER
        self._name = f"{_begin(pipe, stage)}{secrets.token_hex(4)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        """Put it in."""
        place.prepare(self._folder.parent)
        place.prepare(self._folder)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        with _reachable(self._folder, self._name) as path:
            self._socket.bind(path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it out."""
        self._socket.close()
        (self._folder / self._name).unlink(missing_ok=True)

    def wait(self, seconds: float) -> Seen | None:
        """What passes next; None if nothing does for so long."""
        self._socket.settimeout(seconds)
        try:
            head, *lines = self._socket.recv(_ROOM).split(b"\n")
        except (TimeoutError, BlockingIOError):
            return None
        return Seen([json.loads(line) for line in lines], int(json.loads(head)["missed"]))


class _reachable:  # noqa: N801 - it reads as the function that it is
    """A path that a socket can have: those of Unix are short, and a project may be in a deep folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._handle = -1

    def __enter__(self) -> str:
        whole = str(self._folder / self._name)
        if len(os.fsencode(whole)) < 100:
            return whole
        self._handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._handle}/{self._name}"

    def __exit__(self, *exc: object) -> None:
        if self._handle >= 0:
            os.close(self._handle)


def _begin(pipe: str, stage: Stage) -> str:
    """What the names of taps of a pipe begin with."""
    return f"{blake2b(pipe.encode(), digest_size=8).hexdigest()}.{stage}."
