"""A table of a database as a sink."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Many, Part, Refers, SinkConfig, SinkContext
from pipeline.config.given import advice
from sinks.batches import BatchSink
from systems.sql.config import DatabaseConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

ColumnType = Literal["string", "integer", "decimal", "float", "binary", "datetime", "date", "time", "uuid", "boolean"]


class ColumnConfig(Part):
    """A column of the table, and the property that it gets."""

    name: str
    """The name of the column."""
    source_property: str | None = None
    """The property. Default: the one with the name of the column."""
    type: ColumnType = "string"
    """What the column holds, for a table that is made."""
    max_size: int | None = Field(default=None, ge=1)
    """The most characters or bytes, for a table that is made."""
    min_size: int | None = None
    """Read from Sesam configurations and ignored."""
    max_value: float | None = None
    """Read from Sesam configurations and ignored: integers have 64 bits."""
    min_value: float | None = None
    """Read from Sesam configurations and ignored."""
    precision: int | None = Field(default=None, ge=1)
    """How many digits a `decimal` has, for a table that is made."""
    scale: int | None = Field(default=None, ge=0)
    """How many of them stand behind the point."""
    allow_null: bool = True
    """Whether the column may be empty, for a table that is made."""
    primary_key: bool = False
    """Whether the column is the primary key, or a part of it."""
    index: bool = False
    """Whether the column has an index, for a table that is made."""
    default: str | int | float | bool | None = None
    """What an entity without the property gets."""


class SqlSinkConfig(SinkConfig):
    """Each entity becomes a row of a table: a new one, or a new version of the one with its key. Deleted ones go."""

    type: Literal["sql"]
    """`sql`."""
    system: Annotated[str, Refers("system", DatabaseConfig, "speak SQL")]
    """The `_id` of the database."""
    table: str
    """The table to write."""
    db_schema: str | None = Field(default=None, alias="schema")
    """The schema of the table. Default: that of the connection."""
    primary_key: str | Annotated[Many[str], Field(min_length=1)] | None = None
    """The column, or list of columns, by which a row is known. Default: the primary key of the table. A single one for
    which the entity has no property gets its `_id`."""
    schema_definition: Many[ColumnConfig] = ()
    """The columns to write. Default: those of the table; an entity's property goes into the one with its name."""
    create_table_if_missing: bool = False
    """Whether the table is made, by `schema_definition`, if it is not there."""
    batch_size: int = Field(default=100, ge=1, le=100_000)
    """How many entities are written in one transaction. If it fails they are written one by one, and only those that
    the database refuses are `rejected`."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """A table that is made has columns and a key."""
        if given.get("create_table_if_missing") is not True:
            return
        columns = given.parts("schema_definition")
        if not columns and not given.has("schema_definition"):
            help_ = advice('add `"schema_definition": [{"name": "id", "primary_key": true}, …]`')
            message = "a table that is made needs a `schema_definition`"
            yield given.problem("E204", message, "create_table_if_missing", at="key", notes=(help_,))
        elif columns and not given.has("primary_key") and not any(map(_keys, columns)):
            help_ = advice('write `"primary_key": true` at the column by which a row is known')
            message = "`schema_definition` has no primary key"
            yield given.problem("E204", message, "schema_definition", at="key", notes=(help_,))

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from sinks.sql_table import Column, Wanted  # noqa: PLC0415 - drivers are for those who write
        from sinks.sql_write import SqlWriter  # noqa: PLC0415 - as above
        from systems.sql.system import Sql  # noqa: PLC0415 - as above

        key = (self.primary_key,) if isinstance(self.primary_key, str) else self.primary_key or ()
        columns = tuple(
            Column(
                one.name,
                one.source_property or one.name,
                one.type,
                one.max_size,
                one.precision,
                one.scale,
                null=one.allow_null,
                key=one.primary_key or one.name in key,
                indexed=one.index,
                default=one.default,
            )
            for one in self.schema_definition
        )
        wanted = Wanted(self.table, self.db_schema, key, columns, makes=self.create_table_if_missing)
        system = context.system(self.system, Sql)
        return BatchSink(context.pipe, lambda: SqlWriter(system, wanted), self.batch_size, context.run)


def _keys(column: Given) -> bool:
    """Whether a column is a part of the key, or may be."""
    return column.get("primary_key", default=False) is not False
