"""Entities are asked for: `GET /api/publishers/<pipe>/entities`, `csv` or `xml`, streamed as they are read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from starlette.responses import StreamingResponse

from mailweir.flows import CannotRunError
from mailweir.serving.log import event
from mailweir.systems_of import NoSystemError
from mailweir.web.published import Part, Publication
from mailweir.web.route import Query, RefusedError, Reply, Route
from pipeline.config.near import near
from pipeline.errors import SourceError, UnusableError
from pipeline.pipe import PipeConfig
from pipeline.run import StoppedError
from sinks.published import PublishedConfig, published, url_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.route import Call
    from mailweir.web.site import Site

# Each has a thread, and reads as fast as its reader takes.
MOST_AT_ONCE: Final = 8
_forms: Final = {
    "entities": ("http_endpoint", "application/json", "A list of entities."),
    "csv": ("csv_endpoint", "text/csv", "Rows."),
    "xml": ("xml_endpoint", "application/xml", "Elements."),
}


class Publishers:
    """The answers."""

    def __init__(self, site: Site) -> None:
        """For the pipes of this service."""
        self._site = site
        self._running = 0

    def routes(self) -> list[Route]:
        """For those who may see entities."""
        return [self._route(name, *words) for name, words in _forms.items()]

    def _route(self, name: str, type_: str, media: str, about: str) -> Route:
        listed = {"type": "array", "items": {"type": "object"}} if name == "entities" else None
        return Route(
            "GET",
            f"/api/publishers/{{pipe}}/{name}",
            f"publish{name.title()}",
            "content",
            f"The entities of a pipe with the sink `{type_}`, as its source has them now and its transforms make them.",
            self._answer(name),
            query={
                "since": Query("number", "what changed after the entity with this `_updated`; for sources of datasets"),
                "limit": Query("number", "about so many; what one entity of the source became is never cut"),
            },
            replies={200: Reply(about, listed, media)},
            refuses={
                400: "`since` for a source that is no dataset",
                404: "no such pipe",
                503: "the source cannot be read, or too many ask at once",
            },
            streams=True,
        )

    def _answer(self, name: str) -> Callable[[Call], Awaitable[Response]]:
        async def answer(call: Call) -> Response:
            pipe, sink = self._pipe(call.path["pipe"], name)
            since, limit = call.query.get("since"), call.query.get("limit")
            if min(since or 0, limit or 0) < 0:
                raise RefusedError(400, "`since` and `limit` are 0 or more")
            if self._running >= MOST_AT_ONCE:
                raise RefusedError(503, f"{MOST_AT_ONCE} others are reading", headers={"Retry-After": "5"})
            portions = self._portions(Publication(self._site.config.loaded, pipe, sink, Part(since, limit)))
            # What goes wrong before the first of it can still be told.
            first = await anext(portions)
            headers = {"Content-Disposition": f'attachment; filename="{pipe.id}.{name}"'} if name != "entities" else {}
            return StreamingResponse(_all(first, portions, pipe.id), headers=headers, media_type=sink.media)

        return answer

    def _pipe(self, name: str, form: str) -> tuple[PipeConfig, PublishedConfig]:
        components = self._site.config.loaded.project.components
        found = {
            one.id: (one.config, sink)
            for one in components
            if isinstance(one.config, PipeConfig) and (sink := published(one.config.sink)) is not None
        }
        if name not in found:
            close = near(name, list(found), most=1)
            meant = f". Did you mean `{close[0]}`?" if close else ""
            raise RefusedError(404, f"no pipe `{name}` publishes entities{meant}")
        pipe, sink = found[name]
        if sink.format_ != form:
            raise RefusedError(404, f"the pipe `{name}` publishes at {url_of(name, sink)}")
        return pipe, sink

    async def _portions(self, publication: Publication) -> AsyncIterator[bytes]:
        """Its text; whatever blocks does so in a thread."""
        loop = asyncio.get_running_loop()
        # One thread, as connections want it.
        pool = ThreadPoolExecutor(1, "mailweir-publisher")
        self._running += 1
        portions = publication.portions()
        try:
            async with AsyncExitStack() as stack:
                try:
                    await loop.run_in_executor(pool, publication.build)
                    await stack.enter_async_context(publication.systems)
                    while (portion := await loop.run_in_executor(pool, next, portions, b"")) != b"":
                        yield portion
                except (CannotRunError, NoSystemError, UnusableError, StoppedError, SourceError) as error:
                    raise RefusedError(503, str(error)) from None
        finally:
            self._running -= 1
            pool.submit(portions.close)
            pool.submit(publication.close)
            pool.shutdown(wait=False)


async def _all(first: bytes, rest: AsyncIterator[bytes], pipe: str) -> AsyncIterator[bytes]:
    """All portions. One that cannot be had breaks the answer off, so that nobody takes it for the whole."""
    try:
        yield first
        async for portion in rest:
            yield portion
    except RefusedError as error:
        event("publisher.failed", f"what it gives broke off: {error.detail}", logging.ERROR, pipe=pipe)
        raise OSError(error.detail) from None
    finally:
        await rest.aclose()  # type: ignore[attr-defined]  # it is a generator
