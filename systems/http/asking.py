"""Transforms that ask a service for each entity.

Where an entity of a portion fails, the portion is shaped once more, one by one. A service is not asked again for what
it has answered or refused: that is kept for it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

from msgspec import DecodeError

from pipeline.entity import Entity, from_json, to_json
from pipeline.errors import EndError, TransformError
from pipeline.run import BATCH
from pipeline.state.keys import entity_version
from systems.http.call import Call, Page, statuses
from systems.http.client import Http
from systems.http.exchange import HttpError, Request
from systems.http.templated import NotMadeError

_NOT_ASKED: Final = (
    "the service is not asked, as asking may change something: where it does not, the transform can say"
    ' `"side_effects": false`'
)

Meant = Callable[[Entity], bool]
_Kept = OrderedDict[str, Sequence[Entity] | TransformError]


class Asking(ABC):
    """What both have in common."""

    waits: Final = True

    def __init__(self, *, allowed: bool, meant: Meant | None) -> None:
        """Whether it may ask at all; `meant` tells which entities it asks for."""
        self._allowed = allowed
        self._meant = meant
        self._answered: _Kept = OrderedDict()
        self._again: _Kept = OrderedDict()

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """What becomes of it; TransformError if the service refuses it, EndError if the service is in trouble."""
        if self._meant is not None and not self._meant(entity):
            return [entity]
        if not self._allowed:
            raise TransformError(_NOT_ASKED)
        key = f"{entity.get('_id')}\0{entity_version(entity)}"
        kept = self._again.pop(key, None)
        if isinstance(kept, TransformError):
            raise kept
        if kept is not None:
            return kept
        try:
            made = self.asked(entity)
        except HttpError as error:
            self._failed(key, TransformError(error.text) if error.refuses else EndError(error.text))
        except NotMadeError as error:
            self._failed(key, TransformError(str(error)))
        self._answered[key] = made
        if len(self._answered) > BATCH:
            self._answered.popitem(last=False)
        return made

    @abstractmethod
    def asked(self, entity: Entity) -> Sequence[Entity]:
        """What the service makes of it."""

    def _failed(self, key: str, error: TransformError) -> NoReturn:
        self._again, self._answered = self._answered, OrderedDict()
        self._again[key] = error
        raise error from None


class AskRest(Asking):
    """Asks with an operation."""

    def __init__(
        self,
        system: Http,
        make: Callable[[str], Call | None],
        operation: str | None,
        *,
        replaces: bool = False,
        allowed: bool = True,
        meant: Meant | None = None,
    ) -> None:
        """`make` gives an operation by its name. With `replaces` the entities of an answer take the place of one."""
        super().__init__(allowed=allowed, meant=meant)
        self._system = system
        self._make = make
        self._operation = operation
        self._replaces = replaces
        self._calls: dict[str, Call | None] = {}
        if operation is not None:
            self._call(operation)

    def asked(self, entity: Entity) -> Sequence[Entity]:
        """The entity with the answer, or the entities in it; none for an answer that is ignored."""
        name = entity.get("operation", self._operation)
        call = self._call(name) if isinstance(name, str) else None
        if call is None:
            raise NotMadeError(f"the service has no operation `{name}`" if name else "the entity names no `operation`")
        ignored = statuses(call.config.ignored_status_codes or "")
        brought = entity.get("properties")
        properties = brought if isinstance(brought, Mapping) else call.config.properties
        variables = {**entity, "entity": entity, "source_entity": entity, "properties": properties}
        pages: list[Page] = []
        try:
            sent = call.sent(variables, payload=entity.get("payload"))
            self._system.url(sent.request)
        except HttpError as error:
            # That its URL leads elsewhere is for the entity to answer for.
            raise NotMadeError(error.text) from None
        for page in call.pages(self._system, variables, payload=entity.get("payload"), good=ignored):
            if any(first <= page.reply.status <= last for first, last in ignored):
                return []
            pages.append(page)
        if not pages:
            return []
        return self._replaced(call, entity, pages) if self._replaces else [_beside(call, entity, pages)]

    def _replaced(self, call: Call, entity: Entity, pages: Sequence[Page]) -> Sequence[Entity]:
        made = []
        for page in pages:
            if not page.reply.is_json:
                name = call.config.response_property or "response"
                made.append({"_id": entity.get("_id"), name: page.reply.body})
                continue
            made += [call.entity(page, item, entity) for item in page.found]
        if len(made) == 1:
            made[0].setdefault("_id", entity.get("_id"))
        if any(not isinstance(one.get("_id"), str) or not one["_id"] for one in made):
            raise NotMadeError("what it answers with has an entity without `_id`: `id_expression` can make one")
        return made

    def _call(self, name: str) -> Call | None:
        if name not in self._calls:
            self._calls[name] = self._make(name)
        return self._calls[name]


def _beside(call: Call, entity: Entity, pages: Sequence[Page]) -> Entity:
    """The entity with what was answered; of several pages all items."""
    config, last = call.config, pages[-1].reply
    answered: Any = [item for page in pages for item in page.found]
    if len(pages) == 1:
        found = pages[0].found
        whole = config.payload_property is None
        answered = last.body if whole else (list(found) if len(found) != 1 else found[0])
    made = {**entity, config.response_property or "response": answered}
    if config.response_headers_property is not None:
        made[config.response_headers_property] = dict(last.headers)
    if config.response_status_property is not None:
        made[config.response_status_property] = last.status
    if config.response_include_content_type:
        made["content-type"] = last.type
    return made


class AskHttp(Asking):
    """Posts an entity, and takes what comes back."""

    def __init__(
        self,
        system: Http,
        url: str,
        headers: Mapping[str, str],
        *,
        allowed: bool = True,
        meant: Meant | None = None,
    ) -> None:
        """`url` is relative to the system."""
        super().__init__(allowed=allowed, meant=meant)
        self._system = system
        self._request = Request(url, "POST", headers={"Content-Type": "application/json", **headers})

    def asked(self, entity: Entity) -> Sequence[Entity]:
        """The entities of the answer."""
        try:
            body = b"[" + to_json(entity) + b"]"
        except (TypeError, ValueError, RecursionError) as error:
            raise NotMadeError(f"it cannot be written as JSON: {error}") from None
        request = Request(self._request.url, "POST", headers=self._request.headers, body=body)
        with self._system.ask(request) as answer:
            content, place = answer.content(), answer.place
        try:
            found = from_json(content)
        except (DecodeError, UnicodeDecodeError, RecursionError):
            raise HttpError(f"{place} answers with JSON that is broken") from None
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise NotMadeError(f"{place} answers with no list of entities")
        return found
