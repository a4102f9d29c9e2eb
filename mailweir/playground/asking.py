"""The process in which things are tried, as a service asks it: begun when it is needed, ended if it takes too long."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

# For one answer: a mail is made in milliseconds, and the process begins within a second or two.
SECONDS: Final = 10.0
# Bytes of an answer.
MOST: Final = 64 * 2**20
# What it needs to run at all; no variable with a secret is among them.
_INHERITED: Final = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "HOME")


class Playground:
    """Asks one question after the other."""

    def __init__(self, root: Path, profile: str, seconds: float = SECONDS) -> None:
        """Of the project in `root`. Nothing is begun yet."""
        self._root = root
        self._profile = profile
        self._seconds = seconds
        self._process: Process | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def ask(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """What comes of a `mailweir.playground.trying.Wish`. What cannot be answered is a fault in the answer."""
        async with self._turn:
            line = json.dumps(wish).encode() + b"\n"
            try:
                async with asyncio.timeout(self._seconds):
                    # One that had nothing to do has ended, perhaps while it was asked.
                    found = await self._asked(line) or await self._asked(line)
            except TimeoutError:
                self._kill()
                return {"faults": [f"it took longer than {self._seconds:g} seconds, and was stopped"]}
            except asyncio.CancelledError:
                self._kill()
                raise
            except ValueError:
                self._kill()
                return {"faults": ["what came of it is too large to be shown"]}
        if not found:
            return {"faults": ["it needed more memory or time than it is given, and was stopped"]}
        answer: dict[str, Any] = json.loads(found)
        return answer

    async def _asked(self, line: bytes) -> bytes:
        process = self._process
        if process is None or process.returncode is not None:
            self._kill()
            process = self._process = await self._begun()
        assert process.stdin is not None  # noqa: S101 - it has pipes
        assert process.stdout is not None  # noqa: S101 - as above
        with suppress(OSError):
            process.stdin.write(line)
            await process.stdin.drain()
        found = await process.stdout.readline()
        if not found.endswith(b"\n"):
            self._kill()
            return b""
        return found

    async def _begun(self) -> Process:
        environ = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "mailweir.playground",
            str(self._root),
            self._profile,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=environ,
            limit=MOST,
        )

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            ending = asyncio.create_task(_ended(process))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        """End the process."""
        self._kill()
        await asyncio.gather(*self._endings)


async def _ended(process: Process) -> None:
    """Kill it and read what it still has to say: a pipe that nobody reads to its end stays open."""
    with suppress(ProcessLookupError):
        process.kill()
    with suppress(OSError):
        await process.communicate()
