"""A connection that is ready, messages to send over it, and a server in the test's own loop to send them to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

import pytest

from systems.mail import Answered, DeliveryReports, Envelope, Message
from systems.smtp.build import build
from systems.smtp.config import SmtpConfig
from systems.smtp.events import Ready
from systems.smtp.protocol import Protocol
from systems.smtp.settings import Settings
from systems.smtp.system import SmtpSystem

USUAL = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING")


def _connect(*offers: str, **settings: Any) -> Protocol:
    protocol = Protocol(Settings("mx.example.com:25", helo="client.example.com", **settings))
    protocol.start()
    assert protocol.receive_data(b"220 mx.example.com ESMTP\r\n") == []
    assert protocol.data_to_send() == b"EHLO client.example.com\r\n"
    lines = ("mx.example.com", *(offers or USUAL))
    text = "".join(f"250{'-' if line is not lines[-1] else ' '}{line}\r\n" for line in lines)
    assert protocol.receive_data(text.encode()) == [Ready(protocol.capabilities)]
    assert protocol.data_to_send() == b""
    return protocol


def _message(
    *recipients: str,
    content: bytes = b"Subject: Hi\r\n\r\nHello\r\n",
    sender: str = "a@example.com",
    smtputf8: bool = False,
    reports: DeliveryReports | None = None,
    key: str = "k",
    xverp: bool = False,
) -> Message:
    return Message(key, Envelope(sender, recipients or ("b@example.com",), smtputf8, reports, xverp), content)


@pytest.fixture(scope="session")
def connect() -> Callable[..., Protocol]:
    """Open a connection to a server that offers `offers`, with `settings`; nothing is outstanding then."""
    return _connect


@pytest.fixture(scope="session")
def message() -> Callable[..., Message]:
    """Make a message."""
    return _message


Reply = Callable[[int, str], "bytes | None"]


class Peer:
    """A server on loopback that speaks SMTP as told.

    `reply` gets the number of the connection and each line, `"."` for the end of content and `""` for the greeting;
    what it gives back is sent instead of the usual answer, and `b""` closes the connection instead.
    """

    def __init__(
        self,
        *offers: str,
        reply: Reply = lambda *_: None,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        path: str | None = None,
    ) -> None:
        """`tls` is used for STARTTLS, or with `implicit` from the first byte; `path` is that of a Unix socket."""
        self.offers = offers or ("PIPELINING", "8BITMIME", "SIZE 1000000", *(("STARTTLS",) if tls else ()))
        self.reply = reply
        self.tls, self.implicit, self.path = tls, implicit, path
        self.port = 0
        self.connections = 0
        self.most_at_once = 0
        self.lines: list[str] = []
        self.taken: list[tuple[str, tuple[str, ...], bytes]] = []
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def __aenter__(self) -> Self:
        """Listen."""
        context = self.tls if self.implicit else None
        if self.path is None:
            self._server: Any = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context, limit=2**24)
            listening = self._server.sockets[0]
            # Little is between both ends, so that one which does not read is felt.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            self.port = listening.getsockname()[1]
        else:
            self._server = await asyncio.start_unix_server(self._serve, self.path, ssl=context)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Listen no more, and drop whoever is there."""
        self._server.close()
        for writer, task in list(self._open.items()):
            writer.transport.abort()
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open[writer] = asyncio.current_task()
        self.most_at_once = max(self.most_at_once, len(self._open))
        try:
            await self._talk(self.connections, reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            del self._open[writer]
            writer.close()
            # A TLS handshake that the client left is never over for asyncio.
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(0.2):
                    await writer.wait_closed()

    async def _talk(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender: str | None = None
        recipients: list[str] = []
        secure = self.implicit
        if not await self._say(number, "", b"220 mx ESMTP", writer):
            return
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.lines.append(line)
            verb, _, rest = line.partition(" ")
            usual = b"250 fine"
            if verb == "EHLO":
                offers = ["mx", *(one for one in self.offers if not (secure and one == "STARTTLS"))]
                usual = "\r\n".join(f"250{' ' if one is offers[-1] else '-'}{one}" for one in offers).encode()
            elif verb == "RCPT" and sender is None:
                usual = b"503 whose"
            elif verb == "DATA":
                usual = b"354 go" if recipients else b"503 to whom"
            elif verb == "QUIT":
                usual = b"221 bye"
            elif verb == "STARTTLS":
                usual = b"220 now"
            said = await self._say(number, line, usual, writer)
            if not said or verb == "QUIT":
                return
            good = said[:1] in b"23"
            path = rest.partition("<")[2].partition(">")[0]
            if verb == "MAIL":
                sender, recipients = (path if good else None), []
            elif verb == "RCPT" and good:
                recipients.append(path)
            elif verb == "STARTTLS" and good and self.tls is not None:
                await writer.start_tls(self.tls)
                secure = True
            elif verb == "DATA" and said.startswith(b"354"):
                content = await self._content(reader, writer)
                if content is None:
                    return
                said = await self._say(number, ".", b"250 taken", writer)
                if not said:
                    return
                if said.startswith(b"2"):
                    self.taken.append((sender or "", tuple(recipients), content))
                sender, recipients = None, []

    async def _content(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """What the client sends, without its dots; None if this is the end."""
        return (b"\r\n" + await reader.readuntil(b"\r\n.\r\n"))[2:-3].replace(b"\r\n..", b"\r\n.")

    async def _say(self, number: int, line: str, usual: bytes, writer: asyncio.StreamWriter) -> bytes:
        given = self.reply(number, line)
        said = usual if given is None else given
        if said:
            writer.write(said if said.endswith(b"\n") else said + b"\r\n")
            await writer.drain()
        return said


def _system(port: int = 0, **properties: Any) -> SmtpSystem:
    given = {"_id": "mail", "type": "system:smtp", **properties}
    if "servers" not in given and "socket" not in given and "url" not in given:
        given = {"smtp_server": "127.0.0.1", "smtp_port": port, **given}
    return build(SmtpConfig.model_validate(given), ".")


async def _send(
    system: SmtpSystem,
    messages: Sequence[Message],
    handing_over: Callable[[Sequence[Message]], None] = lambda _: None,
) -> dict[str, Answered]:
    answered: dict[str, Answered] = {}
    async for group in system.send(messages, handing_over):
        for one in group:
            assert one.message.key not in answered, "a message is answered once"
            answered[one.message.key] = one
    return answered


@pytest.fixture(scope="session")
def peer() -> type[Peer]:
    """A server on loopback that speaks as told."""
    return Peer


@pytest.fixture(scope="session")
def system() -> Callable[..., SmtpSystem]:
    """A system for a port on loopback, with properties as in a configuration."""
    return _system


@pytest.fixture(scope="session")
def send() -> Callable[..., Any]:
    """Send messages, and get their answers by key."""
    return _send
