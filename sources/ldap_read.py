"""Searching a directory, and where to go on in one that changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pipeline.entity import Datetime, Entity
from pipeline.errors import Problem, SourceError, Span
from sources.input_file import without_faults
from sources.ldap_entries import Shape
from sources.parts import BATCH, Batch, Fault, OnError, Place
from systems.ldap.system import Directory, Ldap, LdapError, Search
from systems.ldap.types import text_of_time, time_of

# A server writes down when a change came before others can read it: as long as a busy one may take.
_UNSEEN: Final = 10.0


class LdapSource:
    """Searches once in each run. Its position is the time of a change, as directories write it.

    An entry that changes behind the reading would be lost if the position were the largest time that came. So it lies
    before that by as much time as the reading took: what changed meanwhile is read again.
    """

    waits: Final = True

    def __init__(
        self,
        system: Ldap,
        search: Search,
        shape: Shape,
        updated: str | None = None,
        on_error: OnError = "stop",
        initial: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`updated` is the attribute to go on by, `initial` the time from which the first run reads."""
        self._system = system
        self._search = search
        self._shape = shape
        self._updated = updated
        self._on_error: OnError = on_error
        self._initial = initial
        self._now = now
        self.skipped = 0

    def knows(self, since: str) -> bool:
        """Whether it is a time, and there is an attribute to go on by."""
        return self._updated is not None and time_of(since) is not None

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities; `SourceError` where it cannot go on."""
        after = since if since is not None and self.knows(since) else self._initial
        search, began = self._asking(after), self._now()
        latest: list[Datetime] = []
        try:
            with self._system.reading() as directory:
                for batch in without_faults(self._batches(directory, search, latest), self._on_error):
                    self.skipped += batch.fault is not None
                    if batch.entities:
                        yield batch.entities, None
        except LdapError as error:
            raise self._error("E611", f"the directory cannot be read: {error.text}") from None
        if self._updated is None or not latest:
            return
        passed = round((self._now() - began + _UNSEEN) * 1_000_000_000)
        position = latest[0].ns - passed
        before = None if after is None else time_of(after)
        if before is None or position > before.ns:
            yield (), text_of_time(position)

    def _asking(self, after: str | None) -> Search:
        moment = None if self._updated is None or after is None else time_of(after)
        if moment is None:
            return self._search
        more = f"({self._updated}>={text_of_time(moment.ns)})"
        return self._search._replace(filter=f"(&{self._search.filter}{more})")

    def _batches(self, directory: Directory, search: Search, latest: list[Datetime]) -> Iterator[Batch]:
        known, count = directory.kinds(), 0
        for page in directory.pages(search):
            entities: list[Entity] = []
            for one in page:
                count += 1
                entity = self._shape.entity(one.dn, one.values, known)
                if entity is None:
                    end = Place(0, count)
                    yield Batch(entities, end, self._nameless(one.dn, end))
                    entities = []
                    continue
                entities.append(entity)
                if (changed := self._shape.changed(one.values)) is not None:
                    latest[:] = [max([*latest, changed])]
                if len(entities) == BATCH:
                    yield Batch(entities, Place(0, count + 1), None)
                    entities = []
            if entities:
                yield Batch(entities, Place(0, count + 1), None)

    def _nameless(self, dn: str, place: Place) -> Fault:
        message = f"this entry has not one value in `{self._shape.key}` for its `_id`: {dn}"
        return Fault(Problem("E218", message, Span(self._system.name, 0, 0)), "", place)

    def _error(self, code: str, message: str) -> SourceError:
        return SourceError(Problem(code, message, Span(self._system.name, 0, 0)))
