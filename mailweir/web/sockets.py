"""A websocket: texts both ways, each one JSON, none too often, and an end that says why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from mailweir.serving.log import scrubbed

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from pipeline.clock import Clock
    from pipeline.scrub import Scrubber

# Texts of one peer: a person saves now and then, a program that changes many components does it in one change.
MOST_AT_ONCE: Final = 20
EACH_SECOND: Final = 10.0

# RFC 6455 section 7.4.1.
DONE: Final = 1000
GOING_AWAY: Final = 1001
NO_TEXT: Final = 1003
TOO_MANY: Final = 1008


class Pace:
    """How often something may happen: so many at once, and so many in a second on average. Times are steady ones."""

    def __init__(self, now: float, at_once: int = MOST_AT_ONCE, each_second: float = EACH_SECOND) -> None:
        """Nothing has happened yet."""
        self._most, self._rate = float(at_once), each_second
        self._left, self._at = float(at_once), now

    def may(self, now: float) -> bool:
        """Whether it may happen once more; then it has."""
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Talk:
    """An open websocket."""

    def __init__(self, receive: Receive, send: Send, clock: Clock, scrubber: Callable[[], Scrubber]) -> None:
        """Whatever is sent passes the scrubber."""
        self._receive, self._send = receive, send
        self._clock, self._scrubber = clock, scrubber
        self._pace = Pace(clock.boot())
        self._sending = asyncio.Lock()
        self._over = False

    async def next(self) -> str | None:
        """The next text; None when there is none to come."""
        while not self._over:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._over = True
            elif not self._pace.may(self._clock.boot()):
                await self.end(TOO_MANY, "too many messages")
            elif (text := message.get("text")) is None:
                await self.end(NO_TEXT, "messages are texts")
            else:
                return str(text)
        return None

    async def tell(self, value: Any) -> None:  # noqa: ANN401 - any JSON
        """Send a document."""
        text = json.dumps(scrubbed(value, self._scrubber()), ensure_ascii=False, separators=(",", ":"))
        async with self._sending:
            if not self._over:
                # Half a character has no bytes.
                await self._send({"type": "websocket.send", "text": text.encode("utf-8", "replace").decode()})

    async def end(self, code: int = DONE, why: str = "") -> None:
        """Say that it is over."""
        async with self._sending:
            if not self._over:
                self._over = True
                await self._send({"type": "websocket.close", "code": code, "reason": why})


class Conversation(Response):
    """The answer to a handshake that is welcome."""

    def __init__(self, hold: Callable[[Talk], Awaitable[None]], clock: Clock, scrubber: Callable[[], Scrubber]) -> None:
        """`hold` talks until it returns; the websocket is closed then."""
        super().__init__(status_code=101)
        self._hold, self._clock, self._scrubber = hold, clock, scrubber

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Talk."""
        await receive()  # that it connects, which was looked at
        await send({"type": "websocket.accept"})
        talk = Talk(receive, send, self._clock, self._scrubber)
        try:
            await self._hold(talk)
        finally:
            await talk.end()
