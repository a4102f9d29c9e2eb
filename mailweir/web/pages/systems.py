"""Systems: what each is, how full its window is and was, and whether it works: a login, a test mail, a pause."""

from __future__ import annotations

import asyncio
import time
import uuid
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from markupsafe import Markup

from mailweir.doctor.look import look
from mailweir.ledger.windows import Gate, gates
from mailweir.mail_of_parts import composed
from mailweir.serving.log import event
from mailweir.web import pausing
from mailweir.web.pages.system_rows import facts, senders, system_rows, test_addresses, users
from mailweir.web.pages.window_picture import picture, words_of
from mailweir.web.pages.window_series import SPANS, USUAL, Series, begin_of, by_minute, series_of, value_at
from mailweir.web.route import Form, Query, RefusedError, Reply, Route
from pipeline.state.facts import Batch, NewMessage
from pipeline.state.steady import HOUR
from pipeline.state.views import Filter
from sinks.mail.outbound import stored
from systems.address import split
from systems.mail import CarrierConfig
from systems.sms import SmsSystemConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from mailweir.doctor.finding import Finding
    from mailweir.serving.pauses import Pause
    from mailweir.web.pages.answering import Pages
    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from pipeline.config.typed import Component

_html: Final = Reply("A page.", media="text/html")
_back: Final = {303: Reply("Look there.", media="text/html")}
_one: Final = {404: "no such system"}
# Marks side by side on a picture that is 900 wide.
_MARKS: Final = 300
_WORDS: Final = {"1h": "hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days"}
# Of a limit that is changed all the time nobody reads more.
_CHANGES: Final = 10


