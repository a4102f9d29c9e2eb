"""Connecting to a server, whatever loop there is."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any, Final, NamedTuple

from systems.smtp.endpoints import Endpoint

# RFC 8305 section 5: how long the first address has before the next one is tried beside it.
NEXT_ADDRESS_AFTER: Final = 0.25


class Place(NamedTuple):
    """An address of a server as the sockets know it."""

    family: int
    address: tuple[Any, ...]


async def dial(endpoint: Endpoint, source_address: str | None, made: Callable[[], asyncio.BufferedProtocol]) -> None:
    """Connect what `made` gives to a server. `OSError` when no address of it answers."""
    loop = asyncio.get_running_loop()
    if endpoint.socket is not None:
        await loop.create_unix_connection(made, endpoint.socket)
        return
    places = interleaved(await _addresses(endpoint.host, endpoint.port))
    sources = await _addresses(source_address, 0) if source_address else None
    await loop.create_connection(made, sock=await reach(places, sources))


def interleaved(places: Sequence[Place]) -> list[Place]:
    """Addresses of the two families in turn, that of the first in front (RFC 8305 section 4)."""
    first = [place for place in places if place.family == places[0].family]
    others = [place for place in places if place.family != places[0].family]
    return [place for place in chain.from_iterable(zip_longest(first, others)) if place is not None]


async def _addresses(host: str, port: int) -> list[Place]:
    kind = {"type": socket.SOCK_STREAM, "proto": socket.IPPROTO_TCP}
    try:
        # An address needs no thread that asks for it.
        found = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, **kind)
    except socket.gaierror:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, **kind)
    return [Place(family, address) for family, _, _, _, address in found]


async def reach(places: Sequence[Place], sources: Sequence[Place] | None) -> socket.socket:
    """The first address that answers, and no other connection, whoever is cancelled when.

    The race of asyncio's own forgets the socket that has won if it is cancelled in that moment: a connection that the
    server keeps and nobody uses.
    """
    waiting = deque(places)
    trying: set[asyncio.Task[socket.socket]] = set()
    failures: list[BaseException] = []
    try:
        while waiting or trying:
            if waiting:
                trying.add(asyncio.create_task(_connected(waiting.popleft(), sources)))
            delay = NEXT_ADDRESS_AFTER if waiting else None
            done, _ = await asyncio.wait(trying, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                trying.remove(attempt)
                if (error := attempt.exception()) is None:
                    return attempt.result()
                failures.append(error)
        raise failures[0]
    finally:
        for attempt in trying:
            attempt.cancel()
            attempt.add_done_callback(_forget)


async def _connected(place: Place, sources: Sequence[Place] | None) -> socket.socket:
    reached = socket.socket(place.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        reached.setblocking(False)
        if sources is not None:
            reached.bind(_fitting(place, sources))
        await asyncio.get_running_loop().sock_connect(reached, place.address)
    except BaseException:
        reached.close()
        raise
    return reached


def _fitting(place: Place, sources: Sequence[Place]) -> tuple[Any, ...]:
    for source in sources:
        if source.family == place.family:
            return source.address
    raise OSError(
        f"{place.address[0]} cannot be reached from {sources[0].address[0]}: one is of IPv4, the other of IPv6"
    )


def _forget(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
