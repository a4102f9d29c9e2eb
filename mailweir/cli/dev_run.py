"""What `mailweir dev` does: run, watch, check, run again."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mailweir.catching import Place, catcher_near, place_of
from mailweir.cli.browser import opened
from mailweir.cli.checking import checked_alone
from mailweir.cli.lines import can_show
from mailweir.cli.loading import counted, errors, look_for_pipes
from mailweir.cli.logged import logged
from mailweir.cli.report import write
from mailweir.cli.rerun import Session, line, troubles, window
from mailweir.cli.run_report import document, exit_code
from mailweir.flows import CannotRunError, pipes_of
from mailweir.gallery import Gallery
from mailweir.running import Run
from mailweir.systems_of import NoSystemError
from pipeline.config.files import reason, shown
from pipeline.config.glyphs import visible
from pipeline.config.load import Loaded, load, project_root
from pipeline.config.lookup import SECRET_PREFIX
from pipeline.state.faults import StateError

if TYPE_CHECKING:
    from mailweir.caught import Caught
    from mailweir.cli.options import Common

STATE: Final = Path(".mailweir") / "dev"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for."""

    pipes: tuple[str, ...]
    port: int
    catch_to: str | None
    opening: bool | None


def run_dev(values: Common, wanted: Wanted) -> int:
    """Carry it out and answer the exit code."""
    place = None
    if wanted.catch_to is not None:
        try:
            place = place_of(wanted.catch_to)
        except ValueError as error:
            raise click.UsageError(f"--catch-to {wanted.catch_to!r}: {error}") from None
    dev = _Dev(values, wanted, place)
    loaded = dev.load()
    if not loaded.files:
        raise click.UsageError("no configuration in this folder (looked for *.conf.json)")
    if errors(loaded):
        dev.tell_faults(loaded)
        return 3
    _look_at(loaded, wanted.pipes)
    with logged(values, summed_up="mailweir.mail"):
        return asyncio.run(dev.go(loaded))


def _look_at(loaded: Loaded, names: tuple[str, ...]) -> None:
    """Wrong use where these pipes are not there or cannot be run."""
    look_for_pipes(loaded, names)
    try:
        pipes_of(loaded, names)
    except CannotRunError as error:
        raise click.UsageError(str(error)) from None


def _not_needed(loaded: Loaded) -> set[str]:
    """The secrets that are not set and that only systems name. The key of a signature is for the mail itself."""
    systems = {one.id for one in loaded.project.components if one.kind == "system"}
    unset = [use for use in loaded.project.uses if use.kind == "SECRET" and use.found is None]
    return {use.name for use in unset} - {use.name for use in unset if use.path[0] not in systems}


