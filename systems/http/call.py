"""An operation at work: the request that it makes of variables, and the pages that it is answered with.

It reaches nothing but through the service that it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from pipeline.entity import Entity
from pipeline.secret import Secret
from pipeline.template.templates import Templates
from systems.http.exchange import GOOD, HttpError, Param, Request
from systems.http.payloads import param_text, payload_of
from systems.http.replies import Reply, items, reply_of, within
from systems.http.templated import NotMadeError, Variables, Written

if TYPE_CHECKING:
    from systems.http.client import Http
    from systems.http.operations import OperationConfig

_ACCEPT: Final = "application/json, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, and what templates that look back on it may know of it."""

    request: Request
    params: Mapping[str, Any]
    headers: Mapping[str, Any]

    @property
    def known(self) -> dict[str, Any]:
        """As variables."""
        return {"url": self.request.url, "params": self.params, "request_params": self.params}


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, the values in it that become entities, and the variables for templates that look at it."""

    reply: Reply
    found: Sequence[Any]
    variables: Mapping[str, Any] = field(repr=False)


class Call:
    """One operation."""

    def __init__(self, config: OperationConfig, types: Sequence[str] = ()) -> None:
        """`types` are further media types that are JSON. UnusableError for a template that cannot be read."""
        templates = Templates()
        self.config = config
        self._types = types
        self._url = Written("url", config.url, templates)
        self._params = Written("params", config.params, templates)
        self._headers = Written("headers", config.headers, templates)
        self._payload = Written("payload", config.payload, templates)
        self._link = _optional("next_page_link", config.next_page_link, templates)
        self._error = _optional("error_expression", config.error_expression, templates)
        self._id = _optional("id_expression", config.id_expression, templates)
        self._updated = _optional("updated_expression", config.updated_expression, templates)
        self._good = statuses(config.allowed_status_codes) if config.allowed_status_codes else GOOD

    def sent(
        self,
        variables: Variables,
        *,
        link: str = "",
        payload: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        good: tuple[tuple[int, int], ...] = (),
    ) -> Sent:
        """The request for these variables; NotMadeError if a template has no answer to them.

        A `payload` stands before the operation's own, `params` and `headers` behind them. A `link` keeps its
        parameters.
        """
        config = self.config
        known = {"properties": config.properties, **variables}
        if config.page_size is not None:
            known["page_size"] = config.page_size
        url = self._url.text(known)
        known["url"] = url
        made_params = {**(params or {}), **_made(self._params, known)}
        known |= {"params": made_params, "request_params": made_params}
        made_headers = {**(headers or {}), **_made(self._headers, known)}
        known["headers"] = known["request_headers"] = made_headers
        content = self._payload.make(known) if payload is None else payload
        body, kind = payload_of(content, config.payload_type)
        lines: dict[str, str | Secret] = {"Accept": _ACCEPT}
        if kind is not None:
            lines["Content-Type"] = kind
        for name, value in made_headers.items():
            # Of names that differ in their case the later one counts.
            lines = {other: text for other, text in lines.items() if other.lower() != name.lower()}
            lines[name] = value if isinstance(value, Secret) else _header(name, param_text(value))
        query = {name: _param(value) for name, value in made_params.items()}
        request = Request(
            url,
            config.method,
            query,
            lines,
            body,
            link,
            self._good + good,
            retries=config.rate_limiting_retries,
            delay=config.rate_limiting_delay,
        )
        return Sent(request, made_params, made_headers)

    def payload(self, variables: Variables) -> object:
        """The operation's own payload for these variables."""
        return self._payload.make({"properties": self.config.properties, **variables})

    def pages(self, system: Http, variables: Variables, **sending: Any) -> Iterator[Page]:  # noqa: ANN401 - as `sent`
        """The answers, one page after the other; HttpError and NotMadeError where it cannot go on."""
        config, wanted = self.config, self.config.strategies
        link, links, number = "", "", 0
        before: Sent | None = None
        last: Reply | None = None
        while True:
            known = {**variables, "page": number, "is_first_page": number == 0}
            if before is not None and last is not None:
                known |= {
                    "previous_body": last.body,
                    "previous_headers": last.headers,
                    "previous_params": before.params,
                    "previous_request_headers": before.headers,
                }
            sent = self.sent(known, link=link, **sending)
            if before is not None and sent.request == before.request and "same-next-page-request" in wanted:
                return
            reply = self.ask(system, sent.request)
            if last is not None and reply.content == last.content and "same-response" in wanted:
                return
            about = {
                "properties": config.properties,
                **known,
                **sent.known,
                "request_headers": sent.headers,
                "headers": reply.headers,
                "response_headers": reply.headers,
                "body": reply.body,
            }
            self._look(reply, about)
            found = items(within(reply.body, config.payload_property)) if reply.is_json else items(reply.body)
            yield Page(reply, found, about)
            if self._link is None or ("empty-result" in wanted and not found):
                return
            if "not-full-page" in wanted and config.page_size and len(found) < config.page_size:
                return
            following = self._link.text(about).strip()
            if not following or (following == links and "same-next-page-link" in wanted):
                return
            link, links, number, before, last = urljoin(reply.url, following), following, number + 1, sent, reply

    def ask(self, system: Http, request: Request) -> Reply:
        """One answer."""
        with system.ask(request) as answer:
            return reply_of(answer.status, answer.headers(), answer.content(), self._types, answer.url, answer.place)

    def entity(self, page: Page, item: Any, source: Entity | None = None) -> Entity:  # noqa: ANN401 - any value of JSON
        """The entity of a value in an answer; NotMadeError for what cannot be one. `source` is what it was for."""
        config, reply = self.config, page.reply
        if config.response_property is not None:
            made: dict[str, Any] = {config.response_property: item}
        elif isinstance(item, Mapping):
            made = dict(item)
        elif not reply.is_json:
            made = {"response": item}
        else:
            raise NotMadeError("what it answers with has a value that is no object: `response_property` can hold it")
        if config.response_headers_property is not None:
            made[config.response_headers_property] = dict(reply.headers)
        if config.response_status_property is not None:
            made[config.response_status_property] = reply.status
        if config.response_include_content_type:
            made["content-type"] = reply.type
        about = {**page.variables, **(item if isinstance(item, Mapping) else {}), "entity": item}
        if source is not None:
            about["source_entity"] = source
        if "_id" not in made and self._id is not None:
            made["_id"] = self._id.text(about)
        if "_updated" not in made and self._updated is not None:
            made["_updated"] = _number(self._updated.text(about))
        return made

    def _look(self, reply: Reply, about: Variables) -> None:
        """HttpError if an answer tells of a fault, whatever its status."""
        if self._error is not None and (said := self._error.text(about).strip()):
            raise HttpError(f"{reply.place} answers: {said}")


def statuses(text: str) -> tuple[tuple[int, int], ...]:
    """The spans of `200-299,404`."""
    spans = [part.split("-") for part in text.split(",") if part]
    return tuple((int(span[0]), int(span[-1])) for span in spans)


def repeatable(request: Request) -> Request:
    """The same, which may be sent again."""
    return replace(request, again=True)


def _optional(name: str, text: str | None, templates: Templates) -> Written | None:
    return None if text is None else Written(name, text, templates)


def _made(written: Written, known: Variables) -> dict[str, Any]:
    made = written.make(known)
    return {name: value for name, value in made.items() if value is not None} if isinstance(made, dict) else {}


def _param(value: object) -> Param:
    if isinstance(value, Secret):
        return value
    if isinstance(value, list | tuple):
        return [item if isinstance(item, Secret) else param_text(item) for item in value]
    return param_text(value)


def _header(name: str, value: str) -> str:
    if not value.isprintable() or not value.isascii():
        raise NotMadeError(f"the header `{name}` has a character that no header can have")
    return value


def _number(text: str) -> str | int:
    """A position: one that is a number is compared as one."""
    canonical = text.isascii() and text.isdecimal() and (text == "0" or text[0] != "0") and len(text) < 1000
    return int(text) if canonical else text
