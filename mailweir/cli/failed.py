"""`mailweir failed`: entities that did not get through a pipe, and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from mailweir.cli.asking import confirm
from mailweir.cli.ledgers import Ledger, is_alone, ledger_of, now, zone
from mailweir.cli.lines import table
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from pipeline.state.failures import Chosen, Kept
    from pipeline.state.port import Look, State

_HEAD: Final = ("NUMBER", "PIPE", "ENTITY", "STATE", "TRIES", "LAST", "WHY")
_PAGE: Final = 500


def _choosing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that narrow what a verb is about."""
    for option in (
        click.option(
            "--state", type=click.Choice(["waiting", "dead"]), help="Those that wait for a try, or dead letters."
        ),
        click.option("--entity", metavar="ID", default="", help="Only of this entity."),
        click.option("--pipe", metavar="ID", default="", help="Only of this pipe."),
    ):
        function = option(function)
    return function


def _listing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of the list."""
    limit = click.option(
        "--limit", type=click.IntRange(min=0), default=100, show_default=True, help="The newest N; 0 for all."
    )
    return _choosing(limit(function))


@click.group(
    "failed",
    invoke_without_command=True,
    epilog="""\b
Examples:
  mailweir failed                                what did not get through, the newest first
  mailweir failed show 17                        with the entity
  mailweir failed retry --pipe customers         dead letters: the next run tries them again
  mailweir failed export --pipe customers > failed.jsonl""",
)
@_listing
@common
def failed_command(values: Common, **options: Any) -> int | None:  # noqa: ANN401 - click's own types
    """Show entities that a rule had no answer to, or a sink could not write; alone it lists.

    Mail that could not be composed or delivered is in the outbox: `mailweir outbox`.
    """
    return _list(values, **options) if is_alone(options) else None


@failed_command.command(
    "list",
    epilog="""\b
Examples:
  mailweir failed list --state dead
  mailweir failed list --pipe customers --json""",
)
@_listing
@common
def list_command(values: Common, **options: Any) -> int:  # noqa: ANN401 - click's own types
    """List what failed: which entity of which pipe, how often, when last, and why. Changes nothing."""
    return _list(values, **options)


def _list(values: Common, *, limit: int, **chosen: Any) -> int:  # noqa: ANN401 - as above
    from mailweir.ledger.entities import failed_facts
    from mailweir.shown import ago

    ledger = ledger_of(values, "failed", "list")
    found = _found(ledger, _chosen(**chosen), limit)
    counts = ledger.look(lambda state: state.failure_counts()) or {}
    totals = {pipe: {"waiting": waiting, "dead": dead} for pipe, (waiting, dead) in counts.items()}
    ledger.document(entities=[failed_facts(one) for one in found], pipes=totals)
    if values.json:
        return 0
    at = now()
    rows = [
        (str(one.number), one.pipe, one.entity_id, _state(one), str(one.tries), f"{ago(at - one.last)} ago", one.reason)
        for one in found
    ]
    if rows:
        for line in table([_HEAD, *rows]):
            values.out.line(line)
    waiting, dead = (sum(each[place] for each in counts.values()) for place in (0, 1))
    values.out.say(f"{waiting:,} wait for another try, {dead:,} dead" if counts else "nothing failed")
    return 0


@failed_command.command(
    "show",
    epilog="""\b
Examples:
  mailweir failed show 17""",
)
@click.argument("number", type=int)
@common
def show_command(values: Common, number: int) -> int:
    """Show one with all that is known of it: the reason, and the entity as it was. Changes nothing."""
    from mailweir.ledger.entities import failed_facts, value_of
    from mailweir.shown import time_of
    from pipeline.config.glyphs import visible
    from pipeline.state.failures import Chosen

    ledger = ledger_of(values, "failed", "show")
    (one,) = _named(ledger, Chosen(), (number,))
    ledger.document(entity={**failed_facts(one), "value": value_of(one)})
    if values.json:
        return 0
    at, here = now(), zone()
    where = "a transform had no answer to it" if one.stage == "transform" else "the sink could not write it"
    for name, text in (
        ("Pipe", one.pipe),
        ("Entity", one.entity_id or "(without `_id`)"),
        ("State", f"{_state(one)}, failed in {one.tries} {'run' if one.tries == 1 else 'runs'}; {where}"),
        ("Why", one.reason),
        ("Times", f"first {time_of(one.first, at, here)}, last {time_of(one.last, at, here)} in run {one.run or '-'}"),
    ):
        values.out.line(f"{name:8}{visible(text)}")
    for line in json.dumps(value_of(one), ensure_ascii=False, indent=2).splitlines():
        values.out.line(visible(line))
    return 0


@failed_command.command(
    "retry",
    epilog="""\b
Examples:
  mailweir failed retry 17 18
  mailweir failed retry --pipe customers --yes""",
)
@click.argument("numbers", type=int, nargs=-1, metavar="[NUMBER]...")
@_choosing
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def retry_command(values: Common, numbers: Sequence[int], *, yes: bool, **chosen: Any) -> int:  # noqa: ANN401 - as above
    """Let the next run of their pipe try dead letters again. Where no retries are set, that is one try.

    One of which a later version has gone on since is left alone: it would take the place of that.
    """
    return _act(values, "retry", numbers, _chosen(**chosen)._replace(dead=True), "tried by the next run", yes=yes)


@failed_command.command(
    "delete",
    epilog="""\b
