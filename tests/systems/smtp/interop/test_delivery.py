"""What real servers make of our mail: it arrives once, to the byte, for those who are taken and for nobody else."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final

import pytest

from systems.mail import Message, Phase, Status

Make = Callable[..., Any]

BODIES: Final = (
    b"Hello\r\n",
    b"",
    b".\r\n..\r\n...\r\n.a\r\nb.\r\n.\r\n",
    b"\r\n\r\n\r\nx\r\n\r\n\r\n",
    "Blåbærsyltetøy → ønsker 🫐\r\n".encode() * 50,
    (b"x" * 998 + b"\r\n") * 20,
    b"RSET\r\nQUIT\r\nMAIL FROM:<x@example.com>\r\nFrom here on\r\n",
    bytes(range(1, 10)) + bytes(range(14, 32)) + b"\x7f\r\n",
    b"".join(b"%06d %s\r\n" % (line, b"y" * 60) for line in range(3000)),
)

all_servers: Final = pytest.mark.parametrize("server", ["postfix", "exim", "opensmtpd"], indirect=True)


def statuses(answered: dict[str, Any]) -> dict[str, list[Status]]:
    """The status of each recipient, by the key of the message."""
    return {key: [answer.status for answer in one.answers] for key, one in answered.items()}


def accepted(messages: Sequence[Message]) -> dict[str, list[Status]]:
    """What is answered when every recipient is taken."""
    return {one.key: [Status.ACCEPTED] * len(one.envelope.recipients) for one in messages}


@all_servers
@pytest.mark.parametrize("way", [{}, {"pipelining": "NO"}, {"chunking": True}], ids=["usual", "no pipelining", "BDAT"])
def test_every_body_arrives_to_the_byte(
    server: Any, way: dict[str, Any], system: Make, send: Make, letter: Make, number: Make, trace: Make
) -> None:
    """Whatever the body and however it is sent, the server has what was handed in, below trace fields of its own."""
    messages = [letter(index, body) for index, body in enumerate(BODIES)]

    async def run() -> None:
        async with system(server.plain, connections=2, **way) as mail:
            assert statuses(await send(mail, messages)) == accepted(messages)

    asyncio.run(run())
    arrived = sorted(server.inbox("kari"), key=number)
    for raw, sent in zip(arrived, messages, strict=True):
        trace(raw, sent.content)


@all_servers
def test_what_the_standard_library_composes_arrives(
    server: Any, system: Make, send: Make, message: Make, trace: Make
) -> None:
    """A mail with two texts, an attachment and a folded subject arrives as it was composed."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Date"] = "a@example.com", "kari@example.org", "Sat, 03 Jan 2026 12:00:00 +0000"
    mail["Message-ID"], mail["Subject"] = "<1@example.com>", "Årets første nyhetsbrev, " * 6
    mail.set_content("Hei på deg\n.punktum\n")
    mail.add_alternative("<p>Hei på deg</p>", subtype="html")
    mail.add_attachment(bytes(range(256)), maintype="application", subtype="octet-stream", filename="x.bin")
    content = mail.as_bytes()

    async def run() -> None:
        async with system(server.plain) as smtp:
            await send(smtp, [message("kari@example.org", content=content)])

    asyncio.run(run())
    (raw,) = server.inbox("kari")
    trace(raw, content)


@all_servers
def test_many_mails_arrive_once_each(server: Any, system: Make, send: Make, letter: Make, number: Make) -> None:
    """Over several connections, more mails than a connection may carry arrive once each, and the answers say so.

    A mail whose turn comes when a server ends its connections may be answered as not tried: then it is sent again.
    """
    messages = [letter(index) for index in range(120)]

    async def run() -> None:
        waiting = {one.key: one for one in messages}
        async with system(server.plain, connections=4) as mail:
            while waiting:
                for key, (_, (answer,)) in (await send(mail, list(waiting.values()))).items():
                    if answer.status is not Status.NOT_TRIED:
                        assert (answer.status, answer.phase, answer.code) == (Status.ACCEPTED, Phase.DOT, 250)
                        assert answer.recipient == "kari@example.org"
                        del waiting[key]

    asyncio.run(run())
    assert sorted(map(number, server.inbox("kari"))) == list(range(120))


@all_servers
def test_a_recipient_that_is_refused_costs_no_other(
    server: Any, system: Make, send: Make, letter: Make, trace: Make
) -> None:
    """Of three recipients the unknown one is refused for good, and the other two have the mail."""
    sent = letter(1, b"Hello\r\n", "kari@example.org", "nobody.here@example.org", "ola@example.org")

    async def run() -> None:
        async with system(server.plain) as mail:
            one, two, three = (await send(mail, [sent]))["1"].answers
            assert [a.status for a in (one, two, three)] == [Status.ACCEPTED, Status.PERMANENT, Status.ACCEPTED]
            assert (two.recipient, two.phase, two.code) == ("nobody.here@example.org", Phase.RECIPIENT, 550)

    asyncio.run(run())
    for user in ("kari", "ola"):
        (raw,) = server.inbox(user)
        trace(raw, sent.content)


