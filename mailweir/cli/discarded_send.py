"""Discarded mail is sent after all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mailweir.cli.loading import counted, errors
from mailweir.cli.run import MOST_UNASKED, carried_out
from mailweir.destination import is_real
from mailweir.flows import CannotRunError
from mailweir.resending import Kept, Plan, plan
from mailweir.running import Asked, Run
from mailweir.systems_of import NoSystemError

if TYPE_CHECKING:
    from mailweir.cli.ledgers import Ledger
    from pipeline.state.views import Row


def send(ledger: Ledger, rows: Sequence[Row], *, ask: bool) -> int:
    """Send what can go now, and tell what cannot. The exit code."""
    values, loaded = ledger.values, ledger.loaded
    pipes = sorted({row.pipe for row in rows})
    if not pipes:
        return _nothing(ledger, Plan())
    if len(pipes) > 1:
        raise click.UsageError(f"this is mail of {len(pipes)} pipes: choose one with --pipe  ({' '.join(pipes)})")
    if faults := errors(loaded):
        values.out.fault(f"error: the configuration has {counted(len(faults), 'error')}. See: mailweir check")
        return 3
    (pipe,) = pipes
    if pipe not in {one.id for one in loaded.project.components if one.kind == "pipe"}:
        raise click.UsageError(f"there is no pipe '{pipe}' any more\n  help: mailweir discarded export --pipe {pipe}")
    try:
        found = plan(loaded, ledger.folder, pipe, rows)
        _tell(ledger, found)
        if not found.mails:
            return _nothing(ledger, found)
        run = Run(loaded, Asked((pipe,), source=Kept(ledger.folder, found.ids), shaped=True))
        asks = ask and found.mails > MOST_UNASKED and values.asks and not values.json and is_real(loaded, run)
        if asks and not click.confirm(f"{found.mails:,} mails. Send?", default=False, err=True):
            values.out.say("Nothing was sent")
            return 0
        return carried_out(
            values, loaded, run, "auto", ask=False, verb={"command": ledger.command, "verb": ledger.verb}
        )
    except CannotRunError as error:
        raise click.UsageError(str(error)) from None
    except NoSystemError as error:
        values.out.fault(f"error: {error}")
        return 3


def _nothing(ledger: Ledger, found: Plan) -> int:
    ledger.document(sent=0, changed=found.changed, waiting=found.waiting)
    if not ledger.values.json:
        ledger.values.out.say("nothing to send")
    return 0


def _tell(ledger: Ledger, found: Plan) -> None:
    """What stays discarded, and why."""
    if found.waiting:
        none = f"{counted(found.waiting, 'message')} without a place in this hour: mailweir limits"
        ledger.values.out.say(f"note: {none}")
    if found.changed:
        other = f"{counted(found.changed, 'message')} would be other mail now, with other recipients, and not sent"
        ledger.values.out.say(f"note: {other}")
