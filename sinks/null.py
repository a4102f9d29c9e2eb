"""A sink that swallows everything. No I/O."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Literal

from pipeline.component import Context, SinkConfig
from pipeline.receipt import Outcome, Tally
from pipeline.run import arriving

if TYPE_CHECKING:
    from pipeline.run import Portion


class NullConfig(SinkConfig):
    """Swallows every entity and never fails."""

    type: Literal["null"]
    """`null`."""

    def build(self, context: Context) -> Null:
        """The sink itself."""
        return Null()


class Null:
    """Says of every entity that it was skipped."""

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Tally]:
        """How many it has taken."""
        async for portion in arriving(portions):
            yield Tally({Outcome.SKIPPED: len(portion.entities)})
