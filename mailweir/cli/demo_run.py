"""What `mailweir demo` does: makes a project, runs it against a catcher, and shows what became of everything."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailweir.catching import Place, catcher_near
from mailweir.cli.browser import opened
from mailweir.cli.checking import checked_alone
from mailweir.cli.init import add, make, project_files, projects, refuse_what_is_there
from mailweir.cli.lines import can_show
from mailweir.cli.loading import counted, errors
from mailweir.cli.logged import logged
from mailweir.cli.report import write
from mailweir.cli.rerun import Session, line, troubles, window
from mailweir.cli.run_report import document, exit_code
from mailweir.flows import CannotRunError
from mailweir.gallery import Gallery
from mailweir.running import Run
from mailweir.systems_of import NoSystemError
from pipeline.config.files import reason
from pipeline.config.glyphs import columns, visible
from pipeline.config.load import Loaded, Options, load
from pipeline.receipt import Outcome, Report
from pipeline.state.faults import StateError

if TYPE_CHECKING:
    from mailweir.catcher import Catcher
    from mailweir.caught import Caught
    from mailweir.cli.options import Common

PIPE: Final = "pipes/welcome-mail.conf.json"
SYSTEM: Final = "systems/our-smtp-server.conf.json"
MAX_PER_HOUR: Final = 10
# With them twelve customers have an address.
_more: Final = (
    "Nora Berg",
    "Emil Hansen",
    "Ingrid Sand",
    "Jonas Lund",
    "Sofie Vik",
    "Henrik Dahl",
    "Maja Strand",
    "Oskar Holm",
    "Thea Bakke",
    "Lukas Eide",
)
_signs: Final = ("─▶", "✉", "█░", "●", "▨")
_plain: Final = ("->", "mail", "#.", "*", "x")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for."""

    limit: bool
    keep: Path | None
    port: int
    opening: bool | None
    stays: bool


def run_demo(values: Common, wanted: Wanted) -> int:
    """Carry it out and answer the exit code."""
    root = _made(values, wanted)
    demo = _Demo(values, wanted, root)
    try:
        with logged(values, summed_up="mailweir.mail"):
            code = asyncio.run(demo.go())
    except (CannotRunError, NoSystemError, StateError) as error:
        values.out.fault(f"error: {error}")
        code = 3
    if wanted.stays and wanted.keep is None:
        _leave(demo)
    return code


def _made(values: Common, wanted: Wanted) -> Path:
    """A new project."""
    files = project_files(projects() / "demo")
    if wanted.limit:
        files = crowded(files)
    if wanted.keep is not None:
        target = Path(os.path.normpath(values.here / wanted.keep))
        refuse_what_is_there(target, f"{wanted.keep}/", advice="choose another folder")
        try:
            add(target, files) if target.is_dir() else make(target, files)
        except OSError as error:
            raise click.UsageError(f"cannot write {wanted.keep}: {reason(error)}. Nothing was written.") from None
        return target
    try:
        root = Path(tempfile.mkdtemp(prefix="mailweir-demo-"))
        add(root, files)
    except OSError as error:
        raise click.UsageError(
            f"cannot write a temporary folder: {reason(error)}\n  help: name a folder: mailweir demo --keep my-demo"
        ) from None
    return root


