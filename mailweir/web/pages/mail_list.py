"""The list of mail: outbox, sent, dead letters, discarded; tried again, deleted and undone from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from mailweir.ledger.opened import UnknownError, named
from mailweir.ledger.rows import cannot_be_tried, doubts, states_of
from mailweir.ledger.words import WORDS
from mailweir.serving.log import event
from mailweir.web.pages.mail_rows import line, list_address, tabs
from mailweir.web.pages.mail_search import MOST, SearchError, search_of
from mailweir.web.pages.removals import UNDO_SECONDS
from mailweir.web.route import Form, Query, RefusedError, Reply, Route
from pipeline.state.facts import MessageState
from pipeline.state.views import Filter
from sinks.mail.outbound import once_more

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.pages.answering import Pages
    from mailweir.web.pages.removals import Removals
    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from pipeline.state.views import Detail, Row

# A page that is read in a few milliseconds and by a person in a minute.
_PAGE: Final = 50
# What is chosen in one list, and a message in its own page.
_MOST_CHOSEN: Final = 200
_html: Final = Reply("A page.", media="text/html")
_back: Final = {303: Reply("Look there.", media="text/html")}


class MailList:
    """The answers."""

    def __init__(self, site: Site, pages: Pages, removals: Removals) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages
        self._removals = removals

    def routes(self) -> list[Route]:
        """For those who look, and those who act."""
        asked = {
            "state": Query("text", f"one of {', '.join(WORDS)}; all unless said"),
            "q": Query("text", "what is looked for"),
            "before": Query("number", "the last of the page before"),
            "removal": Query("text", "what was deleted just now"),
            "did": Query("text", "what was done just now"),
        }
        return [
            Route(
                "GET", "/mail", "mailPage", "view", "Messages, the newest first.", self.show, query=asked,
                replies={200: _html}, page=True,
            ),
            Route(
                "POST", "/mail/retry", "retryMailPage", "act", "Try messages again at the next run.", self.retry,
                body=Form({"id": "many", "to": "one", "sure": "one"}), replies={200: _html, **_back}, page=True,
            ),
            Route(
                "POST", "/mail/delete", "deleteMailPage", "act", "Delete messages, which is asked for twice.",
                self.delete, body=Form({"id": "many", "to": "one", "count": "one"}),
                replies={200: _html, **_back}, page=True,
            ),
            Route(
                "POST", "/mail/undo", "undoMailPage", "act", "Keep what was deleted a moment ago.", self.undo,
                body=Form({"removal": "one", "to": "one"}), replies=_back, page=True,
            ),
        ]  # fmt: skip

    async def show(self, call: Call) -> Response:
        """A page of the list."""
        now, query = self._site.clock.wall(), call.query
        word, typed = query.get("state", ""), query.get("q", "")
        if word and word not in WORDS:
            raise RefusedError(400, f"`state` is one of {', '.join(WORDS)}")
        wanted, fault, at = Filter(), "", 0
        try:
            search = search_of(typed, now)
            wanted = search.wanted
            if search.content and not call.may("content", wanted.pipe or None):
                fault = "addresses and subjects are looked for with the role `content`"
        except SearchError as error:
            fault, at = str(error), error.at
        found: Sequence[Row] = ()
        further = None
        if not fault:
            wanted = replace(wanted, states=states_of([word] if word else ()))
            page = await self._site.state.messages(wanted, query.get("before"), _PAGE)
            found, further = page.rows, page.next
        removal = await self._removals.pending(query.get("removal", ""))
        return await self._pages.page(
            call,
            "mail_list.html",
            next((tab.label for tab in tabs({}, word, "") if tab.here and word), "Mail"),
            here="/mail",
            topics="mail",
            tabs=tabs(await self._site.state.counts(), word, typed),
            lines=[line(one, now, full=call.may("content", one.pipe)) for one in found],
            state=word,
            typed=typed,
            most=MOST,
            fault=fault,
            at=at,
            older=None if further is None else list_address(word, typed, further),
            newest=list_address(word, typed) if query.get("before") is not None else None,
            back=list_address(word, typed, query.get("before")),
            removal=None if removal is None else query["removal"],
            removed=0 if removal is None else len(removal.ids),
            undo=int(UNDO_SECONDS),
            did=_done(query.get("did", "")),
        )

    async def retry(self, call: Call) -> Response:
        """At the next run; asked first where somebody may get it twice, or has refused it for good."""
        details = await self._chosen(call)
        refusals = [(one.row, why) for one in details if (why := cannot_be_tried(one))]
        ready = [one.row for one in details if not cannot_be_tried(one)]
        told = doubts(ready)
        back = _path(call)
        if refusals or (told and call.form.get("sure") != "yes"):
            return await self._pages.page(
                call,
                "mail_sure.html",
                "Retry",
                here="/mail",
                act="/mail/retry",
                verb="Retry",
                lines=[line(one, self._site.clock.wall(), full=call.may("content", one.pipe)) for one in ready],
                effects=list(told.values()),
                left=[(line(one, 0.0, full=call.may("content", one.pipe)), why) for one, why in refusals],
                count=None,
                wrong="",
                back=back,
            )
        many = await self._site.state.retry([one.id for one in ready], once_more)
        _record("mail.retried", f"{_messages(many)} put back into the queue", call, ready)
        return self._pages.to(_with(back, did=f"retried-{many}"))

    async def delete(self, call: Call) -> Response:
        """Asked with the number to type; what then goes can be undone for a moment."""
        details = await self._chosen(call)
        rows = [one.row for one in details if one.row.state is not MessageState.CLAIMED]
        busy = [one.row for one in details if one.row.state is MessageState.CLAIMED]
        back = _path(call)
        given = str(call.form.get("count", "")).strip()
        if not rows or busy or given != str(len(rows)):
            waiting = sum(one.next_try is not None for one in rows)
            effects = [f"{_messages(waiting)} will never be sent"] if waiting else []
            effects.append(f"{_messages(len(rows))} will be gone, with all that is known")
            return await self._pages.page(
                call,
                "mail_sure.html",
                "Delete",
                here="/mail",
                act="/mail/delete",
                verb="Delete",
                lines=[line(one, self._site.clock.wall(), full=call.may("content", one.pipe)) for one in rows],
                effects=effects if rows else [],
                left=[(line(one, 0.0, full=False), "it is being sent just now") for one in busy],
                count=len(rows),
                wrong=f"this says {given[:20]}, and {_messages(len(rows))} would be deleted" if given else "",
                back=back,
            )
        assert call.caller is not None  # noqa: S101 - a page needs a role
        token, _ = await self._removals.begin([one.id for one in rows], call.caller.name)
        _record("mail.deleting", f"{_messages(len(rows))} deleted, unless it is undone", call, rows)
        return self._pages.to(_with(back, removal=token))

    async def undo(self, call: Call) -> Response:
        """They stay."""
        many = await self._removals.undo(str(call.form.get("removal", "")))
        if many is None:
            raise RefusedError(409, "that is too late: they are gone")
        _record("mail.undone", f"{_messages(many)} kept after all", call, ())
        return self._pages.to(_with(_path(call), did=f"kept-{many}"))

    async def _chosen(self, call: Call) -> list[Detail]:
        """The messages that are meant; those of pipes that the caller may act on."""
        ids = call.form.get("id", ())
        if not ids:
            raise RefusedError(400, "no message is chosen: tick the boxes in front of some")
        if len(ids) > _MOST_CHOSEN:
            raise RefusedError(400, f"{_MOST_CHOSEN} messages are chosen at once, at most")
        try:
            rows = await named(self._site.state, ids)
        except UnknownError as error:
            raise RefusedError(404, str(error).partition("  (")[0]) from None
        details = [await self._site.state.message(one.id) for one in rows]
        found = [one for one in details if one is not None]
        if not found:
            raise RefusedError(404, "they have just been removed")
        for one in found:
            if not call.may("act", one.row.pipe):
                raise RefusedError(403, f"this token may do nothing to mail of `{one.row.pipe}`")
        return found


def _path(call: Call) -> str:
    """Where the list was: a path of it, whatever was posted."""
    to = str(call.form.get("to", ""))
    return to if to == "/mail" or (to.startswith("/mail?") and to.isprintable()) else "/mail"


def _with(path: str, **more: str) -> str:
    """The same list with what was done."""
    start, _, asked = path.partition("?")
    kept = [(name, value) for name, value in parse_qsl(asked) if name not in {"did", "removal"}]
    return f"{start}?{urlencode([*kept, *more.items()])}"


def _done(text: str) -> str:
    """What was done just now, in words."""
    what, _, many = text.partition("-")
    words = {"retried": "put back into the queue: the next run sends it", "kept": "kept", "asked": "run again"}
    if what not in words or not many.isdigit() or len(many) > 6:
        return ""
    return f"{_messages(int(many))} {words[what]}"


def _messages(many: int) -> str:
    return f"{many:,} message{'' if many == 1 else 's'}"


def _record(name: str, text: str, call: Call, rows: Sequence[Row]) -> None:
    by = "" if call.caller is None else call.caller.name
    event(name, f"{text} by {by}", by=by, request=call.trace, messages=[one.name for one in rows])
