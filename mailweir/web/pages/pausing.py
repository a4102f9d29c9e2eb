"""What pages do to pipes and systems: run, pause, resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import quote

from mailweir.serving.pauses import What
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


class Pausing:
    """The answers."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who act."""
        found = [
            Route(
                "POST", "/pipes/{pipe}/run", "runPipePage", "act", "Run a pipe as soon as it can.", self.run,
                body=Form({}), replies=_done, refuses={404: "no such pipe", 409: "it cannot run"}, page=True,
            )
        ]  # fmt: skip
        for what in get_args(What):
            name, refuses = what.capitalize(), {404: f"no such {what}"}
            path = f"/{what}s/{{{what}}}"
            found += [
                Route(
                    "POST", f"{path}/pause", f"pause{name}Page", "act", f"Pause a {what}.", self._pausing(what),
                    body=Form({"reason": "one", "seconds": "one"}), replies=_done, refuses=refuses, page=True,
                ),
                Route(
                    "POST", f"{path}/resume", f"resume{name}Page", "act", f"Let a {what} go on.", self._resuming(what),
                    body=Form({}), replies=_done, refuses=refuses, page=True,
                ),
            ]  # fmt: skip
        return found

    async def run(self, call: Call) -> Response:
        """As soon as it can."""
        name = known(self._site, "pipe", call.path["pipe"])
        await run(self._site, name)
        return self._back("pipe", name)

    def _pausing(self, what: What) -> Any:  # noqa: ANN401 - a handler
        async def pausing(call: Call) -> Response:
            name = known(self._site, what, call.path[what])
            reason, seconds = call.form.get("reason", ""), call.form.get("seconds", "")
            if len(reason) > MOST_REASON:
                raise RefusedError(400, f"`reason` is a text of {MOST_REASON} characters at most")
            if seconds and not (seconds.isdecimal() and len(seconds) < 10 and 0 < int(seconds) <= LONGEST):
                raise RefusedError(400, f"`seconds` is a whole number from 1 to {LONGEST}")
            await pause(self._site, call, what, name, reason, int(seconds) if seconds else None)
            return self._back(what, name)

        return pausing

    def _resuming(self, what: What) -> Any:  # noqa: ANN401 - as above
        async def resuming(call: Call) -> Response:
            name = known(self._site, what, call.path[what])
            await resume(self._site, what, name)
            return self._back(what, name)

        return resuming

    def _back(self, what: What, name: str) -> Response:
        page = f"/{what}s/{quote(name, safe='')}"
        return self._pages.to(page if self._pages.serves(page) else "/")
