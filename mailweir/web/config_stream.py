"""The websocket of a configuration in a database: it tells each change and what is served, and takes changes."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mailweir.configuration.desk import Wanted
from mailweir.configuration.texts import change_facts, diff, shown
from mailweir.shown import moment
from mailweir.web.asked import text_at
from mailweir.web.configuration import MOST_ABOUT, back_of, carried_out, desk_of, edits_of, look
from mailweir.web.route import Query, RefusedError, Route
from mailweir.web.sockets import DONE, GOING_AWAY, Conversation, Talk

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.configuration.desk import Desk
    from mailweir.web.access import Role
    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from pipeline.config.store import Change, ConfigStore

MOST_OPEN: Final = 20
# Between two looks at the database, which other processes change too.
LOOK_SECONDS: Final = 0.25
# After which it ends, and the token is looked at anew.
LONGEST_SECONDS: Final = 3600.0
# Who missed more changes is told only that.
MOST_MISSED: Final = 200

_known: Final = frozenset({"id", "do", "components", "component", "change", "about", "dry_run"})


class ConfigStream:
    """The websocket."""

    def __init__(self, site: Site) -> None:
        """Nobody listens yet."""
        self._site = site
        self._open = 0

    def routes(self) -> list[Route]:
        """One, for those who look; who changes something needs the role for it."""
        return [
            Route(
                "WEBSOCKET", "/api/config/stream", "configStream", "view",
                "Changes of the configuration and what is served, as it happens; and changing it.", self.stream,
                query={"since": Query("number", "the number of the last change that is known")}, session=True,
            )
        ]  # fmt: skip

    async def stream(self, call: Call) -> Response:
        """Begin to talk."""
        desk = desk_of(self._site)
        if self._open >= MOST_OPEN:
            raise RefusedError(503, f"{MOST_OPEN} others are listening", headers={"Retry-After": "30"})
        last = await look(desk, lambda store: store.snapshot().number)
        since = call.query.get("since", last)
        if not 0 <= since <= last:
            raise RefusedError(400, "`since` is the number of a change")
        return Conversation(partial(self._talk, call, desk, since), self._site.clock, self._site.scrubber)

    async def _talk(self, call: Call, desk: Desk, since: int, talk: Talk) -> None:
        self._open += 1
        telling = asyncio.create_task(self._telling(desk, since, talk))
        hearing = asyncio.create_task(self._hearing(call, desk, talk))
        try:
            await asyncio.wait([telling, hearing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open -= 1
            for task in (telling, hearing):
                task.cancel()
            for task in (telling, hearing):
                with suppress(asyncio.CancelledError):
                    await task

    async def _telling(self, desk: Desk, since: int, talk: Talk) -> None:
        """Tell what happens."""
        service, clock = self._site.service, self._site.clock
        end = clock.boot() + LONGEST_SECONDS
        served, problem = None, ""
        await talk.tell({"event": "hello", "change": since})
        while not service.stopping.is_set():
            since = await self._tell_changes(desk, since, talk)
            if service.config is not served:
                served = service.config
                await talk.tell({"event": "served", **await self._served(desk)})
            if service.problem != problem:
                problem = service.problem
                await talk.tell({"event": "problem", "detail": problem or None})
            if clock.boot() >= end:
                await talk.end(DONE, "connect again")
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(service.stopping.wait(), LOOK_SECONDS)
        await talk.end(GOING_AWAY, "the service is stopping")

    async def _tell_changes(self, desk: Desk, since: int, talk: Talk) -> int:
        def read(store: ConfigStore) -> list[tuple[Change, str]] | int:
            missed = store.last() - since
            if missed > MOST_MISSED:
                return store.last()
            found = reversed(store.history(missed)) if missed else ()
            return [
                (one, diff(store.snapshot(one.number - 1).texts, store.snapshot(one.number).texts)) for one in found
            ]

        found = await look(desk, read)
        if isinstance(found, int):
            await talk.tell({"event": "gap", "change": found})
            return found
        for change, text in found:
            await talk.tell({"event": "change", **change_facts(change), "diff": text})
        return found[-1][0].number if found else since

    async def _served(self, desk: Desk) -> dict[str, Any]:
        """What is served; the number of the change after which everything was as it is served, if that is the last."""
        served = self._site.config
        project = served.loaded.project
        texts = {path.name: project.documents[name].text for name, path in served.loaded.files.items()}
        now = await look(desk, lambda store: store.snapshot())
        same = texts == {name: data.decode("utf-8-sig", "surrogateescape") for name, data in now.texts.items()}
        return {"change": now.number if same else None, "hash": served.hash, "at": moment(served.at)}

    async def _hearing(self, call: Call, desk: Desk, talk: Talk) -> None:
        """Do what is asked for, one after the other."""
        while (text := await talk.next()) is not None:
            number: object = None
            try:
                given = _object(text)
                number = given.get("id")
                await talk.tell({"re": number, "ok": True, **await self._done(call, desk, given)})
            except RefusedError as error:
                told = {"status": error.status, "detail": error.detail, **error.more}
                await talk.tell({"re": number, "ok": False, **told})

    async def _done(self, call: Call, desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
        match given.get("do"):
            case "read":
                return await look(desk, partial(_read, str(given.get("component"))))
            case "change":
                self._needs(call, "configure")
                edits, versions = edits_of(given.get("components"))
                about = text_at(given, "about", most=MOST_ABOUT, usual="")
                wanted = Wanted(edits, _who(call), about, versions, saw_masks=True)
            case "rollback":
                self._needs(call, "configure")
                wanted = await look(desk, lambda store: back_of(desk, store, given, _who(call)))
            case _:
                raise RefusedError(400, "`do` is `read`, `change` or `rollback`")
        return await carried_out(self._site, desk, wanted, dry=given.get("dry_run") is True)

    def _needs(self, call: Call, role: Role) -> None:
        if not call.may(role):
            raise RefusedError(403, f"this token may not do that: it needs the role `{role}`")


def _read(name: str, store: ConfigStore) -> dict[str, Any]:
    one = store.snapshot().components.get(name)
    if one is None:
        raise RefusedError(404, f"there is no component `{name}` in the database")
    return {"component": name, "version": one.version, "text": shown(one.data)}


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise RefusedError(400, "a message is JSON") from None
    if not isinstance(found, dict) or found.keys() - _known:
        raise RefusedError(400, f"a message is an object with some of {', '.join(sorted(_known))}")
    return found


def _who(call: Call) -> str:
    return "" if call.caller is None else call.caller.name
