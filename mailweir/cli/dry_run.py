"""`mailweir run --dry-run`: what a run would do, rendered for people to look at. Nothing is sent, nothing is stored."""

from __future__ import annotations

import asyncio
import html
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from mailweir.cli.logged import logged
from mailweir.cli.queues import NotUsableError
from mailweir.cli.run_report import nothing_read, word
from mailweir.empty_source import unless_empty
from mailweir.flows import PipeContext, mail_sink, mail_systems, pipes_of, source_of, transforms_of
from mailweir.ledger.opened import rows
from mailweir.pumps import tolerance_of
from mailweir.running import Asked, gates, refuse_position, since_of
from mailweir.systems_of import Systems
from mailweir.trial import Trial
from pipeline.alternatives import chosen
from pipeline.clock import MachineClock
from pipeline.config.glyphs import visible
from pipeline.config.show import render
from pipeline.errors import SourceError
from pipeline.failing import Streak
from pipeline.receipt import Outcome, Report
from pipeline.run import EVERYTHING, Failed, FlowError, Portion, StoppedError, marked, portions
from pipeline.state.facts import MessageState, outcome_of
from pipeline.state.faults import StateError
from pipeline.state.port import Look
from pipeline.state.sqlite.looking import SqliteLook
from pipeline.state.views import Filter, Usage
from sinks.dataset import DatasetSinkConfig
from sinks.dataset_write import DatasetSink
from sinks.mail.digest import Digest, gathered, place_of, together
from sources.dataset_follow import followed
from systems.mail import CarrierConfig, gate_of

if TYPE_CHECKING:
    from mailweir.cli.options import Common
    from pipeline.component import Wishes
    from pipeline.config.load import Loaded
    from pipeline.entity import Entity
    from pipeline.pipe import PipeConfig
    from sinks.mail.maker import Made, Makes

# Mails that are written to disk: enough to look at, and no disk is filled by a look.
MOST_WRITTEN: Final = 1000
MOST_LINES: Final = 10


@dataclass
class Looked:
    """What a pipe would do. `sizes` are the places in the window that each mail takes."""

    pipe: PipeConfig
    gate: str = ""
    queues: bool = False
    by_recipient: bool = False
    read: int = 0
    filtered: int = 0
    deleted: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    sizes: list[int] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    stopped: str = ""
    unread: SourceError | None = None


class Before(NamedTuple):
    """What the state knows of mails: the keys in it, but not of those that may come again."""

    state: Look | None
    again: frozenset[str]

    async def has(self, messages: Sequence[tuple[str, str]]) -> frozenset[str]:
        """Which of these keys would be skipped."""
        found = await self.state.generations(messages) if self.state is not None and messages else {}
        return frozenset(found) - self.again


