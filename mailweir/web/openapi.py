"""The routes as an OpenAPI 3.1 document. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from mailweir.web.route import Body

if TYPE_CHECKING:
    from mailweir.web.route import Query, Route

_kinds: Final = {
    "text": {"type": "string"},
    "number": {"type": "integer"},
    "boolean": {"type": "boolean"},
}
_problem: Final = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request": {"type": "string", "description": "what names this request in the log"},
    },
    "required": ["title", "status", "detail", "request"],
}
# What any route may answer.
_usual: Final = {
    400: "a request that is not right",
    421: "a name that is not served here",
    503: "that cannot be done just now",
}
_guarded: Final = {401: "no token, or a wrong one", 403: "the token may not do that", 429: "too many wrong tokens"}
_posted: Final = {408: "the body took too long", 413: "the body is too long", 415: "the body is no JSON"}


def document_of(routes: Sequence[Route]) -> dict[str, Any]:
    """The document. It has no version of the program, so that it changes when the routes do."""
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(
        (one for one in routes if not one.page and one.method != "WEBSOCKET"), key=lambda one: (one.path, one.method)
    ):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mailweir",
            "version": "1",
            "summary": "What `mailweir serve` answers.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8420"}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": _problem},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    named = re.findall(r"\{(\w+)\}", route.path)
    parameters = [
        *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in named),
        *(_parameter(name, query) for name, query in route.query.items()),
        *(
            {"name": name, "in": "header", "description": about, "schema": {"type": "string"}}
            for name, about in route.headers.items()
        ),
    ]
    told: dict[str, Any] = {
        "operationId": route.name,
        "description": route.about,
        "responses": _responses(route),
        "security": [] if route.needs is None else [{"token": []}],
        "x-role": route.needs,
    }
    if parameters:
        told["parameters"] = parameters
    if isinstance(route.body, Body):
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": route.body.schema}}}
    return told


def _parameter(name: str, query: Query) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": query.about, "schema": _kinds[query.kind]}


def _responses(route: Route) -> dict[str, Any]:
    found: dict[int, Any] = {}
    for status, reply in route.replies.items():
        content = {"schema": reply.schema} if reply.schema is not None else {}
        found[status] = {"description": reply.about, "content": {reply.media.partition(";")[0]: content}}
    body = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    guarded = {} if route.needs is None else _guarded
    posted = {413: _posted[413], 408: _posted[408]} if route.body is None else _posted
    for status, about in {**_usual, **guarded, **posted, **route.refuses}.items():
        found[status] = {"description": about, "content": body}
    return {str(status): found[status] for status in sorted(found)}
