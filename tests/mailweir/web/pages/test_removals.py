"""Messages that are deleted and kept after all, on a real state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from mailweir.web.pages.removals import PREFIX, Removals
from pipeline.clock import VirtualClock
from pipeline.state.facts import Ask, Batch, NewMessage
from pipeline.state.keys import message_key
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.views import Filter
from sinks.mail.outbound import stranded

ASK = Ask("office", "office", 100)
PATIENCE = 120


def message(number: int) -> NewMessage:
    """One that waits."""
    key = message_key("p", str(number), "", ["a@example.com"])
    return NewMessage(key, "p", "office", str(number), ("a@example.com",), "{}", b"x", "{}")


async def left(state: SqliteState) -> list[int]:
    """The messages that there are."""
    return [one.id for one in (await state.messages(Filter())).rows]


async def until(there: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is not there any more."""
    for _ in range(PATIENCE * 100):
        if not await there():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it is still there")


def opened(folder: Path) -> SqliteState:
    """A state whose clock stands still."""
    return SqliteState.open(folder, VirtualClock(), stranded)


def test_what_is_deleted_goes_a_little_later(tmp_path: Path) -> None:
    """Until then it is there, and nothing of it is sent."""

    async def go() -> None:
        async with opened(tmp_path) as state, Removals(state, VirtualClock(), wait=0.0) as removals:
            await state.admit(Batch(messages=(message(1), message(2))))
            token, many = await removals.begin([1], "kari")
            assert many == 1
            claims = await state.claim(ASK)
            assert [one.id for one in claims.messages] == [2]
            await until(lambda: removals.pending(token))
            assert await left(state) == [2]
            assert await removals.undo(token) is None
            await state.release(claims.messages)

    asyncio.run(go())


def test_what_is_undone_stays(tmp_path: Path) -> None:
    """Also when the service ends a moment later, and another one has begun to wait for it."""

    async def go() -> None:
        async with opened(tmp_path) as state:
            await state.admit(Batch(messages=(message(1),)))
            async with Removals(state, VirtualClock(), wait=1e6) as removals:
                token, _ = await removals.begin([1], "kari")
                async with Removals(state, VirtualClock()) as others:
                    assert await others.pending(token) is not None
                    assert await removals.undo(token) == 1
            assert await left(state) == [1]
            assert await state.notes(PREFIX) == {}

    asyncio.run(go())


def test_a_killed_service_goes_on_with_it(tmp_path: Path) -> None:
    """What was told to be gone is deleted by the next one."""

    async def go() -> None:
        async with opened(tmp_path) as state:
            await state.admit(Batch(messages=(message(1),), notes={f"{PREFIX}{'0' * 16}": '[[1], 0.0, "kari"]'}))
            async with Removals(state, VirtualClock()):
                await until(lambda: left(state))
            assert await state.notes(PREFIX) == {}

    asyncio.run(go())


def test_tokens_that_are_none(tmp_path: Path) -> None:
    """Whatever stands where one should be is none."""

    async def go() -> None:
        async with opened(tmp_path) as state, Removals(state, VirtualClock()) as removals:
            await state.admit(Batch(notes={"pause:pipe:a": "[]"}))
            for token in ("", "x", "../pause:pipe:a", "0" * 16, "0" * 17):
                assert await removals.pending(token) is None
                assert await removals.undo(token) is None

    asyncio.run(go())
