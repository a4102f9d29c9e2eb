"""For those who watch over a service: whether it lives, whether it can work, its figures, its version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import Response

from mailweir import __version__
from mailweir.flows import mail_sink
from mailweir.web.metrics import MEDIA, Figures, metrics_of, text_of
from mailweir.web.route import Query, Reply, Route
from pipeline.state.sqlite.opening import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from mailweir.web.route import Call
    from mailweir.web.site import Site


class Check(NamedTuple):
    """One thing that should be well. What is `degraded` keeps nothing from working."""

    name: str
    state: str
    detail: str = ""


class Health:
    """The answers."""

    def __init__(self, site: Site) -> None:
        """Of this service."""
        self._site = site

    def routes(self) -> list[Route]:
        """Open to everybody but for the figures."""
        word = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
        return [
            Route(
                "GET",
                "/livez",
                "livez",
                None,
                "Whether the service lives.",
                self.livez,
                replies={200: Reply("It lives.", word)},
                refuses={503: "It hangs."},
                any_host=True,
            ),
            Route(
                "GET",
                "/readyz",
                "readyz",
                None,
                "Whether the service can do its work. A mail server that is out of order, or files with errors, make it"
                " degraded and leave it ready.",
                self.readyz,
                query={"verbose": Query("text", "with a line for each check")},
                replies={200: Reply("It can.", word)},
                refuses={503: "It cannot."},
                any_host=True,
            ),
            Route(
                "GET",
                "/version",
                "version",
                None,
                "The version of Mailweir.",
                self.version,
                replies={200: Reply("The version.", {"type": "object", "properties": {"version": {"type": "string"}}})},
            ),
            Route(
                "GET",
                "/metrics",
                "metrics",
                "view",
                "Figures for Prometheus, without addresses and `_id`s.",
                self.metrics,
                replies={200: Reply("The figures.", media=MEDIA)},
            ),
        ]

    async def livez(self, call: Call) -> Response:
        """Whether pipes are looked after."""
        lives = self._site.service.lives
        return self._site.document({"status": "alive" if lives else "hangs"}, 200 if lives else 503)

    async def readyz(self, call: Call) -> Response:
        """Whether it can do its work."""
        checks = list(self._checks())
        states = {one.state for one in checks}
        word = "unready" if "failed" in states else "degraded" if "degraded" in states else "ready"
        told: dict[str, object] = {"status": word}
        if "verbose" in call.query:
            told["checks"] = [one._asdict() for one in checks]
        return self._site.document(told, 503 if word == "unready" else 200)

    def _checks(self) -> Iterator[Check]:
        facts = self._site.service.facts()
        yield Check("service", "failed", "it is stopping") if facts["stopping"] else Check("service", "ok")
        fault = self._site.state.fault
        why = facts["state"] or (fault.text if fault is not None else "")
        # Which file or folder it is, is for the log.
        yield Check("state", "failed", "it cannot be used; the log says why") if why else Check("state", "ok")
        if facts["config"]["problem"]:
            yield Check("config", "degraded", "the files have errors; what was served last goes on")
        else:
            yield Check("config", "ok", facts["config"]["hash"])
        for name, pipe in facts["pipes"].items():
            if pipe["fault"]:
                yield Check(f"pipe {name}", "degraded", "it could not run; the log says why")
        for (what, name), _ in sorted(self._site.service.pauses.items()):
            yield Check(f"{what} {name}", "ok", "paused")

    async def version(self, call: Call) -> Response:
        """The version."""
        return self._site.document({"version": __version__})

    async def metrics(self, call: Call) -> Response:
        """The figures."""
        site = self._site
        service, config = site.service, site.config
        figures = Figures(
            await site.overview(),
            service.totals,
            site.answered,
            __version__,
            config.hash,
            {name: "" if (sink := mail_sink(pipe)) is None else sink.system for name, pipe in config.pipes.items()},
            bool(service.problem),
            [one.id for one in config.loaded.project.components if getattr(one.config, "insecure", False)],
            await asyncio.to_thread(_log_bytes, site.folder),
        )
        return Response(text_of(metrics_of(figures)), media_type=MEDIA)


def _log_bytes(folder: Path) -> int:
    """How long the log is that has not gone into the file of the state yet: a long reader makes it grow."""
    try:
        return (folder / f"{FILE}-wal").stat().st_size
    except OSError:
        return 0