def crowded(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The project with more customers than its server takes in an hour."""
    pipe, system = json.loads(files[PIPE]), json.loads(files[SYSTEM])
    entities = pipe["source"]["entities"]
    for number, name in enumerate(_more, len(entities) + 1):
        email = f"{name.partition(' ')[0].lower()}@example.com"
        entities.append({"_id": f"c{number}", "name": name, "email": email, "joined": "2026-01-04", "gift": 100})
    system["max_per_hour"] = MAX_PER_HOUR
    texts = {PIPE: pipe, SYSTEM: system}
    changed = {name: f"{json.dumps(text, indent=2, ensure_ascii=False)}\n".encode() for name, text in texts.items()}
    return {**files, **changed}


def _leave(demo: _Demo) -> None:
    """Remove the temporary project, unless somebody has worked in it."""
    if demo.changed:
        demo.tell(f"\nYour changes are in {demo.root}")
    else:
        shutil.rmtree(demo.root, ignore_errors=True)


class _Demo:
    """The demo while it goes on."""

    def __init__(self, values: Common, wanted: Wanted, root: Path) -> None:
        self.values = values
        self.root = root
        self.changed = False
        self._wanted = wanted
        self._gallery = Gallery(root / "caught")
        shown = can_show(values.out.stdout, "".join(_signs))
        self._arrow, self._mail, self._bar, self._sent, self._gone = _signs if shown else _plain
        self._result: dict[str, Any] = {}

    def tell(self, text: str = "") -> None:
        """A line; where a document was asked for, beside it."""
        (self.values.out.say if self.values.json else self.values.out.line)(text)

    async def go(self) -> int:
        """All of it."""
        async with AsyncExitStack() as stack:
            catcher = await self._catching(stack)
            session = Session(Place("127.0.0.1", catcher.port), self.root / ".mailweir" / "demo", self._gallery)
            session.listen()
            if not self._wanted.stays:
                return await self._first(session, catcher)
            changes = await stack.enter_async_context(session.changes(self.root))
            code = await self._first(session, catcher)
            while not session.stopped.is_set() and not self.values.out.gone:
                names = await changes.get()
                if names is None:
                    break
                self.changed = True
                await self._again(session, names)
            if session.blind:
                self.values.out.fault(f"error: the files cannot be watched: {session.blind}")
        return code

    async def _catching(self, stack: AsyncExitStack) -> Catcher:
        try:
            return await catcher_near(stack, self._wanted.port, self._gallery.keep)
        except OSError as error:
            raise click.UsageError(f"cannot listen on port {self._wanted.port}: {reason(error)}") from None

    def _load(self) -> Loaded:
        """The project, by itself: what is set on this machine has no say in it."""
        nowhere = self.root / ".mailweir" / "no-secrets"
        loaded = load(self.root, Options(environ={}, here=self.root, run_secrets=nowhere))
        self.values.out.scrubber = loaded.project.scrubber
        return loaded

    async def _first(self, session: Session, catcher: Catcher) -> int:
        loaded = self._load()
        people = "13 customers" if self._wanted.limit else "3 customers"
        taken = catcher.port != self._wanted.port and self._wanted.port
        self.tell("Mail goes to  the local catcher; nothing leaves this machine")
        self.tell()
        steps = [
            (f"made a project with {people}", str(self.root)),
            (
                "started a mail catcher",
                f"smtp 127.0.0.1:{catcher.port}" + (f" ({self._wanted.port} is taken)" if taken else ""),
            ),
        ]
        ran = f"ran   customers {self._arrow} welcome-mail {self._arrow} {self._mail}"
        width = columns(ran) + 4
        for number, (what, where) in enumerate(steps, 1):
            self.tell(_step(number, what, where, width))
        run = await session.once(loaded)
        if run.done.stopped:
            return 130
        (report,) = run.done.reports
        self.tell(_step(3, ran, _outcome(report), width))
        self._show_window(run)
        mail = self._gallery.first
        if mail is None:
            self.values.out.fault(f"error: no mail was caught: {'; '.join(troubles(report)) or 'nothing was sent'}")
            return 4
        page = self._gallery.index if self._wanted.limit else self._gallery.path(1)
        seen = opened(self.values, page, wanted=self._wanted.opening)
        place = page.as_uri()
        self.tell(_step(4, f"{'opened' if seen else 'look at'} {place}", visible(mail.subject), width))
        self._show_text(mail)
        self._say_what_next()
        code = 0 if exit_code(run.done, fail_on_discard=False) in {0, 4} and not run.done.troubles else 4
        if self.values.json:
            self.values.out.document(self._document(loaded, run, catcher, code))
        return code

    def _show_window(self, run: Run) -> None:
        """What filled, and what came too late for it."""
        (report,) = run.done.reports
        if not self._wanted.limit:
            return
        self.tell()
        for usage in run.done.usage:
            self.tell(f"     {window(usage, self._bar)}")
        for receipt in report.shown.get(Outcome.DISCARDED, ()):
            self.tell(visible(f"     {self._gone} discarded   {receipt.entity_id}   the window was full"))
        self.tell()

    def _show_text(self, mail: Caught) -> None:
        self.tell()
        self.tell(visible(f"     {self._mail}  to {', '.join(mail.recipients)}: {mail.subject}"))
        self.tell()
        for text in (mail.text or "").rstrip("\n").split("\n"):
            self.tell(visible(f"     {text}").rstrip())
        self.tell()

    def _say_what_next(self) -> None:
        command = "mailweir init my-mail --from-demo"
        if self._wanted.stays:
            self.tell("Change a text in templates/ or pipes/welcome-mail.conf.json, save, and reload the page.")
            self.tell(f"Keep it:  {command}     Stop: Ctrl-C")
            return
        self.tell(f"All mail:  {self._gallery.index}")
        if self._wanted.keep is None:
            self.tell(f"Keep it:   {command}")
        else:
            there = "" if self.root == self.values.here else f"cd {shlex.quote(str(self._wanted.keep))} && "
            self.tell(f"Go on:     {there}mailweir dev")

    async def _again(self, session: Session, names: list[str]) -> None:
        """After a change. A configuration that is faulty runs nothing, and the next change may repair it."""
        self.tell(visible(f"\nchanged {', '.join(names)}"))
        loaded = self._load()
        if errors(loaded):
            write(checked_alone(loaded), "full", self.values.out)
            return
        try:
            run = await session.once(loaded)
        except (CannotRunError, NoSystemError, StateError, OSError) as error:
            self.values.out.fault(f"error: {error}")
            return
        for report in run.done.reports:
            self.tell(f"  ran   {report.pipe}   {_outcome(report)}")
            for text in troubles(report):
                self.tell(f"        {text}")
        first = self._gallery.first
        if first is not None:
            self.tell(visible(f"  caught {counted(self._gallery.count, 'mail')}, the first: {first.subject}"))

    def _document(self, loaded: Loaded, run: Run, catcher: Catcher, code: int) -> dict[str, Any]:
        first = self._gallery.first
        return document(loaded, run, code) | {
            "command": "demo",
            "delivery": {"mode": "catch", "smtp": f"127.0.0.1:{catcher.port}"},
            "project": str(self.root),
            "index": str(self._gallery.index),
            "caught": self._gallery.count,
            "first": None if first is None else first.document(),
        }


def _step(number: int, what: str, where: str, width: int) -> str:
    return f"  {number}  {what}{' ' * max(3, width - columns(what))}{where}"


def _outcome(report: Report) -> str:
    """What became of everything, with the reason that the demo has on purpose beside what it rejects."""
    text = line(report, ", ")
    rejected = report.shown.get(Outcome.REJECTED, [])
    if rejected and all(one.detail.startswith("E502") for one in rejected):
        return text.replace(" rejected", " rejected (no address)")
    return text
