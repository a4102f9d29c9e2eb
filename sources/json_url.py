"""Entities that a service gives as JSON, streamed, and where to go on with those that have changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipeline.entity import Entity
from pipeline.errors import Problem, SourceError, Span
from sources.input_file import without_faults
from sources.json_cut import Form
from sources.json_text import batches, opened
from sources.latest import Latest
from sources.parts import OnError
from systems.http.client import Http, HttpError, Request


class JsonUrl:
    """Asks with `since` for what has changed, if the service can tell; the position is the last `_updated`."""

    waits: Final = True

    def __init__(
        self,
        system: Http,
        url: str,
        form: Form | None = None,
        on_error: OnError = "stop",
        *,
        headers: Mapping[str, str] | None = None,
        lasting: bool = False,
        chronological: bool = False,
        page: int | None = None,
        initial: str | int | None = None,
    ) -> None:
        """`lasting`: the service knows `since`. `chronological`: entities come in the order of their changes."""
        self._system = system
        self._url = url
        self._form = form
        self._on_error: OnError = on_error
        self._headers = dict(headers or {})
        self._lasting = lasting
        self._chronological = chronological
        self._page = page
        self._initial = initial
        self.skipped = 0

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities; `SourceError` where it cannot go on."""
        after = since if since is not None else None if self._initial is None else str(self._initial)
        while True:
            reached = after if self._lasting else None
            try:
                for entities, latest in self._pages(reached):
                    after = latest if latest is not None else after
                    yield entities, after if self._lasting and self._chronological else None
            except HttpError as error:
                raise SourceError(Problem("E607", error.text, Span(self._system.name, 0, 0))) from None
            if self._page is None or after == reached:
                break
        if self._lasting and not self._chronological and after is not None and after != since:
            yield (), after

    def _pages(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """One answer, with the latest change up to each batch of it."""
        params = {} if since is None else {"since": since}
        if self._page is not None:
            params["limit"] = str(self._page)
        latest = Latest(chronological=self._chronological)
        request = Request(self._url, params=params, headers={"Accept": "application/json", **self._headers})
        with self._system.ask(request) as answer:
            text = opened(answer.portions(), self._form)
            for batch in without_faults(batches(text, answer.place), self._on_error):
                self.skipped += batch.fault is not None
                if batch.entities:
                    latest.see(batch.entities)
                    yield batch.entities, latest.text
