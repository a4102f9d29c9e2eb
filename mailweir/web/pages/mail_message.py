"""One message: as its reader sees it, as it was sent, what it was made of, and what servers said."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from mailweir.caught import Caught
from mailweir.ledger.opened import UnknownError, named
from mailweir.ledger.rows import cannot_be_tried, history, unreadable
from mailweir.web.pages import mail_parts
from mailweir.web.pages.mail_frame import Framed, framed, images_of, policy
from mailweir.web.pages.mail_rows import line, standings
from mailweir.web.route import Form, Query, RefusedError, Reply, Route
from pipeline.state.facts import MessageState
from sinks.mail.outbound import restored

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.pages.answering import Pages
    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from pipeline.state.views import Detail

_html: Final = Reply("A page.", media="text/html")
_file: Final = Reply("A file.", media="application/octet-stream")
_one: Final = {404: "there is none"}
# Nothing of a mail is shown by a browser but what the frame shows.
_FILE_POLICY: Final = "default-src 'none'; sandbox"
TABS: Final = {
    "look": "HTML",
    "text": "Text",
    "source": "Source",
    "headers": "Headers",
    "parts": "Parts",
    "entity": "Entity",
    "smtp": "SMTP",
}
WIDTHS: Final = (600, 375)


class Tab(NamedTuple):
    """A view of the message."""

    name: str
    label: str
    address: str
    here: bool


class MailMessage:
    """The answers."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who may see contents."""
        asked = {
            "images": Query("boolean", "with images of others, this time"),
            "width": Query("number", f"of the frame: {' or '.join(map(str, WIDTHS))}"),
        }
        page = {"query": asked, "replies": {200: _html}, "refuses": _one, "page": True}
        return [
            Route("GET", "/mail/{id}", "messagePage", "content", "A message.", self.show, **page),  # type: ignore[arg-type]
            Route(
                "GET", "/mail/{id}/html", "messageFrame", "content", "Its HTML, for the frame of its page.", self.frame,
                query={"images": asked["images"]}, replies={200: _html}, refuses=_one, page=True,
            ),
            Route(
                "GET", "/mail/{id}/raw", "messageFile", "content", "It as it goes to the server.", self.raw,
                replies={200: _file}, refuses=_one, page=True,
            ),
            Route(
                "GET", "/mail/{id}/parts/{number}", "messagePart", "content", "A part of it as a file.", self.part,
                replies={200: _file}, refuses=_one, page=True,
            ),
            Route(
                "POST", "/mail/{id}/free", "freeMessagePage", "act", "Take it over from a sender that died.", self.free,
                body=Form({}), replies={303: _html}, refuses=_one, page=True,
            ),
            Route("GET", "/mail/{id}/{tab}", "messageTab", "content", "A view of a message.", self.show, **page),  # type: ignore[arg-type]
        ]  # fmt: skip

    async def show(self, call: Call) -> Response:
        """The page."""
        one = await self._detail(call)
        name, now = one.row.name, self._site.clock.wall()
        mail = _mail(one)
        seen = None if mail is None else await asyncio.to_thread(_framed, mail, images=bool(call.query.get("images")))
        tab = call.path.get("tab") or ("look" if seen is not None else "text" if mail is not None else "entity")
        if tab not in TABS:
            raise RefusedError(404, "there is nothing here")
        width = call.query.get("width", WIDTHS[0])
        return await self._pages.page(
            call,
            "mail_message.html",
            one.row.subject or "(no subject)",
            here="/mail",
            topics="mail",
            one=line(one.row, now, full=True),
            sender=None if one.envelope is None else restored(one.envelope).sender,
            message_id="" if mail is None else mail.header("message-id") or "",
            history=history(one.row, ()),
            standings=standings(one.row, () if mail is None else tuple(mail_parts.named(mail))),
            holder=one.holder,
            retry=cannot_be_tried(one),
            claimed=one.row.state is MessageState.CLAIMED,
            tabs=[
                Tab(each, label, f"/mail/{name}/{each}", each == tab)
                for each, label in TABS.items()
                if each != "look" or seen is not None
            ],
            tab=tab,
            unreadable=unreadable(one),
            mail=mail,
            framed=seen,
            images=bool(call.query.get("images")),
            width=width if width in WIDTHS else WIDTHS[0],
            widths=WIDTHS,
            checks=[] if mail is None else list(mail_parts.checks(mail, seen)),
            fields=[] if mail is None or tab != "headers" else mail_parts.fields(mail),
            parts=[] if mail is None else mail_parts.parts(mail),
            shown=_shown(one, mail, tab),
            size_of=mail_parts.size_of,
            lines=mail_parts.lines,
        )

    async def frame(self, call: Call) -> Response:
        """What the frame shows, under a policy that lets nothing run and nothing out."""
        one = await self._detail(call)
        mail = _mail(one)
        images = bool(call.query.get("images"))
        seen = None if mail is None else await asyncio.to_thread(_framed, mail, images=images)
        if seen is None:
            raise RefusedError(404, "this message has no HTML")
        text = self._site.scrubber().scrub(seen.html)
        return self._pages.part(text.encode("utf-8", "replace"), "text/html; charset=utf-8", policy(images=images))

    async def raw(self, call: Call) -> Response:
        """All its bytes."""
        one = await self._detail(call)
        why = unreadable(one)
        if why or one.content is None:
            raise RefusedError(404, why)
        return self._pages.part(one.content, "application/octet-stream", _FILE_POLICY, f"{one.row.name}.eml")

    async def part(self, call: Call) -> Response:
        """One of its parts."""
        mail = _mail(await self._detail(call))
        text = call.path["number"]
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
        found = None if mail is None else await asyncio.to_thread(mail_parts.part, mail, number)
        if found is None:
            raise RefusedError(404, "there is no such part")
        about, data = found
        name = about.name.replace("/", "_").replace("\\", "_")[:100] or f"part-{number}"
        return self._pages.part(data, "application/octet-stream", _FILE_POLICY, name)

    async def free(self, call: Call) -> Response:
        """What senders that died had is taken over."""
        one = await self._detail(call)
        if not call.may("act", one.row.pipe):
            raise RefusedError(403, f"this token may do nothing to mail of `{one.row.pipe}`")
        await self._site.state.recover()
        return self._pages.to(f"/mail/{one.row.name}")

    async def _detail(self, call: Call) -> Detail:
        try:
            (row,) = await named(self._site.state, [call.path["id"]])
        except UnknownError as error:
            raise RefusedError(404, str(error).partition("  (")[0]) from None
        if not call.may("content", row.pipe):
            raise RefusedError(403, f"this token may not see mail of `{row.pipe}`")
        found = await self._site.state.message(row.id)
        if found is None:
            raise RefusedError(404, "it has just been removed")
        return found


def _mail(one: Detail) -> Caught | None:
    """The message, taken apart; None if its bytes are not there, or not what they were."""
    if unreadable(one) or not one.content:
        return None
    at = datetime.fromtimestamp(one.row.admitted, UTC)
    sender = "" if one.envelope is None else restored(one.envelope).sender
    return Caught(0, at, sender, one.row.recipients, one.content)


def _framed(mail: Caught, *, images: bool) -> Framed | None:
    if mail.html is None:
        return None
    try:
        inside = images_of(mail.message)
    except Exception:  # noqa: BLE001 - the parser promises no kind of error for content that means it ill
        inside = {}
    return framed(mail.html, inside, images=images)


def _shown(one: Detail, mail: Caught | None, tab: str) -> str:
    """The text of a view."""
    match tab:
        case "text" if mail is not None:
            return mail.text or ""
        case "source" if mail is not None:
            return mail.content.decode("utf-8", "replace")
        case "entity" if one.entity:
            return json.dumps(json.loads(one.entity), ensure_ascii=False, indent=2)
    return ""
