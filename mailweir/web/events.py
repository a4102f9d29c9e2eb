"""Events over HTTP, as they happen, and everything at once for who was away.

The state is looked at while somebody listens, by one task for all of them: nobody else asks it again and again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import StreamingResponse

from mailweir.serving.log import event, scrubbed
from mailweir.serving.log import facts_of as record_facts
from mailweir.serving.overview import facts
from mailweir.shown import moment
from mailweir.web.happenings import CONTENT, TOPICS, Ring, coalesced, facts_of, names_of, news, written
from mailweir.web.route import Query, RefusedError, Reply, Route
from pipeline.state.faults import StateError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.responses import Response

    from mailweir.serving.overview import Overview
    from mailweir.web.happenings import Facts
    from mailweir.web.route import Call
    from mailweir.web.site import Site

# Between two looks at the state; more where a look takes long, so that looking takes a tenth of the time at most.
LOOK_SECONDS: Final = 1.0
LOOK_SHARE: Final = 10.0
# What comes within a quarter of a second is sent together.
GATHER_SECONDS: Final = 0.25
KEEP_ALIVE_SECONDS: Final = 15.0
# After which a stream ends, and its token is looked at anew.
LONGEST_SECONDS: Final = 3600.0
RETRY_MILLISECONDS: Final = 2000
MOST_STREAMS: Final = 100
_headers: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_object: Final = {"type": "object"}


class Events:
    """The answers, and the looking for them."""

    def __init__(self, site: Site) -> None:
        """Nothing is looked for yet."""
        self._site = site
        self._ring = Ring(0)
        self._news = asyncio.Event()
        self._listeners = 0
        self._wanted = asyncio.Event()
        self._known: Facts | None = None

    def routes(self) -> list[Route]:
        """For those who look."""
        return [
            Route(
                "GET", "/api/v1/events", "events", "view",
                f"What happens, as it does (`text/event-stream`). Topics: {', '.join(TOPICS)}. The topic `log` needs"
                " the role `content`. An event `gap` says that some could not be told: ask for the snapshot.",
                self.events,
                query={
                    "topics": Query("text", "with commas; all unless said"),
                    "after": Query("number", "the number of the last event that is known"),
                },
                headers={"Last-Event-ID": "as `after`, from browsers that connect again"},
                replies={200: Reply("Events.", media="text/event-stream")},
                streams=True, session=True,
            ),
            Route(
                "GET", "/api/v1/snapshot", "snapshot", "view",
                "How everything is, and the number of the last event that it has.", self.snapshot,
                replies={200: Reply("As it is.", _object)}, session=True,
            ),
        ]  # fmt: skip

    async def snapshot(self, call: Call) -> Response:
        """All of it."""
        last = self._ring.last
        told = facts(await self._site.overview())
        at = moment(self._site.clock.wall())
        return self._site.document({"id": last, "at": at, "listeners": self._listeners, **told})

    async def events(self, call: Call) -> Response:
        """From the one that is known on, or from now on."""
        names = self._names(call)
        if self._listeners >= MOST_STREAMS:
            raise RefusedError(503, f"{MOST_STREAMS} others are listening", headers={"Retry-After": "30"})
        known = call.query.get("after", call.headers.get("last-event-id"))
        if known is not None and not str(known).isdecimal():
            raise RefusedError(400, "the number of an event is a whole number")
        after = self._ring.last if known is None else int(known)
        return StreamingResponse(self._stream(names, after), headers=_headers, media_type="text/event-stream")

    def _names(self, call: Call) -> frozenset[str]:
        may = frozenset(name for topic in TOPICS for name in TOPICS[topic]) - (
            frozenset() if call.may("content") else CONTENT
        )
        wanted = call.query.get("topics")
        if wanted is None:
            return may
        topics = [one.strip() for one in wanted.split(",") if one.strip()]
        unknown = [one for one in topics if one not in TOPICS]
        if unknown or not topics:
            raise RefusedError(400, f"`topics` are some of {', '.join(TOPICS)}")
        if names_of(topics) - may:
            raise RefusedError(403, "the topic `log` needs the role `content`")
        return names_of(topics)

    async def _stream(self, names: frozenset[str], after: int) -> AsyncIterator[bytes]:
        """Whoever is slow is told less often, and always what was last."""
        stopping, clock = self._site.service.stopping, self._site.clock
        end = clock.boot() + LONGEST_SECONDS
        self._listeners += 1
        self._wanted.set()
        try:
            yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
            while not stopping.is_set() and clock.boot() < end:
                waits = self._news
                found = self._ring.after(after, names)
                after = self._ring.last
                if found is None:
                    yield written(after, "gap", "{}")
                elif found:
                    yield b"".join(written(one.id, one.name, one.data) for one in coalesced(found))
                if not found and not await _within(waits, KEEP_ALIVE_SECONDS):
                    yield b": keep-alive\n\n"
                else:
                    await _within(stopping, GATHER_SECONDS)
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._wanted.clear()

    async def looking(self) -> None:
        """Tell what changes, as long as somebody listens; until it is cancelled."""
        loop = asyncio.get_running_loop()
        # Numbers grow from one service to the next, as long as a second has less than a million events.
        self._ring = Ring(int(self._site.clock.wall()) * 1_000_000)
        handler = _Handler(lambda record: loop.call_soon_threadsafe(self._logged, record))
        logger = logging.getLogger("mailweir")
        logger.addHandler(handler)
        stopping = asyncio.create_task(self._until_stopping())
        try:
            while True:
                await self._wanted.wait()
                began = self._site.clock.boot()
                await self._look()
                took = self._site.clock.boot() - began
                await asyncio.sleep(max(LOOK_SECONDS, LOOK_SHARE * took))
        finally:
            logger.removeHandler(handler)
            stopping.cancel()

    async def _until_stopping(self) -> None:
        """Who waits for news must hear that there will be none."""
        await self._site.service.stopping.wait()
        self._tell()

    async def _look(self) -> None:
        try:
            self.shown(await self._site.overview())
        except StateError:
            pass  # Those who look after the state tell of it; what was known last stays.
        except Exception as error:  # noqa: BLE001 - a look that fails must not be the last one
            event("http.crashed", f"a fault in mailweir itself: {type(error).__name__}", logging.ERROR)

    def shown(self, overview: Overview) -> None:
        """Tell what is new in it. Also of what pages show: what they had is over may be so before the next look."""
        served, problem = self._site.config, self._site.service.problem
        now = facts_of(facts(overview), {"hash": served.hash, "loaded_at": moment(served.at), "problem": bool(problem)})
        # What is new since nobody listened is told too: the first look finds everything new.
        for name, key, data in list(news(self._known or {}, now)):
            self._add(name, key, json.loads(data))
        self._known = now

    def _logged(self, record: logging.LogRecord) -> None:
        told = record_facts(record)
        self._add("log", "", told)

    def _add(self, name: str, key: str, told: Any) -> None:  # noqa: ANN401 - any JSON
        data = json.dumps(scrubbed(told, self._site.scrubber()), ensure_ascii=False, separators=(",", ":"), default=str)
        self._ring.add(name, key, data, self._site.clock.boot())
        self._tell()

    def _tell(self) -> None:
        before, self._news = self._news, asyncio.Event()
        before.set()


class _Handler(logging.Handler):
    """Hands records on; also those of runs, which have threads of their own."""

    def __init__(self, hand: Any) -> None:  # noqa: ANN401 - a function of a record
        super().__init__()
        self._hand = hand

    def emit(self, record: logging.LogRecord) -> None:
        """Whatever goes wrong with that must not stop what is told about."""
        with suppress(Exception):
            self._hand(record)


async def _within(what: asyncio.Event, seconds: float) -> bool:
    """Whether it came in time."""
    try:
        async with asyncio.timeout(seconds):
            await what.wait()
    except TimeoutError:
        return False
    return True
