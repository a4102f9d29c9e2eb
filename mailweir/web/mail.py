"""Mail over HTTP: the outbox with what was sent, discarded or rejected; and entities that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mailweir.ledger.entities import failed_facts, value_of
from mailweir.ledger.opened import UnknownError, named
from mailweir.ledger.rows import cannot_be_tried, doubts, facts, states_of, unreadable
from mailweir.ledger.words import USUAL, WORDS
from mailweir.pumps import dead_letters_of
from mailweir.web.asked import limit_of
from mailweir.web.route import Query, RefusedError, Reply, Route
from pipeline.pipe import PipeConfig
from pipeline.state.facts import MessageState
from pipeline.state.failures import Chosen
from pipeline.state.views import Filter
from sinks.mail.outbound import once_more

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from pipeline.state.failures import Kept
    from pipeline.state.views import Detail

_object: Final = {"type": "object"}
_one: Final = {404: "there is none"}
_yes: Final = {"yes": Query("boolean", "also if somebody refused it for good, or may have it already")}


class Mail:
    """The answers."""

    def __init__(self, site: Site) -> None:
        """Of this service."""
        self._site = site

    def routes(self) -> list[Route]:
        """For those who look, those who may see contents, and those who act."""
        chosen = {
            "state": Query("text", f"one of {', '.join(WORDS)}; unless said, what waits and what needs a person"),
            "pipe": Query("text", "of this pipe"),
            "system": Query("text", "through this system"),
            "run": Query("text", "of this run"),
            "entity": Query("text", "made of the entity with this `_id`"),
            "before": Query("number", "the `next` of the page before"),
            "limit": Query("number", "so many; 100 unless said, 200 at most"),
        }
        failed = {
            "state": Query("text", "`waiting` or `dead`"),
            "pipe": Query("text", "of this pipe"),
            "entity": Query("text", "with this `_id`"),
            "before": Query("number", "the last number of the page before"),
            "limit": Query("number", "so many; 100 unless said, 200 at most"),
        }
        busy = {**_one, 409: "that cannot be done to it"}
        return [
            Route(
                "GET", "/api/mail", "mail", "view",
                "Messages, the newest first: outbox, sent, dead, rejected, discarded. Without the role `content`"
                " addresses are shortened, and subjects and what was said left out.", self.messages,
                query=chosen, replies={200: Reply("A page of messages.", _object)},
            ),
            Route(
                "GET", "/api/mail/{id}", "message", "content", "All that is known of a message, with its text.",
                self.message, replies={200: Reply("The message.", _object)}, refuses=_one,
            ),
            Route(
                "POST", "/api/mail/{id}/retry", "retryMessage", "act",
                "Try a message again at the next run, for everybody who does not have it.", self.retry,
                query=_yes, replies={200: Reply("It is queued.", _object)}, refuses=busy,
            ),
            Route(
                "DELETE", "/api/mail/{id}", "deleteMessage", "act", "Remove a message for good; it is not sent.",
                self.delete, replies={200: Reply("It is gone.", _object)}, refuses=busy,
            ),
            Route(
                "GET", "/api/failed", "failed", "view", "Entities that did not get through, the newest first.",
                self.failed, query=failed, replies={200: Reply("A page of them.", _object)},
            ),
            Route(
                "GET", "/api/failed/{number}", "failedEntity", "content", "One of them, with what it holds.",
                self.failed_one, replies={200: Reply("The entity.", _object)}, refuses=_one,
            ),
            Route(
                "POST", "/api/failed/{number}/retry", "retryFailed", "act",
                "Let the next run of its pipe try a dead letter again.", self.retry_failed,
                replies={200: Reply("It waits for the next run.", _object)}, refuses=busy,
            ),
            Route(
                "DELETE", "/api/failed/{number}", "deleteFailed", "act", "Remove one for good.", self.delete_failed,
                replies={200: Reply("It is gone.", _object)}, refuses=_one,
            ),
        ]  # fmt: skip

    async def messages(self, call: Call) -> Response:
        """A page."""
        query = call.query
        word = query.get("state")
        if word is not None and word not in WORDS:
            raise RefusedError(400, f"`state` is one of {', '.join(WORDS)}")
        states = states_of([word] if word else USUAL)
        about = (query.get(name, "") for name in ("pipe", "system", "run", "entity"))
        page = await self._site.state.messages(Filter(states, *about), query.get("before"), limit_of(query, 100))
        told = [facts(one, full=_sees(call)) for one in page.rows]
        if not _sees(call):
            told = [_without_content(one) for one in told]
        return self._site.document({"messages": told, "next": page.next})

    async def message(self, call: Call) -> Response:
        """One."""
        one = await self._detail(call)
        text = None if unreadable(one) or one.content is None else one.content.decode("utf-8", "replace")
        return self._site.document({"message": facts(one.row, full=True) | {"whole": one.whole, "text": text}})

    async def retry(self, call: Call) -> Response:
        """Once more."""
        one = await self._detail(call)
        why = cannot_be_tried(one)
        if why:
            raise RefusedError(409, why)
        told = doubts([one.row])
        if told and not call.query.get("yes"):
            raise RefusedError(409, f"{'; '.join(told.values())}: ask with `yes=true`")
        if not await self._site.state.retry([one.row.id], once_more):
            raise RefusedError(409, "it has just changed")
        return self._site.document({"id": one.row.name, "queued": True})

    async def delete(self, call: Call) -> Response:
        """For good."""
        one = await self._detail(call)
        if one.row.state is MessageState.CLAIMED or not await self._site.state.delete([one.row.id]):
            raise RefusedError(409, "it is being sent just now")
        return self._site.document({"id": one.row.name, "deleted": True})

    async def _detail(self, call: Call) -> Detail:
        try:
            (row,) = await named(self._site.state, [call.path["id"]])
        except UnknownError as error:
            # What it advises is for the command line.
            raise RefusedError(404, str(error).partition("  (")[0]) from None
        found = await self._site.state.message(row.id)
        if found is None:
            raise RefusedError(404, "it has just been removed")
        return found

    async def failed(self, call: Call) -> Response:
        """A page."""
        query = call.query
        state = query.get("state")
        if state not in {None, "waiting", "dead"}:
            raise RefusedError(400, "`state` is waiting or dead")
        chosen = Chosen(query.get("pipe", ""), query.get("entity", ""), None if state is None else state == "dead")
        most = limit_of(query, 100)
        found = await self._site.state.failures(chosen, query.get("before"), most)
        further = found[-1].number if len(found) == most else None
        told = [failed_facts(one) for one in found]
        if not _sees(call):
            # What a rule says of an entity may be of its contents.
            told = [{**one, "reason": None} for one in told]
        return self._site.document({"entities": told, "next": further})

    async def failed_one(self, call: Call) -> Response:
        """One."""
        one = await self._failed(call)
        return self._site.document({"entity": {**failed_facts(one), "value": value_of(one)}})

    async def retry_failed(self, call: Call) -> Response:
        """Once more."""
        one = await self._failed(call)
        if not one.dead or one.later or not await self._site.state.failing.again([one.number], self._datasets()):
            why = "a later version has gone on since" if one.later else "it is no dead letter"
            raise RefusedError(409, why)
        return self._site.document({"number": one.number, "waits": True})

    async def delete_failed(self, call: Call) -> Response:
        """For good."""
        one = await self._failed(call)
        await self._site.state.failing.delete([one.number], self._datasets())
        return self._site.document({"number": one.number, "deleted": True})

    async def _failed(self, call: Call) -> Kept:
        text = call.path["number"]
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1
        found = await self._site.state.failures(Chosen(number=number), None, 1)
        if not found:
            raise RefusedError(404, f"no entity that failed has the number {text[:20]}")
        return found[0]

    def _datasets(self) -> dict[str, str]:
        components: Any = self._site.config.loaded.project.components
        return {one.id: dead_letters_of(one.config) for one in components if isinstance(one.config, PipeConfig)}


def _sees(call: Call) -> bool:
    """Whether contents may be shown."""
    return call.caller is not None and "content" in call.caller.roles


def _without_content(one: dict[str, Any]) -> dict[str, Any]:
    """A message without what is written in it, or was said of it by servers, who name addresses."""
    people = [{**each, "answer": each["answer"] and {**each["answer"], "text": None}} for each in one["recipients"]]
    return {**one, "subject": None, "detail": None, "recipients": people}
