"""The playground: an entity as somebody types it, through the rules, up to the mail. Nothing is sent."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from markupsafe import Markup, escape

from mailweir.playground.cases import CannotSaveError, case_of, files_for, takes_cases, with_case
from mailweir.tapping import pretended
from mailweir.testing.files import FOLDER
from mailweir.testing.moments import NOW
from mailweir.web.pages.mail_frame import framed, policy
from mailweir.web.preview import MOST_CHARACTERS, known, pipes_for
from mailweir.web.route import Form, Query, RefusedError, Reply, Route
from pipeline.config.files import reason, replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.responses import Response

    from mailweir.web.pages.answering import Pages
    from mailweir.web.route import Call
    from mailweir.web.site import Site

_html: Final = Reply("A page.", media="text/html")
_fields: Final[Mapping[str, Any]] = dict.fromkeys(("pipe", "entity", "now", "config", "name"), "one")
# Of mails that were just looked at; a browser asks for the frame right behind the page.
_MOST_FRAMES: Final = 64
# What becomes of all test entities is looked at again after so long.
_SECONDS: Final = 10.0
_MOST_BYTES: Final = 4 * MOST_CHARACTERS


class PlaygroundPage:
    """The answers."""

    def __init__(self, site: Site, pages: Pages) -> None:
        """Of this service."""
        self._site = site
        self._pages = pages
        self._frames: OrderedDict[str, bytes] = OrderedDict()
        self._every: tuple[str, float, Mapping[str, Any]] = ("", 0.0, {})
        self._saving = asyncio.Lock()

    def routes(self) -> list[Route]:
        """For those who may see contents; a case is saved by who may act, too."""
        form = Form(_fields, _MOST_BYTES)
        named = {
            "pipe": Query("text", "The pipe."),
            "id": Query("text", "The `_id` of one of its test entities."),
            "saved": Query("text", "The file that a case was just added to."),
        }
        return [
            Route(
                "GET", "/playground", "playgroundPage", "content", "Try entities.", self.show,
                query=named, replies={200: _html}, page=True,
            ),
            Route(
                "POST", "/playground", "tryPage", "content", "Try what was typed.", self.tried,
                body=form, replies={200: _html}, page=True,
            ),
            Route(
                "POST", "/playground/save", "saveCase", "act", "Add a case to the tests of the project.", self.save,
                body=form, replies={303: Reply("It is there.", media="text/html")}, page=True,
            ),
            Route(
                "GET", "/playground/html/{name}", "playgroundFrame", "content", "What the frame of a mail shows.",
                self.frame, replies={200: _html}, page=True,
            ),
        ]  # fmt: skip

    async def show(self, call: Call) -> Response:
        """The page, with a test entity of the pipe."""
        names = pipes_for(self._site, call)
        pipe = call.query.get("pipe") or self._first(names)
        if not pipe:
            raise RefusedError(404, "there is no pipe whose entities this token may see")
        known(self._site, call, pipe)
        every = await self._tests(pipe, afresh=True)
        entities = [one["entity"] for one in every.get("every", ())]
        wanted = call.query.get("id")
        entity = next((one for one in entities if wanted in {None, one.get("_id")}), None)
        text = '{\n  "_id": "c1"\n}' if entity is None else json.dumps(entity, ensure_ascii=False, indent=2)
        return await self._page(call, pipe, {"entity": text}, every)

    async def tried(self, call: Call) -> Response:
        """The page, with what was typed."""
        pipe = known(self._site, call, call.form.get("pipe", ""))
        return await self._page(call, pipe, call.form, await self._tests(pipe))

    async def _tests(self, pipe: str, *, afresh: bool = False) -> Mapping[str, Any]:
        """What becomes of all test entities; while somebody types it is that of a moment ago."""
        now = self._site.clock.boot()
        name, at, found = self._every
        if afresh or name != pipe or now - at > _SECONDS:
            found = await self._site.tried({"pipe": pipe, "every": True})
            self._every = pipe, now, found
        return found

    def _first(self, names: list[str]) -> str:
        """The pipe that somebody most likely wants to try: one that mails."""
        mailing = {pipe for pipes in self._site.config.systems.values() for pipe in pipes}
        return next((name for name in names if name in mailing), next(iter(names), ""))

    async def _page(
        self, call: Call, pipe: str, typed: Mapping[str, str], every: Mapping[str, Any], wrong: str = ""
    ) -> Response:
        name, written = self._file(pipe)
        wish = self._wish(pipe, typed, name, written)
        came = await self._site.tried(wish)
        mails = [self._mail(one) for one in came.get("mails", ())]
        return await self._pages.page(
            call,
            "playground.html",
            "Playground",
            here="/playground",
            status=400 if wrong else 200,
            pipes=pipes_for(self._site, call),
            pipe=pipe,
            entity=self._typed(wish["entity"]),
            now=wish["now"] or NOW,
            file=name,
            config=self._typed(wish["edits"].get(name, written)),
            edited=bool(wish["edits"]),
            every=[
                {"id": id_, "word": one["word"], "address": f"/playground?{urlencode({'pipe': pipe, 'id': id_})}"}
                for one in every.get("every", ())
                if (id_ := str(one["entity"].get("_id", "")))
            ],
            untested=every["faults"],
            more=every.get("more", 0),
            faults=came["faults"],
            entities=[json.dumps(one, ensure_ascii=False, indent=2) for one in came.get("entities", ())],
            mails=mails,
            mailing=came.get("mailing", False),
            logs=came.get("logs", ()),
            name=typed.get("name", ""),
            wrong=wrong,
            saved=call.query.get("saved", ""),
        )

    def _typed(self, text: str) -> Markup:
        """A text for a field: without secrets, and otherwise to the character."""
        return escape(self._site.scrubber().scrub(text))

    def _wish(self, pipe: str, typed: Mapping[str, str], name: str, written: str) -> dict[str, Any]:
        """What is to be tried. Forms end lines with CR and LF."""
        config = typed.get("config", written).replace("\r\n", "\n")
        now = typed.get("now", "").strip()
        entity = typed.get("entity", "").replace("\r\n", "\n")
        shown = self._site.scrubber().scrub(written).replace("\r\n", "\n")
        edits = {name: config} if name and config.rstrip("\n") not in {shown.rstrip("\n"), written.rstrip("\n")} else {}
        return {"pipe": pipe, "entity": entity, "now": "" if now == NOW else now, "edits": edits}

    def _file(self, pipe: str) -> tuple[str, str]:
        """The file that a pipe stands in, and its text; nothing where the configuration is in a database."""
        loaded = self._site.config.loaded
        component = next(one for one in loaded.project.components if one.kind == "pipe" and one.id == pipe)
        document = component.given.document
        path = loaded.files.get(document.name)
        if loaded.settings.config_source == "database" or path is None or not path.is_relative_to(loaded.root):
            return "", ""
        return path.relative_to(loaded.root).as_posix(), document.text

    def _mail(self, mail: dict[str, Any]) -> dict[str, Any]:
        """A mail with the address of its frame."""
        if not mail.get("html"):
            return {**mail, "frame": ""}
        content = self._site.scrubber().scrub(framed(mail["html"], {}).html).encode("utf-8", "replace")
        name = blake2b(content, digest_size=16).hexdigest()
        self._frames[name] = content
        self._frames.move_to_end(name)
        while len(self._frames) > _MOST_FRAMES:
            self._frames.popitem(last=False)
        return {**mail, "frame": f"/playground/html/{name}"}

    async def frame(self, call: Call) -> Response:
        """What the frame shows, under a policy that lets nothing run and nothing out."""
        found = self._frames.get(call.path["name"])
        if found is None:
            raise RefusedError(404, "this mail is not kept any more: try the entity again")
        return self._pages.part(found, "text/html; charset=utf-8", policy(images=False))

    async def save(self, call: Call) -> Response:
        """A case of what was typed, with other addresses, and what comes of it then."""
        pipe = known(self._site, call, call.form.get("pipe", ""))
        if not call.may("act", pipe):
            raise RefusedError(403, f"this token may change nothing of `{pipe}`")
        try:
            saved = await self._saved(pipe, call.form)
        except CannotSaveError as error:
            return await self._page(call, pipe, call.form, await self._tests(pipe), str(error))
        return self._pages.to(f"/playground?{urlencode({'pipe': pipe, 'saved': saved})}")

    async def _saved(self, pipe: str, typed: Mapping[str, str]) -> str:
        name = typed.get("name", "").strip()
        if not name or len(name) > 200:
            raise CannotSaveError("give the case a name: what does it show?")
        file, written = self._file(pipe)
        wish = self._wish(pipe, typed, file, written)
        if wish["edits"]:
            raise CannotSaveError(f"the case would be of the copy that you edited: write it to {file} first")
        try:
            (entity,), _ = pretended([json.loads(wish["entity"])])
        except (ValueError, RecursionError):
            raise CannotSaveError("the entity is not JSON") from None
        if not isinstance(entity, dict):
            raise CannotSaveError("a case is saved of one entity")
        came = await self._site.tried({**wish, "entity": json.dumps(entity)})
        if came["faults"]:
            raise CannotSaveError(f"nothing came of it: {came['faults'][0]}")
        case = case_of(name, entity, wish["now"], came)
        async with self._saving:
            return await asyncio.to_thread(_added, self._site.config.loaded.root, pipe, case)


def _added(root: Path, pipe: str, case: Mapping[str, Any]) -> str:
    """Write the case; the name of its file."""
    folder = root / FOLDER
    for name in files_for(pipe):
        path = folder / name
        try:
            text = path.read_text("utf-8-sig") if path.is_file() else None
            if not takes_cases(text, name):
                continue
            content = with_case(text, name, pipe, case).encode()
            if text is None:
                folder.mkdir(exist_ok=True)
                path.write_bytes(content)
            else:
                replace_file(path, content)
        except (OSError, UnicodeError) as error:
            why = reason(error) if isinstance(error, OSError) else "it is not UTF-8"
            raise CannotSaveError(f"{FOLDER}/{name} cannot be written: {why}") from None
        return f"{FOLDER}/{name}"
    raise CannotSaveError(f"the test files of `{pipe}` in {FOLDER} have no cases that one more could be added to")
