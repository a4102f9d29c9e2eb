"""What pages do to pipes: run, pause, resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailweir.web.pages.flow import pipe_page
from mailweir.web.pausing import LONGEST, MOST_REASON, known, pause, resume, run
from mailweir.web.route import Form, RefusedError, Reply, Route

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.pages.answering import Pages
    from mailweir.web.route import Call
    from mailweir.web.site import Site

# For how long, as a form asks it: its words, and seconds.
SPANS: Final = (
    ("until it is resumed", ""),
    ("an hour", "3600"),
    ("4 hours", "14400"),
    ("a day", "86400"),
    ("a week", "604800"),
)
_done: Final = {303: Reply("The page of it.", media="text/html")}
_none: Final = {404: "no such pipe"}


class Pausing:
    """The answers."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who act."""
        return [
            Route(
                "POST", "/pipes/{pipe}/run", "runPipePage", "act", "Run a pipe as soon as it can.", self.run,
                body=Form({}), replies=_done, refuses={**_none, 409: "it cannot run"}, page=True,
            ),
            Route(
                "POST", "/pipes/{pipe}/pause", "pausePipePage", "act", "Pause a pipe.", self.pause,
                body=Form({"reason": "one", "seconds": "one"}), replies=_done, refuses=_none, page=True,
            ),
            Route(
                "POST", "/pipes/{pipe}/resume", "resumePipePage", "act", "Let a pipe run again.", self.resume,
                body=Form({}), replies=_done, refuses=_none, page=True,
            ),
        ]  # fmt: skip

    async def run(self, call: Call) -> Response:
        """As soon as it can."""
        name = known(self._site, "pipe", call.path["pipe"])
        await run(self._site, name)
        return self._pages.to(pipe_page(name))

    async def pause(self, call: Call) -> Response:
        """Until it is resumed, or for some seconds."""
        name = known(self._site, "pipe", call.path["pipe"])
        reason, seconds = call.form.get("reason", ""), call.form.get("seconds", "")
        if len(reason) > MOST_REASON:
            raise RefusedError(400, f"`reason` is a text of {MOST_REASON} characters at most")
        if seconds and not (seconds.isdecimal() and len(seconds) < 10 and 0 < int(seconds) <= LONGEST):
            raise RefusedError(400, f"`seconds` is a whole number from 1 to {LONGEST}")
        await pause(self._site, call, "pipe", name, reason, int(seconds) if seconds else None)
        return self._pages.to(pipe_page(name))

    async def resume(self, call: Call) -> Response:
        """Now."""
        name = known(self._site, "pipe", call.path["pipe"])
        await resume(self._site, "pipe", name)
        return self._pages.to(pipe_page(name))
