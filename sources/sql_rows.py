"""Rows of a database become entities, a fetch at a time, and where to go on in a table that changes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnClause,
    Connection,
    CursorResult,
    Select,
    bindparam,
    column,
    inspect,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.types import NullType

from pipeline.config.given import advice, note
from pipeline.config.near import near
from pipeline.entity import Date, Datetime, Entity, from_json, to_json
from pipeline.errors import Note, Problem, SourceError, Span
from sources.input_file import without_faults
from sources.keys import joined
from sources.parts import BATCH, Batch, Fault, OnError, Place
from sources.row_maker import maker
from systems.sql.system import Sql, SqlError

_plain: Final = frozenset({int, str, bool, type(None)})
# SQLite names what it did not expect, and not where it stands.
_near: Final = re.compile(r'near "([^"]+)": ')
_with_floats: Final = _plain | {float}


class Reading(NamedTuple):
    """What is read: a table or a query, and what becomes of its columns.

    `updated` is the column to go on by. `chronological`: rows come in its order, so that each fetch has a position.
    """

    table: str | None = None
    schema: str | None = None
    query: str | None = None
    updated_query: str | None = None
    key: Sequence[str] = ()
    updated: str | None = None
    chronological: bool = True
    only: Collection[str] | None = None
    without: Collection[str] = ()
    keep_null: bool = False
    fetch: int = 1000


class SqlSource:
    """Reads a table or a query. Its position is the largest value of a column, in JSON."""

    waits: Final = True

    def __init__(
        self, system: Sql, reading: Reading, on_error: OnError = "stop", initial: str | int | None = None
    ) -> None:
        """`initial` is the value of the column from which the first run reads."""
        self._system = system
        self._reading = reading
        self._on_error: OnError = on_error
        self._initial = initial
        self._name = f"{system.name}/{reading.table}" if reading.table else f"{system.name}/query"
        self.skipped = 0

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return self._reading.updated is not None and Position(self._system.zone).value(since) is not None

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities; `SourceError` where it cannot go on."""
        position = Position(self._system.zone)
        from_ = position.value(since) if since else self._initial
        if self._reading.updated is None:
            from_ = None
        statement = self._text(from_)
        try:
            with self._system.reading() as connection:
                yield from self._all(connection, from_, position)
        except SqlError as error:
            raise self._told(error, statement) from None

    def _text(self, from_: object) -> str:
        """The query as it is written."""
        later = self._reading.updated_query if from_ is not None else None
        return later or self._reading.query or ""

    def _all(
        self, connection: Connection, from_: object, position: Position
    ) -> Iterator[tuple[Sequence[Entity], str | None]]:
        reading = self._reading
        key = reading.key or self._key_of_table(connection)
        result = self._execute(connection, from_)
        try:
            shape = self._shape(tuple(result.keys()), key)
            found = self._batches(result, shape)
            for batch in without_faults(found, self._on_error):
                self.skipped += batch.fault is not None
                position.see(shape.updates)
                reached = position.text if reading.chronological else None
                if batch.entities:
                    yield batch.entities, reached
            if not reading.chronological and position.text is not None:
                yield (), position.text
        finally:
            result.close()

    def _execute(self, connection: Connection, from_: object) -> CursorResult[Any]:
        """Ask. What the user wrote goes to the database as it stands."""
        reading = self._reading
        since = bindparam("since", from_, type_=NullType())
        if reading.table is not None:
            wanted: Select[Any] = select(literal_column("*")).select_from(table(reading.table, schema=reading.schema))
            if reading.updated is not None:
                updated: ColumnClause[Any] = column(reading.updated)
                wanted = wanted if from_ is None else wanted.where(updated >= since)
                wanted = wanted.order_by(updated) if reading.chronological else wanted
            return connection.execute(wanted)
        if from_ is not None and reading.updated_query is not None:
            return connection.execute(text(reading.updated_query).bindparams(since))
        # With parameters, even none, some drivers would take a `%` for the place of one.
        return connection.execution_options(no_parameters=True).exec_driver_sql(reading.query or "")

    def _key_of_table(self, connection: Connection) -> Sequence[str]:
        found = inspect(connection).get_pk_constraint(self._reading.table or "", self._reading.schema)
        if found["constrained_columns"]:
            return found["constrained_columns"]
        help_ = advice('name the column of the `_id`: `"primary_key": "id"`')
        raise self._error("E606", "this table has no primary key", notes=(help_,))

    def _shape(self, names: Sequence[str], key: Sequence[str]) -> _Shape:
        reading = self._reading
        wanted = [("primary_key", key), ("whitelist", reading.only or ())]
        wanted += [("updated_column", (reading.updated,))] if reading.updated else []
        for property_, several in wanted:
            for name in several:
                if name not in names:
                    close = near(name, names)
                    notes = [note(f"`{property_}` names it; columns: {', '.join(f'`{one}`' for one in names)}")]
                    notes += [advice(f"did you mean `{close[0]}`?")] if close else []
                    raise self._error("E606", f"there is no column `{name}`", notes=notes)
        return _Shape(names, key, reading, self._system.zone)

    def _batches(self, result: CursorResult[Any], shape: _Shape) -> Iterator[Batch]:
        count = 0
        for rows in result.partitions(self._reading.fetch):
            for first in range(0, len(rows), BATCH):
                part = rows[first : first + BATCH]
                columns = shape.columns(part)
                start = 0
                for at in (*shape.nameless(columns), len(part)):
                    # Not those behind a row that stops the source: the next run goes on with it.
                    shape.updated(part[start:at])
                    entities = shape.entities([column[start:at] for column in columns])
                    end = Place(0, count + at + 1)
                    yield Batch(entities, end, self._nameless(shape, end) if at < len(part) else None)
                    start = at + 1
                count += len(part)

    def _nameless(self, shape: _Shape, place: Place) -> Fault:
        key = ", ".join(f"`{name}`" for name in shape.key)
        message = f"the `_id` of this entity is empty: row {place.line} has no value in {key}"
        return Fault(Problem("E218", message, Span(self._name, 0, 0)), "", place)

    def _error(self, code: str, message: str, notes: Sequence[Note] = ()) -> SourceError:
        return SourceError(Problem(code, message, Span(self._name, 0, 0), notes=tuple(notes)))

    def _told(self, error: SqlError, statement: str) -> SourceError:
        """What the database said; if it names a place in the query, there."""
        near_ = _near.match(error.text)
        place = error.position or (statement.find(near_[1]) + 1 if near_ and statement.count(near_[1]) == 1 else 0)
        if place and statement:
            end = place - 1 + (len(near_[1]) if near_ else 1)
            span = Span(self._name, place - 1, min(end, len(statement)))
            return SourceError(Problem("E606", "the database refuses this query", span, error.text), statement)
        what = "the database cannot be reached" if error.lost else "the database refuses this"
        return self._error("E606", f"{what}: {error.text}")


