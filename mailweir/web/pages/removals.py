"""Messages that a person has deleted, for as long as it can be undone.

What is deleted is written down before anybody is told, with the time when it goes, and messages that wait are postponed
until well behind it: nothing of it is sent meanwhile, and when a service is killed, the next one goes on with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from mailweir.serving.log import event
from pipeline.state.facts import Batch
from pipeline.state.faults import StateError

if TYPE_CHECKING:
    from pipeline.clock import Clock
    from pipeline.state.port import State

# Long enough to see that it was the wrong ones.
UNDO_SECONDS: Final = 10.0
# What waits does so for longer: a machine that is busy deletes late.
_POSTPONED: Final = 120.0
PREFIX: Final = "removing/"


class Removal(NamedTuple):
    """Messages that go at a wall time."""

    ids: tuple[int, ...]
    at: float
    by: str


class Removals:
    """All that can still be undone."""

    def __init__(self, state: State, clock: Clock, wait: float = UNDO_SECONDS) -> None:
        """`wait` seconds are for undoing."""
        self._state = state
        self._clock = clock
        self._wait = wait
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Go on with what another service left."""
        for name, text in (await self._state.notes(PREFIX)).items():
            removal = _removal(text)
            if removal is not None:
                self._start(name.removeprefix(PREFIX), removal)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was to go goes now: who ends the service has undone nothing."""
        waiting = dict(self._tasks)
        for task in waiting.values():
            task.cancel()
        await asyncio.gather(*waiting.values(), return_exceptions=True)
        for token in waiting:
            with suppress(StateError):
                await self._finish(token)

    async def begin(self, ids: Sequence[int], by: str) -> tuple[str, int]:
        """Delete these in a few seconds: what undoes it, and how many they are that nobody is sending."""
        many = await self._state.postpone(ids, _POSTPONED)
        token = secrets.token_hex(8)
        removal = Removal(tuple(ids), self._clock.wall() + self._wait, by)
        await self._state.admit(Batch(notes={PREFIX + token: json.dumps(removal)}))
        self._start(token, removal)
        return token, many

    async def pending(self, token: str) -> Removal | None:
        """What goes unless it is undone."""
        text = (await self._state.notes(PREFIX + token)).get(PREFIX + token) if _is_token(token) else None
        return None if text is None else _removal(text)

    async def undo(self, token: str) -> int | None:
        """Keep them: how many; None if they are gone."""
        removal = await self.pending(token)
        if removal is None:
            return None
        await self._state.admit(Batch(notes={PREFIX + token: ""}))
        task = self._tasks.pop(token, None)
        if task is not None:
            task.cancel()
        return len(removal.ids)

    def _start(self, token: str, removal: Removal) -> None:
        self._tasks[token] = asyncio.create_task(self._later(token, removal.at))

    async def _later(self, token: str, at: float) -> None:
        await asyncio.sleep(max(0.0, at - self._clock.wall()))
        try:
            await self._finish(token)
        except StateError as error:
            event("mail.kept", f"what was deleted is still there: {error}", logging.ERROR)

    async def _finish(self, token: str) -> None:
        """Unless somebody has undone it, here or through another service of the state."""
        removal = await self.pending(token)
        if removal is None:
            self._tasks.pop(token, None)
            return
        many = await self._state.delete(removal.ids)
        await self._state.admit(Batch(notes={PREFIX + token: ""}))
        self._tasks.pop(token, None)
        event("mail.deleted", f"{many} of {len(removal.ids)} messages deleted by {removal.by}", messages=many)


def _is_token(text: str) -> bool:
    return len(text) == 16 and all(one in "0123456789abcdef" for one in text)


def _removal(text: str) -> Removal | None:
    if not text:
        return None
    ids, at, by = json.loads(text)
    return Removal(tuple(ids), at, by)
