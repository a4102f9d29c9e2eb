"""TLS and logins with real servers: mail goes when they hold, and nothing goes when they do not."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from typing import Any, Final

import pytest
import trustme

from systems.mail import Reason, Status, Trouble

Make = Callable[..., Any]

both: Final = pytest.mark.parametrize("server", ["postfix", "exim"], indirect=True)
ports: Final = pytest.mark.parametrize("tls", ["starttls", "implicit"])


def options(server: Any, tls: str, **more: Any) -> dict[str, Any]:
    """Properties for a port of this server that speaks TLS in this way, its authority being trusted."""
    port = server.tls if tls == "implicit" else server.plain
    return {"smtp_server": "localhost", "smtp_port": port, "tls": tls, "ca_file": str(server.ca_file), **more}


async def sent(system: Make, send: Make, message: Any, **properties: Any) -> Status:
    """Send one message, and answer what became of it."""
    async with system(**properties) as mail:
        (answer,) = (await send(mail, [message]))[message.key].answers
        status: Status = answer.status
        return status


async def trouble(system: Make, send: Make, message: Any, **properties: Any) -> Trouble:
    """Send one message in vain, and answer why."""
    async with system(**properties) as mail:
        answered = await send(mail, [message])
        assert {a.status for one in answered.values() for a in one.answers} <= {Status.NOT_TRIED}
        found: Trouble = mail.trouble
        return found


@both
@ports
def test_mail_goes_under_tls(server: Any, tls: str, system: Make, send: Make, letter: Make, trace: Make) -> None:
    """With a certificate that is trusted and names the server, the mail goes, and the server says it was encrypted."""
    assert asyncio.run(sent(system, send, letter(1), **options(server, tls))) is Status.ACCEPTED
    (raw,) = server.inbox("kari")
    received = next(field for field in trace(raw, letter(1).content) if field.startswith("Received:"))
    assert " with ESMTPS" in received or " with esmtps" in received


@both
@ports
def test_a_certificate_that_nobody_vouches_for(server: Any, tls: str, system: Make, send: Make, letter: Make) -> None:
    """A certificate of an authority that is not trusted ends it before any mail."""
    stranger = server.root.parent / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    found = asyncio.run(trouble(system, send, letter(1), **options(server, tls, ca_file=str(stranger))))
    assert found.fault.reason is Reason.TLS_FAILED
    assert server.inbox("kari") == []


@both
@ports
def test_a_certificate_for_another_name(server: Any, tls: str, system: Make, send: Make, letter: Make) -> None:
    """A certificate that names another machine ends it, unless somebody said that this may be."""
    elsewhere = options(server, tls, smtp_server="127.0.0.1")
    found = asyncio.run(trouble(system, send, letter(1), **elsewhere))
    assert found.fault.reason is Reason.TLS_FAILED
    assert server.inbox("kari") == []
    assert asyncio.run(sent(system, send, letter(1), **elsewhere, verify_host=False, insecure=True)) is Status.ACCEPTED
    assert len(server.inbox("kari")) == 1


@both
def test_tls_that_is_missing(server: Any, system: Make, send: Make, letter: Make) -> None:
    """TLS from the first byte at a port that greets in clear ends with a word on ports, and STARTTLS the other way."""
    wrong = options(server, "implicit", smtp_port=server.plain)
    assert asyncio.run(trouble(system, send, letter(1), **wrong)).fault.reason is Reason.TLS_FAILED
    timeouts = {"greeting": 2}
    wrong = options(server, "starttls", smtp_port=server.tls, timeouts=timeouts)
    found = asyncio.run(trouble(system, send, letter(1), **wrong)).fault.reason
    assert found in {Reason.TIMEOUT, Reason.DISCONNECTED, Reason.VIOLATION}
    assert server.inbox("kari") == []


@both
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", None])
def test_logins(server: Any, mechanism: str | None, system: Make, send: Make, letter: Make) -> None:
    """Each mechanism that the server offers logs in, and so does the strongest that is chosen without a word."""
    user, password = server.credentials
    given = options(server, "starttls", smtp_port=server.login, smtp_username=user, smtp_password=password)
    if mechanism:
        given["auth"] = [mechanism]
    if mechanism == "SCRAM-SHA-256" and server.name == "exim":
        found = asyncio.run(trouble(system, send, letter(1), **given))
        assert found.fault.reason is Reason.LOGIN_MISSING
        return
    assert asyncio.run(sent(system, send, letter(1), **given)) is Status.ACCEPTED
    assert len(server.inbox("kari")) == 1


@both
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", None])
def test_a_wrong_password(server: Any, mechanism: str | None, system: Make, send: Make, letter: Make) -> None:
    """A login that is refused is the system's trouble: no message is charged, and the password is in no text."""
    given = options(server, "starttls", smtp_port=server.login, smtp_username="kari", smtp_password="wrong-canary")
    if mechanism:
        given["auth"] = [mechanism]
    found = asyncio.run(trouble(system, send, letter(1), **given))
    assert (found.fault.reason, found.fault.code) == (Reason.LOGIN_REFUSED, 535)
    assert "canary" not in found.fault.text
    assert server.inbox("kari") == []


@both
def test_a_login_that_is_needed_and_not_given(server: Any, system: Make, send: Make, letter: Make) -> None:
    """Without a login, a server that wants one takes nothing; whose fault it is depends on its words."""
    given = options(server, "starttls", smtp_port=server.login)

    async def run() -> None:
        async with system(**given) as mail:
            answered = await send(mail, [letter(1)])
            assert all(a.status is not Status.ACCEPTED for one in answered.values() for a in one.answers)

    asyncio.run(run())
    assert server.inbox("kari") == []


@pytest.mark.parametrize("server", ["opensmtpd"], indirect=True)
@ports
def test_a_server_whose_tls_is_broken(server: Any, tls: str, system: Make, send: Make, letter: Make) -> None:
    """Where the standard library makes no handshake either, nothing goes in clear; where it does, mail goes.

    OpenSMTPD before 7.3 cannot make one with OpenSSL 3.
    """
    context = ssl.create_default_context(cafile=str(server.ca_file))
    try:
        if tls == "implicit":
            smtplib.SMTP_SSL("localhost", server.tls, context=context).close()
        else:
            with smtplib.SMTP("localhost", server.plain) as client:
                client.starttls(context=context)
        works = True
    except (OSError, smtplib.SMTPException):
        works = False
    given = options(server, tls)
    if works:
        assert asyncio.run(sent(system, send, letter(1), **given)) is Status.ACCEPTED
    else:
        assert asyncio.run(trouble(system, send, letter(1), **given)).fault.reason is Reason.TLS_FAILED
    assert len(server.inbox("kari")) == works
