"""A sink that swallows everything."""

import asyncio

from pipeline.receipt import Outcome, Receipt
from sinks.null import Null


def test_every_entity_is_skipped_and_told() -> None:
    """One receipt each, also for an entity without `_id`."""

    async def receipts() -> list[Receipt]:
        return [receipt async for receipt in Null().write([{"_id": "a"}, {}])]

    assert [(r.entity_id, r.outcome) for r in asyncio.run(receipts())] == [
        ("a", Outcome.SKIPPED),
        ("", Outcome.SKIPPED),
    ]
