"""What becomes of an entity: the engine of tests runs the real pipe, with no network, no clock and no real secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailweir.caught import Caught
from mailweir.flows import mail_sink
from mailweir.located import located
from mailweir.testing.moments import NOW, time_of
from mailweir.testing.plan import Test
from mailweir.testing.suite import Suite
from pipeline.config.load import Options
from pipeline.config.show import render
from pipeline.config.text import read
from pipeline.config.tree import Array, plain
from pipeline.errors import Problem, Span
from sinks.mail.outbound import restored

if TYPE_CHECKING:
    from mailweir.testing.came import Came
    from pipeline.config.load import Loaded
    from sinks.mail.maker import Made

# Of one rendering, and of all test entities of a pipe: more is read by nobody at once.
MOST_MAILS: Final = 20
MOST_ENTITIES: Final = 200
# Characters of a body: what a browser shows without a wait.
MOST_TEXT: Final = 2**20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WIDTH: Final = 100
_ENTITY: Final = "entity"


@dataclass(slots=True)
class Wish:
    """What somebody wants to see. `edits` are texts in the place of files of the project, by their names."""

    pipe: str
    entity: str = ""
    now: str = ""
    edits: Mapping[str, str] = field(default_factory=dict)
    every: bool = False
    """Of all entities that the pipe has in tests, instead of the one."""


def tried(root: Path, profile: str, wish: Wish) -> dict[str, Any]:
    """What comes: entities behind the rules, mails, and faults with their places. It never raises for what is typed."""
    replaced = {root / name: text.encode("utf-8", "replace") for name, text in wish.edits.items()}
    suite = Suite(Options(here=root, profile=profile, environ={}, replaced=replaced))
    try:
        return asyncio.run(_tried(suite, root, wish))
    finally:
        suite.close()


async def _tried(suite: Suite, root: Path, wish: Wish) -> dict[str, Any]:
    loaded = suite.loaded(root)
    faults = _edited(loaded, wish)
    given = None
    if not wish.every:
        given, wrong = entities_of(wish.entity)
        faults += wrong
    at = time_of(wish.now or NOW)
    if at is None:
        faults.append(f"the clock shows a time in UTC, such as {NOW}")
    if faults or at is None:
        return {"faults": faults}
    pipe = suite.pipe(root, wish.pipe)
    stage: Any = "sink" if pipe is None or mail_sink(pipe) is None else "mail"
    test = Test("", wish.pipe, wish.pipe, Span("", 0, 0), stage, given=given, now=at, seed=wish.pipe)
    if wish.every:
        return await _every(suite, root, test)
    came = await suite.came(root, test, root)
    stopped = came.broken or came.error
    return {
        "faults": [*([stopped] if stopped else []), *(f"entity `{id_}`: {text}" for id_, text in came.failed)],
        "entities": came.entities[:MOST_ENTITIES],
        "mails": [_mail(loaded, made, one) for made, one in zip(came.made, came.mails, strict=True)][:MOST_MAILS],
        "logs": came.logs[:MOST_MAILS],
        "mailing": stage == "mail",
    }


async def _every(suite: Suite, root: Path, test: Test) -> dict[str, Any]:
    """All entities that the pipe has in tests, and a word for what becomes of each."""
    before = await suite.came(root, replace(test, stage="source"), root)
    if before.broken or before.error:
        return {"faults": [before.broken or before.error]}
    came = await suite.came(root, test, root)
    words = _words(came)
    entities = [one for one in before.entities if isinstance(one, dict)][:MOST_ENTITIES]
    stopped = came.broken or came.error
    return {
        "faults": [stopped] if stopped else [],
        "every": [{"entity": one, "word": words.get(str(one.get("_id", "")), "filtered")} for one in entities],
        "more": max(0, len(before.entities) - MOST_ENTITIES),
    }


def _words(came: Came) -> dict[str, str]:
    words = {str(one.get("_id", "")): "kept" for one in came.entities if isinstance(one, dict)}
    words |= {str(one["_id"]): str(one.get("outcome", "")) for one in came.mails}
    return words | {id_: "failed" for id_, _ in came.failed}


def entities_of(text: str) -> tuple[list[Any], list[str]]:
    """The entities that somebody typed, one or a list; or the faults of the text at their characters."""
    if not text.strip():
        return [], ['write an entity: {"_id": "c1", …}']
    document = read(text.encode("utf-8", "replace"), _ENTITY)
    if document.problems:
        # What is typed here is no file that could be repaired.
        problems = [replace(one, fix=()) for one in document.problems]
        return [], [render(problems, {_ENTITY: document.text}, width=_WIDTH)]
    value: Any = None if document.root is None else plain(document.root)
    items = value if isinstance(document.root, Array) else [value]
    if all(isinstance(one, dict) for one in items):
        return items, []
    wrong = Problem("E202", "an entity is an object", Span(_ENTITY, 0, len(document.text)))
    return [], [render([wrong], {_ENTITY: document.text}, width=_WIDTH)]


def _edited(loaded: Loaded, wish: Wish) -> list[str]:
    """The faults of what was edited."""
    names = set(wish.edits)
    found = [one for one in loaded.project.errors if one.span.file in names]
    if not found:
        return []
    project = loaded.project
    return [render(found, project.texts, width=_WIDTH, masks=project.masks, scrubber=project.scrubber, limit=5)]


def _mail(loaded: Loaded, made: Made, document: Mapping[str, Any]) -> dict[str, Any]:
    """A mail as people look at it, or why there is none."""
    found: dict[str, Any] = {name: document[name] for name in ("_id", "outcome", "code", "message") if name in document}
    if made.problem is not None:
        return {**found, "where": "\n".join(located(loaded, made.problem, width=_WIDTH, color=False))}
    new = made.new
    mail = Caught(1, _EPOCH, restored(new.envelope).sender, new.recipients, new.content)
    named = ("from", "to", "cc", "bcc", "reply_to", "subject", "attachments", "system")
    return {
        **found,
        **{name: document[name] for name in named if name in document},
        "notes": list(made.notes),
        "text": (mail.text or "")[:MOST_TEXT],
        "html": (mail.html or "")[:MOST_TEXT],
        "source": new.content.decode("utf-8", "backslashreplace").replace("\r\n", "\n")[:MOST_TEXT],
    }


def answer(root: Path, profile: str, line: str) -> str:
    """What is answered to a line of JSON, as one."""
    return json.dumps(tried(root, profile, Wish(**json.loads(line))), default=str)
