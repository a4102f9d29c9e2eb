"""A table or a query of a database as a source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Context, Many, Refers
from pipeline.config.given import advice, note
from sources.dataset import ContinuationConfig
from sources.parts import OnError
from systems.sql.config import DatabaseConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.sql_rows import SqlSource

Text = str | Annotated[Many[str], Field(min_length=1)]


class SqlSourceConfig(ContinuationConfig):
    """Entities from the rows of a table or of a query. It reads, and changes nothing.

    Numbers, texts, times, UUIDs and bytes are values of their types; what has no type of its own is text.
    """

    type: Literal["sql"]
    """`sql`."""
    system: Annotated[str, Refers("system", DatabaseConfig, "speak SQL")]
    """The `_id` of the database."""
    table: str | None = None
    """The table or view to read."""
    db_schema: str | None = Field(default=None, alias="schema")
    """The schema of the table. Default: that of the connection."""
    query: Text | None = None
    """The query to read instead of a table; a list is one query of several lines."""
    primary_key: Text | None = None
    """The column that becomes the `_id`, or a list of columns: their values are joined with `:`. Default: the primary
    key of the table; for a query it must be named."""
    updated_column: str | None = None
    """The column that says when a row was changed. With it a run reads rows from the last one on that was seen."""
    updated_query: Text | None = None
    """For a query: the one that later runs use, with `:since` where the last value of `updated_column` belongs."""
    whitelist: Many[str] | None = None
    """Only these columns become properties. Default: all."""
    blacklist: Many[str] = ()
    """These columns become none."""
    preserve_null_values: bool = False
    """Whether an empty column is a property with null. Otherwise the entity does not have it."""
    fetch_size: int = Field(default=1000, ge=1, le=100_000)
    """How many rows are fetched at a time."""
    on_error: OnError = "stop"
    """What is done with a row whose `_id` would be empty. `stop`: the run ends there, and what stands before it is
    delivered. `skip`: it is logged, counted and left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """There is one thing to read, and what goes on with it is whole."""
        table, query = given.has("table"), given.has("query")
        if given.node.whole and not table and not query:
            help_ = advice('add `"table": "customers"`, or a `query` with its `primary_key`')
            yield given.problem("E204", "there is no `table` and no `query`", "table", notes=(help_,))
        if table and query:
            yield given.problem("E209", "`table` and `query` exclude each other", "query", at="key")
        if query and not given.has("primary_key") and given.node.whole:
            message = "a `query` needs a `primary_key`"
            help_ = advice('name the column of its `_id`: `"primary_key": "id"`')
            yield given.problem("E204", message, "query", at="key", notes=(help_,))
        yield from _continuing(given)

    def build(self, context: Context) -> SqlSource:
        """The source itself."""
        from sources.sql_rows import Reading, SqlSource  # noqa: PLC0415 - drivers are for those who read
        from systems.sql.system import Sql  # noqa: PLC0415 - as above

        since = self.updated_column is not None and self.supports_since is not False
        chronological = self.table is not None if self.is_chronological is None else self.is_chronological
        initial = self.initial_since_value
        reading = Reading(
            table=self.table,
            schema=self.db_schema,
            query=_one(self.query),
            updated_query=_one(self.updated_query),
            key=(self.primary_key,) if isinstance(self.primary_key, str) else self.primary_key or (),
            updated=self.updated_column if since and self.is_since_comparable is not False else None,
            chronological=chronological,
            only=self.whitelist,
            without=self.blacklist,
            keep_null=self.preserve_null_values,
            fetch=self.fetch_size,
        )
        return SqlSource(context.system(self.system, Sql), reading, self.on_error, initial)


def _one(text: str | tuple[str, ...] | None) -> str | None:
    return "\n".join(text) if isinstance(text, tuple) else text


def _continuing(given: Given) -> Iterable[Problem]:
    later = given.get("updated_query")
    text = "\n".join(str(line) for line in later) if isinstance(later, list | tuple) else given.text("updated_query")
    if text is not None and ":since" not in text:
        help_ = advice("for example `SELECT * FROM orders WHERE changed >= :since`")
        yield given.problem("E203", "`updated_query` has no `:since`", "updated_query", notes=(help_,))
    if given.has("updated_query") and not given.has("updated_column"):
        notes = (note("its largest value is what `:since` is in the next run"), advice('add `"updated_column": "…"`'))
        message = "`updated_query` needs an `updated_column`"
        yield given.problem("E204", message, "updated_query", at="key", notes=notes)
    if given.has("updated_query") and given.has("table"):
        yield given.problem("E209", "`updated_query` is for a `query`", "updated_query", at="key")
