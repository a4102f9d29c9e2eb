"""`mailweir run --dry-run`: what a run would do, rendered for people to look at. Nothing is sent, nothing is stored."""

from __future__ import annotations

import asyncio
import html
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailweir.cli.run_report import word
from mailweir.running import Asked, PipeContext, gates, mail_sink, mail_systems, pipes_of, source_of, transforms_of
from mailweir.systems_of import Systems
from pipeline.clock import MachineClock
from pipeline.config.glyphs import visible
from pipeline.receipt import Outcome
from pipeline.run import FlowError, portions
from pipeline.state.facts import outcome_of
from pipeline.state.sqlite.looking import SqliteLook
from pipeline.state.views import Usage
from sinks.mail.build import digest_of, maker_of
from sinks.mail.digest import together

if TYPE_CHECKING:
    from mailweir.cli.options import Common
    from pipeline.config.load import Loaded
    from pipeline.entity import Entity
    from pipeline.pipe import PipeConfig
    from sinks.mail.maker import Made

# Mails that are written to disk: enough to look at, and no disk is filled by a look.
MOST_WRITTEN: Final = 1000
MOST_LINES: Final = 10


@dataclass
class Looked:
    """What a pipe would do."""

    pipe: PipeConfig
    read: int = 0
    filtered: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)
    stopped: str = ""


@dataclass
class Shelf:
    """Where the mails are written, and what the index says of them."""

    folder: Path
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def put(self, made: Made) -> None:
        """Keep one mail."""
        if made.message is None or len(self.rows) >= MOST_WRITTEN:
            return
        if not self.rows:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{len(self.rows) + 1:04}.eml"
        (self.folder / name).write_bytes(made.message.content)
        self.rows.append((name, made.new.entity_id, ", ".join(made.new.recipients), made.new.subject))

    def index(self) -> Path | None:
        """The page that lists them."""
        if not self.rows:
            return None
        lines = "".join(
            f'<tr><td><a href="{name}">{name}</a></td>'
            + "".join(f"<td>{html.escape(visible(text))}</td>" for text in rest)
            + "</tr>\n"
            for name, *rest in self.rows
        )
        page = self.folder / "index.html"
        page.write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Dry run</title>\n'
            "<style>body{font:15px system-ui;margin:2rem}td,th{padding:.2rem 1rem .2rem 0;text-align:left}</style>\n"
            f"<h1>Dry run</h1><p>Nothing was sent.</p>\n<table><tr><th>Mail<th>Entity<th>To<th>Subject</tr>\n{lines}"
            "</table></html>\n",
            encoding="utf-8",
        )
        return page


def dry_run(values: Common, loaded: Loaded, asked: Asked, limit: int | None) -> int:
    """Look at what the pipes would do; 4 if some mail would not go, else 0."""
    systems = Systems(loaded)
    pipes = pipes_of(loaded, asked.pipes)
    shelf = Shelf(Path(systems.state) / "dry-run" / time.strftime("%m%d-%H%M%S"))
    found = [_look(pipe, systems, asked, shelf) for pipe in pipes]
    index = shelf.index()
    windows = [_window(found, usage, limit) for usage in _usage(systems, pipes)]
    code = 4 if any(one.stopped or one.outcomes[Outcome.REJECTED] for one in found) else 0
    if values.json:
        values.out.document(_document(found, windows, index, code))
        return code
    values.out.line("DRY RUN   nothing is sent, nothing is stored")
    width = max(len(one.pipe.id) for one in found)
    for one in found:
        counts = "   ".join(f"{count:,} would be {word(each)}" for each, count in one.outcomes.items() if count)
        filtered = f"   {one.filtered:,} filtered" if one.filtered else ""
        values.out.line(f"  {one.pipe.id:{width}}  {one.read:,} read{filtered}   {counts}")
        for entity, why in one.refused[:MOST_LINES]:
            values.out.line(visible(f"    {entity}: {why}"))
        if one.stopped:
            values.out.fault(visible(f"error: {one.pipe.id} would stop: {one.stopped}"))
    for window in windows:
        values.out.line(window["text"])
    if index is not None:
        values.out.line(f"Rendered mail: {index.relative_to(loaded.root)}")
    return code


