"""The catcher: what it takes, what it asks for, which faults it rehearses, and how it ends."""

from __future__ import annotations

import asyncio
import errno
import logging
import smtplib
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

import pytest
import trustme

from mailweir.catcher import Catcher
from mailweir.caught import Caught
from mailweir.rehearsal import Mishap, mishap

# Far more than a step takes on a machine that is busy with other things.
PATIENCE: Final = 60
MAIL: Final = b"Subject: Hi\r\n\r\n.a dot\r\n..two\r\np\xc3\xa5 deg\r\n\r\n"
authority: Final = trustme.CA()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test in a loop of its own, with an end."""

    async def within() -> None:
        async with asyncio.timeout(PATIENCE):
            await test()

    asyncio.run(within())


def server_tls() -> ssl.SSLContext:
    """What a server named localhost shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def client_tls() -> ssl.SSLContext:
    """A client that trusts nobody but the authority of these tests."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


class Client:
    """A client that writes what it is told and reads answers, one at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection that is open."""
        self.reader, self.writer = reader, writer

    async def answer(self) -> str:
        """The next answer, its lines joined; nothing when the connection has ended."""
        lines = []
        while True:
            try:
                line = (await self.reader.readline()).decode()
            except ConnectionResetError:
                return ""
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                return "\n".join(lines)

    async def ask(self, *lines: bytes) -> list[str]:
        """Write all lines at once and read an answer for each."""
        self.writer.write(b"".join(line + b"\r\n" for line in lines))
        return [await self.answer() for _ in lines]


@asynccontextmanager
async def opened(catcher: Catcher) -> AsyncIterator[Client]:
    """A client that has said nothing yet."""
    client = Client(*await asyncio.open_connection("127.0.0.1", catcher.port))
    try:
        yield client
    finally:
        client.writer.close()
        with suppress(ConnectionError):
            await client.writer.wait_closed()


@asynccontextmanager
async def connected(catcher: Catcher) -> AsyncIterator[Client]:
    """A client that has read the greeting and said EHLO."""
    async with opened(catcher) as client:
        assert (await client.answer()).startswith("220 ")
        assert (await client.ask(b"EHLO client"))[0].startswith("250-localhost\n250-PIPELINING\n")
        yield client


async def standard(catcher: Catcher, talk: Callable[[smtplib.SMTP], object], *, implicit: bool = False) -> None:
    """Let the standard library's client talk."""

    def connect() -> None:
        client: smtplib.SMTP
        if implicit:
            client = smtplib.SMTP_SSL("localhost", catcher.port, timeout=PATIENCE, context=client_tls())
        else:
            client = smtplib.SMTP("localhost", catcher.port, timeout=PATIENCE)
        with client:
            talk(client)

    await asyncio.to_thread(connect)


async def refused(catcher: Catcher) -> list[str]:
    """The codes of a whole transaction to two recipients, up to the one that ends it."""
    steps = [b"EHLO client", b"MAIL FROM:<a@example.com>", b"RCPT TO:<b@example.org>", b"RCPT TO:<c@example.com>"]
    async with opened(catcher) as client:
        said = [await client.answer()]
        for step in [*steps, b"DATA", MAIL.replace(b"\r\n.", b"\r\n..") + b"."]:
            said += await client.ask(step)
            if not said[-1] or (said[-1][0] in "45" and not step.startswith(b"RCPT")):
                break
    return [answer[:3] for answer in said]


def test_a_mail_arrives_as_it_was_sent() -> None:
    """Envelope and content come to the byte: dots at the beginning of lines, text that is not ASCII, empty lines."""

    async def test() -> None:
        async with Catcher() as catcher:
            await standard(catcher, lambda client: client.sendmail("a@example.com", ["b@example.org", "c@x.org"], MAIL))
            (mail,) = await catcher.wait(1)
        assert (mail.number, mail.sender, mail.recipients) == (1, "a@example.com", ("b@example.org", "c@x.org"))
        assert (mail.content, mail.login, mail.tls, mail.subject) == (MAIL, None, None, "Hi")

    run(test)