class Systems:
    """The answers."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who look, and those who act."""
        span = {"span": Query("text", f"of the picture: {', '.join(SPANS)}")}
        return [
            Route(
                "GET", "/systems", "systemsPage", "view", "All systems.", self.every, replies={200: _html}, page=True,
            ),
            Route(
                "GET", "/systems/{system}", "systemPage", "view", "A system and its window.", self.show, query=span,
                replies={200: _html}, refuses=_one, page=True,
            ),
            Route(
                "POST", "/systems/{system}/check", "checkSystemPage", "act", "Reach it and log in; nothing is sent.",
                self.check, body=Form({}), replies={200: _html}, refuses=_one, page=True,
            ),
            Route(
                "POST", "/systems/{system}/test", "testSystemPage", "act", "Send a test mail, within the limit.",
                self.test, body=Form({"to": "one"}), replies=_back, refuses=_one, page=True,
            ),
            Route(
                "POST", "/systems/{system}/pause", "pauseSystemPage", "act", "Mail nothing through it until resumed.",
                self.pause, body=Form({"reason": "one"}), replies=_back, refuses=_one, page=True,
            ),
            Route(
                "POST", "/systems/{system}/resume", "resumeSystemPage", "act", "Let pipes mail through it again.",
                self.resume, body=Form({}), replies=_back, refuses=_one, page=True,
            ),
        ]  # fmt: skip

    async def every(self, call: Call) -> Response:
        """All of them."""
        found = self._gates()
        usages = await self._site.state.usage({gate.name: gate.limit for gate in found}) if found else ()
        return await self._pages.page(
            call,
            "systems.html",
            "Systems",
            here="/systems",
            topics="window",
            rows=system_rows(self._components(), found, {one.gate: one for one in usages}, await self._pauses()),
        )

    async def show(self, call: Call) -> Response:
        """One."""
        return await self._page(call, self._known(call))

    async def _page(self, call: Call, system: Component, findings: Sequence[Finding] = (), wrong: str = "") -> Response:
        word = call.query.get("span", USUAL)
        if word not in SPANS:
            raise RefusedError(400, f"`span` is one of {', '.join(SPANS)}")
        gate = next((one for one in self._gates() if system.id in one.systems), None)
        model: dict[str, Any] = {"gate": gate}
        if gate is not None:
            model |= await self._window(gate, system.id, word)
        components = self._components()
        carries = isinstance(system.config, CarrierConfig)
        return await self._pages.page(
            call,
            "system.html",
            system.id,
            here=f"/systems/{system.id}",
            topics="window",
            system=system.id,
            type=system.type,
            facts=facts(system),
            pipes=users(components, system.id),
            pause=(await self._pauses()).get(system.id),
            carries=carries,
            sms=isinstance(system.config, SmsSystemConfig),
            known=test_addresses(components, system.id),
            findings=findings,
            wrong=wrong,
            **model,
        )

    async def _window(self, gate: Gate, system: str, word: str) -> dict[str, Any]:
        state, now = self._site.state, self._site.clock.wall()
        begin = begin_of(SPANS[word], now)
        (usage,) = await state.usage({gate.name: gate.limit})
        taken = await state.history(gate.name, now - begin + HOUR)
        known = await state.limit_changes(gate.name)
        width = max(1.0, (now - begin) / _MARKS)
        discarded = [one for each in gate.systems for one in await state.discarded(each, begin, width)]

        def drawn() -> dict[str, Any]:
            series = series_of(begin, now, taken, usage.in_flight, gate.limit, known, discarded)
            words = words_of(series, _WORDS[word])
            # Its texts are names of ours and numbers, and it has escaped them.
            shown = Markup(picture(series, gate.name, words, system))  # noqa: S704 - as above
            return {"series": series, "words": words, "picture": shown, "hours": _hours(series)}

        return {
            "usage": usage,
            "spans": [(each, each == word) for each in SPANS],
            "freeing": by_minute(await state.freeing(gate.name)),
            "changes": [(after, before.limit, after.limit) for after, before in pairwise(known[:_CHANGES])],
            # Of a week of much mail that is a second of work.
            **await asyncio.to_thread(drawn),
        }

    async def check(self, call: Call) -> Response:
        """As far as the login; the senders of sinks are rehearsed, and nothing is sent."""
        system = self._known(call)
        loaded = self._site.config.loaded
        found = await look(system, loaded.project.components, loaded.project.uses, str(loaded.root), live=False)
        return await self._page(call, system, findings=found)

    async def test(self, call: Call) -> Response:
        """One mail into the outbox: it goes as all others do, within the limit, and what came of it is on record."""
        system = self._known(call)
        components = self._components()
        to = [one for one in split(str(call.form.get("to", ""))) if one.fault is None]
        sender = next(iter(senders(components, system.id)), None)
        pipe = next(iter(self._site.service.config.systems.get(system.id, ())), None)
        if not isinstance(system.config, CarrierConfig) or isinstance(system.config, SmsSystemConfig):
            raise RefusedError(409, f"`{system.id}` carries no mail")
        if pipe is None or sender is None:
            raise RefusedError(409, f"no pipe mails through `{system.id}` with a fixed `mail_from`: mailweir send-test")
        if len(to) != 1 or not await self._is_known(system.id, to[0].address):
            # Whoever holds a token of this service is not thereby let write to everybody.
            return await self._page(
                call,
                system,
                wrong="a test goes to one address that the configuration names, or that had mail through this system",
            )
        gate = next(one for one in self._gates() if system.id in one.systems)
        (usage,) = await self._site.state.usage({gate.name: gate.limit})
        if not usage.free:
            return await self._page(call, system, wrong="no place is free within the limit: see below when one is")
        title = f"Test mail through {system.id}"
        body = "This mail was sent from the page of the system.\nIf you can read it, the way to you works.\n"
        key = uuid.uuid4().hex
        mail = composed(key, int(time.time()), sender=sender, recipients=to[0].address, subject=title, body=body)
        message = NewMessage(
            key,
            pipe,
            system.id,
            "test mail",
            mail.envelope.recipients,
            stored(mail.envelope),
            mail.content,
            "{}",
            subject=title,
        )
        await self._site.state.admit(Batch(messages=(message,)))
        _record("system.tested", f"a test mail through {system.id}", call)
        return self._pages.to(f"/mail/{key}" if call.may("content", pipe) else f"/mail?q=id:{key}")

    async def pause(self, call: Call) -> Response:
        """Until somebody resumes; everybody sees who did it and why."""
        system = self._known(call)
        reason = str(call.form.get("reason", "")).strip()
        if not reason or len(reason) > pausing.MOST_REASON:
            return await self._page(call, system, wrong="say why: it is shown to everyone until it is resumed")
        await pausing.pause(self._site, call, "system", system.id, reason, None)
        _record("system.paused", f"{system.id} paused", call)
        return self._pages.to(f"/systems/{quote(system.id, safe='')}")

    async def resume(self, call: Call) -> Response:
        """Pipes mail through it again."""
        system = self._known(call)
        await pausing.resume(self._site, "system", system.id)
        _record("system.resumed", f"{system.id} resumed", call)
        return self._pages.to(f"/systems/{quote(system.id, safe='')}")

    async def _is_known(self, system: str, to: str) -> bool:
        if to.lower() in {one.lower() for one in test_addresses(self._components(), system)}:
            return True
        return bool((await self._site.state.messages(Filter(system=system, recipient=to), most=1)).rows)

    async def _pauses(self) -> dict[str, Pause]:
        found = await pausing.pauses(self._site)
        return {id_: pause for (what, id_), pause in found.items() if what == "system"}

    def _gates(self) -> tuple[Gate, ...]:
        return gates([one.config for one in self._components() if isinstance(one.config, CarrierConfig)])

    def _components(self) -> Sequence[Component]:
        return self._site.config.loaded.project.components

    def _known(self, call: Call) -> Component:
        name = call.path["system"]
        found = next((one for one in self._components() if one.id == name and one.kind == "system"), None)
        if found is None:
            raise RefusedError(404, f"there is no system `{name}`")
        return found


def _hours(series: Series) -> list[tuple[float, int, int]]:
    """The picture as a table: for each hour, the newest first, how many were used at most in it, and the limit then."""
    times = [step.at for step in series.used]
    told: list[tuple[float, int, int]] = []
    end = series.end
    while end > series.begin:
        begin = max(series.begin, end - HOUR)
        # From the value with which it begins.
        first, last = bisect_right(times, begin) - 1, bisect_right(times, end)
        told.append((begin, max(step.value for step in series.used[first:last]), value_at(series.limits, end)))
        end = begin
    return told


def _record(name: str, text: str, call: Call) -> None:
    by = "" if call.caller is None else call.caller.name
    event(name, f"{text} by {by}", by=by, request=call.trace)
