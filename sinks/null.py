"""A sink that swallows everything. No I/O."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from pipeline.component import Context, SinkConfig
from pipeline.receipt import Outcome, Receipt

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

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt]]:
        """A receipt for each entity."""
        for portion in portions:
            yield [Receipt(str(entity.get("_id", "")), "null", Outcome.SKIPPED) for entity in portion.entities]
