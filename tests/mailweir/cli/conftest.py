"""What tests of verbs share: a catcher beside them, and the command as a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from mailweir.catcher import Catcher

TOP = Path(__file__).parents[3]


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    """A catcher in a thread of its own."""
    there, over = Event(), Event()
    made: list[Catcher] = []

    async def serve() -> None:
        async with Catcher() as caught:
            made.append(caught)
            there.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert there.wait(30)
    yield made[0]
    over.set()
    thread.join(30)


@pytest.fixture(scope="session")
def command() -> Callable[..., Any]:
    """Run the command in a folder; its exit code and what it wrote."""

    def run(folder: Path, *arguments: str, given: str = "", **environ: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "mailweir", *arguments],
            input=given,
            capture_output=True,
            text=True,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP), **environ},
            check=False,
            timeout=300,
        )

    return run