def _look(pipe: PipeConfig, systems: Systems, asked: Asked, shelf: Shelf) -> Looked:
    looked = Looked(pipe)
    sink = mail_sink(pipe)
    if sink is None:
        return looked
    context = PipeContext(systems, pipe.id, None)
    maker = maker_of(sink, context, "", asked.wishes)
    source = asked.source or source_of(pipe, context)
    since = asked.since or None
    digest = digest_of(sink)
    waiting: list[Entity] = []
    try:
        for portion in portions(source, transforms_of(pipe, context), since, asked.wanted):
            looked.read += portion.read
            looked.filtered += portion.filtered
            if digest is None:
                at = systems.now() / 1e9
                for entity in portion.entities:
                    _count(looked, shelf, maker.make(entity, at))
            else:
                waiting += portion.entities
    except FlowError as error:
        looked.stopped = f"entity `{error.entity_id}`: {error.text}"
    if digest is not None:
        entities, wrong = together(waiting, digest)
        for entity in entities:
            _count(looked, shelf, maker.make(entity, systems.now() / 1e9))
        looked.outcomes[Outcome.REJECTED] += len(wrong)
        looked.refused += [(str(entity.get("_id", "")), why) for entity, why in wrong[:MOST_LINES]]
    return looked


def _count(looked: Looked, shelf: Shelf, mails: Any) -> None:  # noqa: ANN401 - what the maker made
    if not mails:
        looked.outcomes[Outcome.SKIPPED] += 1
    for made in mails:
        if made.message is not None:
            looked.outcomes[Outcome.SENT] += 1
            shelf.put(made)
        else:
            looked.outcomes[outcome_of[made.new.state]] += 1
            if len(looked.refused) < MOST_LINES:
                looked.refused.append((made.new.entity_id, made.new.detail))


def _usage(systems: Systems, pipes: list[PipeConfig]) -> list[Usage]:
    """How full the windows are, as far as there is a state."""
    wanted = gates(systems, mail_systems(pipes))
    state = SqliteLook.open(Path(systems.state), MachineClock())
    if state is None:
        return [Usage(gate, limit, 0, 0, 0, limit, None, None) for gate, limit in wanted.items()]

    async def look() -> list[Usage]:
        async with state:
            return list(await state.usage(wanted))

    return asyncio.run(look())


def _window(found: list[Looked], usage: Usage, limit: int | None) -> dict[str, Any]:
    """Whether the mails would fit, with the limit that there is and with the one asked about."""
    many = sum(one.outcomes[Outcome.SENT] for one in found)
    text = f"With max_per_hour {usage.limit:,} ({usage.used:,} used now) {_fit(many, usage.limit - usage.used)}."
    if limit is not None:
        text += f" With {limit:,} as you asked: {_fit(many, limit - usage.used)}."
    fits = min(many, max(0, (usage.limit if limit is None else limit) - usage.used))
    return {"system": usage.gate, "limit": usage.limit, "asked": limit, "used": usage.used, "fit": fits, "text": text}


def _fit(many: int, free: int) -> str:
    free = max(0, free)
    if many <= free:
        return f"all {many:,} fit"
    return f"{free:,} fit now, {many - free:,} would be discarded"


def _document(found: list[Looked], windows: list[dict[str, Any]], index: Path | None, code: int) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "command": "run",
        "ok": code == 0,
        "exit_code": code,
        "dry_run": True,
        "pipes": [
            {
                "id": one.pipe.id,
                "read": one.read,
                "filtered": one.filtered,
                "would": {each.value: count for each, count in one.outcomes.items() if count},
                "problems": [{"entity": entity, "message": why} for entity, why in one.refused],
                "stopped": one.stopped or None,
            }
            for one in found
        ],
        "window": windows,
        "index": None if index is None else str(index),
    }
