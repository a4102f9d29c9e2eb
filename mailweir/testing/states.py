"""States for tests: each as one is when nothing has happened yet, in memory where there is room for it."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pipeline.clock import VirtualClock
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound

# In memory, where there is such a folder: what a test keeps is gone with it.
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


class States:
    """Folders for states, each as a state is when nothing has happened yet."""

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._folder: TemporaryDirectory[str] | None = None
        self._count = 0

    async def folder(self) -> Path:
        """A new one."""
        if self._folder is None:
            base = _MEMORY if _MEMORY.is_dir() else None
            self._folder = TemporaryDirectory(prefix="mailweir-test-", dir=base, ignore_cleanup_errors=True)
            async with SqliteState.open(self._at(0), VirtualClock(), outbound.stranded):
                pass
        self._count += 1
        folder = self._at(self._count)
        folder.mkdir(mode=0o700)
        shutil.copy(self._at(0) / "state.db", folder / "state.db")
        return folder

    def _at(self, number: int) -> Path:
        assert self._folder is not None  # noqa: S101 - the caller has made it
        return Path(self._folder.name, str(number))

    def close(self) -> None:
        """Remove them all."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
