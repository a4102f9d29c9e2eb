"""Entities become rows: a batch in one transaction, and one by one where a batch is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.component import Running
from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt, Tally
from pipeline.run import Portion, StoppedError
from pipeline.state.facts import Batch, Offset
from sinks.sql_table import Row, Target, Wanted, found_or_made
from systems.sql.system import Sql, SqlError, telling

T = TypeVar("T")


class SqlSink:
    """Writes rows. A position is stored when they are: after a crash some are written again, as they were."""

    def __init__(self, pipe: str, system: Sql, wanted: Wanted, batch: int, running: Running) -> None:
        """`running` has the state."""
        self._pipe = pipe
        self._system = system
        self._wanted = wanted
        self._batch = batch
        self._running = running

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """What became of the entities, a transaction at a time. A database that waits keeps nobody else waiting."""
        loop = asyncio.get_running_loop()
        # All that is asked of one connection is asked in one thread.
        with ThreadPoolExecutor(1, "sql") as thread:

            async def there(work: Callable[[], T]) -> T:
                return await loop.run_in_executor(thread, work)

            writer = await there(lambda: Writer(self._system, self._wanted))
            try:
                for portion in portions:
                    for first in range(0, len(portion.entities), self._batch):
                        part = portion.entities[first : first + self._batch]
                        refused = await there(lambda part=part: writer.write(part))  # type: ignore[misc]
                        yield Tally({Outcome.WRITTEN: len(part) - len(refused)})
                        if refused:
                            yield refused
                    if portion.since is not None:
                        await self._running.state.admit(Batch(offset=Offset(self._pipe, portion.since)))
            finally:
                await there(writer.close)


class Writer:
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