@all_servers
@pytest.mark.parametrize("pipelining", ["TRY", "NO"])
def test_a_mail_that_nobody_takes(
    server: Any, pipelining: str, system: Make, send: Make, letter: Make, number: Make
) -> None:
    """When every recipient is refused nothing is sent, and the mails before and behind it are as they should be."""
    lost = letter(1, b"lost\r\n", "nobody.here@example.org", "x@elsewhere.example")

    async def run() -> None:
        async with system(server.plain, connections=1, pipelining=pipelining) as mail:
            answered = await send(mail, [letter(0), lost, letter(2)])
            assert statuses(answered) == {
                "0": [Status.ACCEPTED],
                "1": [Status.PERMANENT, Status.PERMANENT],
                "2": [Status.ACCEPTED],
            }

    asyncio.run(run())
    assert sorted(map(number, server.inbox("kari"))) == [0, 2]


@pytest.mark.parametrize("server", ["postfix", "exim"], indirect=True)
@pytest.mark.parametrize("pipelining", ["TRY", "NO"])
def test_more_recipients_than_a_server_takes_at_once(
    server: Any, pipelining: str, system: Make, send: Make, letter: Make, trace: Make
) -> None:
    """A mail to more recipients than a transaction may have goes in several, and each recipient has it once."""
    recipients = [f"kari+{index}@example.org" for index in range(50)]
    sent = letter(1, b"Hello\r\n", *recipients)

    async def run() -> None:
        async with system(server.plain, pipelining=pipelining) as mail:
            assert statuses(await send(mail, [sent])) == accepted([sent])

    asyncio.run(run())
    top = "\n".join(field for raw in server.inbox("kari") for field in trace(raw, sent.content))
    whose = re.compile(r"^(?:X-Original-To|Envelope-to): (.*)$", re.MULTILINE)
    assert Counter(whose.findall(top)) == Counter(recipients)


@all_servers
def test_a_mail_that_is_too_large_is_not_sent(
    server: Any, system: Make, send: Make, letter: Make, number: Make
) -> None:
    """More than the server announces is refused on this side, and the connection goes on."""

    async def run() -> None:
        async with system(server.plain, connections=1) as mail:
            answered = await send(mail, [letter(0, (b"x" * 70 + b"\r\n") * 5000), letter(1)])
            (refused,) = answered["0"].answers
            assert (refused.status, refused.code, refused.enhanced) == (Status.PERMANENT, None, "5.3.4")
            assert statuses(answered)["1"] == [Status.ACCEPTED]

    asyncio.run(run())
    assert list(map(number, server.inbox("kari"))) == [1]


@all_servers
@pytest.mark.parametrize("sender", ["", "a.b+c@example.com"])
def test_return_paths(server: Any, sender: str, system: Make, send: Make, letter: Make, trace: Make) -> None:
    """The sender of the envelope is the return path, the empty one of reports too."""
    sent = letter(1, sender=sender)

    async def run() -> None:
        async with system(server.plain) as mail:
            assert statuses(await send(mail, [sent])) == accepted([sent])

    asyncio.run(run())
    (raw,) = server.inbox("kari")
    paths = [field for field in trace(raw, sent.content) if field.lower().startswith("return-path:")]
    # OpenSMTPD writes no field for the empty one.
    expected = [] if not sender and server.name == "opensmtpd" else [f"<{sender}>"]
    assert [path.partition(":")[2].strip() for path in paths] == expected


@all_servers
def test_a_sender_in_quotes(server: Any, system: Make, send: Make, letter: Make) -> None:
    """A local part in quotes is taken, or refused by a server that knows none: never changed."""
    sent = letter(1, sender='"odd one"@example.com')

    async def run() -> None:
        async with system(server.plain) as mail:
            (answer,) = (await send(mail, [sent]))["1"].answers
            if server.name == "opensmtpd":
                assert (answer.status, answer.phase, answer.code) == (Status.PERMANENT, Phase.MAIL, 553)
            else:
                assert answer.status is Status.ACCEPTED

    asyncio.run(run())
    for raw in server.inbox("kari"):
        assert b'<"odd one"@example.com>' in raw


@all_servers
def test_a_server_that_restarts(server: Any, system: Make, send: Make, letter: Make, number: Make) -> None:
    """When the server ends and comes back, an idle connection to the old one costs no mail and no second copy."""

    async def run() -> None:
        async with system(server.plain, connections=1) as mail:
            assert statuses(await send(mail, [letter(0)])) == accepted([letter(0)])
            # Not in the middle of a delivery, which a server may do again.
            assert len(await asyncio.to_thread(server.inbox, "kari")) == 1
            await asyncio.to_thread(server.restart)
            assert statuses(await send(mail, [letter(1)])) == accepted([letter(1)])

    asyncio.run(run())
    assert sorted(map(number, server.inbox("kari"))) == [0, 1]


@all_servers
def test_two_systems_share_a_server(server: Any, system: Make, send: Make, letter: Make, number: Make) -> None:
    """Mail of two systems that send at the same time is kept apart."""
    ours = [letter(index, b"ours\r\n") for index in range(30)]
    theirs = [letter(index + 30, b"theirs\r\n")._replace(key=f"{index}") for index in range(30)]

    async def run() -> None:
        async with system(server.plain, connections=2) as one, system(server.plain, connections=2) as other:
            for answered in await asyncio.gather(send(one, ours), send(other, theirs)):
                assert statuses(answered) == {str(index): [Status.ACCEPTED] for index in range(30)}

    asyncio.run(run())
    arrived = server.inbox("kari")
    assert sorted(map(number, arrived)) == list(range(60))
    assert all(raw.endswith(b"\n\nours\n" if number(raw) < 30 else b"\n\ntheirs\n") for raw in arrived)
