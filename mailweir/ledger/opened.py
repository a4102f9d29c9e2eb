"""The state of a folder, opened to look at it or to act on it, and the messages that are meant. Never makes one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from mailweir.ledger.rows import short
from mailweir.systems_of import Systems, health_of
from pipeline.clock import MachineClock
from pipeline.state.facts import Batch, MessageState
from pipeline.state.faults import StateError
from pipeline.state.port import Look, State
from pipeline.state.sqlite.looking import SqliteLook
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.views import Filter, Row
from sinks.mail import outbound

T = TypeVar("T")

# A page is read in a few milliseconds, so nothing that is written waits for it.
_PAGE: Final = 500
_MOST_NAMED: Final = 5
_begin: Final = re.compile(r"[0-9a-f]{1,32}(\.\d{1,9})?")


class UnknownError(ValueError):
    """No message is meant, or several are."""


def look(folder: Path, work: Callable[[Look], Awaitable[T]]) -> T | None:
    """Look at the state of a folder; None if nothing was ever sent from there. `StateError` if it cannot be read."""
    found = SqliteLook.open(folder, MachineClock())
    if found is None:
        return None

    async def looking() -> T:
        async with found:
            return await work(found)

    return asyncio.run(looking())


def act(folder: Path, work: Callable[[State], Awaitable[T]]) -> T | None:
    """Change the state of a folder, after taking over what senders left that died; None if there is none."""
    found = SqliteLook.open(folder, MachineClock())
    if found is None:
        return None
    found.close()

    async def acting() -> T:
        async with SqliteState.open(folder, MachineClock(), outbound.stranded) as state:
            return await work(state)

    return asyncio.run(acting())


def forget_trouble(systems: Systems, name: str) -> None:
    """A mail system works: the next run uses it at once, whatever an earlier one learnt of its servers."""

    async def forgetting(state: State) -> None:
        if learnt := await state.notes(health_of(name)):
            await state.admit(Batch(notes=dict.fromkeys(learnt, "")))

    # That the mail went is what was asked for; a state that cannot be written has others to say so.
    with suppress(StateError):
        act(Path(systems.state), forgetting)


async def rows(state: Look, wanted: Filter) -> AsyncIterator[Row]:
    """All messages that are wanted, the newest first."""
    before: int | None = None
    while True:
        page = await state.messages(wanted, before, _PAGE)
        for row in page.rows:
            yield row
        if page.next is None:
            return
        before = page.next


def parts(found: Sequence[Row]) -> Iterator[list[int]]:
    """The ids of messages, in so many parts that a transaction for one keeps no sender waiting."""
    for start in range(0, len(found), _PAGE):
        yield [one.id for one in found[start : start + _PAGE]]


async def named(state: Look, begins: Sequence[str]) -> list[Row]:
    """The messages whose ids begin so, one for each. `UnknownError` says which there is none or more than one of."""
    found = {}
    for begin in begins:
        row = await _named(state, begin)
        found[row.id] = row
    return list(found.values())


async def _named(state: Look, begin: str) -> Row:
    name = begin.lower().removesuffix("…")
    page = await state.messages(Filter(name=name), most=_MOST_NAMED + 1) if _begin.fullmatch(name) else None
    fitting = page.rows if page else ()
    exactly = [row for row in fitting if row.name == name]
    if len(fitting) == 1 or exactly:
        return (exactly or fitting)[0]
    if not fitting:
        raise UnknownError(f"no message begins with '{begin}'{await _newest_dead(state)}")
    some = ", ".join(sorted({short(row.name, 12) for row in fitting})[:_MOST_NAMED])
    many = f"more than {_MOST_NAMED}" if len(fitting) > _MOST_NAMED else str(len(fitting))
    raise UnknownError(f"{many} messages begin with '{begin}': {some}. Write more of the id")


async def _newest_dead(state: Look) -> str:
    page = await state.messages(Filter(frozenset({MessageState.DEAD})), most=1)
    for row in page.rows:
        return f". The newest dead one is {short(row.name)}  (mailweir outbox list --state dead)"
    return "  (mailweir outbox list)"
