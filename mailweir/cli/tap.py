"""`mailweir tap`: entities as they pass through a pipe."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailweir.cli.asking import seconds_of
from mailweir.cli.group import meant
from mailweir.cli.ledgers import ledger_of
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.serving.taps import Stage

_STAGES = ("source", "sink")


@click.command(
    "tap",
    epilog="""\b
Examples:
  mailweir tap welcome-mail                      what reaches its sink, a line of JSON each
  mailweir tap welcome-mail@source --limit 3     as its source gives it
  mailweir tap customers --where 'email ends "@example.com"' --no-mask
  mailweir tap customers --limit 20 --save testdata/customers.json""",
)
@click.argument("name", metavar="PIPE[@STAGE]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End after N entities.")
@click.option("--duration", metavar="SPAN", help="End after 30s, 5min, 1h.")
@click.option("--where", metavar="CONDITION", help="Only entities that are so: 'email ends \"@example.com\"'.")
@click.option("--mask/--no-mask", default=True, show_default=True, help="Shorten addresses: k…@example.com.")
@click.option("--save", metavar="FILE", help="Write them as test data, too, with user1@example.com for addresses.")
@common
def tap_command(
    values: Common,
    name: str,
    *,
    limit: int | None,
    duration: str | None,
    where: str | None,
    mask: bool,
    save: str | None,
) -> int:
    """Show entities while they pass through PIPE, to its sink or (PIPE@source) from its source, until Ctrl-C.

    It sees the runs of services and of `mailweir run`. Who cannot keep up misses some, and is told how many.
    """
    from mailweir.serving.presence import found
    from mailweir.serving.taps import Tap
    from mailweir.tapping import masked, pretended

    wanted = _condition(where)
    end = None if duration is None else time.monotonic() + seconds_of("--duration", duration)
    ledger = ledger_of(values, "tap")
    pipe, stage = _place(name, [one.id for one in ledger.loaded.project.components if one.kind == "pipe"])
    target = None if save is None else _target(values.here / save)
    kept: list[Any] = []
    count = missed = 0
    out = values.out
    try:
        with Tap(ledger.folder, pipe, stage) as tap:
            runs = any(one.alive for one in found(ledger.folder))
            out.say(f"Waiting for entities of {pipe}{'' if runs else ' (no service runs here)'}. Stop: Ctrl-C")
            while not out.gone and (limit is None or count < limit) and (end is None or time.monotonic() < end):
                seen = tap.wait(0.25)
                if seen is None:
                    continue
                missed += seen.missed
                for entity in seen.entities:
                    if wanted(entity) and (limit is None or count < limit):
                        count += 1
                        out.record(masked(entity) if mask else entity)
                        if target is not None:
                            kept.append(entity)
    except KeyboardInterrupt:
        pass
    if target is not None:
        replaced = 0
        if mask:
            kept, replaced = pretended(kept)
        target.write_text(json.dumps(kept, ensure_ascii=False, indent=2) + "\n", "utf-8")
        out.say(f"{count} written to {save}")
        if replaced:
            out.say(f"{replaced} addresses are user1@example.com and so on there; --no-mask keeps those that came")
    if missed:
        out.fault(f"warning: {missed:,} more passed than could be shown")
    return 0


def _condition(text: str | None) -> Callable[[Any], bool]:
    from mailweir.tapping import condition

    if text is None:
        return lambda _: True
    try:
        return condition(text)
    except ValueError as error:
        raise click.UsageError(f"--where: {error}") from None


def _place(name: str, pipes: list[str]) -> tuple[str, Stage]:
    pipe, at, stage = name.partition("@")
    if pipe not in pipes:
        raise click.UsageError(f"no pipe '{pipe}'.{meant(pipe, pipes)}")
    if at and stage not in _STAGES:
        raise click.UsageError(f"no stage '{stage}'.{meant(stage, _STAGES)}  (source sink)")
    return pipe, "source" if stage == "source" else "sink"


def _target(path: Path) -> Path:
    """The file to write at the end; that it can be is known before."""
    try:
        with path.open("a"):
            return path
    except OSError as error:
        raise click.UsageError(f"--save: cannot write '{path}': {(error.strerror or str(error)).lower()}") from None