Examples:
  mailweir failed delete 17
  mailweir failed delete --pipe customers --state dead --yes""",
)
@click.argument("numbers", type=int, nargs=-1, metavar="[NUMBER]...")
@_choosing
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete_command(values: Common, numbers: Sequence[int], *, yes: bool, **chosen: Any) -> int:  # noqa: ANN401 - as above
    """Remove them for good; their entities are not tried again. `failed export` keeps a copy."""
    return _act(values, "delete", numbers, _chosen(**chosen), "removed", yes=yes)


@failed_command.command(
    "export",
    epilog="""\b
Examples:
  mailweir failed export --pipe customers > failed.jsonl
  mailweir run customers --input failed.jsonl    what failed in a transform, once that is mended""",
)
@_choosing
@common
def export_command(values: Common, **chosen: Any) -> int:  # noqa: ANN401 - click's own types
    """Write the entities, a line of JSON each, the oldest first. Changes nothing."""
    from mailweir.ledger.entities import value_of

    ledger = ledger_of(values, "failed", "export")
    found = _found(ledger, _chosen(**chosen), 0)[::-1]
    for one in found:
        values.out.record(value_of(one))
        if values.out.gone:
            return 0
    values.out.say(f"{len(found)} {'entity' if len(found) == 1 else 'entities'} written")
    return 0


def _act(values: Common, verb: str, numbers: Sequence[int], chosen: Chosen, done: str, *, yes: bool) -> int:
    ledger = ledger_of(values, "failed", verb)
    if not numbers and not (chosen.pipe or chosen.entity):
        raise click.UsageError("which ones? Name numbers of `mailweir failed list`, or a pipe with --pipe")
    found = _named(ledger, chosen, numbers) if numbers else _found(ledger, chosen, 0)
    if verb == "retry":
        found = _not_outdated(values, found, named=bool(numbers))
    if found and not numbers:
        many = "1 entity" if len(found) == 1 else f"{len(found):,} entities"
        confirm(values, f"{many} would be {'tried again' if verb == 'retry' else 'removed'}", "Go on?", yes=yes)
    datasets = _datasets(ledger)
    count = 0
    for start in range(0, len(found), _PAGE):
        part = [one.number for one in found[start : start + _PAGE]]
        changed = ledger.act(partial(_change, verb=verb, numbers=part, datasets=datasets))
        count += changed or 0
    ledger.document(changed=count)
    if not values.json:
        values.out.line(f"{count:,} {'is' if count == 1 else 'are'} {done}")
    return 0


async def _change(state: State, *, verb: str, numbers: Sequence[int], datasets: Mapping[str, str]) -> int:
    if verb == "retry":
        return await state.failing.again(numbers, datasets)
    return await state.failing.delete(numbers, datasets)


def _datasets(ledger: Ledger) -> dict[str, str]:
    """The datasets that have the dead letters of pipes, too."""
    from mailweir.pumps import dead_letters_of
    from pipeline.pipe import PipeConfig

    pipes = [one.config for one in ledger.loaded.project.components if isinstance(one.config, PipeConfig)]
    return {pipe.id: dead_letters_of(pipe) for pipe in pipes}


def _chosen(*, pipe: str, entity: str, state: str | None) -> Chosen:
    from pipeline.state.failures import Chosen

    return Chosen(pipe, entity, None if state is None else state == "dead")


def _found(ledger: Ledger, chosen: Chosen, most: int) -> list[Kept]:
    """The newest so many of those chosen, 0 for all."""

    async def looking(state: Look) -> list[Kept]:
        found: list[Kept] = []
        while True:
            left = most - len(found) if most else _PAGE
            before = found[-1].number if found else None
            page = await state.failures(chosen, before, min(left, _PAGE)) if left else ()
            found += page
            if len(page) < min(left, _PAGE) or not page:
                return found

    return ledger.look(looking) or []


def _named(ledger: Ledger, chosen: Chosen, numbers: Sequence[int]) -> list[Kept]:
    """Those with these numbers. Wrong use if one of them is none, or is not among those chosen."""
    found = []
    for number in dict.fromkeys(numbers):
        some = _found(ledger, chosen._replace(number=number), 1)
        if not some:
            kind = "dead letter" if chosen.dead else "entity that failed"
            raise click.UsageError(f"no {kind} has the number {number}  (mailweir failed list)")
        found += some
    return found


def _not_outdated(values: Common, found: list[Kept], *, named: bool) -> list[Kept]:
    """Those that may be tried again. Wrong use if one that may not was named by its number."""
    old = [one for one in found if one.later]
    if old and named:
        raise click.UsageError(
            f"{old[0].number}: a later version of `{old[0].entity_id}` has gone on since, and this one would take its"
            f" place  (mailweir failed delete {old[0].number})"
        )
    if old:
        many = "1 is" if len(old) == 1 else f"{len(old):,} are"
        values.out.say(f"note: {many} left alone, for later versions have gone on since  (mailweir failed delete)")
    return [one for one in found if not one.later]


def _state(one: Kept) -> str:
    return "outdated" if one.later else "dead" if one.dead else "waiting"
