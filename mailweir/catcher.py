"""The catcher: a mail server on this machine that keeps what it gets and delivers nothing.

    async with Catcher() as catcher:
        ...  # send to 127.0.0.1, port catcher.port
        (mail,) = await catcher.wait(1)

It listens on loopback only. What it is given decides what it asks of clients and which faults it rehearses.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailweir.caught import Caught
from mailweir.rehearsal import Mishap, Step, choose

HOST: Final = "127.0.0.1"
# What RFC 5321 section 4.5.3.2.7 has a server wait for the next command.
IDLE: Final = 300.0
MOST_BYTES: Final = 32 * 1024 * 1024
# How long answers that were given may take to leave when the catcher ends.
LAST_WORDS: Final = 1.0


class Catcher:
    """A mail server whose mail ends in `mails`, or goes to `keep`.

    `keep` has the mail before the client has its answer; when it raises `OSError`, the mail is refused for now.
    `tls` offers STARTTLS, with `implicit_tls` it is TLS from the first byte. `logins` are the users and their
    passwords: None takes any login, an empty one offers none. No password is kept.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        keep: Callable[[Caught], None] | None = None,
        mishaps: Sequence[Mishap] = (),
        on_mishap: Callable[[Mishap, Step, str], None] = lambda *_: None,
        latency: float = 0,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        require_tls: bool = False,
        logins: Mapping[str, str] | None = None,
        require_login: bool = False,
        max_bytes: int = MOST_BYTES,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Port 0 takes a free one when the catcher starts."""
        self.port = port
        self.mails: list[Caught] = []
        self.count = 0
        self.latency = latency
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.require_tls = require_tls
        self.logins = logins
        self.require_login = require_login
        self.max_bytes = max_bytes
        self._keep = keep or self.mails.append
        self._mishaps = mishaps
        self._on_mishap = on_mishap
        self._chance = chance
        self._clock = clock
        self._servers: list[asyncio.Server] = []
        self._talks: set[_Talk] = set()
        self._came = asyncio.Event()
        self.over = False
        """Whether it is closing."""

    async def __aenter__(self) -> Self:
        """Listen; an `OSError` says why that is not possible."""
        # Its log has every command with its addresses, and a warning for each login. The catcher has its own words.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        loop = asyncio.get_running_loop()
        sockets = _listening(self.port)
        self.port = sockets[0].getsockname()[1]
        context = self.tls if self.implicit_tls else None
        self._servers = [await loop.create_server(lambda: _Talk(self), sock=each, ssl=context) for each in sockets]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and close every connection; answers that were given still go out."""
        self.over = True
        for server in self._servers:
            server.close()
        talks = list(self._talks)
        for talk in talks:
            talk.hang_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await asyncio.gather(*(talk.ended.wait() for talk in talks))
        await asyncio.gather(*(talk.give_up() for talk in list(self._talks)))
        for server in self._servers:
            await server.wait_closed()
        # A connection that was accepted just before is made in the next turns of the loop, and refused then.
        for _ in range(_TURNS_TO_CONNECT):
            await asyncio.sleep(0)

    async def wait(self, count: int) -> list[Caught]:
        """Wait until so many mails have come in all. The caller sets how long."""
        while self.count < count:
            await self._came.wait()
        return self.mails

    def catch(
        self, sender: str, recipients: Sequence[str], content: bytes, *, login: str | None, tls: str | None
    ) -> int:
        """Keep a mail and answer its number."""
        mail = Caught(self.count + 1, self._clock(), sender, tuple(recipients), content, login, tls)
        self._keep(mail)
        self.count += 1
        self._came.set()
        self._came = asyncio.Event()
        return mail.number

    def mishap(self, step: Step, recipient: str = "") -> Mishap | None:
        """The fault to rehearse at this step, told to whoever listens."""
        found = choose(self._mishaps, step, recipient, chance=self._chance)
        if found:
            self._on_mishap(found, step, recipient)
        return found

    def knows(self, login: LoginPassword) -> bool:
        """Whether this user may log in."""
        if self.logins is None:
            return True
        return self.logins.get(login.login.decode(errors="replace")) == login.password.decode(errors="replace")

    def opened(self, talk: _Talk) -> None:
        """Remember a connection until it ends."""
        self._talks.add(talk)

    def closed(self, talk: _Talk) -> None:
        """Forget a connection."""
        self._talks.discard(talk)


# asyncio makes a connection in a task, and its transport in a call after that, both begun by the accepting call.
_TURNS_TO_CONNECT: Final = 4


def _forgotten(task: asyncio.Task[None]) -> None:
    """A connection that breaks is the client's affair: nobody has to hear of it."""
    with suppress(asyncio.CancelledError):
        task.exception()


class _HungUpError(ConnectionResetError):
    """The catcher has closed the connection: nothing more is read from it."""


