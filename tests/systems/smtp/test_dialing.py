"""Reaching a server."""

from __future__ import annotations

import asyncio

from systems.smtp.dialing import race


def test_only_loops_that_know_it_are_told_to_try_addresses_beside_each_other() -> None:
    """Another loop refuses the argument, and then no server could be reached at all."""

    async def run() -> None:
        assert race(asyncio.get_running_loop())["interleave"] == 1

    asyncio.run(run())
    assert race(asyncio.AbstractEventLoop()) == {}  # type: ignore[abstract]
