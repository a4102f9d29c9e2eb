"""The log: its latest lines, and those that come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from mailweir.serving.log import files_of
from mailweir.web.asked import MOST_ROWS
from mailweir.web.pages.flow import pipe_page
from mailweir.web.pages.log_lines import LEVELS, USUAL, Choice, newest, records_of
from mailweir.web.route import Query, RefusedError, Reply, Route

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.responses import Response

    from mailweir.web.pages.answering import Pages
    from mailweir.web.pages.log_lines import Line
    from mailweir.web.route import Call
    from mailweir.web.site import Site

# A line has some 200 bytes: this is far more than a page shows, and read in a few milliseconds.
_MOST_READ: Final = 2 * 2**20
_LONGEST: Final = 200


class LogPage:
    """The answer."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who may see contents: servers and rules are quoted in it."""
        query = {
            "level": Query("text", f"this or worse: {', '.join(LEVELS)}; {USUAL} unless said"),
            "pipe": Query("text", "of this pipe"),
            "q": Query("text", "with this text in it, in small or capital letters"),
        }
        return [
            Route(
                "GET", "/logs", "logsPage", "content", "The latest lines of the log.", self.show, query=query,
                replies={200: Reply("A page.", media="text/html")}, page=True,
            )
        ]  # fmt: skip

    async def show(self, call: Call) -> Response:
        """The page."""
        choice = Choice(call.query.get("level", USUAL), call.query.get("pipe", ""), call.query.get("q", ""))
        if choice.level not in LEVELS:
            raise RefusedError(400, f"`level` is one of {', '.join(LEVELS)}")
        if len(choice.text) > _LONGEST:
            raise RefusedError(400, f"`q` has {_LONGEST} characters at most")
        return await self._pages.page(
            call,
            "logs.html",
            "Log",
            here="/logs",
            topics="log",
            choice=choice,
            levels=LEVELS,
            pipes=sorted(self._site.config.pipes),
            lines=await asyncio.to_thread(latest, self._site.folder, choice),
            pipe_page=pipe_page,
        )


def latest(state: Path, choice: Choice) -> list[Line]:
    """The newest lines of all services that are wanted, as far as the end of their files has them."""
    return newest(_records(files_of(state)), choice, MOST_ROWS)


def _records(files: list[Path]) -> Iterator[dict[str, Any]]:
    left = _MOST_READ
    for path in reversed(files):
        try:
            with path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - left))
                text = file.read(left)
        except OSError:  # it has just been turned over
            continue
        yield from records_of(text)
        left -= len(text)
        if left <= 0:
            return
