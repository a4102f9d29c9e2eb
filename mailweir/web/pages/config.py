"""The pages of the configuration: what is served, where its values come from, what is stored now, and what it was."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from mailweir.configuration.stored_now import Stands, stands_of
from mailweir.configuration.texts import diff
from mailweir.web.pages.config_rows import listed, properties, used
from mailweir.web.route import Form, Query, RefusedError, Reply, Route
from pipeline.config.mask import masked

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.pages.answering import Pages
    from mailweir.web.route import Call
    from mailweir.web.site import Site

_html: Final = Reply("A page.", media="text/html")


class ConfigPages:
    """The answers."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who look; whoever acts may have it loaded again."""
        return [
            Route(
                "GET", "/config", "configPage", "view", "The components that are served.", self.show,
                replies={200: _html}, page=True,
            ),
            Route(
                "GET", "/config/c/{component}", "configComponentPage", "view", "A component.", self.component,
                query={"did": Query("text", "what was done with it")}, replies={200: _html},
                refuses={404: "no such component"}, page=True,
            ),
            Route(
                "GET", "/config/loads", "configLoadsPage", "view", "What was served since it began.", self.loads,
                replies={200: _html}, page=True,
            ),
            Route(
                "POST", "/config/reload", "reloadPage", "act", "Look at the configuration again.", self.reload,
                body=Form({}), replies={303: _html}, page=True,
            ),
        ]  # fmt: skip

    async def show(self, call: Call) -> Response:
        """The list."""
        served = self._site.config
        stands = await self._stands()
        return await self._pages.page(
            call,
            "config.html",
            "Config",
            here="/config",
            topics="config",
            rows=listed(served.loaded.project, stands.by_name),
            difference=lines(stands.difference),
            errors=stands.errors,
            stored=self.is_stored,
            problems=[one for one in served.loaded.problems if one.level == "warning"],
        )

    async def component(self, call: Call) -> Response:
        """One."""
        project = self._site.config.loaded.project
        one = next((each for each in project.components if each.id == call.path["component"]), None)
        if one is None:
            raise RefusedError(404, f"no component `{call.path['component']}` is served")
        name = one.given.document.name
        stands = await self._stands()
        # Of a file with several components, the one.
        node, text = one.given.node, one.given.document.text
        masks = project.masks.get(name, ())
        begin, end = (node.start, node.end) if name.endswith(".json") else (0, len(text))
        inside = [
            (max(begin, first) - begin, min(end, last) - begin) for first, last in masks if first < end and last > begin
        ]
        return await self._pages.page(
            call,
            "config_component.html",
            one.id,
            here="/config",
            topics="config",
            one=one,
            name=name,
            standing=stands.by_name[name],
            problems=[each for each in project.problems if each.span.file == name],
            text=lines(masked(text[begin:end], inside)),
            rows=properties(one, project),
            used_by=used(project.components).get(one.id, ()),
            known={each.id for each in project.components},
            loaded=self._site.config.at,
            stored=self.is_stored,
            did=call.query.get("did", ""),
        )

    async def loads(self, call: Call) -> Response:
        """The configurations that were served, the latest first, each with what it changed."""
        every = list(self._site.service.loads)
        found = [
            (one, lines(diff(before.texts, one.texts) if before is not None else ""))
            for before, one in zip([None, *every], every, strict=False)
        ]
        return await self._pages.page(
            call, "config_loads.html", "What was served", here="/config", topics="config", loads=found[::-1],
            stored=self.is_stored,
        )  # fmt: skip

    async def reload(self, call: Call) -> Response:
        """Have it looked at again."""
        self._site.service.reload()
        return self._pages.to("/config")

    @property
    def is_stored(self) -> bool:
        """Whether it is in a database."""
        return self._site.config.loaded.settings.config_source == "database"

    async def _stands(self) -> Stands:
        desk = self._site.desk
        load: Any = None if desk is None else desk.load
        return await asyncio.to_thread(stands_of, self._site.config.loaded, load)


def lines(text: str) -> list[str]:
    """A text for a page: each line for itself, tabs as blanks."""
    return text.expandtabs(4).splitlines()
