"""The entities in the answers of a service, page by page, and where to go on with those that have changed."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pipeline.entity import Entity
from pipeline.errors import Problem, SourceError, Span
from sources.latest import Latest
from sources.parts import BATCH, OnError
from systems.http.call import Call, Page
from systems.http.client import Http
from systems.http.exchange import HttpError
from systems.http.templated import NotMadeError

_log: Final = logging.getLogger("mailweir.run")
# So many values that are left out are told one by one.
_MOST_TOLD: Final = 20
_asks_since: Final = re.compile(r"\{[{%][^{}]*\bsince\b")


class RestSource:
    """Asks for what has changed, if the service can tell; the position is the last `_updated`."""

    waits: Final = True

    def __init__(
        self,
        system: Http,
        call: Call,
        on_error: OnError = "stop",
        *,
        lasting: bool = False,
        chronological: bool = False,
        initial: str | int | None = None,
        fails: bool = False,
    ) -> None:
        """`lasting`: the service knows positions. `chronological`: entities come in the order of their changes."""
        self._system = system
        self._call = call
        self._on_error: OnError = on_error
        self._lasting = lasting
        self._chronological = chronological
        self._initial = initial
        self._fails = fails
        self.skipped = 0

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities; `SourceError` where it cannot go on."""
        begin = since if since is not None else None if self._initial is None else str(self._initial)
        after, count = begin, 0
        latest = Latest(chronological=self._chronological)
        try:
            for page in self._pages(begin if self._lasting else None):
                made = [entity for at, item in enumerate(page.found, 1) if (entity := self._made(page, item, at))]
                count += len(made)
                latest.see(made)
                after = latest.text if latest.text is not None else after
                for first in range(0, len(made), BATCH):
                    whole = first + BATCH >= len(made)
                    reached = after if self._lasting and self._chronological and whole else None
                    yield made[first : first + BATCH], reached
        except (HttpError, NotMadeError) as error:
            raise self._fault("E607", str(error)) from None
        if not count and self._fails and since is None:
            raise self._fault("E607", "the service has no entities, and `if_source_empty` is `fail`")
        if self._lasting and not self._chronological and after is not None and after != since:
            yield (), after

    def _pages(self, since: str | None) -> Iterator[Page]:
        """The answers, asked with the position where one is wanted."""
        config = self._call.config
        variables: dict[str, Any] = {} if since is None else {"since": since}
        told = {config.since_property_name: since} if since is not None and not _asks_since.search(config.url) else {}
        place = config.since_property_location
        return self._call.pages(
            self._system,
            variables,
            params=told if place == "query" else {},
            headers=told if place == "header" else {},
        )

    def _made(self, page: Page, item: object, at: int) -> Entity | None:
        """The entity of a value; None for one that is left out."""
        try:
            entity = self._call.entity(page, item)
            why = _unnamed(entity.get("_id"))
        except NotMadeError as error:
            why = str(error)
        if not why:
            return entity
        text = f"{page.reply.place}: entity {at} of page {page.variables['page'] + 1}: {why}"
        if self._on_error == "stop":
            raise self._fault("E218", text)
        self.skipped += 1
        if self.skipped <= _MOST_TOLD:
            _log.warning("left out: %s", text)
        return None

    def _fault(self, code: str, text: str) -> SourceError:
        return SourceError(Problem(code, text, Span(self._system.name, 0, 0)))


def _unnamed(id_: object) -> str:
    """Why this cannot be an `_id`."""
    if id_ is None:
        return "it has no `_id`: `id_expression` can make one"
    if not isinstance(id_, str):
        return "its `_id` is no text"
    return "" if id_ else "its `_id` is empty"