def test_commands_may_come_together() -> None:
    """Commands in one write are answered in their order, and the next mail may follow the final dot."""

    async def test() -> None:
        async with Catcher() as catcher, connected(catcher) as client:
            group = (b"MAIL FROM:<>", "RCPT TO:<på@example.org>".encode(), b"RCPT TO:<>", b"DATA")
            assert [a[:3] for a in await client.ask(*group)] == ["250", "250", "501", "354"]
            answers = await client.ask(
                b"Subject: 1\r\n\r\n.", b"MAIL FROM:<a@example.com>", b"RCPT TO:<b@x.org>", b"DATA"
            )
            assert [a[:3] for a in answers] == ["250", "250", "250", "354"]
            assert answers[0] == "250 caught as number 1"
            assert await client.ask(b"Subject: 2\r\n\r\n.", b"QUIT") == ["250 caught as number 2", "221 Bye"]
        assert [(m.sender, m.recipients) for m in catcher.mails] == [
            ("", ("på@example.org",)),
            ("a@example.com", ("b@x.org",)),
        ]

    run(test)


def test_nothing_but_this_machine_is_listened_to() -> None:
    """Every socket is bound to loopback; a port that is given is taken on IPv6 too where there is IPv6."""

    async def test() -> None:
        async with Catcher() as free:
            port = free.port
            assert [s.getsockname()[0] for server in free._servers for s in server.sockets] == ["127.0.0.1"]
        async with Catcher(port) as catcher:
            assert catcher.port == port
            names = {s.getsockname()[0] for server in catcher._servers for s in server.sockets}
            assert "127.0.0.1" in names
            assert names <= {"127.0.0.1", "::1"}

    run(test)


def test_a_port_that_is_taken_is_an_error() -> None:
    """A second catcher on the same port fails with the system's own error and leaves the first one alone."""

    async def test() -> None:
        async with Catcher() as catcher:
            with pytest.raises(OSError, match="^") as caught:
                async with Catcher(catcher.port):
                    pass
            assert caught.value.errno == errno.EADDRINUSE
            assert (await refused(catcher))[-1] == "250"

    run(test)


@pytest.mark.parametrize("implicit", [False, True])
def test_tls_from_the_first_byte_or_by_starttls(*, implicit: bool) -> None:
    """A mail that came under TLS names the version; without it a catcher that demands TLS takes nothing."""

    async def test() -> None:
        options = {"tls": server_tls(), "implicit_tls": implicit, "require_tls": True}
        async with Catcher(**options) as catcher:  # type: ignore[arg-type]

            def talk(client: smtplib.SMTP) -> None:
                if not implicit:
                    assert client.docmd("MAIL FROM:<a@example.com>")[0] == 530
                    client.starttls(context=client_tls())
                client.sendmail("a@example.com", "b@example.org", MAIL)

            await standard(catcher, talk, implicit=implicit)
            (mail,) = await catcher.wait(1)
        assert mail.tls == "TLSv1.3"
        assert mail.content == MAIL

    run(test)


@pytest.mark.parametrize(
    ("logins", "password", "taken"),
    [(None, "anything", True), ({"kari": "right"}, "right", True), ({"kari": "right"}, "wrong", False)],
)
def test_logins(logins: dict[str, str] | None, password: str, *, taken: bool) -> None:
    """Any login is taken, or those that are listed; the name is kept with the mail, the password nowhere."""

    async def test() -> None:
        async with Catcher(logins=logins, require_login=True) as catcher:

            def talk(client: smtplib.SMTP) -> None:
                assert client.docmd("EHLO client")[0] == 250
                assert client.docmd("MAIL FROM:<a@example.com>")[0] == 530
                if taken:
                    client.login("kari", password)
                    client.sendmail("a@example.com", "b@example.org", MAIL)
                else:
                    with pytest.raises(smtplib.SMTPAuthenticationError):
                        client.login("kari", password)
                    assert client.docmd("MAIL FROM:<a@example.com>")[0] == 530

            await standard(catcher, talk)
        assert [mail.login for mail in catcher.mails] == ["kari"] * taken
        assert password not in repr(catcher.mails)

    run(test)


def test_no_logins_are_offered_where_there_are_none() -> None:
    """An empty list of users offers no login."""

    async def test() -> None:
        async with Catcher(logins={}) as catcher, connected(catcher) as client:
            assert "AUTH" not in (await client.ask(b"EHLO client"))[0]
        async with Catcher() as catcher, connected(catcher) as client:
            assert "250-AUTH LOGIN PLAIN" in (await client.ask(b"EHLO client"))[0]

    run(test)


