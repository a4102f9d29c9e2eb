"""A table to write: found or made, and what its columns get of an entity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sql
from sqlalchemy.exc import NoSuchTableError

from pipeline.config.near import near
from pipeline.entity import NI, URI, Date, Datetime, Entity, datetime_of, to_json
from pipeline.run import StoppedError


class Column(NamedTuple):
    """A column as it is declared."""

    name: str
    property: str
    type: str = "string"
    size: int | None = None
    precision: int | None = None
    scale: int | None = None
    null: bool = True
    key: bool = False
    indexed: bool = False
    default: str | float | None = None


class Wanted(NamedTuple):
    """A table as it is declared; one that `makes` is made if it is missing."""

    name: str
    schema: str | None = None
    key: Sequence[str] = ()
    columns: Sequence[Column] = ()
    makes: bool = False


class Row(NamedTuple):
    """What a table gets of an entity. Without `values` the row is to go."""

    id: str
    key: tuple[Any, ...]
    values: dict[str, Any] | None


_made: Final[dict[str, Callable[[Column], Any]]] = {
    "string": lambda column: sql.String(column.size) if column.size else sql.Text(),
    "integer": lambda _: sql.BigInteger(),
    "decimal": lambda column: sql.Numeric(column.precision, column.scale),
    "float": lambda _: sql.Double(),
    "binary": lambda column: sql.LargeBinary(column.size),
    "datetime": lambda _: sql.DateTime(timezone=True),
    "date": lambda _: sql.Date(),
    "time": lambda _: sql.Time(),
    "uuid": lambda _: sql.Uuid(),
    "boolean": lambda _: sql.Boolean(),
}


class Target:
    """A table that is there, and how entities become its rows."""

    def __init__(self, table: sql.Table, wanted: Wanted, zone: ZoneInfo) -> None:
        """`zone` is that of times without one."""
        self.table = table
        self._zone = zone
        declared = [column.name for column in wanted.columns if column.key]
        self.key = [*(wanted.key or declared or [column.name for column in table.primary_key])]
        if not self.key:
            raise StoppedError(f"the table `{wanted.name}` has no primary key: name one with `primary_key`")
        self._columns = wanted.columns or [
            Column(column.name, column.name, default=None) for column in table.columns if column.computed is None
        ]
        for name in (*self.key, *(column.name for column in self._columns)):
            if name not in table.columns:
                close = near(name, table.columns.keys())
                meant = f": did you mean `{close[0]}`?" if close else ""
                raise StoppedError(f"the table `{wanted.name}` has no column `{name}`{meant}")
        # What the database fills in by itself is left to it where the entity has nothing.
        self._own = {
            column.name
            for column in table.columns
            if not wanted.columns and (column.server_default is not None or column.identity is not None)
        }

    def row(self, entity: Entity) -> Row:
        """What it gets of an entity; ValueError with words if the key is missing."""
        id_ = str(entity.get("_id", ""))
        values: dict[str, Any] = {}
        for column in self._columns:
            there = column.property in entity
            if there or column.name not in self._own:
                given = entity[column.property] if there else column.default
                values[column.name] = self._value(column.name, given)
        for name in self.key:
            if values.get(name) is None:
                if len(self.key) > 1 or not id_:
                    raise ValueError(f"it has nothing for `{name}`, which is a part of the primary key")
                values[name] = self._value(name, id_)
        key = tuple(values[name] for name in self.key)
        return Row(id_, key, None if entity.get("_deleted") is True else values)

    def _value(self, name: str, value: Any) -> Any:  # noqa: ANN401 - whatever a property holds
        """A value as the driver takes it for a column."""
        kind = self.table.columns[name].type
        if isinstance(kind, sql.DateTime | sql.Date):
            return self._moment(kind, value)
        if isinstance(value, dict | list | tuple):
            return value if isinstance(kind, sql.JSON | sql.ARRAY) else to_json(value).decode()
        if isinstance(value, Datetime | NI | URI):
            return str(value)
        if isinstance(value, str) and isinstance(kind, sql.Integer):
            return int(value) if value.lstrip("+-").isdecimal() else value
        if isinstance(value, bool | int | float) and isinstance(kind, sql.String):
            return to_json(value).decode()
        return value

    def _moment(self, kind: Any, value: Any) -> Any:  # noqa: ANN401 - as above
        """A time or day for a column of one; what is none is for the database to refuse."""
        if isinstance(value, str):
            value = datetime_of(value.removeprefix("~t")) or _iso(value)
        if isinstance(value, Datetime):
            value = value.moment.date() if isinstance(value, Date) else value.moment
        if isinstance(kind, sql.Date):
            return value.date() if isinstance(value, datetime) else value
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=self._zone)
        if isinstance(value, datetime) and not kind.timezone and value.tzinfo is not None:
            return value.astimezone(self._zone).replace(tzinfo=None)
        return value


def _iso(text: str) -> Any:  # noqa: ANN401 - a time or the text itself
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def found_or_made(connection: sql.Connection, wanted: Wanted, zone: ZoneInfo) -> Target:
    """The table; StoppedError if it is not there and is not to be made."""
    meta = sql.MetaData(schema=wanted.schema)
    try:
        table = sql.Table(wanted.name, meta, autoload_with=connection)
    except NoSuchTableError:
        if not wanted.makes:
            message = f"there is no table `{wanted.name}`: make it, or write `create_table_if_missing`"
            raise StoppedError(message) from None
        columns: list[Any] = [
            sql.Column(
                column.name,
                _made[column.type](column),
                primary_key=column.key,
                nullable=column.null and not column.key,
                index=column.indexed,
                autoincrement=False,
            )
            for column in wanted.columns
        ]
        meta = sql.MetaData(schema=wanted.schema)
        table = sql.Table(wanted.name, meta, *columns)
        meta.create_all(connection)
        connection.commit()
    return Target(table, wanted, zone)
