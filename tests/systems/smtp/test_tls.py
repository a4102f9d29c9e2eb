"""TLS against real handshakes: what is private, whom it trusts, and what a fault says."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from systems.mail import Reason, Status
from systems.smtp.endpoints import TlsSpec
from systems.smtp.tls import context, explain

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority of the test's own."""
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its certificate in a file."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """What a server with a certificate for these names uses."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(made)
    return made


@pytest.mark.parametrize("mode", ["starttls", "implicit", "opportunistic"])
def test_mail_goes_under_tls(
    mode: str, authority: trustme.CA, ca_file: str, peer: Make, system: Make, send: Make, message: Make
) -> None:
    """With each mode that encrypts, a server that is trusted gets the mail, and after STARTTLS a second EHLO."""

    async def run() -> None:
        tls = server_context(authority)
        async with (
            peer(tls=tls, implicit=mode == "implicit") as server,
            system(server.port, tls=mode, ca_file=ca_file, connections=2) as mail,
        ):
            answered = await send(mail, [message(key=str(index)) for index in range(9)])
        assert {each.answers[0].status for each in answered.values()} == {Status.ACCEPTED}
        assert len(server.taken) == 9
        hellos = server.lines.count(f"EHLO {server.lines[0].removeprefix('EHLO ')}")
        assert hellos == server.connections * (1 if mode == "implicit" else 2)

    asyncio.run(run())


async def trouble(mail: Any, send: Make, message: Make) -> Any:
    """Why nothing goes."""
    async with mail:
        answered = await send(mail, [message()])
        assert {each.answers[0].status for each in answered.values()} == {Status.NOT_TRIED}
        return mail.trouble.fault


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_an_unknown_authority_is_refused(
    mode: str, authority: trustme.CA, peer: Make, system: Make, send: Make, message: Make
) -> None:
    """Without `ca_file` a private authority is not trusted, and nothing is sent."""

    async def run() -> None:
        async with peer(tls=server_context(authority), implicit=mode == "implicit") as server:
            fault = await trouble(system(server.port, tls=mode), send, message)
        assert fault.reason is Reason.TLS_FAILED
        assert not fault.retryable
        assert "`ca_file`" in fault.text
        assert not any(line.startswith("MAIL") for line in server.lines)

    asyncio.run(run())


def test_a_certificate_for_another_name_is_refused(
    authority: trustme.CA, ca_file: str, peer: Make, system: Make, send: Make, message: Make
) -> None:
    """A certificate of a trusted authority must name the server, unless that is turned off."""

    async def run() -> None:
        tls = server_context(authority, "elsewhere.example.com")
        async with peer(tls=tls, implicit=True) as server:
            fault = await trouble(system(server.port, tls="implicit", ca_file=ca_file), send, message)
            assert fault.reason is Reason.TLS_FAILED
            assert "for another" in fault.text
            lax = {"tls": "implicit", "ca_file": ca_file, "verify_host": False, "insecure": True}
            async with system(server.port, **lax) as mail:
                assert (await send(mail, [message()]))["k"].answers[0].status is Status.ACCEPTED

    asyncio.run(run())


def test_a_plain_port_spoken_to_with_tls_says_so(peer: Make, system: Make, send: Make, message: Make) -> None:
    """TLS from the first byte to a port that begins in the clear names the ports that people mix up."""

    async def run() -> None:
        async with peer() as server:
            fault = await trouble(system(server.port, tls="implicit", timeouts={"tls": 5}), send, message)
        assert fault.reason is Reason.TLS_FAILED
        assert '"starttls"' in fault.text
        assert "587" in fault.text

    asyncio.run(run())


def test_starttls_that_is_not_offered_is_no_reason_to_go_on(
    peer: Make, system: Make, send: Make, message: Make
) -> None:
    """Required TLS is never given up because somebody on the way removed the offer."""

    async def run() -> None:
        async with peer() as server:
            fault = await trouble(system(server.port, tls="starttls"), send, message)
        assert fault.reason is Reason.TLS_MISSING
        assert not any(line.startswith("MAIL") for line in server.lines)

    asyncio.run(run())


def test_words_said_in_clear_before_tls_are_an_attack(
    authority: trustme.CA, ca_file: str, peer: Make, system: Make, send: Make, message: Make
) -> None:
    """Bytes that follow the answer to STARTTLS in the clear end the connection."""

    async def run() -> None:
        injected = b"220 now\r\n250 injected\r\n"
        async with peer(
            tls=server_context(authority), reply=lambda _, line: injected if line == "STARTTLS" else None
        ) as server:
            fault = await trouble(system(server.port, tls="starttls", ca_file=ca_file), send, message)
        assert fault.reason is Reason.TLS_INJECTION
        assert not any(line.startswith("MAIL") for line in server.lines)

    asyncio.run(run())