@pytest.mark.parametrize(
    ("rule", "codes", "kept"),
    [
        ("connect=554", ["554", ""], 0),
        ("connect=drop", ["", ""], 0),
        ("mail=451", ["220", "250", "451"], 0),
        ("@example.org=550", ["220", "250", "250", "550", "250", "354", "250"], 1),
        ("c@example.com=452", ["220", "250", "250", "250", "452", "354", "250"], 1),
        ("rcpt=550", ["220", "250", "250", "550", "550", "503"], 0),
        ("rcpt=421", ["220", "250", "250", "421", ""], 0),
        ("data=451", ["220", "250", "250", "250", "250", "451"], 0),
        ("data=drop", ["220", "250", "250", "250", "250", ""], 0),
        ("dot=452", ["220", "250", "250", "250", "250", "354", "452"], 0),
        ("dot=421", ["220", "250", "250", "250", "250", "354", "421"], 0),
        ("dot=drop", ["220", "250", "250", "250", "250", "354", ""], 1),
    ],
)
def test_faults_are_rehearsed(rule: str, codes: list[str], kept: int) -> None:
    """Each fault comes at its step, is told, and costs what it costs: a mail whose answer is dropped is kept."""
    told: list[tuple[str, str]] = []

    async def test() -> None:
        one = mishap(rule)
        async with Catcher(mishaps=[one], on_mishap=lambda _, step, to: told.append((step, to))) as catcher:
            assert (await refused(catcher))[: len(codes)] == codes
            assert len(catcher.mails) == kept

    run(test)
    step, _, _ = rule.partition("=")
    assert told[0] == (("rcpt", told[0][1]) if "@" in step or step == "rcpt" else (step, ""))


def test_a_fault_at_login() -> None:
    """A rehearsed refusal of the login is not a verdict on the password."""

    async def test() -> None:
        async with Catcher(mishaps=[mishap("login=454")]) as catcher, connected(catcher) as client:
            assert await client.ask(b"AUTH PLAIN AGEAYg==") == ["454 rehearsed: login=454"]

    run(test)


def test_the_connection_ends_after_421() -> None:
    """After 421 nothing more is answered, whatever was written behind."""

    async def test() -> None:
        async with Catcher(mishaps=[mishap("mail=421")]) as catcher, connected(catcher) as client:
            answers = await client.ask(b"MAIL FROM:<a@example.com>", b"RCPT TO:<b@example.org>", b"NOOP")
            assert answers == ["421 rehearsed: mail=421", "", ""]

    run(test)


def test_a_fault_that_comes_now_and_then() -> None:
    """A share is drawn anew for every case."""
    numbers = iter([0.05, 0.5, 0.05, 0.5])

    async def test() -> None:
        catcher = Catcher(mishaps=[mishap("rcpt=451:10%")], chance=lambda: next(numbers))
        async with catcher:
            assert (await refused(catcher))[3:5] == ["451", "250"]
            assert (await refused(catcher))[3:5] == ["451", "250"]

    run(test)


def test_every_answer_waits() -> None:
    """With a latency no answer comes sooner, and an answer of several lines waits once."""

    async def test() -> None:
        latency = 0.05
        async with Catcher(latency=latency) as catcher:
            start = time.monotonic()
            assert (await refused(catcher))[-1] == "250"
            assert time.monotonic() - start >= 7 * latency

    run(test)


def test_a_mail_that_cannot_be_kept_is_refused_for_now() -> None:
    """When keeping fails, the client is told to come back, nothing is counted, and the next try works."""
    full = True
    kept: list[Caught] = []

    def keep(mail: Caught) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        kept.append(mail)

    async def test() -> None:
        nonlocal full
        async with Catcher(keep=keep) as catcher:
            assert (await refused(catcher))[-1] == "452"
            assert catcher.count == 0
            full = False
            assert (await refused(catcher))[-1] == "250"
            await catcher.wait(1)
        assert [mail.number for mail in kept] == [1]
        assert catcher.mails == []

    run(test)


def test_a_mail_that_is_too_large_is_refused() -> None:
    """More than the limit is refused, by its announced size and by what comes."""

    async def test() -> None:
        async with Catcher(max_bytes=1000) as catcher, connected(catcher) as client:
            assert (await client.ask(b"MAIL FROM:<a@example.com> SIZE=1001"))[0].startswith("552 ")
            await client.ask(b"MAIL FROM:<a@example.com>", b"RCPT TO:<b@example.org>", b"DATA")
            assert (await client.ask(b"x" * 800 + b"\r\n" + b"x" * 800 + b"\r\n."))[0].startswith("552 ")
            assert catcher.mails == []

    run(test)


