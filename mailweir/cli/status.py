"""`mailweir status` and `mailweir health`: how the service is, from what it wrote down."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from mailweir.cli.ledgers import Ledger, ledger_of, now, zone
from mailweir.cli.lines import table
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.serving.overview import Overview

# Between two looks of `--watch`.
_EVERY: Final = 2.0
_CLEAR: Final = "\x1b[H\x1b[2J"


class NotServedError(click.ClickException):
    """No service runs here."""

    exit_code = 7


@click.command(
    "status",
    epilog="""\b
Examples:
  mailweir status                what runs, what came of it, what is next
  mailweir status --watch        again and again, until Ctrl-C
  mailweir status --offline      what is on record, also where no service runs
  mailweir status --json         for a program""",
)
@click.option("--watch", is_flag=True, help="Show it again every two seconds.")
@click.option("--offline", is_flag=True, help="Show what is on record, whether or not a service runs.")
@common
def status_command(values: Common, *, watch: bool, offline: bool) -> int:
    """Show the service, its pipes with their last and next runs, the outbox and the windows. Changes nothing.

    Exits with 0 when all is well; 1 when something is dead, in doubt, late or failed; 7 when no service runs.
    """
    if watch and values.json:
        raise click.UsageError("`--watch` shows it to people, `--json` tells it to a program: ask for one")
    ledger = ledger_of(values, "status")
    while True:
        overview = _overview(ledger)
        if not overview.alive and not offline:
            _refuse(overview)
        if watch and values.out.stdout.isatty():
            values.out.data(_CLEAR.encode())
        code = _show(ledger, overview)
        if not watch or values.out.gone:
            return code
        time.sleep(_EVERY)


def _refuse(overview: Overview) -> None:
    from mailweir.serving.overview import last_seen

    raise NotServedError(
        f"no service runs here ({last_seen(overview, zone())})\n"
        "  help: start it (`mailweir serve`), or read what is on record: `mailweir status --offline`"
    )


def _show(ledger: Ledger, overview: Overview) -> int:
    from mailweir.serving.overview import PIPES, facts, heads, pipe_row, tail

    worries = overview.worries()
    code = 1 if worries else 0
    ledger.document(code, **facts(overview))
    if ledger.values.json:
        return code
    out, here = ledger.values.out, zone()
    for line in heads(overview, here) or ["no service runs here: this is what is on record"]:
        out.line(line)
    for line in _doors(ledger, overview):
        out.line(line)
    if overview.pipes:
        for line in table([PIPES, *(pipe_row(overview, pipe, here) for pipe in overview.pipes)]):
            out.line(line)
    for line in tail(overview):
        out.line(line)
    for line in worries:
        out.say(f"warning: {line}")
    return code


def _doors(ledger: Ledger, overview: Overview) -> list[str]:
    """Where the pages of the services are. Only a terminal is told what opens them: others may keep what they read."""
    from mailweir.web.keys import address, found

    urls = [str(one.facts["url"]) for one in overview.alive if one.facts.get("url")]
    token = found(ledger.folder) if ledger.values.out.stdout.isatty() else None
    return [f"Pages {url if token is None else address(url, token, overview.now)}" for url in urls]


def _overview(ledger: Ledger) -> Overview:
    from mailweir.serving.gathering import gathered, modes_of
    from mailweir.serving.overview import Overview
    from mailweir.serving.presence import found

    pipes = modes_of(ledger.loaded)
    overview = ledger.look(lambda look: gathered(look, ledger.folder, pipes, now()))
    return overview or Overview(now(), found(ledger.folder), pipes)


@click.command(
    "health",
    epilog="""\b
Examples:
  mailweir health                whether the service lives
  mailweir health --ready        whether it runs pipes, too""",
)
@click.option("--ready", is_flag=True, help="Whether it can do its work, not only whether it lives.")
@common
def health_command(values: Common, *, ready: bool) -> int:
    """Say whether a service of this project lives, for the health checks of containers. Reads files only.

    A faulty configuration that is not served leaves it ready: the last good one goes on. Exits with 0 or 7.
    """
    from mailweir.serving.overview import SILENT

    ledger = ledger_of(values, "health")
    overview = _overview(ledger)
    living = [one.facts for one in overview.alive if overview.now - float(one.facts.get("beat", 0)) <= SILENT]
    if not living:
        why = f"it has not been heard of for {SILENT:g} s" if overview.alive else "no service runs here"
    elif ready:
        troubles = [_unready(one) for one in living]
        why = "" if "" in troubles else troubles[0]
    else:
        why = ""
    told = [str(one["config"]["problem"]) for one in living if one.get("config", {}).get("problem")]
    ledger.document(7 if why else 0, ready=not why, reason=why or None, config=told[:1])
    if why:
        raise NotServedError(f"not {'ready' if ready else 'alive'}: {why}")
    if not values.json:
        values.out.line("ready" if ready else "alive")
        for text in told[:1]:
            values.out.say(f"warning: the files are not what is served: {text}")
    return 0


def _unready(facts: object) -> str:
    """Why a service that lives cannot do its work."""
    assert isinstance(facts, dict)  # noqa: S101 - `found` gives nothing else
    if facts.get("stopping"):
        return "it is stopping"
    return f"the state cannot be used: {facts['state']}" if facts.get("state") else ""
