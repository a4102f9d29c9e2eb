"""The sink that swallows everything."""

from __future__ import annotations

import asyncio

from pipeline.receipt import Outcome, Receipt
from pipeline.run import Portion
from sinks.null import Null


def test_every_entity_is_skipped() -> None:
    """There is a receipt for each entity, also for one without an `_id`."""

    async def write() -> list[Receipt]:
        portions = [Portion([{"_id": "a"}, {}], None, 2, 0), Portion([], None, 0, 0)]
        return [receipt async for group in Null().write(portions) for receipt in group]

    receipts = asyncio.run(write())
    assert [(receipt.entity_id, receipt.outcome) for receipt in receipts] == [
        ("a", Outcome.SKIPPED),
        ("", Outcome.SKIPPED),
    ]