def test_a_handshake_that_never_ends_is_ended(peer: Make, system: Make, send: Make, message: Make) -> None:
    """A server that says 220 to STARTTLS and then nothing is left after `timeouts.tls`."""

    async def run() -> None:
        offers = ("PIPELINING", "STARTTLS")
        async with peer(*offers) as server:
            fault = await trouble(system(server.port, tls="starttls", timeouts={"tls": 0.3}), send, message)
        assert fault.reason in {Reason.TLS_FAILED, Reason.TIMEOUT}
        assert fault.retryable

    asyncio.run(run())


def test_a_client_certificate_is_shown(
    authority: trustme.CA, ca_file: str, peer: Make, system: Make, send: Make, message: Make, tmp_path: Path
) -> None:
    """A server that wants a certificate gets the configured one, and without one the fault says what is missing."""

    async def run() -> None:
        tls = server_context(authority)
        tls.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(tls)
        mine = authority.issue_cert("client.example.com")
        cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        mine.cert_chain_pems[0].write_to_path(cert)
        mine.private_key_pem.write_to_path(key)
        async with peer(tls=tls, implicit=True) as server:
            both = {"tls": "implicit", "ca_file": ca_file}
            async with system(server.port, **both, tls_client_cert=str(cert), tls_client_key=str(key)) as mail:
                assert (await send(mail, [message()]))["k"].answers[0].status is Status.ACCEPTED

    asyncio.run(run())


def test_a_missing_client_certificate_is_named(
    authority: trustme.CA, ca_file: str, system: Make, send: Make, message: Make
) -> None:
    """A server that ends the connection for want of a certificate is understood, also after the handshake (TLS 1.3)."""
    tls = server_context(authority)
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(tls)

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(ssl.SSLError), tls.wrap_socket(connection, server_side=True):
            pass

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.create_task(asyncio.to_thread(serve, listening))
            port = listening.getsockname()[1]
            fault = await trouble(system(port, tls="implicit", ca_file=ca_file), send, message)
            await serving
        assert "client certificate" in fault.text
        assert not fault.retryable

    asyncio.run(run())


def test_the_default_trusts_and_verifies() -> None:
    """A context checks names and chains and knows no TLS below 1.2 unless it is told otherwise."""
    made = context(TlsSpec("starttls"))
    assert made.check_hostname
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2
    lax = context(TlsSpec("starttls", verify_peer=False, minimum_version="1.3"))
    assert not lax.check_hostname
    assert lax.verify_mode is ssl.CERT_NONE
    assert lax.minimum_version is ssl.TLSVersion.TLSv1_3


def test_a_missing_file_is_an_error_when_it_is_built(system: Make) -> None:
    """`ca_file` that is not there stops the start, not the first mail."""
    with pytest.raises(FileNotFoundError):
        system(25, tls="starttls", ca_file="no-such-file.pem")


@pytest.mark.parametrize(
    ("error", "words", "retryable"),
    [
        (TimeoutError(), "too long", True),
        (ConnectionResetError(), "closed", True),
        (EOFError(), "closed", True),
        (ssl.SSLError(1, "[SSL: UNSUPPORTED_PROTOCOL] x"), "handshake failed", False),
        (OSError("odd"), "odd", True),
    ],
)
def test_a_failed_handshake_is_told_in_words(error: BaseException, words: str, retryable: bool) -> None:
    """Each kind of failure has words of its own, and says whether waiting can help."""
    fault = explain(error, starttls=True)
    assert words in fault.text
    assert fault.retryable is retryable


def test_a_file_without_a_certificate_is_named(tmp_path: Path, authority: trustme.CA) -> None:
    """The file, and what it should be; also for the key, and for a folder of authorities."""
    (tmp_path / "words").write_text("words")
    words = str(tmp_path / "words")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued = authority.issue_cert("client.example.com")
    issued.cert_chain_pems[0].write_to_path(cert)
    authority.issue_cert("other.example.com").private_key_pem.write_to_path(key)
    for spec, file, text in (
        (TlsSpec("starttls", ca_file=words), words, "it holds no certificate in PEM"),
        (TlsSpec("starttls", ca_path=words), words, "Not a directory"),
        (TlsSpec("starttls", client_cert=words), words, "it is no certificate in PEM with the key"),
        (TlsSpec("starttls", client_cert=str(cert), client_key=str(key)), str(cert), "key values mismatch"),
        (TlsSpec("starttls", client_cert=str(cert), client_key=words + "2"), words + "2", "No such file"),
    ):
        with pytest.raises(OSError, match=text) as raised:
            context(spec)
        assert raised.value.filename == file
