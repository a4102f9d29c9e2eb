"""Asking a SPARQL service, and where to go on with what has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from pipeline.entity import Entity
from pipeline.errors import Problem, SourceError, Span
from sources.parts import BATCH
from sources.sparql_rows import RowError, entities, rows
from systems.http.client import Http
from systems.http.exchange import HttpError, Request

SINCE: Final = "${since}"
# What would end a text in a query, or begin another part of it.
_ESCAPED: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r"})


class Sparql:
    """Asks one query in each run; with `updated` the position is the largest value of that variable that was seen."""

    waits: Final = True

    def __init__(
        self,
        system: Http,
        url: str,
        query: str,
        key: str,
        updated: str | None = None,
        *,
        chronological: bool = False,
        initial: str = "",
    ) -> None:
        """`key` is the variable of the `_id`. `initial` is what the first run asks for."""
        self._system = system
        self._url = url
        self._query = query
        self._key = key
        self._updated = updated
        self._chronological = chronological
        self._initial = initial

    def knows(self, since: str) -> bool:
        """Whether it goes on from anywhere: then any text may be a position."""
        return self._updated is not None and bool(since)

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities; `SourceError` where it cannot go on."""
        after = since if since is not None and self._updated else None
        asked = self._initial if after is None else after
        body = urlencode({"query": self._query.replace(SINCE, asked.translate(_ESCAPED))})
        request = Request(
            self._url,
            "POST",
            headers={
                "Accept": "application/sparql-results+json",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=body.encode(),
            # A query changes nothing.
            again=True,
        )
        try:
            with self._system.ask(request) as answer:
                found = entities(rows(answer.portions()), self._key)
                while batch := list(islice(found, BATCH)):
                    after = self._latest(batch, after)
                    yield batch, after if self._chronological else None
        except (HttpError, RowError) as error:
            raise SourceError(Problem("E607", str(error), Span(self._system.name, 0, 0))) from None
        if after is not None and after != since and not self._chronological:
            yield (), after

    def _latest(self, batch: Sequence[Entity], after: str | None) -> str | None:
        if self._updated is None:
            return None
        values = [str(value) for one in batch for value in _listed(one.get(self._updated))]
        return max([*values, after] if after is not None else values, default=None)


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else () if value is None else (value,)
