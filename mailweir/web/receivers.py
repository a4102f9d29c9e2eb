"""Entities are handed in: `POST /api/receivers/<pipe>/entities`. They are on the disk before the answer."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mailweir.web.received import entities_of, entries
from mailweir.web.route import Body, Query, RefusedError, Reply, Route
from pipeline.config.near import near
from pipeline.pipe import PipeConfig
from pipeline.state.datasets import ONCE, Change, Entry, Once, Scan
from pipeline.state.facts import Batch, Offset
from sources.http_endpoint import HttpEndpointSourceConfig, inbox, receiver

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.route import Call
    from mailweir.web.site import Site

# What the largest pipe takes; each may take less.
MOST_BYTES: Final = 16 * 2**20
# A body of more is read in a thread, so that others are answered meanwhile.
_LARGE: Final = 256 * 2**10
_LONGEST_NAME: Final = 255

_entity: Final = {"type": "object", "properties": {"_id": {"type": "string"}}, "required": ["_id"]}


class Progress(NamedTuple):
    """How far a full sync is: its last request, and whether it is over."""

    sequence: str = ""
    request: str = ""
    over: bool = True


class Receivers:
    """The answers."""

    def __init__(self, site: Site) -> None:
        """For the pipes of this service."""
        self._site = site
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def routes(self) -> list[Route]:
        """For those who may hand in entities."""
        return [
            Route(
                "POST",
                "/api/receivers/{pipe}/entities",
                "receiveEntities",
                "send",
                "Hand in entities for a pipe with the source `http_endpoint`: one, or a list. All of them are kept"
                " before the answer, or none. A full sync is several requests of one `sequence_id`: what none of them"
                " had is deleted behind the last.",
                self.receive,
                query={
                    "is_full": Query("boolean", "this request is part of a full sync"),
                    "sequence_id": Query("text", "names the full sync"),
                    "is_first": Query("boolean", "the full sync begins with this request"),
                    "is_last": Query("boolean", "the full sync ends with this request"),
                    "request_id": Query("text", "names this request of the full sync"),
                    "previous_request_id": Query("text", "the request before it; refused if that is not known"),
                },
                headers={"Idempotency-Key": "names this request: when it comes again within a day, nothing happens"},
                body=Body({"oneOf": [_entity, {"type": "array", "items": _entity}]}, MOST_BYTES),
                replies={
                    200: Reply(
                        "They are kept.",
                        {
                            "type": "object",
                            "properties": {"received": {"type": "integer", "minimum": 0}},
                            "required": ["received"],
                        },
                    )
                },
                refuses={
                    400: "an entity is not right; `detail` has its place",
                    404: "no such pipe",
                    409: "the key was used for other entities, or the full sync cannot go on",
                    413: "too long",
                    503: "they cannot be kept just now",
                },
            )
        ]

    async def receive(self, call: Call) -> Response:
        """Keep them, then answer."""
        pipe = call.path["pipe"]
        source = self._source(pipe)
        if len(call.body) > source.max_request_bytes:
            raise RefusedError(413, f"a request for `{pipe}` has {source.max_request_bytes:,} bytes at most")
        if len(call.body) > _LARGE:
            found = await asyncio.to_thread(_read, call.body, source)
        else:
            found = _read(call.body, source)
        once = _once(pipe, call)
        name = inbox(pipe)
        if call.query.get("is_full"):
            async with self._turns[pipe]:
                before = await self._full(pipe, found, once, call.query)
        else:
            if not call.query.keys().isdisjoint({"is_first", "is_last", "request_id", "previous_request_id"}):
                raise RefusedError(400, "`is_first`, `is_last` and the names of requests are for `is_full=true`")
            before = (await self._site.state.datasets.put(Change(name, pipe, found, once=once))).before
        if before is not None and once is not None and before != once.text:
            raise RefusedError(409, "this `Idempotency-Key` was used for another request")
        self._site.service.arrived(pipe)
        return self._site.document({"received": len(found)})

    def _source(self, name: str) -> HttpEndpointSourceConfig:
        components = self._site.config.loaded.project.components
        pipes = {one.id: receiver(one.config.source) for one in components if isinstance(one.config, PipeConfig)}
        source = pipes.get(name)
        if source is None:
            known = [id_ for id_, found in pipes.items() if found is not None]
            close = near(name, known, most=1)
            why = "takes no entities" if name in pipes else "is none that is served"
            raise RefusedError(404, f"the pipe `{name}` {why}" + (f". Did you mean `{close[0]}`?" if close else ""))
        return source

    async def _full(self, pipe: str, found: Sequence[Entry], once: Once | None, query: Any) -> str | None:  # noqa: ANN401
        """One request of a full sync; what is on record if it came before."""
        sequence, request = query.get("sequence_id", ""), query.get("request_id", "")
        if not sequence or max(len(sequence), len(request)) > _LONGEST_NAME:
            raise RefusedError(400, f"a full sync has a `sequence_id`; names have {_LONGEST_NAME} characters at most")
        name, state = inbox(pipe), self._site.state
        held = _progress(await state.offset(name))
        scan: Scan | None
        if query.get("is_first"):
            scan = await state.datasets.scan(name, pipe, afresh=True)
        else:
            if held.sequence != sequence:
                raise RefusedError(409, f"no full sync `{sequence}` goes on: begin it with `is_first=true`")
            if held.over:
                if request and held.request == request:
                    return None if once is None else once.text
                raise RefusedError(409, f"the full sync `{sequence}` is over: begin another one")
            previous = query.get("previous_request_id")
            if previous is not None and held.request not in {previous, request}:
                raise RefusedError(409, f"the request before was `{held.request}`: begin the full sync anew")
            scan = await state.datasets.scan(name, pipe, afresh=False)
        if scan is None:
            raise RefusedError(409, f"the full sync `{sequence}` is lost: begin it anew")
        offset = Offset(name, json.dumps(Progress(sequence, request, over=False)))
        changed = await state.datasets.put(Change(name, pipe, found, offset, scan, once=once))
        if query.get("is_last"):
            after: int | None = 0
            while after is not None:
                after = (await state.datasets.sweep(scan, after)).next
            await state.admit(Batch(offset=Offset(name, json.dumps(Progress(sequence, request)))))
        return changed.before


def _read(body: bytes, source: HttpEndpointSourceConfig) -> list[Entry]:
    return entries(entities_of(body, decimals=source.do_float_as_decimal, whole=source.do_float_as_int))


def _once(pipe: str, call: Call) -> Once | None:
    """What is kept of a request that has a key, so that it has no effect when it comes again."""
    key = call.headers.get("idempotency-key")
    if key is None:
        return None
    if not key or len(key) > _LONGEST_NAME:
        raise RefusedError(400, f"an `Idempotency-Key` has 1 to {_LONGEST_NAME} characters")
    digest = sha256(json.dumps(sorted(call.query.items())).encode() + call.body).hexdigest()
    return Once(f"{ONCE}{pipe}/{key}", digest)


def _progress(text: str | None) -> Progress:
    """What is on record of a full sync."""
    try:
        sequence, request, over = json.loads(text or "")
        return Progress(str(sequence), str(request), over is not False)
    except (TypeError, ValueError):
        return Progress()