class _Dev:
    """The work on a project."""

    def __init__(self, values: Common, wanted: Wanted, place: Place | None) -> None:
        self.values = values
        self.root = project_root(values.here)
        self._wanted = wanted
        self._place = place
        self._gallery: Gallery | None = None
        self._bar = "█░" if can_show(values.out.stdout, "█░") else "#."
        self._faulty = False

    def load(self) -> Loaded:
        """The project as it is now. A secret of a system that is not set is no fault: nobody logs in to a server."""
        loaded = load(self.root, self.values.loading())
        unset = _not_needed(loaded)
        if unset:
            # Something that nobody writes, since the scrubber takes it out of everything that is shown.
            stand_in = secrets.token_hex(16)
            environ = {**os.environ, **{f"{SECRET_PREFIX}{name}": stand_in for name in unset}}
            loaded = load(self.root, self.values.loading(environ=environ))
        self.values.out.scrubber = loaded.project.scrubber
        return loaded

    def tell_faults(self, loaded: Loaded) -> None:
        """As `check` does."""
        write(checked_alone(loaded), "json" if self.values.json else "full", self.values.out, many=True)

    async def go(self, loaded: Loaded) -> int:
        """Until a signal comes, or nobody reads any more."""
        out = self.values.out
        async with AsyncExitStack() as stack:
            place = self._place or await self._catching(stack)
            session = Session(place, self.root / STATE, self._gallery)
            session.listen()
            changes = await stack.enter_async_context(session.changes(self.root))
            self._say_where(place, loaded)
            await self._run(session, loaded)
            if self._gallery is not None:
                opened(self.values, self._gallery.index, wanted=self._wanted.opening)
            while not session.stopped.is_set() and not out.gone:
                names = await changes.get()
                if names is None:
                    break
                self._line(f"changed {', '.join(names)}")
                again = self.load()
                if errors(again):
                    self._faulty = True
                    self.tell_faults(again)
                    out.say("(nothing was run: the mail of the last good configuration stays)")
                    continue
                if self._faulty:
                    self._faulty = False
                    self._line("config ok again")
                await self._run(session, again)
            if session.blind:
                out.fault(f"error: the files cannot be watched: {session.blind}")
                return 3
        return 0

    async def _catching(self, stack: AsyncExitStack) -> Place:
        """A catcher of our own. Two of them in one project have two ports, and two folders."""
        galleries: list[Gallery] = []

        def keep(mail: Caught) -> None:
            galleries[0].keep(mail)

        try:
            catcher = await catcher_near(stack, self._wanted.port, keep)
            self._gallery = Gallery(self.root / STATE / str(catcher.port))
            self._gallery.begin()
        except OSError as error:
            what = f"write {error.filename}" if error.filename else f"listen on port {self._wanted.port}"
            raise click.UsageError(f"cannot {what}: {reason(error)}") from None
        galleries.append(self._gallery)
        return Place("127.0.0.1", catcher.port)

    def _say_where(self, place: Place, loaded: Loaded) -> None:
        out = self.values.out
        whose = "the local catcher" if self._gallery is not None else f"the catcher at {place}"
        out.say(f"Mail goes to  {whose}; nothing leaves this machine   profile {loaded.profile}")
        taken = self._gallery is not None and self._wanted.port not in {0, place.port}
        out.say(f"SMTP          {place}" + (f" ({self._wanted.port} is taken)" if taken else ""))
        if self._gallery is not None:
            out.say(f"Mail          {shown(self._gallery.index, self.values.here)}")
        out.say(f"Watching      {counted(len(loaded.files) + len(loaded.others), 'file')}. Stop: Ctrl-C")
        out.say("")

    async def _run(self, session: Session, loaded: Loaded) -> None:
        """Run, and tell. What stands in the way of a run may be gone after the next change."""
        out = self.values.out
        try:
            run = await session.once(loaded, self._wanted.pipes)
        except (CannotRunError, NoSystemError, StateError, OSError) as error:
            out.fault(visible(f"error: {error}"))
            return
        if self.values.json:
            self._record(loaded, run)
            return
        width = max((len(report.pipe) for report in run.done.reports), default=0)
        for report in run.done.reports:
            self._line(f"{report.pipe:{width}}  {line(report)}")
            for text in troubles(report):
                out.line(f"            {text}")
        for usage in run.done.usage:
            if usage.free == 0:
                out.line(f"            {window(usage, self._bar)}")
        for name, trouble in run.done.troubles.items():
            out.fault(visible(f"error: {name}: {trouble.fault.text}"))

    def _record(self, loaded: Loaded, run: Run) -> None:
        index = None if self._gallery is None else str(self._gallery.index)
        caught = None if self._gallery is None else self._gallery.count
        delivery = {"mode": "catch", "index": index, "caught": caught}
        code = exit_code(run.done, fail_on_discard=False)
        self.values.out.record(document(loaded, run, code) | {"command": "dev", "delivery": delivery})

    def _line(self, text: str) -> None:
        if not self.values.json:
            self.values.out.line(visible(f"{datetime.now().astimezone():%H:%M:%S}  {text}"))
        else:
            self.values.out.say(visible(text))
