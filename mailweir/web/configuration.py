"""A configuration in a database over HTTP: components with their versions, changes, and the way back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mailweir.configuration.desk import ConflictError, RefusedChangeError, Wanted
from mailweir.configuration.texts import change_facts, diff, shown, words
from mailweir.serving.log import event
from mailweir.web.asked import limit_of, object_of, text_at
from mailweir.web.route import Body, Query, RefusedError, Reply, Route
from pipeline.config.formats import as_json
from pipeline.config.store import StoreError

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.configuration.desk import Desk
    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from pipeline.config.store import Change, ConfigStore

T = TypeVar("T")

# Of what people say of a change.
MOST_ABOUT: Final = 500
# Components of one change: a whole project of some size.
MOST_COMPONENTS: Final = 1000

_object: Final = {"type": "object"}
_about: Final = Query("text", "why, for the history")
_dry: Final = Query("boolean", "check it and store nothing")
_tag: Final = re.compile(r'"v([1-9][0-9]{0,17})"')
_none: Final = {404: "no such component", 409: "the configuration is in files"}
_refuses: Final = {
    409: "the configuration is in files, or somebody else has changed it",
    422: "the configuration would have errors: `diagnostics` has each of them at its place in the text that was given",
}
_tagged: Final = {
    **_refuses,
    412: "somebody else has changed it: read it again",
    428: "say which version is meant: `If-Match`, or `If-None-Match: *` for a new component",
}
_match: Final = {"If-Match": "the ETag of the version that is changed", "If-None-Match": "`*`: there is none yet"}
_change: Final = {
    "type": "object",
    "properties": {
        "components": {
            "type": "object",
            "description": "By `_id`. `version` is the one that was read, 0 for a component that is not there yet.",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "description": "the component, as it is to be kept"},
                    "removed": {"type": "boolean"},
                    "version": {"type": "integer", "minimum": 0},
                },
            },
        },
        "about": {"type": "string", "maxLength": MOST_ABOUT},
        "dry_run": {"type": "boolean"},
    },
    "required": ["components"],
}
_back: Final = {
    "type": "object",
    "properties": {
        "change": {"type": "integer", "minimum": 0},
        "components": {"type": "array", "items": {"type": "string"}, "description": "these alone; all unless said"},
        "about": {"type": "string", "maxLength": MOST_ABOUT},
        "dry_run": {"type": "boolean"},
    },
    "required": ["change"],
}


class Configuration:
    """The answers."""

    def __init__(self, site: Site) -> None:
        """Of this service."""
        self._site = site

    def routes(self) -> list[Route]:
        """For those who look, and those who may change it."""
        one, made = "/api/config/components/{component}", {200: Reply("What was stored.", _object)}
        return [
            Route(
                "GET", "/api/config/components", "configComponents", "view", "The components in the database.",
                self.components, replies={200: Reply("Components, with their versions.", _object)}, refuses=_none,
            ),
            Route(
                "GET", one, "configComponent", "view",
                "The text of a component, with secrets masked. Its ETag is its version.", self.component,
                replies={200: Reply("The component.", _object)}, refuses=_none,
            ),
            Route(
                "PUT", one, "putConfigComponent", "configure",
                "Store a component. The body is kept byte for byte; asterisks that were read stay the secret behind"
                " them. It is checked as files are, with all the rest.", self.put,
                query={"about": _about, "dry_run": _dry}, headers=_match, body=Body(_object),
                replies=made, refuses=_tagged,
            ),
            Route(
                "DELETE", one, "removeConfigComponent", "configure", "Remove a component that no other one needs.",
                self.remove, query={"about": _about, "dry_run": _dry}, headers={"If-Match": _match["If-Match"]},
                replies=made, refuses={404: "no such component", **_tagged},
            ),
            Route(
                "POST", "/api/config/changes", "changeConfig", "configure",
                "Store, replace and remove several components: all of it or nothing.", self.change,
                body=Body(_change), replies=made, refuses=_refuses,
            ),
            Route(
                "GET", "/api/config/changes", "configChanges", "view", "Changes, the latest first.", self.changes,
                query={
                    "limit": Query("number", "so many; 100 unless said, 200 at most"),
                    "before": Query("number", "only with a smaller number"),
                    "component": Query("text", "only of this component"),
                },
                replies={200: Reply("A page of changes.", _object)}, refuses=_none,
            ),
            Route(
                "GET", "/api/config/changes/{change}", "configChange", "view",
                "A change, with the difference that it made; secrets in it are masked.", self.changed,
                replies={200: Reply("The change.", _object)}, refuses={404: "no such change", 409: _none[409]},
            ),
            Route(
                "POST", "/api/config/rollback", "rollBackConfig", "configure",
                "Make the configuration what it was after a change, as a new change.", self.back,
                body=Body(_back), replies=made, refuses={404: "no such change", **_refuses},
            ),
        ]  # fmt: skip

    async def components(self, call: Call) -> Response:
        """All."""
        now = await self._look(lambda store: store.snapshot())
        found = [{"id": one.id, "version": one.version, "change": one.change} for one in now.components.values()]
        return self._site.document({"change": now.number, "components": found})

    async def component(self, call: Call) -> Response:
        """One."""
        name = call.path["component"]

        def read(store: ConfigStore) -> dict[str, Any]:
            one = store.snapshot().components.get(name)
            if one is None:
                raise _no_component(name)
            by = store.change(one.change)
            made = {} if by is None else {"at": change_facts(by)["at"], "who": by.who}
            return {"id": name, "version": one.version, "change": one.change, **made, "text": shown(one.data)}

        found = await self._look(read)
        return self._site.document(found, ETag=f'"v{found["version"]}"')

    async def put(self, call: Call) -> Response:
        """Store one."""
        name = call.path["component"]
        return await self._stored(self._wanted(call, {name: call.body}, {name: _version(call, new=True)}), call)

    async def remove(self, call: Call) -> Response:
        """Remove one."""
        name = call.path["component"]
        now = await self._look(lambda store: store.snapshot())
        if name not in now.components:
            raise _no_component(name)
        return await self._stored(self._wanted(call, {name: None}, {name: _version(call, new=False)}), call)

    async def change(self, call: Call) -> Response:
        """Change several."""
        given = object_of(call.body, ("components", "about", "dry_run"))
        edits, versions = edits_of(given.get("components"))
        wanted = Wanted(edits, _who(call), _said(given), versions, saw_masks=True)
        return await self._changed(wanted, dry=_flag(given, "dry_run"))

    async def changes(self, call: Call) -> Response:
        """A page."""
        most, before = limit_of(call.query, 100), call.query.get("before")
        name = call.query.get("component")
        found = await self._look(lambda store: store.history(most, before, name))
        after = found[-1].number if len(found) == most else None
        return self._site.document({"changes": [change_facts(one) for one in found], "next": after})

    async def changed(self, call: Call) -> Response:
        """One change."""
        number = call.path["change"]

        def read(store: ConfigStore) -> tuple[Change, str]:
            found = store.change(int(number)) if re.fullmatch("[0-9]{1,15}", number) else None
            if found is None:
                raise RefusedError(404, "there is no such change")
            return found, diff(store.snapshot(found.number - 1).texts, store.snapshot(found.number).texts)

        change, text = await self._look(read)
        return self._site.document(change_facts(change) | {"diff": text})

    async def back(self, call: Call) -> Response:
        """Back to how it was."""
        given = object_of(call.body, ("change", "components", "about", "dry_run"))
        wanted = await self._look(lambda store: back_of(self._desk(), store, given, _who(call)))
        return await self._changed(wanted, dry=_flag(given, "dry_run"))

    def _wanted(self, call: Call, edits: Mapping[str, bytes | None], versions: Mapping[str, int]) -> Wanted:
        return Wanted(edits, _who(call), _said(call.query), versions, saw_masks=True)

    async def _stored(self, wanted: Wanted, call: Call) -> Response:
        try:
            return await self._changed(wanted, dry=call.query.get("dry_run", False))
        except RefusedError as error:
            if error.status == 409 and "conflicts" in error.more:
                raise RefusedError(412, error.detail, conflicts=error.more["conflicts"]) from None
            raise

    async def _changed(self, wanted: Wanted, *, dry: bool) -> Response:
        return self._site.document(await carried_out(self._site, self._desk(), wanted, dry=dry))

    def _desk(self) -> Desk:
        return desk_of(self._site)

    async def _look(self, work: Callable[[ConfigStore], T]) -> T:
        return await look(self._desk(), work)


def desk_of(site: Site) -> Desk:
    """Where it is changed; `RefusedError` if it is in files."""
    if site.desk is None or site.config.loaded.settings.config_source != "database":
        raise RefusedError(409, "the configuration is in files: change those")
    return site.desk


async def look(desk: Desk, work: Callable[[ConfigStore], T]) -> T:
    """Look into the database."""

    def looking() -> T:
        with desk.look() as store:
            return work(store)

    try:
        return await asyncio.to_thread(looking)
    except StoreError as error:
        raise RefusedError(503, str(error)) from None


async def carried_out(site: Site, desk: Desk, wanted: Wanted, *, dry: bool) -> dict[str, Any]:
    """Store what is wanted and have it served, or `RefusedError` with all that is wrong with it."""
    try:
        if dry:
            made = await asyncio.to_thread(desk.candidate, wanted)
            after = {name: data for name, data in {**made.based.texts, **made.edits}.items() if data is not None}
            return {"change": None, "diff": diff(made.based.texts, after)}
        change = await asyncio.to_thread(desk.change, wanted)
    except ConflictError as error:
        conflicts = [one._asdict() for one in error.conflicts]
        raise RefusedError(409, f"somebody else has changed it: {error}", conflicts=conflicts) from None
    except RefusedChangeError as error:
        project = error.loaded.project
        told = as_json(error.problems, project.texts, masks=project.masks, scrubber=project.scrubber)
        raise RefusedError(422, str(error), diagnostics=told["diagnostics"]) from None
    except StoreError as error:
        raise RefusedError(503, str(error)) from None
    if change is None:
        return {"change": None, "diff": ""}
    said = f"change {change.number} of the configuration by {change.who}: {words(change)}"
    names = [one.id for one in change.components]
    event("config.changed", said, change=change.number, by=change.who, components=names)
    site.service.reload()
    return change_facts(change)


def edits_of(given: object) -> tuple[dict[str, bytes | None], dict[str, int]]:
    """What several components are to be, and which versions of them were seen."""
    if not isinstance(given, dict) or not 0 < len(given) <= MOST_COMPONENTS:
        raise RefusedError(400, f"`components` is an object with 1 to {MOST_COMPONENTS} components, by `_id`")
    edits: dict[str, bytes | None] = {}
    versions: dict[str, int] = {}
    for name, one in given.items():
        if not isinstance(one, dict) or one.keys() - {"text", "removed", "version"}:
            raise RefusedError(400, f"`{name}` is an object with `version`, and `text` or `removed`")
        text, removed, version = one.get("text"), one.get("removed", False), one.get("version")
        if isinstance(version, bool) or not isinstance(version, int) or version < 0:
            raise RefusedError(400, f"`version` of `{name}` is the one that was read, 0 if there is none yet")
        if removed is not (text is None) or not isinstance(text, str | None):
            raise RefusedError(400, f"`{name}` has a `text`, or `removed` is true")
        edits[name] = None if text is None else text.encode("utf-8", "surrogatepass")
        versions[name] = version
    return edits, versions


def back_of(desk: Desk, store: ConfigStore, given: Mapping[str, Any], who: str) -> Wanted:
    """The way back to how it was after a change."""
    number, names = given.get("change"), given.get("components", [])
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise RefusedError(400, "`change` is the number of a change")
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise RefusedError(400, "`components` is a list of texts")
    if number > store.snapshot().number:
        raise RefusedError(404, "there is no such change")
    known = store.versions()
    for name in names:
        if name not in known:
            raise _no_component(name)
    return desk.back_to(store, number, names, who, _said(given))


def _said(given: Mapping[str, Any]) -> str:
    return text_at(given, "about", most=MOST_ABOUT, usual="")


def _flag(given: Mapping[str, Any], name: str) -> bool:
    found = given.get(name, False)
    if not isinstance(found, bool):
        raise RefusedError(400, f"`{name}` is true or false")
    return found


def _version(call: Call, *, new: bool) -> int:
    """The version that was read, as the request has it; 0 for none."""
    match, none = call.headers.get("if-match"), call.headers.get("if-none-match")
    if new and none == "*" and match is None:
        return 0
    found = _tag.fullmatch(match or "")
    if found is None or none is not None:
        raise RefusedError(428, _tagged[428])
    return int(found[1])


def _who(call: Call) -> str:
    return "" if call.caller is None else call.caller.name


def _no_component(name: str) -> RefusedError:
    return RefusedError(404, f"there is no component `{name}` in the database")
