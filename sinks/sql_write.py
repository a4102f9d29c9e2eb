"""Entities become rows: a batch in one transaction, and one by one where a batch is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt
from pipeline.run import StoppedError
from sinks.sql_table import Row, Target, Wanted, found_or_made
from systems.sql.system import Sql, SqlError, telling


class SqlWriter:
    """One connection, and the table. `StoppedError` if the database is gone or the table cannot be used."""

    def __init__(self, system: Sql, wanted: Wanted) -> None:
        """Connect, and look at the table."""
        self._name = system.name
        try:
            self._connection = system.writing()
            try:
                with telling():
                    self._target = found_or_made(self._connection, wanted, system.zone)
                    self._connection.rollback()
            except BaseException:
                self._connection.close()
                raise
        except SqlError as error:
            raise self._stopped(error) from None
        self._upsert = _upsert(self._connection.dialect.name, self._target)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def write(self, entities: Sequence[Entity]) -> list[Receipt]:
        """Those that were refused; all others are written, and safe."""
        refused: list[Receipt] = []
        rows: list[Row] = []
        for entity in entities:
            try:
                rows.append(self._target.row(entity))
            except ValueError as error:
                refused.append(Receipt(str(entity.get("_id", "")), "", Outcome.REJECTED, str(error)))
        try:
            # Of several versions of a row the last one counts.
            self._all([*{row.key: row for row in rows}.values()])
        except SqlError as error:
            if error.lost:
                raise self._stopped(error) from None
            refused += [Receipt(row.id, "", Outcome.REJECTED, why) for row in rows if (why := self._alone(row))]
        return refused

    def _alone(self, row: Row) -> str:
        """Write one; why it was refused."""
        try:
            self._all([row])
        except SqlError as error:
            if error.lost:
                raise self._stopped(error) from None
            return error.text
        return ""

    def _all(self, rows: Sequence[Row]) -> None:
        """All of them in one transaction, or none."""
        gone = [dict(zip(self._parameters(), row.key, strict=True)) for row in rows if row.values is None]
        # Statements are for rows with the same columns.
        alike: dict[frozenset[str], list[dict[str, Any]]] = {}
        for row in rows:
            if row.values is not None:
                alike.setdefault(frozenset(row.values), []).append(row.values)
        with telling(), self._connection.begin():
            if gone:
                self._connection.execute(self._target.table.delete().where(*self._is_it()), gone)
            for several in alike.values():
                self._upsert(self._connection, several)

    def _parameters(self) -> list[str]:
        return [f"key_{at}" for at in range(len(self._target.key))]

    def _is_it(self) -> list[Any]:
        columns = self._target.table.columns
        pairs = zip(self._target.key, self._parameters(), strict=True)
        return [columns[name] == sql.bindparam(parameter) for name, parameter in pairs]

    def _stopped(self, error: SqlError) -> StoppedError:
        what = "cannot be reached" if error.lost else "refuses this"
        return StoppedError(f"the database `{self._name}` {what}: {error.text}")


def _upsert(dialect: str, target: Target) -> Callable[[sql.Connection, Sequence[dict[str, Any]]], None]:
    """What writes rows that are new or not."""
    insert: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}.get(dialect)

    def at_once(connection: sql.Connection, rows: Sequence[dict[str, Any]]) -> None:
        statement = insert(target.table)
        others = {name: statement.excluded[name] for name in rows[0] if name not in target.key}
        if others:
            statement = statement.on_conflict_do_update(index_elements=target.key, set_=others)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=target.key)
        connection.execute(statement, rows)

    def one_by_one(connection: sql.Connection, rows: Sequence[dict[str, Any]]) -> None:
        columns = target.table.columns
        for row in rows:
            known = sql.and_(*(columns[name] == row[name] for name in target.key))
            others = {name: value for name, value in row.items() if name not in target.key}
            if others:
                done = connection.execute(target.table.update().where(known).values(others)).rowcount
            else:
                done = len(connection.execute(sql.select(columns[target.key[0]]).where(known)).fetchmany(1))
            # A row that is there with these very values counts as no change for some databases.
            if not done and not connection.execute(sql.select(columns[target.key[0]]).where(known)).first():
                connection.execute(target.table.insert().values(row))

    return at_once if insert is not None else one_by_one
