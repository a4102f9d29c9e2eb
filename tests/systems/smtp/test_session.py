"""A session, where its loop or its server is quicker than it, and where it has a fault of its own."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from systems.mail import Reason, Status
from systems.smtp.build import limits, routes
from systems.smtp.config import SmtpConfig
from systems.smtp.session import Session
from systems.smtp.system import SmtpSystem

Make = Callable[..., Any]
# As long as a slow machine under load may take for a moment's work.
PATIENCE = 60.0


class Line(asyncio.Transport):
    """A connection that only notes what is written."""

    def __init__(self) -> None:
        """Nothing is written yet."""
        super().__init__()
        self.written = b""
        self.limits: tuple[int | None, int | None] = (None, None)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note it."""
        self.written += bytes(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Note them."""
        self.limits = (high, low)


class Nobody:
    """An owner who looks at nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Whatever it is told."""
        return lambda *_: None


def test_a_greeting_that_comes_with_the_connection_is_heard() -> None:
    """Some loops read before they tell whoever dialled that the connection stands."""

    async def run() -> None:
        config = SmtpConfig.model_validate({"_id": "a", "type": "system:smtp", "helo": "me.example.com"})
        (route,) = routes(config, ".")
        session = Session(route, Nobody())  # type: ignore[arg-type]
        line = Line()
        session.connection_made(line)
        greeting = b"220 mx\r\n"
        route.buffer[: len(greeting)] = greeting
        session.buffer_updated(len(greeting))
        session.flush()
        assert line.written == b"EHLO me.example.com\r\n"

    asyncio.run(run())


async def with_the_handshake(
    context: ssl.SSLContext, greeting: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """A server under TLS 1.2 whose greeting is in one piece with the last bytes of the handshake."""
    inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(inside, outside, server_side=True)
    shaken = over = False
    with suppress(OSError):
        while not over and (data := await reader.read(65_536)):
            inside.write(data)
            if not shaken:
                with suppress(ssl.SSLWantReadError):
                    tls.do_handshake()
                    shaken = True
                    tls.write(greeting)
                    over = not greeting.startswith(b"220")
            with suppress(ssl.SSLWantReadError):
                while shaken and (line := tls.read(65_536)):
                    tls.write({b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(line[:4], b"250 mx\r\n"))
                    over = line.startswith(b"QUIT")
            writer.write(outside.read())
            await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    ("greeting", "said"),
    [(b"220 mx\r\n", None), (b"554 not you\r\n", "the server does not serve: 554 not you")],
)
def test_a_greeting_that_comes_with_the_handshake_is_heard(
    greeting: bytes, said: str | None, tmp_path: Path, system: Make, send: Make, message: Make
) -> None:
    """Under TLS 1.2 the server has the last word of the handshake, and may go on speaking at once."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def run() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await with_the_handshake(context, greeting, reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with system(port, tls="implicit", ca_file=str(tmp_path / "ca.pem"), pipelining="NO") as mail:
            async with asyncio.timeout(PATIENCE):
                answered = await send(mail, [message()])
            (answer,) = answered["k"].answers
            if said is None:
                assert answer.code == 250
            else:
                assert (answer.status, mail.trouble.fault.text) == (Status.NOT_TRIED, said)
        server.close()

    asyncio.run(run())


def test_a_fault_of_our_own_ends_the_session(
    peer: Make, send: Make, message: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever waits for an answer gets one, and the log has the fault."""

    def no_luck() -> bytes:
        raise RuntimeError("no luck today")

    async def run() -> None:
        async with peer("AUTH PLAIN") as server:
            given = {"_id": "a", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": server.port}
            login = {"smtp_username": "u", "smtp_password": "word"}
            config = SmtpConfig.model_validate(given | login)
            (route,) = routes(config, ".")
            mail = SmtpSystem("a", (replace(route, nonce=no_luck),), limits(config), lambda: 0.5)
            async with mail:
                answered = await send(mail, [message()])
                assert answered["k"].answers[0].status is Status.NOT_TRIED
                assert mail.trouble is not None
                assert mail.trouble.fault.reason is Reason.OWN_FAULT
                assert mail.trouble.fault.text == "a fault of this program: RuntimeError; the log says more"

    with caplog.at_level(logging.ERROR, "mailweir.smtp"):
        asyncio.run(run())
    (entry,) = [one for one in caplog.records if one.exc_info]
    assert "no luck today" in str(entry.exc_info)


def test_a_server_that_is_not_there_is_named_once(
    system: Make, send: Make, message: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """The warning says which system, which server, why, and when it is tried again."""

    async def run() -> None:
        async with system(1) as mail:
            await send(mail, [message()])

    with caplog.at_level(logging.WARNING, "mailweir.smtp"):
        asyncio.run(run())
    words = caplog.messages[0].partition(";")[0].partition(": ")[2]
    assert words == "127.0.0.1:1 cannot be reached: connection refused"
