"""Pipes over HTTP: how they are, run now, pause and resume; their runs; the windows of mail systems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from mailweir.ledger.windows import Window, facts, gates
from mailweir.serving.overview import facts as overview_facts
from mailweir.shown import moment
from mailweir.web.asked import limit_of, object_of, text_at
from mailweir.web.pausing import LONGEST, MOST_REASON, known, pause, resume, run
from mailweir.web.route import Body, Query, RefusedError, Reply, Route
from systems.mail import CarrierConfig

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.serving.pauses import What
    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from pipeline.state.facts import Execution

_HOUR: Final = 3600.0
_object: Final = {"type": "object"}
_why: Final = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "minLength": 1, "maxLength": MOST_REASON},
        "seconds": {"type": "integer", "minimum": 1, "maximum": LONGEST},
    },
    "required": ["reason"],
}
_no_pipe: Final = {404: "no such pipe"}


class Pipes:
    """The answers."""

    def __init__(self, site: Site) -> None:
        """Of this service."""
        self._site = site

    def routes(self) -> list[Route]:
        """For those who look, and those who act."""
        found = Reply("As it is.", _object)
        runs = {"limit": Query("number", "the newest so many; 50 unless said, 200 at most")}
        return [
            Route("GET", "/api/status", "status", "view", "How everything is.", self.status, replies={200: found}),
            Route(
                "GET", "/api/pipes/{pipe}", "pipe", "view", "How a pipe is.", self.pipe,
                replies={200: found}, refuses=_no_pipe,
            ),
            Route(
                "POST", "/api/pipes/{pipe}/run", "runPipe", "act",
                "Run a pipe as soon as it can, once more if it runs just now.", self.run,
                replies={202: Reply("It will run.", _object)},
                refuses={**_no_pipe, 409: "it is paused, or does not run by itself"},
            ),
            Route(
                "POST", "/api/pipes/{pipe}/pause", "pausePipe", "act",
                "Begin no run of a pipe until it is resumed, or for some seconds.", self._pausing("pipe"),
                body=Body(_why), replies={200: Reply("It is paused.", _object)}, refuses=_no_pipe,
            ),
            Route(
                "POST", "/api/pipes/{pipe}/resume", "resumePipe", "act", "Let a pipe run again.",
                self._resuming("pipe"), replies={200: Reply("It may run.", _object)}, refuses=_no_pipe,
            ),
            Route(
                "POST", "/api/systems/{system}/pause", "pauseSystem", "act",
                "Mail nothing through a system until it is resumed, or for some seconds.", self._pausing("system"),
                body=Body(_why), replies={200: Reply("It is paused.", _object)}, refuses={404: "no such system"},
            ),
            Route(
                "POST", "/api/systems/{system}/resume", "resumeSystem", "act", "Let pipes mail through it again.",
                self._resuming("system"), replies={200: Reply("It may be used.", _object)},
                refuses={404: "no such system"},
            ),
            Route(
                "GET", "/api/runs", "runs", "view", "The latest runs, the newest first.", self.runs,
                query=runs, replies={200: Reply("Runs.", _object)},
            ),
            Route(
                "GET", "/api/pipes/{pipe}/runs", "runsOfPipe", "view", "The latest runs of a pipe.", self.runs,
                query=runs, replies={200: Reply("Runs.", _object)}, refuses=_no_pipe,
            ),
            Route(
                "GET", "/api/limits", "limits", "view", "The windows of mail systems: used, free, when a place frees.",
                self.limits, replies={200: Reply("Windows.", _object)},
            ),
        ]  # fmt: skip

    async def status(self, call: Call) -> Response:
        """All of it."""
        return self._site.document(overview_facts(await self._site.overview()))

    async def pipe(self, call: Call) -> Response:
        """One."""
        name = self._known("pipe", call)
        found = overview_facts(await self._site.overview())["pipes"]
        return self._site.document(next(one for one in found if one["id"] == name))

    async def run(self, call: Call) -> Response:
        """As soon as it can."""
        name = self._known("pipe", call)
        await run(self._site, name)
        return self._site.document({"pipe": name, "asked": True}, 202)

    def _pausing(self, what: What) -> Any:  # noqa: ANN401 - a handler
        async def pausing(call: Call) -> Response:
            name = self._known(what, call)
            given = object_of(call.body, {"reason", "seconds"})
            seconds = given.get("seconds")
            if seconds is not None and not (type(seconds) is int and 0 < seconds <= LONGEST):
                raise RefusedError(400, f"`seconds` is a whole number from 1 to {LONGEST}")
            reason = text_at(given, "reason", most=MOST_REASON)
            await pause(self._site, call, what, name, reason, seconds)
            return self._site.document({"kind": what, "id": name, "paused": True})

        return pausing

    def _resuming(self, what: What) -> Any:  # noqa: ANN401 - as above
        async def resuming(call: Call) -> Response:
            name = self._known(what, call)
            was_paused = await resume(self._site, what, name)
            return self._site.document({"kind": what, "id": name, "was_paused": was_paused})

        return resuming

    async def runs(self, call: Call) -> Response:
        """Of all, or of one."""
        name = self._known("pipe", call) if "pipe" in call.path else ""
        found = await self._site.state.executions(name, limit_of(call.query, 50))
        return self._site.document({"runs": [_run_facts(one) for one in found]})

    async def limits(self, call: Call) -> Response:
        """Of all mail systems."""
        components = self._site.config.loaded.project.components
        found = gates([one.config for one in components if isinstance(one.config, CarrierConfig)])
        state, since = self._site.state, self._site.clock.wall() - _HOUR
        usages = await state.usage({gate.name: gate.limit for gate in found}) if found else ()
        windows = [
            Window(gate, usage, {each: await state.discards(each, since) for each in gate.systems})
            for gate, usage in zip(found, usages, strict=True)
        ]
        return self._site.document({"window": [entry for one in windows for entry in facts(one, one.gate.systems)]})

    def _known(self, what: What, call: Call) -> str:
        return known(self._site, what, call.path[what])


def _run_facts(one: Execution) -> dict[str, Any]:
    return {
        "run": one.run,
        "pipe": one.pipe,
        "started_at": moment(one.started),
        "ended_at": None if one.ended is None else moment(one.ended),
        "report": json.loads(one.report) if one.report else None,
    }
