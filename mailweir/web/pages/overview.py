"""The overview: what flows, what needs a person, how every pipe is."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final, NamedTuple

from mailweir.serving.overview import PIPES, pipe_row
from mailweir.web.route import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from mailweir.serving.overview import Overview
    from mailweir.web.pages.answering import Pages
    from mailweir.web.route import Call
    from mailweir.web.site import Site

_html: Final = Reply("A page.", media="text/html")


class Row(NamedTuple):
    """A pipe in the table."""

    pipe: str
    cells: Sequence[str]


def rows(overview: Overview) -> list[Row]:
    """All pipes."""
    return [Row(pipe, pipe_row(overview, pipe, UTC)[1:]) for pipe in overview.pipes]


class OverviewPage:
    """The answer."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who look."""
        return [
            Route("GET", "/", "overviewPage", "view", "How everything is.", self.show, replies={200: _html}, page=True)
        ]

    async def show(self, call: Call) -> Response:
        """The page."""
        overview = await self._site.overview()
        return await self._pages.page(
            call,
            "overview.html",
            "Overview",
            overview=overview,
            here="/",
            topics="overview",
            worries=overview.worries(),
            head=PIPES,
            rows=rows(overview),
        )
