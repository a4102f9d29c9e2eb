"""Reaching a server."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import suppress
from typing import Any

import pytest

from systems.smtp.dialing import Place, dial, interleaved, reach
from systems.smtp.endpoints import Endpoint, TlsSpec

V4, V6 = socket.AF_INET, socket.AF_INET6


class Reached(asyncio.BufferedProtocol):
    """Keeps its connection."""

    def connection_made(self, transport: Any) -> None:
        """Keep it."""
        self.transport = transport


def at(port: int, host: str = "127.0.0.1") -> Endpoint:
    """A server on this machine."""
    return Endpoint(host, port, TlsSpec())


async def turns(count: int) -> None:
    """Let the loop go round some times."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_the_two_families_are_tried_in_turn() -> None:
    """The family of the first address begins, and the order within a family stays."""
    given = [Place(V6, ("a",)), Place(V6, ("b",)), Place(V6, ("c",)), Place(V4, ("d",))]
    assert [place.address[0] for place in interleaved(given)] == ["a", "d", "b", "c"]


@pytest.mark.parametrize("count", range(20))
def test_a_connection_that_is_given_up_is_closed(count: int) -> None:
    """Whenever it is given up, from before the first step to after the last, no socket stays open."""

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            reached = Reached()
            task = asyncio.create_task(dial(at(server.getsockname()[1]), None, lambda: reached))
            await turns(count)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
                reached.transport.abort()
            await turns(3)

    asyncio.run(run())
    gc.collect()  # What stayed open warns here, and a warning is an error.


def test_a_second_address_answers_for_the_first() -> None:
    """A server that listens on one of its name's addresses only is reached by its name."""

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            reached = Reached()
            await dial(at(server.getsockname()[1], "localhost"), None, lambda: reached)
            assert reached.transport.get_extra_info("peername")[0] == "127.0.0.1"
            reached.transport.abort()
            await turns(3)

    asyncio.run(run())


def test_nobody_listens() -> None:
    """When no address answers the failure of the first is told."""

    async def run() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            with pytest.raises(ConnectionRefusedError):
                await dial(at(free.getsockname()[1]), None, Reached)

    asyncio.run(run())


def test_an_own_address_of_the_other_family() -> None:
    """An address to connect from that cannot fit is named beside the server's."""

    async def run() -> None:
        with pytest.raises(OSError, match=r"127\.0\.0\.1 cannot be reached from ::1: one is of IPv4"):
            await dial(at(9), "::1", Reached)

    asyncio.run(run())


def test_connecting_from_an_own_address() -> None:
    """The server sees the address that was asked for."""

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            reached = Reached()
            await dial(at(server.getsockname()[1]), "127.0.0.2", lambda: reached)
            assert reached.transport.get_extra_info("sockname")[0] == "127.0.0.2"
            reached.transport.abort()
            await turns(3)

    asyncio.run(run())


def test_an_address_that_is_silent_holds_up_nobody() -> None:
    """The next address is tried beside one that does not answer, and the one that answers wins."""

    async def run() -> None:
        with socket.socket() as silent, socket.create_server(("127.0.0.1", 0)) as server:
            silent.bind(("127.0.0.1", 0))
            silent.listen(0)
            # One waits in the queue of those to be accepted; the next gets no answer.
            with socket.create_connection(silent.getsockname()):
                with await reach([Place(V4, each.getsockname()) for each in (silent, server)], None) as won:
                    assert won.getpeername() == server.getsockname()
                await turns(3)

    asyncio.run(run())
