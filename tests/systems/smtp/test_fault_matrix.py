"""Every fault in every phase, pipelined or not, under TLS or not: 12 x 14 x 2 x 2 cells.

Whatever a server does: the message is answered once, it is accepted only if the server has taken it, in doubt only
after the dot, charged only for a verdict on the message itself, and nothing hangs.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, cast

import pytest
import trustme

from pipeline.secret import Secret
from systems.mail import Status

Make = Callable[..., Any]

PATIENCE: Final = 60.0  # for what must come; nobody waits so long when all is well
SILENCE: Final = 0.3  # for what never comes
# More than the sockets of both sides hold, so that a server that does not read is felt.
LARGE: Final = b"Subject: x\r\n\r\n" + (b"0123456789" * 100 + b"\r\n") * 6000
SMALL: Final = b"Subject: x\r\n\r\nHello\r\n"


class At(StrEnum):
    """Where the fault happens."""

    GREETING = "greeting"
    EHLO = "ehlo"
    AUTH = "auth"
    CHALLENGE = "challenge"
    MAIL = "mail"
    FIRST = "first recipient"
    LAST = "last recipient"
    DATA = "data"
    BLOCK = "block"
    DOT = "dot"
    NEXT = "the mail behind the dot"
    QUIT = "quit"


DROP: Final = b""
NEVER: Final = b"\0never"
DRIP: Final = b"\0drip"
EXTRA: Final = b"\0extra"
BARE: Final = b"\0bare"

FAULTS: Final[Mapping[str, bytes]] = {
    "later": b"451 4.3.0 later",
    "no": b"550 5.0.0 no",
    "closing": b"421 4.3.2 closing",
    "odd": b"259 odd",
    "outside": b"699 outside",
    "prose": b"hello there",
    "two codes": b"250-one\r\n550 two",
    "bare line feed": BARE,
    "extra reply": EXTRA,
    "long line": b"250 " + b"x" * 9000,
    "many lines": b"250-x\r\n" * 400 + b"250 x",
    "disconnect": DROP,
    "silence": NEVER,
    "drip": DRIP,
}

# The phase whose deadline runs when nothing comes, as `timeouts` names it.
DEADLINES: Final = {
    At.GREETING: "greeting",
    At.EHLO: "greeting",
    At.AUTH: "login",
    At.CHALLENGE: "login",
    At.MAIL: "mail",
    At.FIRST: "recipient",
    At.LAST: "recipient",
    At.DATA: "data",
    At.BLOCK: "block",
    At.DOT: "dot",
    At.NEXT: "mail",
    At.QUIT: "quit",
}

VERDICTS: Final = {"later": Status.TEMPORARY, "no": Status.PERMANENT}
BEFORE: Final = (At.GREETING, At.EHLO, At.AUTH, At.CHALLENGE)
# What a server may not say of a message without being disbelieved, but for its verdicts.
BROKEN: Final = frozenset({Status.TEMPORARY, Status.NOT_TRIED})


def expected(at: At, fault: str) -> frozenset[Status]:
    """What may become of the first recipient of the message that meets the fault."""
    accepted, doubt = frozenset({Status.ACCEPTED}), frozenset({Status.IN_DOUBT})
    if fault == "drip" or at is At.QUIT:
        return accepted
    if at in BEFORE:
        return frozenset({Status.NOT_TRIED})
    if at in {At.LAST, At.FIRST} and fault in VERDICTS:
        return accepted | {VERDICTS[fault]}
    if fault in VERDICTS:
        return frozenset({VERDICTS[fault]})
    if at is At.NEXT and fault in {"closing", "disconnect"}:
        return BROKEN | accepted  # a server may end a connection between messages: it goes over another one
    if at is At.DOT:
        if fault == "closing":
            return frozenset({Status.TEMPORARY})
        # 259 says yes; what stands behind a good answer spoils the next one, not this one.
        return accepted if fault in {"odd", "extra reply"} else doubt
    if at in {At.MAIL, At.FIRST, At.LAST, At.NEXT} and fault == "odd":
        return accepted  # a 2xx is a yes
    return BROKEN


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority of the test's own."""
    return trustme.CA()


