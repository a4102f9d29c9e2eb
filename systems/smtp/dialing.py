"""Connecting to a server, whatever loop there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from systems.smtp.endpoints import Endpoint

# RFC 8305 section 5: how long the first address has before the next one is tried beside it.
NEXT_ADDRESS_AFTER: Final = 0.25


async def dial(endpoint: Endpoint, source_address: str | None, made: Callable[[], asyncio.BufferedProtocol]) -> None:
    """Connect what `made` gives to a server. `OSError` when no address of it answers."""
    loop = asyncio.get_running_loop()
    if endpoint.socket is not None:
        await loop.create_unix_connection(made, endpoint.socket)
        return
    local = (source_address, 0) if source_address else None
    await loop.create_connection(made, endpoint.host, endpoint.port, local_addr=local, **race(loop))


def race(loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
    """How addresses are tried beside each other. Loops of others (uvloop) take them in turn, and refuse to be told."""
    own = isinstance(loop, asyncio.BaseEventLoop)
    return {"happy_eyeballs_delay": NEXT_ADDRESS_AFTER, "interleave": 1} if own else {}