def test_what_cannot_be_read_is_refused_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    """Odd commands get an answer, and neither a log nor a traceback."""

    async def test() -> None:
        async with Catcher() as catcher, connected(catcher) as client:
            for line in (
                b"MAIL FROM:<\xff\xfe@example.com>",
                b"RSET",
                b"MAIL FROM:<" + b"(" * 300 + b"@example.com>",
                b"MAIL FROM:" + b"<" * 300,
                b"\xff\xff",
                b"AUTH PLAIN \xff",
                b"VRFY \xff",
                b"x" * 3000,
            ):
                (answer,) = await client.ask(line)
                assert answer[:1] in {"2", "5"}, line
                assert "Error: (" not in answer, line

    with caplog.at_level(logging.WARNING):
        run(test)
    assert caplog.records == []


def test_the_end_closes_what_is_open() -> None:
    """A catcher that ends closes connections in every state, and the port is free at once."""

    async def test() -> None:
        catcher = Catcher(tls=server_tls())
        async with AsyncExitStack() as clients:
            async with catcher:
                idle, data, shaking = [await clients.enter_async_context(connected(catcher)) for _ in range(3)]
                await data.ask(b"MAIL FROM:<a@example.com>", b"RCPT TO:<b@example.org>", b"DATA")
                data.writer.write(b"half a line")
                await shaking.ask(b"STARTTLS")
            for client in (idle, data, shaking):
                assert await client.answer() == ""
        async with Catcher(catcher.port) as again:
            assert (await refused(again))[-1] == "250"

    run(test)


def test_who_comes_while_it_ends_is_refused() -> None:
    """A connection that the system has taken already is closed, and nothing of it is left open."""

    async def test() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as late:
            late.setblocking(False)
            async with Catcher() as catcher:
                await loop.sock_connect(late, ("127.0.0.1", catcher.port))
                # The loop sees the connection in the turn in which the catcher begins to end.
            with suppress(ConnectionResetError):
                assert await loop.sock_recv(late, 100) == b""

    run(test)


def test_an_answer_that_was_given_still_goes_out() -> None:
    """A client whose mail was kept has its answer although the catcher ends at that moment."""

    async def test() -> None:
        stop = asyncio.Event()
        catcher = Catcher(keep=lambda _: stop.set())
        async with AsyncExitStack() as clients:
            async with catcher:
                client = await clients.enter_async_context(connected(catcher))
                await client.ask(b"MAIL FROM:<a@example.com>", b"RCPT TO:<b@example.org>", b"DATA")
                client.writer.write(b"x\r\n.\r\n")
                await stop.wait()
            assert await client.answer() == "250 caught as number 1"

    run(test)


def test_a_client_that_breaks_off_is_nobodys_fault(caplog: pytest.LogCaptureFixture) -> None:
    """A reset in the middle of a mail leaves no mail, no log, and a catcher that goes on."""

    async def test() -> None:
        async with Catcher(tls=server_tls()) as catcher:
            for last in (b"DATA", b"STARTTLS"):
                async with connected(catcher) as client:
                    await client.ask(b"MAIL FROM:<a@example.com>", b"RCPT TO:<b@example.org>", last)
                    client.writer.write(b"\x16\x03\x01 no handshake")
                    raw = client.writer.get_extra_info("socket")
                    # Linger for no time: the connection is reset, not closed.
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.writer.transport.abort()
            assert (await refused(catcher))[-1] == "250"
            assert len(catcher.mails) == 1

    run(test)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_rules_are_told_with_their_case() -> None:
    """Whoever listens hears the rule, the step and the recipient."""
    told: list[tuple[Mishap, str, str]] = []

    async def test() -> None:
        rule = mishap("@example.org=550")
        async with Catcher(mishaps=[rule], on_mishap=lambda *case: told.append(case)) as catcher:
            await refused(catcher)
        assert told == [(rule, "rcpt", "b@example.org")]

    run(test)


def test_answers_leave_at_once() -> None:
    """No connection holds an answer back until the client has acknowledged the one before."""

    async def test() -> None:
        async with Catcher() as catcher:
            reader, writer = await asyncio.open_connection("127.0.0.1", catcher.port)
            await reader.readline()
            (talk,) = catcher._talks
            assert talk.transport is not None
            connection = talk.transport.get_extra_info("socket")
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()

    run(test)