class _Talk(SMTP):
    """A connection. Being its own handler, it answers the library's hooks itself."""

    def __init__(self, catcher: Catcher) -> None:
        self._catcher = catcher
        self._greeted = False
        self.ended = asyncio.Event()
        super().__init__(
            self,
            hostname="localhost",
            ident="Mailweir catcher",
            data_size_limit=catcher.max_bytes,
            enable_SMTPUTF8=True,
            tls_context=None if catcher.implicit_tls else catcher.tls,
            require_starttls=catcher.require_tls and not catcher.implicit_tls,
            timeout=IDLE + catcher.latency,
            auth_require_tls=False,
            authenticator=self._log_in,
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called again when STARTTLS has put TLS over the connection."""
        first = self.transport is None
        if first and self._catcher.over and isinstance(transport, asyncio.WriteTransport):
            transport.abort()
            return
        super().connection_made(transport)
        if first and self._handler_coroutine:
            self._handler_coroutine.add_done_callback(_forgotten)
            self._catcher.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Called when nothing more can be read or written."""
        if self._handler_coroutine is not None:
            super().connection_lost(error)
        self._catcher.closed(self)
        self.ended.set()

    def hang_up(self) -> None:
        """Close the connection after what was written."""
        if self.transport:
            self.transport.close()

    async def give_up(self) -> None:
        """End the connection at once, in whatever state it is; in a TLS handshake there are two transports."""
        for transport in (self.transport, self._original_transport):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
        if self._handler_coroutine:
            self._handler_coroutine.cancel()
            await asyncio.wait([self._handler_coroutine])
        self._catcher.closed(self)

    async def push(self, status: str | bytes) -> None:
        """Send a line of an answer. After 421 and a rehearsed greeting the connection is closed."""
        line = status.encode(errors="replace") if isinstance(status, str) else status
        last = line[3:4] != b"-"
        if last and self._catcher.latency:
            await asyncio.sleep(self._catcher.latency)
        refused = False
        if not self._greeted:
            self._greeted = True
            mishap = self._catcher.mishap("connect")
            refused = mishap is not None
            line = self._answer(mishap, line)
        await super().push(line)
        if refused or (last and line.startswith(b"421")):
            self._drop()

    async def handle_exception(self, error: Exception) -> str:
        """What the library cannot read is refused without a word of its insides."""
        return "500 this cannot be read"

    async def handle_EHLO(  # noqa: N802 - the library finds a hook by the name of its command
        self, server: SMTP, session: Session, envelope: Envelope, name: str, lines: list[str]
    ) -> list[str]:
        """What is offered: commands may come without waiting, and a login where one is possible."""
        session.host_name = name
        closed = self._catcher.logins is not None and not self._catcher.logins
        offered = [line for line in lines if not (closed and line.startswith("250-AUTH"))]
        return [offered[0], "250-PIPELINING", *offered[1:]]

    async def check_auth_needed(self, caller_method: str) -> bool:
        """Refuse a command that comes before the login."""
        if not self._catcher.require_login or (self.session and self.session.authenticated):
            return False
        await self.push("530 5.7.0 log in first")
        return True

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        """AUTH."""
        mishap = self._catcher.mishap("login")
        if mishap:
            await self.push(self._answer(mishap))
        else:
            await super().smtp_AUTH(arg)

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str | bytes:
        """MAIL FROM."""
        mishap = self._catcher.mishap("mail")
        if mishap:
            return self._answer(mishap)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str | bytes:
        """RCPT TO. The library gives `<>` for an address that is empty, which only a sender may be."""
        if address == "<>":
            return "501 an address is missing"
        mishap = self._catcher.mishap("rcpt", address)
        if mishap:
            return self._answer(mishap)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """DATA."""
        mishap = self._catcher.mishap("data") if self.envelope and self.envelope.rcpt_tos else None
        if mishap:
            await self.push(self._answer(mishap))
        else:
            await super().smtp_DATA(arg)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str | bytes:  # noqa: N802
        """Called after the final dot. A mail whose answer is dropped is kept: its sender is in doubt."""
        mishap = self._catcher.mishap("dot")
        if mishap and mishap.code:
            return self._answer(mishap)
        sender = (envelope.mail_from or "").removeprefix("<>")
        content = envelope.original_content or b""
        try:
            number = self._catcher.catch(
                sender, envelope.rcpt_tos, content, login=session.auth_data, tls=self._tls_version()
            )
        except OSError as error:
            return f"452 the mail cannot be kept: {error.strerror or 'it failed'}"
        if mishap:
            self._drop()
        return f"250 caught as number {number}"

    def _log_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: LoginPassword
    ) -> AuthResult:
        # The name alone: the password is not kept.
        name = login.login.decode(errors="replace")
        return AuthResult(success=self._catcher.knows(login), handled=False, auth_data=name)

    def _answer(self, mishap: Mishap | None, otherwise: bytes = b"") -> bytes:
        if mishap is None:
            return otherwise
        if mishap.code is None:
            self._drop()
        return mishap.reply.encode()

    def _drop(self) -> None:
        self.hang_up()
        raise _HungUpError

    def _tls_version(self) -> str | None:
        inside: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object") if self.transport else None
        return inside.version() if inside else None


def _listening(port: int) -> list[socket.socket]:
    """Sockets on loopback: IPv4, and IPv6 where there is one, since `localhost` may be either."""
    four = _bound(socket.AF_INET, HOST, port)
    if not port:
        return [four]
    try:
        return [four, _bound(socket.AF_INET6, "::1", port)]
    except OSError as error:
        if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
            return [four]
        four.close()
        raise


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # asyncio turns delays off only where the protocol is named: each answer would wait for an acknowledgement.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # The port of a catcher that has just ended is free at once.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
