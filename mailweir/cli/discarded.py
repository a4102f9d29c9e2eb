"""`mailweir discarded`: the mail that a limit threw away, and the entities it was made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from mailweir.cli.asking import seconds_of
from mailweir.cli.ledgers import NOTHING, filtered, first, is_alone, ledger_of, more, now, zone
from mailweir.cli.lines import table
from mailweir.cli.loading import counted
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from pipeline.state.port import Look
    from pipeline.state.views import Filter, Row

# Rows of a list for people.
SHOWN: Final = 100
_last = click.option("--last", metavar="SPAN", help="Only what was discarded in the last 1h, 30min, 7d.")


def _listing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of the list."""
    for option in (
        click.option("--full", is_flag=True, help="Addresses in full."),
        click.option("--csv", "as_csv", is_flag=True, help="For a spreadsheet."),
        click.option(
            "--limit",
            type=click.IntRange(min=0),
            metavar="N",
            help="The newest N; 0 for all. [default: 100; --csv: all]",
        ),
        _last,
        filtered,
    ):
        function = option(function)
    return function


@click.group(
    "discarded",
    invoke_without_command=True,
    epilog="""\b
Examples:
  mailweir discarded --last 1h                   what the last hour's limit threw away
  mailweir discarded --run 7f3a --csv            of one run, for a spreadsheet
  mailweir discarded send --run 7f3a             send it after all
  mailweir discarded export --pipe digest        the entities, a line of JSON each""",
)
@_listing
@common
def discarded_command(values: Common, **options: Any) -> int | None:  # noqa: ANN401 - click's own types
    """Show the mail that `max_per_hour` discarded; alone it lists. Of such mail the entity is kept, not the content."""
    return _list(values, **options) if is_alone(options) else None


@discarded_command.command(
    "list",
    epilog="""\b
Examples:
  mailweir discarded list --last 1h              the newest first
  mailweir discarded list --pipe digest --full   addresses in full
  mailweir discarded list --limit 0 --json       everything, for a program""",
)
@_listing
@common
def list_command(values: Common, **options: Any) -> int:  # noqa: ANN401 - click's own types
    """List what was discarded: when, whose mail it was, how full the window was. Changes nothing."""
    return _list(values, **options)


def _list(
    values: Common,
    *,
    limit: int | None,
    as_csv: bool,
    full: bool,
    **chosen: Any,  # noqa: ANN401 - as above
) -> int:
    from mailweir.ledger.rows import DISCARDED, discarded, facts

    if as_csv and values.json:
        raise click.UsageError("`--csv` and `--json` are two formats: ask for one")
    if limit is None:
        # Nobody looks for the end of a file that lists what was lost.
        limit = 0 if as_csv else SHOWN
    wanted = _wanted(**chosen)
    ledger = ledger_of(values, "discarded", "list")
    looked = ledger.look(partial(first, wanted=wanted, most=limit))
    found, total = looked or ([], 0)
    ledger.document(messages=[facts(one, full=full) for one in found], total=total)
    if values.json:
        return 0
    if as_csv:
        _spreadsheet(values, found, full=full)
    elif found:
        at, here = now(), zone()
        for line in table([DISCARDED, *(discarded(one, at, here, full=full) for one in found)]):
            values.out.line(line)
    if left := more(found, total):
        values.out.say(left)
    if not as_csv:
        values.out.say(NOTHING if looked is None else f"{counted(total, 'message')} discarded")
    return 0


def _wanted(*, pipe: str, system: str, run: str, entity: str, last: str | None) -> Filter:
    from mailweir.ledger.rows import states_of
    from pipeline.state.views import Filter

    since = None if last is None else now() - seconds_of("--last", last)
    return Filter(states_of(["discarded"]), pipe, system, run, entity, changed_from=since)


def _spreadsheet(values: Common, found: Sequence[Row], *, full: bool) -> None:
    import csv
    from io import StringIO

    from mailweir.ledger.rows import COLUMNS, columns
    from pipeline.config.glyphs import visible

    for cells in (COLUMNS, *(columns(one, full=full) for one in found)):
        line = StringIO()
        csv.writer(line, lineterminator="").writerow([visible(cell) for cell in cells])
        values.out.line(line.getvalue())


@discarded_command.command(
    "send",
    epilog="""\b
Examples:
  mailweir discarded send --run 7f3a1c20         what a run discarded, as far as there are places now
  mailweir discarded send --pipe digest --limit 10 --yes""",
)
@filtered
@_last
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The oldest N at most.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def send_command(values: Common, *, limit: int | None, yes: bool, **chosen: Any) -> int:  # noqa: ANN401 - as above
    """Send discarded mail after all: the oldest first, and no more than there are places for now.

    It is composed anew from the entities that were kept. What would be other mail today is left alone. Exit codes as
    of `mailweir run`.
    """
    from mailweir.cli.discarded_send import send
    from mailweir.ledger.opened import rows

    wanted = _wanted(**chosen)
    ledger = ledger_of(values, "discarded", "send", take_secrets=True)

    async def looking(state: Look) -> list[Row]:
        return sorted([one async for one in rows(state, wanted)], key=lambda one: one.id)

    return send(ledger, (ledger.look(looking) or [])[:limit], ask=not yes)


@discarded_command.command(
    "export",
    epilog="""\b
Examples:
  mailweir discarded export --pipe digest > digest.jsonl
  mailweir discarded export --last 1h | wc -l""",
)
@filtered
@_last
@common
def export_command(values: Common, **chosen: Any) -> int:  # noqa: ANN401 - click's own types
    """Write the entities of discarded mail, a line of JSON each, the oldest first. Changes nothing."""
    from mailweir.ledger.opened import rows

    wanted = _wanted(**chosen)
    ledger = ledger_of(values, "discarded", "export")
    written = 0

    async def looking(state: Look) -> None:
        nonlocal written
        for number in sorted([one.id async for one in rows(state, wanted)]):
            detail = await state.message(number)
            if detail is not None and detail.entity:
                values.out.record(json.loads(detail.entity))
                written += 1
            if values.out.gone:
                return

    ledger.look(looking)
    if not values.out.gone:
        values.out.say(f"{written} {'entity' if written == 1 else 'entities'} written")
    return 0
