"""Opening the file: in a folder that is fit for it, of a version that is known, and no older than what was here."""

from __future__ import annotations

import math
import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.clock import Clock
from pipeline.state import place
from pipeline.state.faults import StateError, StateReason
from pipeline.state.owners import Turn
from pipeline.state.sqlite import bearings, connection, schema
from pipeline.state.steady import Bearings

FILE: Final = "state.db"
SENDERS: Final = "senders"
# The steady time that was on record last, beside the file: a backup that is put back is older than this.
NEWEST: Final = "newest"
WRITE_NEWEST_EVERY: Final = 1.0


@dataclass(slots=True)
class Opened:
    """The file, open, and what belongs to it."""

    path: Path
    senders: Path
    turn: Turn
    connection: sqlite3.Connection
    bearings: Bearings
    latest: float = -math.inf
    newest: float = -math.inf

    def committed(self, steady: float) -> None:
        """A transaction of this time is on the disk."""
        self.latest = steady
        if steady >= self.newest + WRITE_NEWEST_EVERY:
            self._remember()

    def _remember(self) -> None:
        self.newest = self.latest
        _write_newest(self.path.with_name(NEWEST), self.newest)

    def close(self) -> None:
        """Close it; the last to do so writes the log back, in its turn."""
        took = self.turn.take(connection.BUSY_SECONDS)
        self.connection.close()
        if took:
            if self.latest > self.newest:
                self._remember()
            self.turn.give()
        self.turn.close()


def opened(folder: Path, clock: Clock, *, accept_older: bool, on_network: bool) -> Opened:
    """Open the file of a folder, or make it."""
    place.prepare(folder, network=on_network)
    senders = folder / SENDERS
    place.prepare(senders, network=on_network)
    path = folder / FILE
    place.make_file(path)
    try:
        turn = Turn(folder / "write.lock")
    except OSError as error:
        raise place.refused(folder / "write.lock", error) from None
    if not turn.take(connection.BUSY_SECONDS):
        turn.close()
        raise StateError(StateReason.BUSY, f"{path}: another process of Mailweir holds it", passing=True)
    opened: sqlite3.Connection | None = None
    try:
        opened = connection.writer(path)
        schema.migrate(opened, path)
        if not accept_older:
            _refuse_older(opened, path)
        opened.execute("BEGIN IMMEDIATE")
        found = bearings.advance(opened, clock)
        opened.execute("COMMIT")
    except BaseException as error:
        if opened is not None:
            opened.close()
        turn.give()
        turn.close()
        if isinstance(error, sqlite3.Error) and (meant := connection.meaning(error, path)):
            raise meant from None
        raise
    turn.give()
    return Opened(path, senders, turn, opened, found)


def _refuse_older(opened: sqlite3.Connection, path: Path) -> None:
    found = bearings.load(opened)
    newest = _read_newest(path.with_name(NEWEST))
    if newest is not None and (found is None or found.noted < newest):
        raise StateError(
            StateReason.OLDER,
            f"{path} is older than what was here before, by {'all' if found is None else ago(newest - found.noted)}:"
            " what was sent since would be sent again",
            "put the newer file back, or accept the older one by name",
        )


def ago(seconds: float) -> str:
    """A time span in words."""
    for unit, many in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * many:
            return f"{seconds / many:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _read_newest(path: Path) -> float | None:
    with suppress(OSError, ValueError):
        return float(path.read_text("ascii"))
    return None


def _write_newest(path: Path, steady: float) -> None:
    """Only what is on the disk for sure is written here, so this file may be behind, never ahead."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(OSError):
        try:
            temporary.touch(0o600)
            temporary.write_text(repr(steady), "ascii")
            temporary.replace(path)
        finally:
            # On a full disk.
            temporary.unlink(missing_ok=True)
