"""A query of a SPARQL service as a source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Context, Many, Refers
from pipeline.config.given import advice
from sources.dataset import ContinuationConfig
from systems.http.config import HttpSystemConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.sparql_read import Sparql

_SINCE = "${since}"


class SparqlConfig(ContinuationConfig):
    """Entities from the rows of a SELECT that a SPARQL 1.1 service answers. It reads, and changes nothing.

    Rows that follow each other with the same `_id` are one entity; different values of a variable become a list.
    Addresses, numbers, booleans and times are values of their types, all else is text.
    """

    type: Literal["sparql"]
    """`sparql`."""
    system: Annotated[str, Refers("system", HttpSystemConfig, "be asked over HTTP")]
    """The `_id` of the service."""
    url: str = ""
    """Where it takes queries: a URL relative to that of the system."""
    query: str | Annotated[Many[str], Field(min_length=1)]
    """The query; a list is one of several lines. Order it by the variable of the `_id` if an entity has several rows.
    `${since}` is where `updated_variable` goes on."""
    primary_key: str = "id"
    """The variable that becomes the `_id`."""
    updated_variable: str | None = None
    """The variable that says when an entity was changed. Its largest value, compared as text, is `${since}` in the next
    run."""
    since_default: str = "0001-01-01T00:00:00Z"
    """`${since}` in the first run."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """What goes on with it is whole."""
        query = given.get("query")
        text = "\n".join(map(str, query)) if isinstance(query, list | tuple) else given.text("query")
        if text is None:
            return
        asks = _SINCE in text
        if asks and not given.has("updated_variable"):
            help_ = advice('name the variable that tells when an entity was changed: `"updated_variable": "changed"`')
            yield given.problem("E204", "`${since}` needs an `updated_variable`", "query", at="key", notes=(help_,))
        if not asks and given.has("updated_variable"):
            help_ = advice('for example `FILTER (?changed >= "${since}"^^xsd:dateTime)`')
            yield given.problem("E203", "the query has no `${since}`", "query", notes=(help_,))
        for name in ("primary_key", "updated_variable"):
            variable = given.text(name)
            if variable is not None and f"?{variable}" not in text and f"${variable}" not in text and "*" not in text:
                help_ = advice("write it without `?`" if variable[:1] == "?" else "name one of the SELECT")
                yield given.problem("E203", f"the query has no variable `?{variable}`", name, notes=(help_,))

    def build(self, context: Context) -> Sparql:
        """The source itself."""
        from sources.sparql_read import Sparql  # noqa: PLC0415 - sockets are for those who ask
        from systems.http.client import Http  # noqa: PLC0415 - as above

        query = self.query if isinstance(self.query, str) else "\n".join(self.query)
        initial = self.since_default if self.initial_since_value is None else str(self.initial_since_value)
        return Sparql(
            context.system(self.system, Http),
            self.url,
            query,
            self.primary_key,
            self.updated_variable if self.supports_since is not False else None,
            chronological=self.is_chronological is True,
            initial=initial,
        )