def faulty(peer: Any, at: At, fault: bytes) -> Any:
    """The class of a server with one fault on its first connection."""

    class Faulty(peer):  # type: ignore[misc]
        """A server that takes AUTH LOGIN, and goes wrong once."""

        spent = False
        mails = 0
        recipients = 0
        answers = 0

        def _phase(self, line: str) -> At | None:
            verb = line.partition(" ")[0]
            if verb == "MAIL":
                self.mails += 1
                self.recipients = 0
                return At.MAIL if self.mails == 1 else At.NEXT
            if verb == "RCPT":
                self.recipients += 1
                return At.FIRST if self.recipients == 1 else At.LAST
            plain = {"": At.GREETING, "EHLO": At.EHLO, "AUTH": At.AUTH, "DATA": At.DATA, ".": At.DOT, "QUIT": At.QUIT}
            if verb in plain:
                return plain[verb]
            self.answers += 1
            return At.CHALLENGE if self.answers == 1 else None

        async def _say(self, number: int, line: str, usual: bytes, writer: asyncio.StreamWriter) -> bytes:
            phase = self._phase(line)
            if line.startswith("AUTH"):
                usual = b"334 VXNlcm5hbWU6"
            elif phase is At.CHALLENGE:
                usual = b"334 UGFzc3dvcmQ6"
            elif phase is None and self.answers:
                usual = b"235 2.7.0 in"
            if phase is not at or self.spent:
                return await super()._say(number, line, usual, writer)  # type: ignore[no-any-return]
            self.spent = True
            return await self._err(usual, writer)

        async def _content(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
            if at is not At.BLOCK or self.spent:
                return await super()._content(reader, writer)  # type: ignore[no-any-return]
            self.spent = True
            await reader.readexactly(10_000)
            if fault == DRIP:
                return await super()._content(reader, writer)  # type: ignore[no-any-return]
            if fault == NEVER:
                cast(
                    "asyncio.Transport", writer.transport
                ).pause_reading()  # or the stream would take it all, and call it a buffer
            await self._err(b"250 early", writer)
            if fault not in {NEVER, DROP}:
                await reader.read(-1)
            return None

        async def _err(self, usual: bytes, writer: asyncio.StreamWriter) -> bytes:
            """Say the wrong thing, and give back what a client that goes on may take it for."""
            usual += b"" if usual.endswith(b"\r\n") else b"\r\n"
            if fault == DROP:
                return b""
            if fault == NEVER:
                await asyncio.Event().wait()
            said = {EXTRA: usual + b"250 extra\r\n", BARE: usual.replace(b"\r\n", b"\n")}.get(fault, fault + b"\r\n")
            if fault == DRIP:
                for index in range(len(usual)):
                    writer.write(usual[index : index + 1])
                    await writer.drain()
                    await asyncio.sleep(0)
                return usual
            writer.write(said)
            await writer.drain()
            return usual if fault == EXTRA else said

    return Faulty


@pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "step by step"])
@pytest.mark.parametrize("secure", [True, False], ids=["tls", "clear"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_does_what_it_may_and_no_more(
    fault: str,
    secure: bool,
    pipelined: bool,
    authority: trustme.CA,
    peer: Any,
    system: Make,
    send: Make,
    message: Make,
    tmp_path: Any,
) -> None:
    """In each of the twelve phases the answers are what the fault can mean there, and agree with the server's own."""
    trust = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trust)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def cell(at: At) -> None:
        offers = ("AUTH LOGIN", "SIZE 100000000", *(("PIPELINING",) if pipelined else ()))
        server = faulty(peer, at, FAULTS[fault])(*offers, tls=context if secure else None, implicit=secure)
        times = dict.fromkeys(
            ("greeting", "tls", "login", "mail", "recipient", "data", "block", "dot", "quit"), PATIENCE
        )
        if fault == "silence":
            times[DEADLINES[at]] = SILENCE
        properties: dict[str, Any] = {
            "tls": "implicit" if secure else "none",
            "ca_file": str(trust),
            "connections": 1,
            "smtp_username": "kari",
            "smtp_password": Secret("p"),
            "timeouts": times,
        }
        first = message("b@example.com", "c@example.com", key="0", content=LARGE if at is At.BLOCK else SMALL)
        second = message("d@example.com", key="1", content=SMALL)
        async with server, asyncio.timeout(2 * PATIENCE):
            async with system(server.port, **properties) as mail:
                answered = await send(mail, [first, second])
            judge(at, fault, answered, server)

    async def cells() -> None:
        await asyncio.gather(*(cell(at) for at in At if at is not At.BLOCK))
        await cell(At.BLOCK)

    asyncio.run(cells())


def judge(at: At, fault: str, answered: Mapping[str, Any], server: Any) -> None:
    """Hold the answers against what the fault allows and against what the server has."""
    where = f"{fault} at {at}"
    assert server.spent or at is At.NEXT, f"{where}: the fault happened"
    met = answered["1" if at is At.NEXT else "0"].answers
    touched = met[1] if at is At.LAST else met[0]
    allowed = expected(at, fault)
    assert touched.status in allowed, f"{where}: {touched} is one of {sorted(allowed)}"
    taken = {recipient for _, recipients, _ in server.taken for recipient in recipients}
    for one in answered.values():
        for answer in one.answers:
            if answer.status is Status.ACCEPTED:
                assert answer.recipient in taken, f"{where}: {answer} was taken"
            elif answer.status is not Status.IN_DOUBT:
                assert answer.recipient not in taken, f"{where}: {answer} was not taken"
    assert len(taken) == sum(len(recipients) for _, recipients, _ in server.taken), f"{where}: nothing is taken twice"