class Position:
    """The largest value of a column that was seen. A time without a zone comes back as one."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Nothing was seen."""
        self._zone = zone
        self._largest: Any = None

    @property
    def text(self) -> str | None:
        """As it is stored."""
        if self._largest is None:
            return None
        naive = isinstance(self._largest, datetime) and self._largest.tzinfo is None
        value = typed(self._largest, self._zone)
        return to_json([value, "local"] if naive else [value]).decode()

    def see(self, values: Sequence[Any]) -> None:
        """More values of the column."""
        there = [value for value in values if value is not None]
        if there:
            try:
                largest = max(there)
                self._largest = largest if self._largest is None else max(self._largest, largest)
            except TypeError:
                raise SqlError("the column to go on by has values of several types") from None

    def value(self, text: str) -> object:
        """The value that was stored, as the database knows it; None if it is none of ours."""
        try:
            found = from_json(text.encode())
        except ValueError:
            return None
        match found:
            case [Date() as day]:
                return day.moment.date()
            case [Datetime() as moment]:
                return moment.moment
            case [Datetime() as moment, "local"]:
                return moment.moment.astimezone(self._zone).replace(tzinfo=None)
            case [value]:
                return value
        return None


class _Shape:
    """How rows become entities."""

    def __init__(self, names: Sequence[str], key: Sequence[str], reading: Reading, zone: ZoneInfo) -> None:
        self.key = key
        self.updates: Sequence[Any] = ()
        self._zone = zone
        self._keys = [names.index(name) for name in key]
        self._updated = names.index(reading.updated) if reading.updated is not None else None
        self._keep_null = reading.keep_null
        only = set(names if reading.only is None else reading.only) - set(reading.without) - {"_id"}
        self._kept = [at for at, name in enumerate(names) if name in only]
        self._make = maker(1 + len(self._kept), [("_id", 0), *((names[at], 1 + n) for n, at in enumerate(self._kept))])

    def columns(self, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """The values of rows by column, of our types. By column most of the work is done in one go."""
        columns: list[Sequence[Any]] = [*zip(*rows, strict=True)]
        for at, values in enumerate(columns):
            types = set(map(type, values))
            if not types <= _plain and not (types <= _with_floats and all(map(math.isfinite, filter(None, values)))):
                columns[at] = [typed(value, self._zone) for value in values]
        return columns

    def updated(self, rows: Sequence[Sequence[Any]]) -> None:
        """Keep what these rows, as they came, have in the column to go on by."""
        if self._updated is not None:
            self.updates = [row[self._updated] for row in rows]

    def nameless(self, columns: Sequence[Sequence[Any]]) -> list[int]:
        """Which rows have nothing in a column of the key."""
        keys = [columns[at] for at in self._keys]
        if not any(None in key or "" in key for key in keys):
            return []
        return [at for at, parts in enumerate(zip(*keys, strict=True)) if None in parts or "" in parts]

    def entities(self, columns: Sequence[Sequence[Any]]) -> list[Entity]:
        """The entities of rows that have their key."""
        keys = [_names(columns[at]) for at in self._keys]
        ids = keys[0] if len(keys) == 1 else map(joined, zip(*keys, strict=True))
        kept = [columns[at] for at in self._kept]
        made = list(map(self._make, ids, *kept))
        if not self._keep_null and any(None in column for column in kept):
            return [{name: value for name, value in one.items() if value is not None} for one in made]
        return made


def _names(values: Sequence[Any]) -> Iterable[str]:
    """Values as parts of an `_id`."""
    return values if set(map(type, values)) == {str} else map(_name, values)


def _name(value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    """A value as a part of an `_id`."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.hex() if isinstance(value, bytes) else str(value)


def typed(value: Any, zone: ZoneInfo) -> Any:  # noqa: ANN401 - whatever a driver gives
    """A value of a driver as one of ours; what has no type of ours becomes text."""
    if type(value) in _plain or isinstance(value, UUID | bytes):
        return value
    make = next((make for kind, make in _typed if isinstance(value, kind)), None)
    return str(value) if make is None else make(value, zone)


def _datetime(value: datetime, zone: ZoneInfo) -> Datetime:
    return Datetime.of(value.replace(tzinfo=zone) if value.tzinfo is None else value)


_typed: Final[Sequence[tuple[type | tuple[type, ...], Callable[[Any, ZoneInfo], Any]]]] = (
    (float, lambda value, _: value if math.isfinite(value) else str(value)),
    (Decimal, lambda value, _: value if value.is_finite() else str(value)),
    (datetime, _datetime),  # before date, of which it is one
    (date, lambda value, _: Date((value.toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000_000_000)),
    (time, lambda value, _: value.isoformat()),
    (timedelta, lambda value, _: str(value)),
    ((memoryview, bytearray), lambda value, _: bytes(value)),
    (dict, lambda value, zone: {str(name): typed(one, zone) for name, one in value.items()}),
    ((list, tuple), lambda value, zone: [typed(one, zone) for one in value]),
)
