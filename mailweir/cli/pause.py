"""`mailweir pause` and `mailweir resume`: keep pipes and systems from running, and let them again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mailweir.cli.asking import seconds_of
from mailweir.cli.group import meant
from mailweir.cli.ledgers import Ledger, ledger_of, now, zone
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.serving.pauses import What


@click.command(
    "pause",
    epilog="""\b
Examples:
  mailweir pause welcome-mail --reason "the template is wrong"
  mailweir pause our-smtp-server --reason "the provider moves" --for 2h""",
)
@click.argument("name", metavar="PIPE|SYSTEM")
@click.option("--reason", metavar="TEXT", help="Why. It is shown to everyone until it is resumed.")
@click.option("--for", "span", metavar="SPAN", help="It goes on by itself after 2h, 30min, 1d.")
@common
def pause_command(values: Common, name: str, *, reason: str | None, span: str | None) -> int:
    """Begin no run of PIPE, or of any pipe that mails through SYSTEM, until it is resumed; also over restarts.

    A run that goes on comes to its end. Mail of a paused pipe that is in the outbox already goes with that of other
    pipes of its system: pause the system to keep it there. Entities stay in the source.
    """
    from mailweir.serving.pauses import Pause, name_of, text_of
    from mailweir.shown import time_of

    if not reason or not reason.strip():
        why = f'a reason is needed: mailweir pause {name} --reason "…"  (it is shown to everyone until resume)'
        raise click.UsageError(why)
    ledger = ledger_of(values, "pause")
    what = _known(ledger, name)
    at = now()
    until = None if span is None else at + seconds_of("--for", span)
    pause = Pause(_who(), at, reason.strip(), until)
    _note(ledger, name_of(what, name), text_of(pause))
    ledger.document(kind=what, id=name, reason=pause.reason, until=until)
    if not values.json:
        end = "" if until is None else f" until {time_of(until, at, zone())}"
        values.out.line(f"{what} {name} is paused{end}")
    return 0


@click.command(
    "resume",
    epilog="""\b
Examples:
  mailweir resume welcome-mail""",
)
@click.argument("name", metavar="PIPE|SYSTEM")
@common
def resume_command(values: Common, name: str) -> int:
    """Let PIPE, or the pipes that mail through SYSTEM, run again. What was missed is made up for with one run."""
    from mailweir.serving.pauses import PAUSES, name_of, pauses_of

    ledger = ledger_of(values, "resume")
    what = _known(ledger, name)
    held = ledger.look(lambda state: state.notes(PAUSES)) or {}
    before = pauses_of(held, now()).get((what, name))
    if name_of(what, name) in held:
        _note(ledger, name_of(what, name), "")
    ledger.document(kind=what, id=name, was_paused=before is not None)
    if not values.json:
        values.out.line(f"{what} {name} {'runs again' if before else 'was not paused'}")
    return 0


def _known(ledger: Ledger, name: str) -> What:
    """What the name is of."""
    kinds = {one.id: one.kind for one in ledger.loaded.project.components if one.kind in {"pipe", "system"}}
    if name not in kinds:
        raise click.UsageError(f"no pipe or system '{name}'.{meant(name, list(kinds))}")
    return "system" if kinds[name] == "system" else "pipe"


def _who() -> str:
    """Who asks, as the machine knows them."""
    import getpass

    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _note(ledger: Ledger, name: str, text: str) -> None:
    """Put it on record; the state is made if there is none yet."""
    import asyncio

    from mailweir.cli.queues import NotUsableError
    from pipeline.clock import MachineClock
    from pipeline.state.facts import Batch
    from pipeline.state.faults import StateError
    from pipeline.state.sqlite.store import SqliteState
    from sinks.mail import outbound

    async def noting() -> None:
        async with SqliteState.open(ledger.folder, MachineClock(), outbound.stranded) as state:
            await state.admit(Batch(notes={name: text}))

    try:
        asyncio.run(noting())
    except StateError as error:
        raise NotUsableError(error.text + (f"\n  help: {error.advice}" if error.advice else "")) from None
