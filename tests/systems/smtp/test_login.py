"""Logging in over a connection: which mechanism, in clear or not, and where tokens come from."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.secret import Secret
from systems.mail import Reason, Status
from systems.smtp.token import Command, Endpoint, Fixed, TokenError, Tokens

Make = Callable[..., Any]


def encoded(text: str) -> str:
    """Text in base64."""
    return base64.b64encode(text.encode()).decode()


def verdict(line: str) -> bytes | None:
    """What a server says that knows user `kari`, password `pärla` and token `t0k`."""
    verb, *words = line.split(" ")
    if verb != "AUTH":
        return None
    if words[0] == "PLAIN":
        return b"235 2.7.0 in" if words[1:] == [encoded("\0kari\0pärla")] else b"535 5.7.8 wrong"
    if words[0] == "XOAUTH2":
        return b"235 2.7.0 in" if words[1:] == [encoded("user=kari\1auth=Bearer t0k\1\1")] else b"535 5.7.8 wrong"
    return b"504 no such"


def test_the_password_logs_in(peer: Make, system: Make, send: Make, message: Make) -> None:
    """To a server on this machine a login may cross in the clear."""

    async def run() -> None:
        offers = ("PIPELINING", "AUTH PLAIN LOGIN")
        login = {"smtp_username": "kari", "smtp_password": Secret("pärla")}
        async with (
            peer(*offers, reply=lambda _, line: verdict(line)) as server,
            system(server.port, **login) as mail,
        ):
            assert (await send(mail, [message()]))["k"].answers[0].status is Status.ACCEPTED

    asyncio.run(run())


def test_a_refused_login_is_tried_once_and_told(peer: Make, system: Make, send: Make, message: Make) -> None:
    """A wrong password costs one login, no message a try, and several minutes before it is tried again."""

    async def run() -> None:
        login = {"smtp_username": "kari", "smtp_password": Secret("wrong")}
        async with (
            peer("PIPELINING", "AUTH PLAIN", reply=lambda _, line: verdict(line)) as server,
            system(server.port, **login) as mail,
        ):
            answered = await send(mail, [message(key=str(index)) for index in range(20)])
            assert {each.answers[0].status for each in answered.values()} == {Status.NOT_TRIED}
            fault = mail.trouble.fault
            assert fault.reason is Reason.LOGIN_REFUSED
            assert "535 5.7.8 wrong" in fault.text
            assert mail.trouble.seconds > 200
            assert await send(mail, [message()]) != {}
        assert sum(line.startswith("AUTH") for line in server.lines) == 1

    asyncio.run(run())


def test_a_token_logs_in(peer: Make, system: Make, send: Make, message: Make) -> None:
    """With `oauth` the token of a command is sent, fetched once for several connections."""

    async def run() -> None:
        oauth = {"command": [sys.executable, "-c", "print('t0k')"]}
        async with (
            peer("PIPELINING", "AUTH XOAUTH2", reply=lambda _, line: verdict(line)) as server,
            system(server.port, smtp_username="kari", oauth=oauth, connections=3) as mail,
        ):
            answered = await send(mail, [message(key=str(index)) for index in range(9)])
            assert {each.answers[0].status for each in answered.values()} == {Status.ACCEPTED}

    asyncio.run(run())


def test_a_token_that_cannot_be_had_is_the_system_s_trouble(
    peer: Make, system: Make, send: Make, message: Make
) -> None:
    """A command that fails is told by its exit code, and no message is charged."""

    async def run() -> None:
        oauth = {"command": [sys.executable, "-c", "import sys; sys.exit(3)"]}
        async with (
            peer("PIPELINING", "AUTH XOAUTH2", reply=lambda _, line: verdict(line)) as server,
            system(server.port, smtp_username="kari", oauth=oauth) as mail,
        ):
            assert (await send(mail, [message()]))["k"].answers[0].status is Status.NOT_TRIED
            assert "exit code 3" in mail.trouble.fault.text

    asyncio.run(run())


@pytest.mark.parametrize(
    ("code", "words"),
    [("print()", "no token"), ("import sys; sys.exit(2)", "exit code 2"), ("print('\\xff')", "")],
)
def test_a_command_gives_a_token_or_says_why_not(code: str, words: str) -> None:
    """What a command prints is the token; no output and a bad exit code are faults."""
    fetching = Command([sys.executable, "-c", code]).fetch()
    if words:
        with pytest.raises(TokenError, match=words):
            asyncio.run(fetching)
    else:
        token, _ = asyncio.run(fetching)
        assert token.reveal() == "\xff"


def test_a_command_that_is_not_there_is_a_fault() -> None:
    """A command that cannot be run is named."""
    with pytest.raises(TokenError, match="`no-such-command` cannot be run"):
        asyncio.run(Command(["no-such-command"]).fetch())


async def answer_once(status: str, body: bytes, requests: list[bytes]) -> asyncio.Server:
    """A token endpoint that gives the same answer to everybody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        requests.append(head + await reader.readexactly(length))
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body))
        await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        ("200 OK", {"access_token": "t0k", "expires_in": 3600}, "t0k"),
        ("400 Bad Request", {"error": "invalid_grant"}, "HTTP 400, invalid_grant"),
        ("302 Found", {}, "HTTP 302"),
        ("200 OK", {"token": "t0k"}, "without an access token"),
        ("200 OK", {"access_token": ""}, "without an access token"),
        ("200 OK", [], "without an access token"),
    ],
)
def test_a_token_endpoint_is_asked_properly(status: str, body: object, outcome: str) -> None:
    """The refresh token goes to the endpoint in the body, and its answer is a token or a reason."""

    async def run() -> str:
        requests: list[bytes] = []
        async with await answer_once(status, json.dumps(body).encode(), requests) as server:
            port = server.sockets[0].getsockname()[1]
            secret = Secret("r3fresh&")
            try:
                token, life = await Endpoint(f"http://127.0.0.1:{port}/t?x=1", secret, "me", Secret("s")).fetch()
                assert life == 3540
                said = token.reveal()
            except TokenError as error:
                said = str(error)
        assert requests[0].startswith(b"POST /t?x=1 ")
        assert requests[0].endswith(b"grant_type=refresh_token&refresh_token=r3fresh%26&client_id=me&client_secret=s")
        assert "r3fresh" not in said
        return said

    assert outcome in asyncio.run(run())


