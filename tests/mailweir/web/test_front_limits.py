"""What the door does with those who take their time, and with answers that fail."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.responses import Response, StreamingResponse

from mailweir.web.access import ROLES, Caller, Keys, digest_of
from mailweir.web.front import Bounds, Front
from mailweir.web.route import Body, Call, Route
from pipeline.clock import MachineClock
from pipeline.scrub import Scrubber
from pipeline.secret import Secret

TOKEN = "t" * 32
CANARY = "kanarifugl-7f3a"


def front(handler: Callable[[Call], Awaitable[Response]], *, body: float = 60, send: float = 60, **route: Any) -> Front:
    """A door with one route."""
    scrubber = Scrubber()
    scrubber.add(Secret(CANARY))
    one = Route("POST", "/do", "do", "act", "Do.", handler, body=Body({}, 100), **route)
    keys = Keys({digest_of(TOKEN): Caller("tester", ROLES)})
    return Front([one], keys, Bounds(frozenset({"localhost"}), 80, body, send), MachineClock(), lambda: scrubber)


class Talk:
    """One request as a server hands it over."""

    def __init__(self, *parts: bytes, stalls: bool = False, blocks: bool = False) -> None:
        """The body comes in these parts; it `stalls` before its end. Who `blocks` takes nothing of a body."""
        self.told: list[dict[str, Any]] = []
        self._parts = list(parts)
        self._stalls = stalls
        self._blocks = blocks

    async def receive(self) -> dict[str, Any]:
        """The next part."""
        if self._parts:
            part = self._parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self._parts) or self._stalls}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Any) -> None:
        """Take an answer."""
        if self._blocks and message["type"] == "http.response.body":
            await asyncio.Event().wait()
        self.told.append(message)

    def through(self, door: Front) -> tuple[int, bytes]:
        """The status and the body that came back."""
        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {TOKEN}".encode())]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/do",
            "root_path": "",
            "query_string": b"",
            "headers": [*headers, (b"content-type", b"application/json")],
            "client": ("127.0.0.1", 5),
        }
        asyncio.run(door(scope, self.receive, self.send))
        status = self.told[0]["status"]
        return status, b"".join(one.get("body", b"") for one in self.told[1:])


async def echo(call: Call) -> Response:
    """What came."""
    return Response(call.body)


def test_a_body_in_parts() -> None:
    """A body is whole before it is looked at, however it comes."""
    assert Talk(b"ab", b"", b"cd").through(front(echo)) == (200, b"abcd")


def test_a_body_that_does_not_come() -> None:
    """Who sends half of it and waits is told so in time, and the connection ends."""
    talk = Talk(b"ab", stalls=True)
    assert talk.through(front(echo, body=0.05))[0] == 408
    assert (b"connection", b"close") in talk.told[0]["headers"]


def test_a_body_without_end() -> None:
    """A body whose length nobody said is cut where it is too long."""
    assert Talk(*[b"x" * 60] * 3).through(front(echo))[0] == 413


def test_a_handler_that_hangs() -> None:
    """An answer that takes too long is none, and the caller may come again."""

    async def hang(_: Call) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    status, body = Talk(b"{}").through(front(hang, seconds=0.05))
    assert (status, json.loads(body)["status"]) == (503, 503)


def test_a_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """It is told with a name that the log has too, and without words of the fault, a trace or a secret."""

    async def crash(_: Call) -> Response:
        raise KeyError(CANARY)

    with caplog.at_level(logging.ERROR, "mailweir.serve"):
        status, body = Talk(b"{}").through(front(crash))
    assert status == 500
    assert CANARY.encode() not in body
    assert b"Traceback" not in body
    (record,) = caplog.records
    assert record.__dict__["facts"]["request"] == json.loads(body)["request"]
    assert CANARY not in record.getMessage()


def test_a_reader_that_takes_nothing() -> None:
    """Who does not read the answer is not waited for, and what makes it is closed."""
    closed = []

    async def parts() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    async def stream(_: Call) -> Response:
        return StreamingResponse(parts())

    assert Talk(b"{}", blocks=True).through(front(stream, send=0.05))[0] == 200
    assert closed == [True]


def test_an_answer_that_fails_on_the_way(caplog: pytest.LogCaptureFixture) -> None:
    """It has no end, so that nobody takes it for the whole, and the log says why."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"x"
        raise ValueError("on the way")

    async def stream(_: Call) -> Response:
        return StreamingResponse(parts())

    talk = Talk(b"{}")
    with caplog.at_level(logging.ERROR, "mailweir.serve"):
        assert talk.through(front(stream)) == (200, b"x")
    assert talk.told[-1]["more_body"] is True
    assert [record.__dict__["event"] for record in caplog.records] == ["http.crashed"]


def test_acts_are_on_record(caplog: pytest.LogCaptureFixture) -> None:
    """Who did something is in the log, with what and how it ended."""
    with caplog.at_level(logging.INFO, "mailweir.serve"):
        Talk(b"{}").through(front(echo))
    (record,) = caplog.records
    assert record.getMessage() == "POST /do by tester: 200"
    assert record.__dict__["facts"]["by"] == "tester"
