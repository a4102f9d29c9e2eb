"""Extensions as real servers have them: used where offered, done without where not, and never against their rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import pytest

from systems.mail import DeliveryReports, Reason, Status

Make = Callable[..., Any]

all_servers: Final = pytest.mark.parametrize("server", ["postfix", "exim", "opensmtpd"], indirect=True)
# What each offers, as far as it matters here.
OFFERS: Final = {
    "postfix": {"PIPELINING", "CHUNKING", "XVERP", "DSN", "SMTPUTF8"},
    "exim": {"PIPELINING", "CHUNKING", "DSN", "SMTPUTF8"},
    "opensmtpd": {"DSN"},
}
# What servers say to a client that does not wait when it must (RFC 2920 section 3.2).
COMPLAINTS: Final = ("improper command pipelining", "synchronization error")


async def talk(system: Make, send: Make, messages: list[Any], caplog: Any, **properties: Any) -> tuple[Any, list[str]]:
    """Send, and give the answers with the lines of the talk."""
    with caplog.at_level("INFO", logger="mailweir.smtp.talk"):
        async with system(verbose=True, connections=1, **properties) as mail:
            answered = await send(mail, messages)
            fault = mail.trouble and mail.trouble.fault.reason
    lines = [record.getMessage() for record in caplog.records if record.name == "mailweir.smtp.talk"]
    statuses = [a.status for key in sorted(answered, key=int) for a in answered[key].answers]
    return (fault or statuses), lines


@all_servers
@pytest.mark.parametrize("mode", ["TRY", "DEPEND", "NO"])
def test_pipelining(server: Any, mode: str, system: Make, send: Make, letter: Make, number: Make) -> None:
    """Used where offered and without a complaint; demanded where it is not offered, nothing is sent."""

    async def run() -> Any:
        async with system(server.plain, connections=2, pipelining=mode) as mail:
            answered = await send(mail, [letter(index) for index in range(15)])
            return (mail.trouble and mail.trouble.fault.reason), answered

    fault, answered = asyncio.run(run())
    if mode == "DEPEND" and "PIPELINING" not in OFFERS[server.name]:
        assert fault is Reason.NOT_OFFERED
        assert server.inbox("kari") == []
        return
    assert fault is None
    assert all(one.answers[0].status is Status.ACCEPTED for one in answered.values())
    assert sorted(map(number, server.inbox("kari"))) == list(range(15))
    assert not [text for text in COMPLAINTS if text in server.log() + server.console()]


@all_servers
def test_chunking(
    server: Any, system: Make, send: Make, letter: Make, number: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """With `chunking` content goes by BDAT where it is offered, and by DATA elsewhere."""
    messages = [letter(index) for index in range(5)]
    answers, lines = asyncio.run(talk(system, send, messages, caplog, port=server.plain, chunking=True))
    assert answers == [Status.ACCEPTED] * 5
    words = " ".join(lines)
    assert ("BDAT" in words, "DATA" in words.replace("BDAT", "")) == (
        ("CHUNKING" in OFFERS[server.name]),
        ("CHUNKING" not in OFFERS[server.name]),
    )
    assert sorted(map(number, server.inbox("kari"))) == list(range(5))
    assert not [text for text in COMPLAINTS if text in server.log() + server.console()]


@all_servers
@pytest.mark.parametrize("xverp", [True, "if_offered"])
def test_xverp(server: Any, xverp: Any, system: Make, send: Make, letter: Make, trace: Make) -> None:
    """The server makes a return path of its own for each recipient; where it cannot, only `true` stops the mail."""
    sent = letter(1, b"Hello\r\n", "kari@example.org", "ola@example.org")
    offered = "XVERP" in OFFERS[server.name]

    async def run() -> Any:
        async with system(server.plain, xverp=xverp) as mail:
            await send(mail, [sent])
            return mail.trouble and mail.trouble.fault.reason

    fault = asyncio.run(run())
    if xverp is True and not offered:
        assert fault is Reason.NOT_OFFERED
        assert server.inbox("kari") == []
        return
    assert fault is None
    for user in ("kari", "ola"):
        (raw,) = server.inbox(user)
        fields = [field.lower() for field in trace(raw, sent.content)]
        assert f"return-path: <{f'a+{user}=example.org' if offered else 'a'}@example.com>" in fields


@all_servers
def test_addresses_beyond_ascii(server: Any, system: Make, send: Make, letter: Make, trace: Make) -> None:
    """A sender with letters beyond ASCII goes by SMTPUTF8 where it is offered, and is refused here elsewhere."""
    sent = letter(1, sender="kåre@example.com")

    async def run() -> Any:
        async with system(server.plain) as mail:
            (answer,) = (await send(mail, [sent]))["1"].answers
            return answer

    answer = asyncio.run(run())
    if "SMTPUTF8" in OFFERS[server.name]:
        assert answer.status is Status.ACCEPTED
        (raw,) = server.inbox("kari")
        assert "return-path: <kåre@example.com>" in [field.lower() for field in trace(raw, sent.content)]
    else:
        assert (answer.status, answer.code, answer.enhanced) == (Status.PERMANENT, None, "5.6.7")
        assert server.inbox("kari") == []


@all_servers
def test_delivery_reports(server: Any, system: Make, send: Make, letter: Make) -> None:
    """A report that is asked for comes to the sender, with the identifier of the envelope and the first address."""
    sent = letter(1, sender="ola@example.org")
    asked = DeliveryReports(("SUCCESS",), "HDRS", "order+1=a b", ("first+1@example.com",))
    sent = sent._replace(envelope=sent.envelope._replace(reports=asked))

    async def run() -> Any:
        async with system(server.plain) as mail:
            (answer,) = (await send(mail, [sent]))["1"].answers
            return answer.status

    assert asyncio.run(run()) is Status.ACCEPTED
    (raw,) = server.inbox("ola", at_least=1)
    report = raw.decode()
    assert "\nAction: delivered\n" in report
    assert "\nSubject: number 1\n" in report
    fields = report.lower().splitlines()
    # Postfix reads what was escaped on the wire, Exim hands it on, and OpenSMTPD leaves it out.
    expected = {
        "postfix": ["original-envelope-id: order+1=a b", "original-recipient: rfc822;first+1@example.com"],
        "exim": ["original-envelope-id: order+2b1+3da+20b", "original-recipient: rfc822;first+2b1@example.com"],
        "opensmtpd": [],
    }
    assert [field for field in fields if field.startswith("original-")] == expected[server.name]


@all_servers
def test_no_delivery_reports(server: Any, system: Make, send: Make, letter: Make) -> None:
    """With NEVER nobody hears of a mail that was delivered."""
    sent = letter(1, sender="ola@example.org")
    sent = sent._replace(envelope=sent.envelope._replace(reports=DeliveryReports(("NEVER",))))

    async def run() -> None:
        async with system(server.plain) as mail:
            await send(mail, [sent])

    asyncio.run(run())
    assert (len(server.inbox("kari")), server.inbox("ola")) == (1, [])
