"""The sink that swallows everything."""

from __future__ import annotations

import asyncio

from pipeline.receipt import Outcome, Tally
from pipeline.run import Portion
from sinks.null import Null


def test_every_entity_is_skipped() -> None:
    """Each entity is counted, also one without an `_id`."""

    async def write() -> list[Tally]:
        portions = [Portion([{"_id": "a"}, {}], None, 2, 0), Portion([], None, 0, 0)]
        return [tally async for tally in Null().write(portions)]

    assert asyncio.run(write()) == [Tally({Outcome.SKIPPED: 2}), Tally({Outcome.SKIPPED: 0})]