def test_a_refresh_token_never_goes_out_in_clear() -> None:
    """An endpoint that is not https and not on this machine is refused before anything is sent."""
    with pytest.raises(TokenError, match="must be https"):
        asyncio.run(Endpoint("http://example.com/token", Secret("r")).fetch())


def test_a_token_is_used_until_it_ends_or_is_refused() -> None:
    """Ten callers fetch once; after its time, or when it was refused, it is fetched anew."""
    now = 0.0

    async def run() -> None:
        nonlocal now
        fetched: list[int] = []

        class Counting:
            made_of = ()

            async def fetch(self) -> tuple[Secret, float]:
                fetched.append(1)
                await asyncio.sleep(0)
                return Secret(str(len(fetched))), 10.0

        tokens = Tokens(Counting(), lambda: now)
        got = await asyncio.gather(*(tokens.get() for _ in range(10)))
        assert {one.reveal() for one in got} == {"1"}
        now = 9.9
        assert (await tokens.get()).reveal() == "1"
        now = 10.0
        assert (await tokens.get()).reveal() == "2"
        tokens.forget()
        assert (await tokens.get()).reveal() == "3"

    asyncio.run(run())


def test_a_fixed_token_stays() -> None:
    """A token from the configuration is what it is."""
    token, _ = asyncio.run(Fixed(Secret("t")).fetch())
    assert token.reveal() == "t"
