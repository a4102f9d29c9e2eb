"""Datasets and the configuration over HTTP: what is kept, what is declared, and where each value comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mailweir.ledger.entities import dataset_facts
from mailweir.listing.values import Value, values
from mailweir.shown import moment
from mailweir.web.asked import limit_of
from mailweir.web.openapi import document_of
from mailweir.web.route import Query, RefusedError, Reply, Route
from pipeline.entity import transit
from pipeline.secret import MASK
from pipeline.state.sqlite.dataset_look import SqliteReads

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.route import Call
    from mailweir.web.site import Site

T = TypeVar("T")

_object: Final = {"type": "object"}
_none: Final = {404: "no such dataset"}


class Data:
    """The answers."""

    def __init__(self, site: Site) -> None:
        """Of this service."""
        self._site = site

    def routes(self) -> list[Route]:
        """For those who look, and those who may see contents."""
        return [
            Route(
                "GET", "/api/datasets", "datasets", "view", "The datasets, by name.", self.datasets,
                replies={200: Reply("Datasets.", _object)},
            ),
            Route(
                "GET", "/api/datasets/{dataset}", "dataset", "view", "A dataset, measured: versions, bytes, indexes.",
                self.dataset, replies={200: Reply("The dataset.", _object)}, refuses=_none,
            ),
            Route(
                "GET", "/api/datasets/{dataset}/entities", "entities", "content",
                "Entities of a dataset in the order of changes.", self.entities,
                query={
                    "since": Query("number", "only with an `_updated` behind it"),
                    "limit": Query("number", "so many; 100 unless said, 200 at most"),
                    "id": Query("text", "the one with this `_id`"),
                },
                replies={200: Reply("A page of entities.", _object)}, refuses=_none,
            ),
            Route(
                "GET", "/api/config", "config", "view",
                "The configuration that is served: its files with secrets masked, its components, and where each value"
                " comes from.", self.config, replies={200: Reply("The configuration.", _object)},
            ),
            Route(
                "GET", "/api/openapi.json", "openapi", "view", "This document.", self.openapi,
                replies={200: Reply("OpenAPI 3.1.", _object)},
            ),
        ]  # fmt: skip

    async def datasets(self, call: Call) -> Response:
        """All."""
        found = await self._read(lambda reads: [dataset_facts(one) for one in reads.datasets()])
        return self._site.document({"datasets": found})

    async def dataset(self, call: Call) -> Response:
        """One."""
        name = call.path["dataset"]

        def read(reads: SqliteReads) -> dict[str, Any] | None:
            found = reads.dataset(name)
            if found is None:
                return None
            one = reads.measured(found)
            return dataset_facts(one) | {"versions": one.history, "bytes": one.size, "indexes": list(one.indexes)}

        return self._site.document(_there(name, await self._read(read)))

    async def entities(self, call: Call) -> Response:
        """A page."""
        name, most = call.path["dataset"], limit_of(call.query, 100)
        since, id_ = max(0, call.query.get("since", 0)), call.query.get("id")

        def read(reads: SqliteReads) -> dict[str, Any] | None:
            found = reads.dataset(name)
            if found is None:
                return None
            if id_ is not None:
                one = reads.get(name, id_)
                return {"entities": [] if one is None else [transit(one)], "next": None}
            entities, last = reads.page(found.number, since, found.last, most)
            return {"entities": [transit(one) for one in entities], "next": last if last < found.last else None}

        return self._site.document(_there(name, await self._read(read)))

    async def config(self, call: Call) -> Response:
        """All of it."""
        served = self._site.config
        loaded, project = served.loaded, served.loaded.project
        own = [place for place in (*loaded.lookup.env, *loaded.lookup.secrets) if place.file]
        found = values(project.uses, own, [project.documents[name] for name in loaded.files])
        return self._site.document(
            {
                "hash": served.hash,
                "loaded_at": moment(served.at),
                "profile": loaded.profile,
                "problem": self._site.service.problem or None,
                "components": [
                    {"kind": one.kind, "type": one.type, "id": one.id, "file": one.given.document.name}
                    for one in project.components
                ],
                "values": [_value_facts(one) for one in found],
                "files": {
                    name: masked(project.documents[name].text, project.masks.get(name, ())) for name in loaded.files
                },
            }
        )

    async def openapi(self, call: Call) -> Response:
        """The document."""
        return self._site.document(document_of(self._site.routes))

    async def _read(self, work: Callable[[SqliteReads], T]) -> T:
        def reading() -> T:
            with closing(SqliteReads(self._site.folder)) as reads:
                return work(reads)

        return await asyncio.to_thread(reading)


def masked(text: str, masks: Iterable[tuple[int, int]]) -> str:
    """A text with something else in place of its secrets."""
    parts, at = [], 0
    for start, end in sorted(masks):
        if start >= at:
            parts += [text[at:start], MASK]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def _there(name: str, found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        raise RefusedError(404, f"there is no dataset `{name}`")
    return found


def _value_facts(one: Value) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "set": one.state != "unset",
        "value": one.value,
        "place": one.place or None,
        "used_by": list(one.used_by),
    }
