"""Entities on standard output, for people who look at a flow."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import IO, TYPE_CHECKING, Literal

from pipeline.component import Context, SinkConfig
from pipeline.receipt import Receipt, Tally
from sinks.file import Told
from sinks.json import Lines

if TYPE_CHECKING:
    from pipeline.run import Portion


class PrintConfig(SinkConfig):
    """Prints each entity as a line of JSON on standard output, before the summary of the run."""

    type: Literal["print"]
    """`print`."""

    def build(self, context: Context) -> Print:
        """The sink itself. It keeps no position, so that every run shows all."""
        return Print(sys.stdout)


class Print:
    """Writes to a stream."""

    def __init__(self, stream: IO[str]) -> None:
        """`stream` is for text."""
        self._stream = stream

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """What became of the entities, portion by portion."""
        for portion in portions:
            told = Told(skip_deleted=False)
            for line in told.texts(portion, Lines()):
                self._stream.write(line.decode())
            self._stream.flush()
            if told.refused:
                yield told.take_refused()
            yield told.tally()
