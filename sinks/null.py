"""A sink that swallows everything. No I/O."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Literal

from pipeline.component import Context, SinkConfig
from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt


class NullConfig(SinkConfig):
    """Swallows every entity and never fails."""

    type: Literal["null"]
    """`null`."""

    def build(self, context: Context) -> Null:
        """The sink itself."""
        return Null()


class Null:
    """Says of every entity that it was skipped."""

    async def write(self, entities: Iterable[Entity]) -> AsyncIterator[Receipt]:
        """A receipt for each entity."""
        for entity in entities:
            yield Receipt(str(entity.get("_id", "")), "null", Outcome.SKIPPED)
