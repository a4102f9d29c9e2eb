"""The overview: what needs a person, what flows, how much mail went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from mailweir.flow_graph.build import build
from mailweir.flow_graph.svg import inline
from mailweir.web.pages.flow import MOST_BOXES, cleaned, dresses_of, folded, lines_of, within
from mailweir.web.pages.needs import needs_of
from mailweir.web.pages.timeline import PARTS, SPANS, USUAL, address, bars_of, begin_of, picture, words_of
from mailweir.web.route import Query, RefusedError, Reply, Route
from pipeline.config.glyphs import visible

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.flow_graph.model import Graph
    from mailweir.flow_graph.svg import Dress
    from mailweir.serving.overview import Overview
    from mailweir.web.pages.answering import Pages
    from mailweir.web.pages.timeline import Bar
    from mailweir.web.route import Call
    from mailweir.web.site import Site

_html: Final = Reply("A page.", media="text/html")
_HOUR: Final = 3600.0


class OverviewPage:
    """The answer."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who look."""
        query = {
            "span": Query("text", f"how much of the past: {', '.join(SPANS)}"),
            "view": Query("text", "`picture` or `table`"),
            "folder": Query("text", "the pipes of this folder"),
        }
        return [
            Route(
                "GET", "/", "overviewPage", "view", "How everything is.", self.show, query=query, replies={200: _html},
                page=True,
            )
        ]  # fmt: skip

    async def show(self, call: Call) -> Response:
        """The page."""
        span, view = call.query.get("span", USUAL), call.query.get("view", "")
        if span not in SPANS or view not in {"", "picture", "table"}:
            raise RefusedError(400, f"`span` is one of {', '.join(SPANS)}, and `view` is picture or table")
        overview = await self._site.overview()
        state = self._site.state
        discards = {one.gate: await state.discards(one.gate, overview.now - _HOUR) for one in overview.usage}
        bars = await self._bars(overview, span)
        words = words_of(bars, span)
        graph, dresses = self._flow(overview, call.query.get("folder"))
        return await self._pages.page(
            call,
            "overview.html",
            "Overview",
            overview=overview,
            here="/",
            topics="overview",
            needs=needs_of(overview, discards),
            flow=Markup(inline(graph, dresses)),  # noqa: S704 - every text in it was cleaned and escaped
            lines=lines_of(graph, dresses),
            view=view,
            folder=call.query.get("folder"),
            span=span,
            spans=SPANS,
            timeline=Markup(picture(bars, words, leads=self._pages.serves("/mail"))),  # noqa: S704 - numbers and times
            words=words,
            bars=[one for one in bars if one.total],
            parts=PARTS,
            address=address,
            leads=self._pages.serves("/mail"),
        )

    def _flow(self, overview: Overview, folder: str | None) -> tuple[Graph, dict[str, Dress]]:
        """What is drawn: everything, a folder, or folders where everything is too much."""
        graph = build(self._site.config.loaded.project.components)
        if folder is not None:
            graph = within(graph, folder)
        scrub = self._site.scrubber().scrub
        graph = cleaned(graph, lambda text: visible(scrub(text)))
        kinds = {kind for kind in ("pipe", "system") if self._pages.serves(f"/{kind}s/x")}
        if folder is None and len(graph.vertices) > MOST_BOXES:
            graph, boxes = folded(graph)
            return graph, {**dresses_of(graph, overview, kinds), **boxes}
        return graph, dresses_of(graph, overview, kinds)

    async def _bars(self, overview: Overview, span: str) -> list[Bar]:
        state, (_, width) = self._site.state, SPANS[span]
        begin = begin_of(span, overview.now)
        taken = [each for one in overview.usage for each in await state.history(one.gate, overview.now - begin)]
        return bars_of(span, overview.now, taken, await state.settled(begin, width))
