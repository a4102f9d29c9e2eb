"""Batches that somebody else does not take at first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import MachineClock
from pipeline.entity import Entity
from pipeline.receipt import Receipt
from pipeline.run import Portion, StoppedError
from pipeline.state.sqlite.store import SqliteState
from sinks.batches import BatchSink
from sinks.mail import outbound

FEW = 0.001


class Moody:
    """Takes a batch when it has refused it so often."""

    def __init__(self, moods: list[int]) -> None:
        """How often, for one batch after the other; it is opened and closed."""
        self.moods = moods
        self.taken: list[str] = []
        self.opened = self.closed = 0

    def open(self) -> Moody:
        """Once more."""
        self.opened += 1
        return self

    def write(self, entities: Sequence[Entity]) -> list[Receipt]:
        """Or not."""
        if self.moods[0]:
            self.moods[0] -= 1
            raise StoppedError("not now")
        self.moods.pop(0)
        self.taken += [entity["_id"] for entity in entities]
        return []

    def close(self) -> None:
        """Until the next time."""
        self.closed += 1


def written(folder: Path, moody: Moody, retries: int, *, stopping: bool = False) -> str | None:
    """Write four entities in two batches: the position that is stored."""

    async def write() -> str | None:
        async with SqliteState.open(folder / ".mailweir", MachineClock(), outbound.stranded) as state:
            running: Any = type("Running", (), {"state": state, "stopping": asyncio.Event()})()
            if stopping:
                running.stopping.set()
            sink = BatchSink("p", moody.open, 2, running)
            sink.retry(retries, FEW)
            portions = [
                Portion([{"_id": "1"}, {"_id": "2"}], "2", 2, 0),
                Portion([{"_id": "3"}, {"_id": "4"}], "4", 2, 0),
            ]
            try:
                async for _ in sink.write(portions):
                    pass
            finally:
                found = await state.offset("p")
        return found

    return asyncio.run(write())


def test_a_batch_is_tried_again(tmp_path: Path) -> None:
    """As often as the pump says, each batch anew, with what is opened anew."""
    moody = Moody([2, 1])
    assert written(tmp_path, moody, 2) == "4"
    assert moody.taken == ["1", "2", "3", "4"]
    assert moody.opened == moody.closed == 4


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (2, 3)])
def test_a_batch_that_nobody_takes_ends_the_run(tmp_path: Path, retries: int, tries: int) -> None:
    """What came before it is written, and the position is behind that."""
    moody = Moody([0, 99])
    with pytest.raises(StoppedError, match="not now"):
        written(tmp_path, moody, retries)
    assert moody.taken == ["1", "2"]
    assert moody.moods == [99 - tries]
    assert moody.opened == moody.closed


def test_who_is_to_stop_tries_nothing_again(tmp_path: Path) -> None:
    """The next run does."""
    moody = Moody([99])
    with pytest.raises(StoppedError, match="not now"):
        written(tmp_path, moody, 1000, stopping=True)
    assert moody.moods == [98]