@dataclass
class Shelf:
    """Where the mails are written, and what the index says of them."""

    folder: Path
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def put(self, made: Made) -> None:
        """Keep one mail."""
        if made.message is None or len(self.rows) >= MOST_WRITTEN:
            return
        name = f"{len(self.rows) + 1:04}.eml"
        with _written(self.folder):
            if not self.rows:
                # One by one: the mode is for the last of a path only, and mail is for nobody else.
                for folder in (self.folder.parent.parent, self.folder.parent, self.folder):
                    folder.mkdir(mode=0o700, exist_ok=True)
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
        some = f" The first {MOST_WRITTEN:,} mails are here." if len(self.rows) == MOST_WRITTEN else ""
        text = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Dry run</title>\n'
            "<style>body{font:15px system-ui;margin:2rem}td,th{padding:.2rem 1rem .2rem 0;text-align:left}</style>\n"
            f"<h1>Dry run</h1><p>Nothing was sent.{some}</p>\n"
            f"<table><tr><th>Mail<th>Entity<th>To<th>Subject</tr>\n{lines}"
            "</table></html>\n"
        )
        with _written(self.folder):
            page.write_text(text, encoding="utf-8")
        return page


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Say where nothing can be written."""
    try:
        yield
    except OSError as error:
        raise click.UsageError(f"cannot write mails to {folder}: {(error.strerror or str(error)).lower()}") from None


def dry_run(values: Common, loaded: Loaded, asked: Asked, limit: int | None) -> int:
    """Look at what the pipes would do; 4 if some mail would not go, else 0."""
    systems = Systems(loaded)
    pipes = pipes_of(loaded, asked.pipes)
    shelf = Shelf(Path(systems.state) / "dry-run" / time.strftime("%m%d-%H%M%S"))
    try:
        with logged(values):
            found, usages = asyncio.run(_all(pipes, systems, asked, shelf))
    except StateError as error:
        raise NotUsableError(error.text + (f"\n  help: {error.advice}" if error.advice else "")) from None
    index = shelf.index()
    windows = [_window(found, usage, limit, named=len(usages) > 1) for usage in usages]
    code = 4 if any(one.stopped or one.outcomes[Outcome.REJECTED] for one in found) else 0
    if values.json:
        values.out.document(_document(found, windows, index, code))
        return code
    out = values.out
    out.line("DRY RUN   nothing is sent, nothing is stored")
    width = max(len(one.pipe.id) for one in found)
    for one in found:
        out.line(f"  {one.pipe.id:{width}}  {_counts(one, asked)}")
        for entity, why in one.refused[:MOST_LINES]:
            out.line(visible(f"    {entity}: {why}"))
        if one.stopped and one.unread is None:
            out.fault(visible(f"error: {one.pipe.id} would stop: {one.stopped}"))
        elif one.unread is not None:
            problem, texts = one.unread.shown(one.pipe.id)
            out.fault(render([problem], texts, width=out.width(out.stderr), color=out.colors(out.stderr)).rstrip())
    for window in windows:
        out.line(window["text"])
    if index is not None:
        out.line(f"Rendered mail: {index.relative_to(loaded.root)}")
    return code


def _counts(one: Looked, asked: Asked) -> str:
    if not one.read and not one.stopped and not one.deleted:
        return nothing_read(asked)
    filtered = [f"{one.filtered:,} filtered"] if one.filtered else []
    words = [f"{count:,} would be {word(each)}" for each, count in one.outcomes.items() if count]
    deleted = [f"{one.deleted:,} would be deleted"] if one.deleted else []
    return "   ".join([f"{one.read:,} read", *filtered, *words, *deleted])


async def _all(
    pipes: list[PipeConfig], systems: Systems, asked: Asked, shelf: Shelf
) -> tuple[list[Looked], Sequence[Usage]]:
    """What the pipes would do, and how full the windows are, as far as there is a state."""
    wanted = gates(systems, mail_systems(pipes))
    state = SqliteLook.open(Path(systems.state), MachineClock())
    trial = Trial(systems.datasets)
    if state is None:
        nobody = Before(None, frozenset())
        found = [await _look(pipe, systems, asked, shelf, nobody, trial) for pipe in pipes]
        return found, [Usage(gate, limit, 0, 0, 0, limit, None, None) for gate, limit in wanted.items()]
    async with state:
        found = []
        for pipe in pipes:
            again = Filter(frozenset({MessageState.REJECTED, MessageState.DISCARDED, MessageState.HELD}), pipe.id)
            # What was held because nobody knows whether it arrived has been tried.
            names = [row.name async for row in rows(state, again) if not row.tries]
            before = Before(state, frozenset(name.partition(".")[0] for name in names))
            found.append(await _look(pipe, systems, asked, shelf, before, trial))
        return found, await state.usage(wanted) if wanted else ()


async def _look(pipe: PipeConfig, systems: Systems, asked: Asked, shelf: Shelf, before: Before, trial: Trial) -> Looked:
    looked = Looked(pipe)
    sink = mail_sink(pipe)
    if sink is None:
        return await _keep(looked, systems, asked, before, trial)
    declared = systems.config(sink.system, CarrierConfig)
    looked.gate, _ = gate_of(declared, systems.configs(CarrierConfig))
    looked.queues, looked.by_recipient = declared.on_limit == "queue", declared.count_by == "recipient"
    context = PipeContext(systems, pipe.id, None, trial)
    maker = sink.maker(context, "", asked.wishes)
    transforms = transforms_of(pipe, context)
    source = asked.source or followed(source_of(pipe, context), transforms, trial)
    digest = sink.gathers()
    waiting: list[Entity] = []
    keys: set[str] = set()
    refuse_position(pipe, source, asked)
    since = await since_of(pipe, asked, before.state)
    try:
        streak = Streak(tolerance_of(pipe).in_a_row)
        for portion in portions(source, transforms, since, asked.wanted, streak=streak):
            looked.read += portion.read
            looked.filtered += portion.filtered
            _reject(looked, portion.failed)
            if digest is None:
                await _make(looked, shelf, maker, portion.entities, before, keys, resend=asked.wishes.resend)
            else:
                waiting += await _gather(looked, portion.entities, digest, before, asked.wishes)
    except FlowError as error:
        _reject(looked, error.failed)
        looked.stopped = f"entity `{error.entity_id}`: {error.text}"
    except SourceError as error:
        looked.stopped, looked.unread = str(error), error
    if digest is not None:
        entities, wrong = together(waiting, digest)
        for entity in entities:
            for made in maker.make(entity, systems.now() / 1e9):
                _count(looked, shelf, made, len(entity["entities"]))
        looked.outcomes[Outcome.REJECTED] += len(wrong)
        looked.refused += [(str(entity.get("_id", "")), why) for entity, why in wrong[:MOST_LINES]]
    return looked


def _reject(looked: Looked, failed: Sequence[Failed]) -> None:
    """Count entities that a transform has no answer to."""
    looked.outcomes[Outcome.REJECTED] += len(failed)
    room = max(0, MOST_LINES - len(looked.refused))
    looked.refused += [(str(one.entity.get("_id", "")), one.text) for one in failed[:room]]


async def _keep(looked: Looked, systems: Systems, asked: Asked, before: Before, trial: Trial) -> Looked:
    """What would be written to a dataset; of other sinks only what is read is known."""
    pipe, report = looked.pipe, Report(looked.pipe.id)
    context = PipeContext(systems, pipe.id, None, trial)
    transforms = transforms_of(pipe, context)
    source = asked.source or followed(source_of(pipe, context), transforms, trial)
    refuse_position(pipe, source, asked)
    since = await since_of(pipe, asked, before.state)
    declared = chosen(pipe.sink) if pipe.sink is not None else DatasetSinkConfig(type="dataset")

    def counted(found: Iterator[Portion]) -> Iterator[Portion]:
        try:
            for portion in found:
                looked.read += portion.read
                looked.filtered += portion.filtered
                _reject(looked, portion.failed)
                yield portion
        except SourceError as error:
            looked.stopped, looked.unread = str(error), error

    streak = Streak(tolerance_of(pipe).in_a_row)
    found = portions(source, transforms, since, asked.wanted, tracks=True, streak=streak)
    sink = None
    if isinstance(declared, DatasetSinkConfig):
        sink = DatasetSink(pipe.id, declared.settings(pipe.id), trial, lambda: False)
    if asked.source is None and asked.wanted == EVERYTHING:
        found = unless_empty(pipe, source, found, since, lambda: "" if sink is None else sink.loses)
        found = marked(source, found, since, elsewhere=bool(asked.since))
    try:
        if sink is None:
            for _ in counted(found):
                pass
            return looked
        async for group in sink.write(counted(found)):
            report.take_all(group)
    except FlowError as error:
        _reject(looked, error.failed)
        looked.stopped = f"entity `{error.entity_id}`: {error.text}"
    except StoppedError as error:
        looked.stopped = str(error)
    looked.outcomes += report.outcomes
    looked.deleted = report.deleted
    looked.refused += [(one.entity_id, one.detail) for one in report.shown.get(Outcome.REJECTED, ())]
    return looked


async def _make(
    looked: Looked,
    shelf: Shelf,
    maker: Makes,
    entities: Sequence[Entity],
    before: Before,
    keys: set[str],
    *,
    resend: bool,
) -> None:
    """The mails of entities. `keys` are those of all mails so far."""
    at = time.time()
    mails = [maker.make(entity, at) for entity in entities]
    known = await before.has([] if resend else [(made.new.entity_id, made.new.key) for each in mails for made in each])
    for each in mails:
        if not each:
            looked.outcomes[Outcome.SKIPPED] += 1
        for made in each:
            if made.new.key in known or made.new.key in keys:
                looked.outcomes[Outcome.SKIPPED] += 1
            else:
                _count(looked, shelf, made)
            keys.add(made.new.key)


async def _gather(
    looked: Looked, entities: Sequence[Entity], digest: Digest, before: Before, wishes: Wishes
) -> list[Entity]:
    """Those that would be gathered."""
    place = place_of(looked.pipe.id, wishes.to)
    keys = [
        "" if entity.get("_deleted") is True else getattr(gathered(entity, digest, place, ""), "key", None)
        for entity in entities
    ]
    named = [(str(entity["_id"]), key) for entity, key in zip(entities, keys, strict=True) if key]
    known = await before.has([] if wishes.resend else named)
    left = [entity for entity, key in zip(entities, keys, strict=True) if key is None or (key and key not in known)]
    looked.outcomes[Outcome.SKIPPED] += len(entities) - len(left)
    return left


def _count(looked: Looked, shelf: Shelf, made: Made, entities: int = 1) -> None:
    """Count one mail, that so many entities became."""
    if made.message is not None:
        looked.outcomes[Outcome.SENT] += entities
        looked.sizes.append(len(made.new.recipients) if looked.by_recipient else 1)
        shelf.put(made)
        return
    looked.outcomes[outcome_of[made.new.state]] += entities
    if len(looked.refused) < MOST_LINES:
        looked.refused.append((made.new.entity_id, made.new.detail))


def _window(found: list[Looked], usage: Usage, limit: int | None, *, named: bool) -> dict[str, Any]:
    """Whether the mails would fit, with the limit that there is and with the one asked about."""
    mine = [one for one in found if one.gate == usage.gate]
    fits, said = _fit(mine, usage.limit - usage.used)
    begin = f"{usage.gate}: with" if named else "With"
    text = f"{begin} max_per_hour {usage.limit:,} ({usage.used:,} used now) {said}."
    if limit is not None:
        fits, said = _fit(mine, limit - usage.used)
        text += f" With {limit:,} as you asked: {said}."
    return {"system": usage.gate, "limit": usage.limit, "asked": limit, "used": usage.used, "fit": fits, "text": text}


def _fit(found: list[Looked], free: int) -> tuple[int, str]:
    """How many mails fit into so many places, and that in words."""
    many = fits = waits = 0
    for one in found:
        for size in one.sizes:
            many += 1
            if size <= free:
                fits += 1
                free -= size
            else:
                waits += one.queues
    over = many - fits - waits
    if many == fits:
        return fits, f"all {many:,} fit" if many else "there is nothing to send"
    words = [f"{waits:,} would wait"] if waits else []
    return fits, ", ".join([f"{fits:,} fit now", *words, *([f"{over:,} would be discarded"] if over else [])])


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
                "would_delete": one.deleted,
                "would": {each.value: count for each, count in one.outcomes.items() if count},
                "problems": [{"entity": entity, "message": why} for entity, why in one.refused],
                "stopped": one.stopped or None,
            }
            for one in found
        ],
        "window": windows,
        "index": None if index is None else str(index),
    }
