"""The pages that change a configuration in a database: a text and what is wrong with it, the history, the way back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from markupsafe import Markup

from mailweir.configuration.desk import Wanted
from mailweir.configuration.texts import change_facts, diff, id_of, shown, words
from mailweir.web.configuration import MOST_ABOUT, carried_out, desk_of, look
from mailweir.web.pages.config import lines
from mailweir.web.pages.config_form import as_edited, as_posted, can_be_edited
from mailweir.web.route import Form, Query, RefusedError, Reply, Route
from pipeline.config.text import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from mailweir.web.pages.answering import Pages
    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from pipeline.config.store import Change, ConfigStore, Stored

T = TypeVar("T")

_html: Final = Reply("A page.", media="text/html")
# A text of a megabyte may take three times as much in a form.
_form: Final = Form({"text": "one", "version": "one", "about": "one", "check": "one"}, 3 * 2**20)
_MOST_LISTED: Final = 100
_new: Final = '{\n  "_id": "",\n  "type": ""\n}\n'


class ConfigEditing:
    """The answers."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages

    def routes(self) -> list[Route]:
        """For those who may change it; the history is for all who look."""
        edit, number = "/config/c/{component}/edit", "/config/history/{change}"
        none, refused = {404: "no such component"}, {422: "it would have errors", 409: "somebody else was faster"}
        return [
            Route(
                "GET", "/config/new", "configNewPage", "configure", "A new component.", self.new,
                replies={200: _html}, page=True,
            ),
            Route(
                "POST", "/config/new", "configMakePage", "configure", "Store a new component.", self.make,
                body=_form, replies={303: _html}, refuses=refused, page=True,
            ),
            Route(
                "GET", edit, "configEditPage", "configure", "The text of a component.", self.edit,
                replies={200: _html}, refuses=none, page=True,
            ),
            Route(
                "POST", edit, "configStorePage", "configure", "Store the text of a component.", self.store,
                body=_form, replies={303: _html}, refuses={**none, **refused}, page=True,
            ),
            Route(
                "POST", "/config/c/{component}/remove", "configRemovePage", "configure", "Remove a component.",
                self.remove, body=Form({"version": "one"}), replies={303: _html}, refuses={**none, **refused},
                page=True,
            ),
            Route(
                "GET", "/config/history", "configHistoryPage", "view", "Who changed what.", self.history,
                query={
                    "component": Query("text", "only of this one"),
                    "before": Query("number", "only with a smaller number"),
                },
                replies={200: _html}, page=True,
            ),
            Route(
                "GET", number, "configChangePage", "view", "A change.", self.change,
                replies={200: _html}, refuses={404: "no such change"}, page=True,
            ),
            Route(
                "POST", f"{number}/rollback", "configRollbackPage", "configure", "Back to how it was after a change.",
                self.back, body=Form({}), replies={303: _html}, refuses={404: "no such change", **refused}, page=True,
            ),
        ]  # fmt: skip

    async def new(self, call: Call) -> Response:
        """An empty one."""
        desk_of(self._site)
        return await self._form(call, "", 0, _new)

    async def make(self, call: Call) -> Response:
        """Store it under the `_id` that its text has."""
        data = as_posted(_text(call), None)
        return await self._save(call, id_of(read(data, "").root) or "new", data, new=True)

    async def edit(self, call: Call) -> Response:
        """The text, with secrets masked."""
        name = call.path["component"]
        one = await self._stored(name)
        text = shown(one.data)
        if not can_be_edited(text):
            raise RefusedError(
                409, "this text has characters that a page would change: `mailweir config export`, then `import`"
            )
        return await self._form(call, name, one.version, text)

    async def store(self, call: Call) -> Response:
        """Store it, or show what is wrong."""
        name = call.path["component"]
        one = await self._stored(name)
        return await self._save(call, name, as_posted(_text(call), one.data), new=False)

    async def remove(self, call: Call) -> Response:
        """Remove it."""
        name = call.path["component"]
        wanted = Wanted({name: None}, _who(call), "", {name: _version(call)})
        await carried_out(self._site, desk_of(self._site), wanted, dry=False)
        return self._pages.to("/config/history")

    async def history(self, call: Call) -> Response:
        """A page of changes."""
        name, before = call.query.get("component"), call.query.get("before")
        found = await self._look(lambda store: store.history(_MOST_LISTED, before, name))
        only = f"component={quote(name)}&" if name else ""
        older = f"/config/history?{only}before={found[-1].number}" if len(found) == _MOST_LISTED else ""
        return await self._pages.page(
            call, "config_history.html", "History", here="/config", topics="config", changes=found, words=words,
            component=name or "", older=older,
        )  # fmt: skip

    async def change(self, call: Call) -> Response:
        """One change."""

        def read_change(store: ConfigStore) -> tuple[Change, str, int]:
            number = _number(call)
            found = store.change(number)
            if found is None:
                raise RefusedError(404, "there is no such change")
            return found, diff(store.snapshot(number - 1).texts, store.snapshot(number).texts), store.last()

        change, text, last = await self._look(read_change)
        return await self._pages.page(
            call, "config_change.html", f"Change {change.number}", here="/config", topics="config", change=change,
            facts=change_facts(change), difference=lines(text), last=last,
        )  # fmt: skip

    async def back(self, call: Call) -> Response:
        """Back to how it was after it."""
        desk, number = desk_of(self._site), _number(call)

        def wanted(store: ConfigStore) -> Wanted:
            if not 0 <= number <= store.last():
                raise RefusedError(404, "there is no such change")
            return desk.back_to(store, number, (), _who(call), "")

        await carried_out(self._site, desk, await self._look(wanted), dry=False)
        return self._pages.to("/config/history")

    async def _save(self, call: Call, name: str, data: bytes, *, new: bool) -> Response:
        about, version = call.form.get("about", "")[:MOST_ABOUT], 0 if new else _version(call)
        wanted = Wanted({name: data}, _who(call), about, {name: version}, saw_masks=True)
        dry = bool(call.form.get("check"))
        try:
            made = await carried_out(self._site, desk_of(self._site), wanted, dry=dry)
        except RefusedError as error:
            if error.status not in {409, 422}:
                raise
            shown_name, typed = "" if new else name, _text(call).replace("\r\n", "\n")
            return await self._form(call, shown_name, version, typed, error=error, about=about)
        if dry:
            typed = _text(call).replace("\r\n", "\n")
            return await self._form(
                call, "" if new else name, version, typed, about=about, difference=lines(made["diff"]), checked=True
            )
        told = f"Change {made['change']} is stored" if made["change"] else "Nothing to change"
        if new and not await self._is_served(name):
            # It is shown as soon as it is served.
            return self._pages.to("/config/history")
        return self._pages.to(f"/config/c/{quote(name, safe='')}?did={quote(told)}")

    async def _is_served(self, name: str) -> bool:
        """Whether a component is served, soon."""
        for _ in range(20):
            if any(one.id == name for one in self._site.config.loaded.project.components):
                return True
            await asyncio.sleep(0.1)
        return False

    async def _form(
        self,
        call: Call,
        name: str,
        version: int,
        text: str,
        *,
        error: RefusedError | None = None,
        about: str = "",
        difference: list[str] | None = None,
        checked: bool = False,
    ) -> Response:
        more: dict[str, Any] = {} if error is None else dict(error.more)
        scrubbed = self._site.scrubber().scrub(text)
        return await self._pages.page(
            call,
            "config_edit.html",
            f"Edit {name}" if name else "New component",
            here="/config",
            status=200 if error is None else error.status,
            name=name,
            version=version,
            text=Markup("{}").format(as_edited(scrubbed)),
            about=about,
            detail="" if error is None else error.detail,
            faults=more.get("diagnostics", ()),
            difference=difference or [],
            checked=checked,
            most=MOST_ABOUT,
        )

    async def _stored(self, name: str) -> Stored:
        found = (await self._look(lambda store: store.snapshot())).components.get(name)
        if found is None:
            raise RefusedError(404, f"there is no component `{name}` in the database")
        return found

    async def _look(self, work: Callable[[ConfigStore], T]) -> T:
        return await look(desk_of(self._site), work)


def _text(call: Call) -> str:
    if "text" not in call.form:
        raise RefusedError(400, "the field `text` is missing")
    return str(call.form["text"])


def _version(call: Call) -> int:
    found = str(call.form.get("version", ""))
    if not found.isdecimal() or len(found) > 15:
        raise RefusedError(400, "the field `version` is a number")
    return int(found)


def _number(call: Call) -> int:
    found = call.path["change"]
    if not found.isdecimal() or len(found) > 15:
        raise RefusedError(404, "there is no such change")
    return int(found)


def _who(call: Call) -> str:
    return "" if call.caller is None else call.caller.name
