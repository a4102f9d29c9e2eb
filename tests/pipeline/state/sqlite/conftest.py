"""States in one folder, at a time that is told, and the ways to end them: properly, or as a kill does."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pipeline.clock import VirtualClock
from pipeline.state.facts import Ask, Batch, Claimed, Claims, MessageState, Moment, NewMessage, Settlement, Stranded
from pipeline.state.keys import message_key
from pipeline.state.sqlite.store import SqliteState

T = TypeVar("T")


def doubt(stranded: Stranded, now: Moment) -> Settlement:
    """What may have gone is due again in a minute, or not at all."""
    due = None if stranded.at_most_once else now.steady + 60
    return Settlement(
        stranded.id,
        stranded.number,
        stranded.gate,
        stranded.places,
        stranded.places,
        now.steady,
        MessageState.IN_DOUBT,
        due,
        len(stranded.recipients),
        stranded.tries + 1,
        "[]",
    )


class States:
    """Any number of states on one file, as of so many processes."""

    def __init__(self, folder: Path) -> None:
        """None is open."""
        self.folder = folder
        self.clock = VirtualClock()
        self._runner = asyncio.Runner()
        self._open: list[SqliteState] = []

    def open(self, **settings: Any) -> SqliteState:
        """One more."""
        state = SqliteState.open(self.folder, settings.pop("clock", self.clock), doubt, **settings)
        self._open.append(state)
        return state

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What an asynchronous call gives."""
        return self._runner.run(work)

    def close(self, state: SqliteState) -> None:
        """End it properly."""
        self._open.remove(state)
        state.close()

    def kill(self, state: SqliteState) -> None:
        """End it as a kill does: nothing more is written, and the kernel lets go of the locks."""
        self._open.remove(state)
        state._closed = True
        writer = state._writer
        with writer._waiting:
            writer._calls.clear()
            writer._settlements.clear()
            writer._closing = True
            writer._waiting.notify()
        writer._thread.join()
        state._reader.close()
        if state._sender is not None:
            state._sender.close(clean=False)
        state._place.close()

    def end(self) -> None:
        """End all of them."""
        for state in self._open:
            with suppress(Exception):
                state.close()
        self._runner.close()

    # What most tests do.

    def message(self, number: int = 0, *to: str, **facts: Any) -> NewMessage:
        """A message to `to`."""
        recipients = to or ("ann@example.com",)
        entity_id = facts.pop("entity_id", f"c-{number}")
        pipe = facts.pop("pipe", "welcome")
        key = message_key(pipe, entity_id, facts.pop("version", "v1"), recipients)
        content = facts.pop("content", f"Subject: Hi {number}\r\n\r\nHello\r\n".encode())
        system = facts.pop("system", "office")
        return NewMessage(
            key, pipe, system, entity_id, recipients, '{"sender":"me@example.com"}', content, '{"_id":"c"}', **facts
        )

    def admit(self, state: SqliteState, *messages: NewMessage, ask: Ask | None = None) -> tuple[Any, ...]:
        """The fates of messages."""
        return self.run(state.admit(Batch(messages), ask)).fates

    def ask(self, limit: int = 1000, **facts: Any) -> Ask:
        """For messages of the office."""
        return Ask(facts.pop("system", "office"), facts.pop("gate", "office"), limit, **facts)

    def claim(self, state: SqliteState, limit: int = 1000, **facts: Any) -> Claims:
        """Messages of the office."""
        return self.run(state.claim(self.ask(limit, **facts)))

    def settlement(
        self,
        claim: Claimed,
        word: MessageState = MessageState.SENT,
        due: float | None = None,
        used: int | None = None,
        at: float | None = None,
    ) -> Settlement:
        """What became of a claim; sent uses its places, anything else gives them back."""
        if used is None:
            used = claim.places if word is MessageState.SENT else 0
        at = claim.due if at is None else at
        return Settlement(
            claim.id, claim.number, claim.gate, claim.places, used, at, word, due, 1, claim.tries + 1, '["ok"]'
        )

    def send(self, state: SqliteState, claims: Sequence[Claimed]) -> None:
        """Hand over and have it accepted now, on the disk."""
        state.handing_over(claims)
        state.settle([self.settlement(claim, at=state.now()) for claim in claims])
        self.run(state.flush())

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """What is on the disk."""
        with closing(sqlite3.connect(self.folder / "state.db")) as connection:
            return connection.execute(text).fetchall()

    def rows(self) -> dict[int, str]:
        """The word of each message."""
        return dict(self.query("SELECT id, iif(owner IS NULL, state, 'claimed') FROM message ORDER BY id"))

    def numbers(self) -> list[int]:
        """How often each message was claimed."""
        return [number for (number,) in self.query("SELECT number FROM message ORDER BY id")]

    def gate(self) -> tuple[int, int]:
        """What is in flight and what is stamped, as it is kept."""
        ((in_flight, stamped),) = self.query("SELECT in_flight, stamped FROM gate WHERE name = 'office'")
        return in_flight, stamped


@pytest.fixture
def states(tmp_path: Path) -> Iterator[States]:
    """States in a new folder."""
    made = States(tmp_path / ".mailweir")
    yield made
    made.end()
