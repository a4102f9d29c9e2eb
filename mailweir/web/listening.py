"""Listening: an address, a server that speaks HTTP on it, and its end."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mailweir.web.faults import CannotListenError

if TYPE_CHECKING:
    from mailweir.web.front import App

# Connections at a time: a browser opens six, a program that posts a few.
MOST_CONNECTIONS: Final = 500
# The head of a request has come by then.
HEAD_SECONDS: Final = 10.0
# A connection that asks nothing more stays so long.
IDLE_SECONDS: Final = 15
# What one message of a websocket may have; as much as a body that is posted.
MOST_TEXT_BYTES: Final = 2**20
# A websocket whose other end says nothing any more is closed within twice as long.
PING_SECONDS: Final = 20.0
MOST_HEAD_BYTES: Final = 32 * 2**10


class Tls(NamedTuple):
    """A certificate with its chain, and its key."""

    certificate: Path
    key: Path


def bound(host: str, port: int) -> socket.socket:
    """A socket that is bound, and does not listen yet."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotListenError(f"--host {host}: {error.strerror or error}") from None
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        made.close()
        help_ = "\n  help: another service has it; `--port 0` takes a free one, `--no-http` none"
        raise CannotListenError(f"cannot listen on {host}:{port}: {error.strerror or error}{help_}") from None
    return made


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_of(listening: socket.socket, tls: Tls | None) -> str:
    """Where it listens."""
    host, port = listening.getsockname()[:2]
    return f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{port}/"


class Listener:
    """A server on a socket."""

    def __init__(self, app: App, listening: socket.socket, tls: Tls | None, drain: float) -> None:
        """`drain` seconds are for requests that are being answered when it stops."""
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
            # What is worth telling the door tells, without what peers have sent.
            logging.getLogger(name).propagate = False
            logging.getLogger(name).disabled = True
        self._socket = listening
        try:
            config = uvicorn.Config(
                app,
                http=_Http,
                ws="wsproto",
                ws_max_size=MOST_TEXT_BYTES,
                ws_ping_interval=PING_SECONDS,
                ws_ping_timeout=PING_SECONDS,
                # What is small packed may be large unpacked.
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=max(1, int(drain)),
                h11_max_incomplete_event_size=MOST_HEAD_BYTES,
                ssl_certfile=None if tls is None else str(tls.certificate),
                ssl_keyfile=None if tls is None else str(tls.key),
            )
            config.load()
        except OSError as error:
            raise CannotListenError(f"the certificate cannot be used: {error.strerror or error}") from None
        self._server = _Server(config)

    async def serve(self) -> None:
        """Until it is stopped."""
        await self._server.serve([self._socket])

    async def started(self) -> None:
        """Until requests are answered."""
        await self._server.answering.wait()

    def stop(self) -> None:
        """Take no more; what is being answered comes to its end."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """A server in a process whose signals are heard by others."""

    def __init__(self, config: uvicorn.Config) -> None:
        """Not started yet."""
        super().__init__(config)
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so when it is done."""
        await super().startup(sockets)
        self.answering.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield


class _Http(H11Protocol):
    """A connection on which heads of requests come in time: who sends a letter a minute takes no place."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as its parent
        """The first head is awaited."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """More of a head, or of something else."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._await_head()
        else:
            self._heard()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._heard()
        with suppress(RuntimeError):
            super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _heard(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
