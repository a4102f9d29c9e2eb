"""Pipes and their runs: lists, and a page for each."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from mailweir.flow_graph.build import build, pipe_key
from mailweir.flow_graph.model import around
from mailweir.flow_graph.svg import inline
from mailweir.ledger.rows import states_of
from mailweir.pumps import plan_of, receives
from mailweir.serving.overview import Overview, pipe_row
from mailweir.web.asked import limit_of
from mailweir.web.pages.flow import cleaned, dresses_of, pipe_page, standing_of
from mailweir.web.pages.pausing import SPANS
from mailweir.web.pages.runs import line_of, outcomes_of, report_of, running_report, stages_of
from mailweir.web.pages.schedules import next_times, words_of
from mailweir.web.pausing import known
from mailweir.web.route import Form, Query, RefusedError, Reply, Route
from pipeline.config.glyphs import visible
from pipeline.pipe import PipeConfig
from pipeline.state.failures import Chosen
from pipeline.state.views import Filter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from mailweir.web.pages.answering import Pages
    from mailweir.web.route import Call
    from mailweir.web.site import Site

_html: Final = {200: Reply("A page.", media="text/html")}
_RUNS: Final = 50
# Of a run, what got no further: enough to see what is wrong with it.
_SHOWN: Final = 50
_stuck: Final = ("rejected", "discarded", "dead", "in_doubt", "held")


class PipePages:
    """The answers."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who look; a run is ended by those who act."""
        runs = {
            "pipe": Query("text", "of this pipe"),
            "limit": Query("number", "the newest so many; 50 unless said, 200 at most"),
        }
        return [
            Route(
                "GET", "/pipes", "pipesPage", "view", "All pipes.", self.pipes,
                query={"q": Query("text", "with this text in their `_id`, in small or capital letters")}, replies=_html,
                page=True,
            ),
            Route(
                "GET", "/pipes/{pipe}", "pipePage", "view", "A pipe.", self.pipe, replies=_html,
                refuses={404: "no such pipe"}, page=True,
            ),
            Route(
                "GET", "/runs", "runsPage", "view", "The latest runs.", self.runs, query=runs, replies=_html, page=True
            ),
            Route(
                "GET", "/runs/{run}", "runPage", "view", "A run.", self.run, replies=_html,
                refuses={404: "no such run"}, page=True,
            ),
            Route(
                "POST", "/runs/{run}/stop", "stopRunPage", "act", "End a run when what is on its way has come home.",
                self.stop, body=Form({}), replies={303: Reply("Its page.", media="text/html")},
                refuses={404: "no such run goes on"}, page=True,
            ),
        ]  # fmt: skip

    async def pipes(self, call: Call) -> Response:
        """All of them, or those that are looked for."""
        text = call.query.get("q", "")
        overview = await self._site.overview()
        rows = [
            (pipe, pipe_page(pipe), standing_of(overview, pipe), pipe_row(overview, pipe, UTC)[1:])
            for pipe in overview.pipes
            if text.casefold() in pipe.casefold()
        ]
        return await self._pages.page(
            call, "pipes.html", "Pipes", overview=overview, here="/pipes", topics="pipes", rows=rows, text=text
        )

    async def pipe(self, call: Call) -> Response:
        """One."""
        name = known(self._site, "pipe", call.path["pipe"])
        overview = await self._site.overview()
        config = self._config(name)
        standing = overview.standing(name)
        plan = plan_of(config)
        paused = overview.pause(name)
        due = None if paused is not None else standing.get("next")
        state, failed = self._site.state, overview.failures.get(name, (0, 0))
        running = standing.get("running")
        return await self._pages.page(
            call,
            "pipe.html",
            name,
            overview=overview,
            here="/pipes",
            topics="pipes,mail",
            pipe=name,
            page=pipe_page(name),
            kind=standing_of(overview, name) if name in overview.pipes else "well",
            schedule=words_of(plan, receives=receives(config)),
            times=next_times(plan, due, overview.now),
            paused=paused,
            own=overview.pauses.get(("pipe", name)) is not None,
            spans=SPANS,
            fault=standing.get("fault") or "",
            running=running if isinstance(running, dict) else None,
            stages=stages_of(running_report(running)) if isinstance(running, dict) else [],
            waits=failed[0],
            dead=failed[1],
            counts=Overview(0.0, (), {}, outbox=await state.counts(pipe=name)).words(),
            runs=[
                line_of(one, running=_runs(overview, one.pipe, one.run)) for one in await state.executions(name, _RUNS)
            ],
            flow=self._picture(overview, name),
            file=next(
                one.given.document.name
                for one in self._site.config.loaded.project.components
                if one.id == name and one.kind == "pipe"
            ),
        )

    async def runs(self, call: Call) -> Response:
        """The latest."""
        name = call.query.get("pipe", "")
        if name:
            known(self._site, "pipe", name)
        overview = await self._site.overview()
        found = await self._site.state.executions(name, limit_of(call.query, _RUNS))
        return await self._pages.page(
            call,
            "runs.html",
            f"Runs of {name}" if name else "Runs",
            overview=overview,
            here="/pipes",
            topics="runs",
            pipe=name,
            runs=[line_of(one, running=_runs(overview, one.pipe, one.run)) for one in found],
        )

    async def run(self, call: Call) -> Response:
        """One, also while it goes on."""
        name, overview, state = call.path["run"], await self._site.overview(), self._site.state
        parts = await state.execution(name)
        going = _going(overview, name)
        if not parts and not going:
            raise RefusedError(404, f"nothing is on record of a run `{name}`")
        shown: list[dict[str, Any]] = [
            {
                "pipe": pipe,
                "page": pipe_page(pipe),
                "stages": stages_of(running_report(told)),
                "outcomes": outcomes_of(running_report(told)),
                "since": _time(told.get("since")),
                "took": None,
                "stopped": "",
                "running": True,
            }
            for pipe, told in going.items()
        ]
        for one in parts:
            if one.pipe not in going:
                report = report_of(one.report)
                shown.append(
                    {
                        "pipe": one.pipe,
                        "page": pipe_page(one.pipe),
                        "stages": stages_of(report),
                        "outcomes": outcomes_of(report),
                        "since": one.started,
                        "took": None if one.ended is None else one.ended - one.started,
                        "stopped": str(report.get("stopped") or ""),
                        "running": False,
                    }
                )
        page = await state.messages(Filter(states_of(_stuck), run=name), None, _SHOWN)
        pipes = {one["pipe"] for one in shown}
        failed = [
            one
            for pipe in sorted(pipes)
            for one in await state.failures(Chosen(pipe=pipe), None, _SHOWN)
            if one.run == name
        ]
        return await self._pages.page(
            call,
            "run.html",
            f"Run {name}",
            overview=overview,
            here="/runs",
            topics="runs,mail",
            run=name,
            parts=shown,
            messages=page.rows,
            more=page.next is not None,
            failed=failed,
        )

    async def stop(self, call: Call) -> Response:
        """Nothing new begins in it."""
        name = call.path["run"]
        if not self._site.service.end(name):
            raise RefusedError(404, f"no run `{name}` goes on in this service")
        return self._pages.to(f"/runs/{name}")

    def _config(self, name: str) -> PipeConfig:
        components = self._site.config.loaded.project.components
        return next(one.config for one in components if one.id == name and isinstance(one.config, PipeConfig))

    def _picture(self, overview: Overview, name: str) -> Markup:
        graph = around(build(self._site.config.loaded.project.components), pipe_key(name))
        scrub = self._site.scrubber().scrub
        graph = cleaned(graph, lambda text: visible(scrub(text)))
        kinds = {kind for kind in ("pipe", "system") if self._pages.serves(f"/{kind}s/x")}
        return Markup(inline(graph, dresses_of(graph, overview, kinds)))  # noqa: S704 - cleaned and escaped


def _going(overview: Overview, run: str) -> dict[str, Mapping[str, Any]]:
    """The pipes that a run of this name runs just now."""
    found: dict[str, Mapping[str, Any]] = {}
    for pipe in overview.pipes:
        running = overview.standing(pipe).get("running")
        if isinstance(running, dict) and run and running.get("run") == run:
            found[pipe] = running
    return found


def _runs(overview: Overview, pipe: str, run: str) -> bool:
    return pipe in _going(overview, run)


def _time(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
