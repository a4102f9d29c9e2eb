"""What answers have at hand: the service, its state, and the configuration that is served."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from mailweir.serving.gathering import gathered, modes_of
from mailweir.serving.log import scrubbed

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from mailweir.configuration.desk import Desk
    from mailweir.playground.asking import Playground
    from mailweir.serving.config import Served
    from mailweir.serving.overview import Overview
    from mailweir.serving.service import Service
    from mailweir.web.route import Route
    from mailweir.web.sessions import Seal
    from pipeline.clock import Clock
    from pipeline.scrub import Scrubber
    from pipeline.state.sqlite.store import SqliteState


@dataclass(slots=True)
class Site:
    """One service, as its routes see it. `answered` counts requests by route and status."""

    service: Service
    state: SqliteState
    clock: Clock
    scrubber: Callable[[], Scrubber]
    answered: Mapping[tuple[str, int], int] | Counter[tuple[str, int]] = field(default_factory=dict)
    routes: Sequence[Route] = ()
    seal: Seal | None = None
    """What sessions of browsers are sealed with, where there are pages."""
    playground: Playground | None = None
    """Where entities are tried."""
    desk: Desk | None = None
    """Where a configuration that is in a database is changed."""
    shown: Callable[[Overview], None] = lambda _: None
    """Called with what a page shows: those who listen are told of what is new since."""

    @property
    def folder(self) -> Path:
        """Where the state is."""
        return self.service.options.state

    @property
    def config(self) -> Served:
        """What is served just now."""
        return self.service.config

    async def tried(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """What comes of something that is tried (`mailweir.playground.trying.Wish`)."""
        assert self.playground is not None  # noqa: S101 - it is begun before anything is answered
        return await self.playground.ask(wish)

    async def closed(self) -> None:
        """Nothing is tried any more."""
        if self.playground is not None:
            await self.playground.close()

    async def overview(self) -> Overview:
        """How everything is."""
        return await gathered(self.state, self.folder, modes_of(self.config.loaded), self.clock.wall())

    def document(self, value: Any, status: int = 200, **headers: str) -> Response:  # noqa: ANN401 - any JSON
        """An answer in JSON, without secrets."""
        text = json.dumps(scrubbed(value, self.scrubber()), ensure_ascii=False, separators=(",", ":"))
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(text.encode("utf-8", "replace"), status, given, media_type="application/json")
