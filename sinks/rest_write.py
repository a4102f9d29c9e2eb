"""Entities are sent to a service, one request each or several in one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt
from pipeline.run import StoppedError
from pipeline.state.keys import entity_version, message_key
from systems.http.call import Call, repeatable
from systems.http.client import Http
from systems.http.exchange import HttpError, Request
from systems.http.replies import Reply
from systems.http.templated import NotMadeError


class RefusedError(Exception):
    """What a service answers says that it refuses the entity, whatever its status is."""


class Named:
    """Operations by name, each made once."""

    def __init__(self, make: Callable[[str], Call | None]) -> None:
        """`make` gives none for a name that there is not."""
        self._make = make
        self._made: dict[str, Call | None] = {}

    def __call__(self, name: str) -> Call | None:
        """The operation."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]


class RestWriter:
    """Sends. What the service refuses is rejected, one by one; trouble of the service ends the run."""

    def __init__(
        self,
        system: Http,
        calls: Callable[[str], Call | None],
        pipe: str,
        *,
        operation: str | None = None,
        lists: bool = False,
        skip_deleted: bool = False,
        own: Callable[[Entity], object] | None = None,
        seen: Callable[[Entity], Mapping[str, Any]] | None = None,
        judge: Callable[[Reply], None] | None = None,
        apart: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`own` is the payload that an entity brings, `seen` what templates see of it.

        `judge` looks at answers, and raises RefusedError or HttpError. Two requests begin at least `apart` seconds
        one after the other.
        """
        self._system = system
        self._calls = calls
        self._pipe = pipe
        self._operation = operation
        self._lists = lists
        self._skip_deleted = skip_deleted
        self._own = own or (lambda entity: entity.get("payload"))
        self._seen = seen or (lambda entity: {**entity, "entity": entity})
        self._judge = judge
        self._apart = apart
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    def write(self, entities: Sequence[Entity]) -> list[Receipt]:
        """Those that were refused; all others have been taken."""
        told: list[Receipt] = []
        ready: list[Entity] = []
        for entity in entities:
            if self._skip_deleted and entity.get("_deleted") is True:
                told.append(_receipt(entity, Outcome.SKIPPED))
            else:
                ready.append(entity)
        # Their order is that of their changes, so only neighbours go together.
        for name, group in groupby(ready, self._name_of):
            told += self._together(name, list(group))
        return told

    def close(self) -> None:
        """What is open is the system's."""

    def _name_of(self, entity: Entity) -> str:
        name = entity.get("operation", self._operation)
        return name if isinstance(name, str) else ""

    def _together(self, name: str, group: Sequence[Entity]) -> Iterator[Receipt]:
        """Send them; one by one if they are refused together."""
        call = self._calls(name)
        if call is None:
            why = f"the service has no operation `{name}`" if name else "the entity names no `operation`"
            yield from (_receipt(entity, Outcome.REJECTED, why) for entity in group)
            return
        size = len(group) if self._lists else 1
        for first in range(0, len(group), size):
            part = group[first : first + size]
            why = self._sent(name, call, part)
            if not why:
                continue
            for entity in part:
                alone = why if len(part) == 1 else self._sent(name, call, [entity])
                if alone:
                    yield _receipt(entity, Outcome.REJECTED, alone)

    def _sent(self, name: str, call: Call, entities: Sequence[Entity]) -> str:
        """Send one request; why it is refused."""
        try:
            request = self._request(name, call, entities)
            # That its URL leads elsewhere is for the entity to answer for.
            self._system.url(request)
        except (HttpError, NotMadeError) as error:
            return str(error)
        self._pace()
        try:
            reply = call.ask(self._system, request)
            if self._judge is not None:
                self._judge(reply)
        except RefusedError as error:
            return str(error)
        except HttpError as error:
            if error.refuses:
                return error.text
            raise StoppedError(error.text) from None
        return ""

    def _request(self, name: str, call: Call, entities: Sequence[Entity]) -> Request:
        if self._lists:
            known: dict[str, Any] = {"entities": list(entities)}
            sent = call.sent(known, payload=[self._payload(call, entity) for entity in entities])
        else:
            known = self._known(call, entities[0])
            sent = call.sent(known, payload=self._own(entities[0]))
        header = call.config.idempotency_header
        if header is None:
            return sent.request
        # The same version of the same entities is the same request, in whichever run it is sent.
        keys = [message_key(self._pipe, str(one.get("_id", "")), entity_version(one), (name,)) for one in entities]
        key = keys[0] if len(keys) == 1 else message_key(self._pipe, "", "", keys)
        return repeatable(replace(sent.request, headers={**sent.request.headers, header: key}))

    def _payload(self, call: Call, entity: Entity) -> object:
        brought = self._own(entity)
        return call.payload(self._known(call, entity)) if brought is None else brought

    def _known(self, call: Call, entity: Entity) -> dict[str, Any]:
        """What templates see of an entity: its properties, it itself, and the `properties` that are meant."""
        brought = entity.get("properties")
        properties = brought if isinstance(brought, Mapping) else call.config.properties
        return {**self._seen(entity), "properties": properties}

    def _pace(self) -> None:
        """Wait until the next request may begin."""
        if self._apart:
            wait = self._next - self._clock()
            if wait > 0:
                self._sleep(wait)
            self._next = self._clock() + self._apart


def _receipt(entity: Entity, outcome: Outcome, why: str = "") -> Receipt:
    return Receipt(str(entity.get("_id", "")), "", outcome, why)
