"""Entities on standard output, for people who look at a flow."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import IO, TYPE_CHECKING, Literal

from pipeline.component import SinkConfig, SinkContext
from pipeline.receipt import Receipt, Tally
from pipeline.run import StoppedError, arriving
from sinks.file import Told
from sinks.json import Lines
from systems.disk import reason

if TYPE_CHECKING:
    from pipeline.run import Portion


class PrintConfig(SinkConfig):
    """Prints each entity as a line of JSON on standard output, before the summary of the run."""

    type: Literal["print"]
    """`print`."""

    def build(self, context: SinkContext) -> Print:
        """The sink itself. It keeps no position, so that every run shows all."""
        return Print(sys.stdout, context.scrubbed)


class Print:
    """Writes to a stream."""

    def __init__(self, stream: IO[str], scrubbed: Callable[[str], str]) -> None:
        """`stream` is for text; `scrubbed` takes secrets out of it."""
        self._stream = stream
        self._scrubbed = scrubbed

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """What became of the entities, portion by portion."""
        async for portion in arriving(portions):
            told = Told(skip_deleted=False)
            lines = b"".join(told.texts(portion, Lines()))
            try:
                self._stream.write(self._scrubbed(lines.decode()))
                self._stream.flush()
            except OSError as error:
                raise StoppedError(f"cannot print: {reason(error)}") from None
            if told.refused:
                yield told.take_refused()
            yield told.tally()
