"""What became of messages, in the file: read by those who pass it on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline.state.facts import MessageState
from pipeline.state.outcomes import Settled
from pipeline.state.sqlite.beside import Beside
from pipeline.state.sqlite.outcome_tables import COLUMNS, MESSAGE
from pipeline.state.sqlite.transaction import Transaction


def begin(transaction: Transaction, pipe: str, reader: str, *, from_first: bool) -> None:
    """Know a reader, and keep what it is to have of what was before."""
    own = transaction.connection
    own.execute("DELETE FROM outcome_reader WHERE reader = ? AND pipe <> ?", (reader, pipe))
    added = own.execute("INSERT INTO outcome_reader VALUES (?, ?) ON CONFLICT DO NOTHING", (pipe, reader)).rowcount
    if added and from_first:
        own.execute(
            f"INSERT INTO outcome (reader, {COLUMNS}) SELECT ?, {MESSAGE.format('')} FROM message"  # noqa: S608 - constants
            " WHERE pipe = ? AND due IS NULL AND owner IS NULL ORDER BY id",
            (reader, pipe),
        )


class SqliteOutcomes(Beside):
    """`pipeline.state.outcomes.Outcomes`, on the file of a folder."""

    def begin(self, pipe: str, reader: str, *, from_first: bool) -> None:
        """What becomes of messages is kept for a reader from now on."""
        sql = "SELECT 1 FROM outcome_reader WHERE pipe = ? AND reader = ?"
        if self._look(None, lambda own: own.execute(sql, (pipe, reader)).fetchone()) is None:
            self._write(lambda transaction: begin(transaction, pipe, reader, from_first=from_first))

    def settled(self, reader: str, after: int, most: int) -> Sequence[Settled]:
        """What is kept for it."""
        sql = (
            "SELECT number, outcome.message, entity_id, recipients, state, result, detail, at, coalesce(entity, '')"
            " FROM outcome LEFT JOIN body ON body.message = outcome.message"
            " WHERE reader = ? AND number > ? ORDER BY number LIMIT ?"
        )
        nothing: list[tuple[Any, ...]] = []
        rows = self._look(nothing, lambda own: own.execute(sql, (reader, after, most)).fetchall())
        return [_settled(*row) for row in rows]

    def passed_on(self, reader: str, upto: int) -> None:
        """Keep nothing up to there."""
        sql = "SELECT 1 FROM outcome WHERE reader = ? AND number <= ?"
        if self._look(None, lambda own: own.execute(sql, (reader, upto)).fetchone()) is not None:
            gone = "DELETE FROM outcome WHERE reader = ? AND number <= ?"
            self._write(lambda transaction: transaction.connection.execute(gone, (reader, upto)), needs_room=False)


def _settled(
    number: int, message: int, entity_id: str, to: str, state: str, result: str, detail: str, at: float, entity: str
) -> Settled:
    return Settled(number, message, entity_id, tuple(json.loads(to)), MessageState(state), result, detail, at, entity)
