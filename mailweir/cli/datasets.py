"""`mailweir datasets`: the entities that pipes keep: look at them, remove them, clear old versions away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from mailweir.cli.asking import confirm, seconds_of
from mailweir.cli.group import meant
from mailweir.cli.ledgers import ledger_of, now, zone
from mailweir.cli.lines import table
from mailweir.cli.loading import counted
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from pipeline.entity import Entity
    from pipeline.state.datasets import Compacted, Dataset
    from pipeline.state.port import State
    from pipeline.state.sqlite.dataset_look import SqliteReads

_NONE = "no pipe has written a dataset here yet"
_PAGE = 1000
# Seconds that a run may still take before a dataset of its pipe is deleted.
_PATIENCE = 5.0


@click.group(
    "datasets",
    invoke_without_command=True,
    epilog="""\b
Examples:
  mailweir datasets                              all of them: how many entities, when they changed
  mailweir datasets show people                  who writes and reads it, how large it is
  mailweir datasets entities people --id c-7     an entity as it is
  mailweir datasets delete people                its pipe begins anew
  mailweir datasets compact --older 30d          clear old versions away""",
)
@common
def datasets_command(_: Common) -> int | None:
    """Look after the entities that pipes keep; alone it lists."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        code: int = context.invoke(list_command)
        return code
    return None


@datasets_command.command(
    "list",
    epilog="""\b
Examples:
  mailweir datasets list
  mailweir datasets list --json""",
)
@common
def list_command(values: Common) -> int:
    """List the datasets. Changes nothing."""
    from mailweir.ledger.entities import dataset_facts

    ledger = ledger_of(values, "datasets", "list")
    found = ledger.read(lambda reads: reads.datasets())
    ledger.document(datasets=[dataset_facts(one) for one in found])
    if values.json:
        return 0
    at, here = now(), zone()
    if found:
        from mailweir.shown import time_of

        rows = [
            (
                one.name,
                one.pipe,
                f"{one.entities:,}",
                f"{one.deleted:,}" if one.deleted else "",
                time_of(one.changed, at, here),
            )
            for one in found
        ]
        for line in table([("DATASET", "WRITTEN BY", "ENTITIES", "DELETED", "CHANGED"), *rows]):
            values.out.line(line)
    values.out.say(counted(len(found), "dataset") if found else _NONE)
    return 0


def _of_entities(many: int, what: str = "") -> str:
    return f"{many:,} {what}{'entity' if many == 1 else 'entities'}"


@datasets_command.command(
    "show",
    epilog="""\b
Examples:
  mailweir datasets show people""",
)
@click.argument("name", metavar="DATASET")
@common
def show_command(values: Common, name: str) -> int:
    """Show a dataset: who writes and reads it, how many entities and versions it has, how large they are."""
    from mailweir.ledger.entities import dataset_facts
    from mailweir.shown import time_of
    from mailweir.upstream import ends_of

    ledger = ledger_of(values, "datasets", "show")
    one = ledger.read(lambda reads: reads.measured(_named(reads, name)))
    readers = [pipe for pipe, ends in ends_of(ledger.loaded.project.components).items() if name in ends.reads]
    ledger.document(
        dataset=dataset_facts(one)
        | {"versions": one.history, "bytes": one.size, "indexes": list(one.indexes), "readers": readers}
    )
    if values.json:
        return 0
    facts = {
        "Dataset": one.name,
        "Written by": one.pipe,
        "Read by": ", ".join(readers) or "no pipe",
        "Entities": f"{one.entities:,}" + (f", and {one.deleted:,} deleted" if one.deleted else ""),
        "Versions": f"{one.history:,} that were replaced",
        "Size": f"{one.size / 1e6:,.1f} MB of JSON",
        "Indexes": ", ".join(one.indexes) or "none",
        "Changes": f"{one.last:,}, the latest {time_of(one.changed, now(), zone())}",
        "Reading": "a reading of the whole source was cut off, and goes on with the next run" if one.scanning else "",
    }
    for line in table([(head, text) for head, text in facts.items() if text]):
        values.out.line(line)
    return 0


@datasets_command.command(
    "entities",
    epilog="""\b
Examples:
  mailweir datasets entities people | head       the first changes first, a line of JSON each
  mailweir datasets entities people --id c-7 --versions
  mailweir datasets entities people --since 400 --limit 0""",
)
@click.argument("name", metavar="DATASET")
@click.option("--id", "entity", metavar="ID", help="This entity only.")
@click.option("--versions", is_flag=True, help="With --id: also what was replaced, the newest first.")
@click.option("--since", type=click.IntRange(0), default=0, metavar="N", help="Only with an `_updated` behind N.")
@click.option("--deleted", is_flag=True, help="Deleted ones too.")
@click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="The first N; 0 for all.")
@common
def entities_command(
    values: Common, name: str, *, entity: str | None, versions: bool, since: int, deleted: bool, limit: int
) -> int:
    """Write the entities of a dataset, a line of JSON each, in the order of changes. Changes nothing."""
    from pipeline.entity import transit

    if versions and entity is None:
        raise click.UsageError("`--versions` are those of an entity: name it with `--id`")
    ledger = ledger_of(values, "datasets", "entities")

    def write(reads: SqliteReads) -> tuple[int, int]:
        found = _named(reads, name)
        if entity is not None:
            chosen = reads.versions(name, entity) if versions else [reads.get(name, entity)]
            some: Iterator[Entity] = (one for one in chosen if one is not None)
        else:
            some = (one for one in _entities(reads, found, since) if deleted or one.get("_deleted") is not True)
        written = 0
        for one in some:
            if values.out.gone or (limit and written >= limit):
                break
            values.out.record(transit(one))
            written += 1
        return written, found.entities + (found.deleted if deleted else 0)

    written, total = ledger.read(write)
    if entity is not None and not written:
        raise click.UsageError(f"no entity '{entity}' in the dataset '{name}'")
    if not values.out.gone:
        more = limit and written >= limit and total > written and entity is None
        values.out.say(f"{written:,} of {total:,} written: --limit 0 writes all" if more else f"{written:,} written")
    return 0


def _entities(reads: SqliteReads, found: Dataset, since: int) -> Iterator[Entity]:
    while since < found.last:
        page = reads.page(found.number, since, found.last, _PAGE)
        yield from page.entities
        since = page.last


def _named(reads: SqliteReads, name: str) -> Dataset:
    found = reads.dataset(name)
    if found is None:
        known = [one.name for one in reads.datasets()]
        raise click.UsageError(
            f"no dataset '{name}'.{meant(name, known)}" if known else f"no dataset '{name}': {_NONE}"
        )
    return found


@datasets_command.command(
    "delete",
    epilog="""\b
Examples:
  mailweir datasets delete people                asks first
  mailweir datasets delete people shaped --yes""",
)
@click.argument("names", nargs=-1, required=True, metavar="DATASET...")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def delete_command(values: Common, names: Sequence[str], *, yes: bool) -> int:
    """Remove datasets with all their entities. The pipe that writes one reads its source from the start again.

    Pipes that read it begin anew too. What was mailed of its entities stays known, and is not mailed again.
    While another process runs the pipe nothing is deleted.
    """
    import asyncio
    from contextlib import AsyncExitStack

    from mailweir.cli.queues import NotUsableError
    from mailweir.turns import turn

    ledger = ledger_of(values, "datasets", "delete")
    found = ledger.read(lambda reads: [_named(reads, name) for name in dict.fromkeys(names)])
    entities = sum(one.entities for one in found)
    fact = f"{counted(len(found), 'dataset')} with {_of_entities(entities)} would be deleted"
    confirm(values, fact, "Delete?", yes=yes)

    async def acting(state: State) -> None:
        # A run that went on would write the rest of its source and store the position: what it had written is gone.
        async with AsyncExitStack() as turns:
            for pipe in {one.pipe for one in found}:
                if not await turns.enter_async_context(turn(ledger.folder, pipe, _PATIENCE, asyncio.Event())):
                    raise NotUsableError(
                        f"`{pipe}` is being run by another process: nothing was deleted  (mailweir pause {pipe})"
                    )
            for one in found:
                await state.datasets.delete(one.name)

    ledger.act(acting)
    from mailweir.ledger.entities import dataset_facts

    ledger.document(deleted=[dataset_facts(one) for one in found])
    if not values.json:
        values.out.say(f"{counted(len(found), 'dataset')} deleted")
    return 0


@datasets_command.command(
    "compact",
    epilog="""\b
Examples:
  mailweir datasets compact                      of all datasets, what was replaced 30 days ago or more
  mailweir datasets compact people --older 1d --deleted""",
)
@click.argument("names", nargs=-1, metavar="[DATASET]...")
@click.option("--older", default="30d", show_default=True, metavar="AGE", help="Only what was stored so long ago.")
@click.option("--deleted", is_flag=True, help="Deleted entities too: pipes that have not read them never hear of it.")
@common
def compact_command(values: Common, names: Sequence[str], *, older: str, deleted: bool) -> int:
    """Remove versions that newer ones replaced. The room in the file is used again; the file does not shrink.

    Versions that a pipe is to read and has not read yet stay.
    """
    from mailweir.unread import readers_of_versions
    from sources.dataset_read import after

    before = now() - seconds_of("--older", older)
    ledger = ledger_of(values, "datasets", "compact")
    found = ledger.read(lambda reads: [_named(reads, name) for name in names] if names else reads.datasets())
    readers = readers_of_versions(ledger.loaded.project.components)
    behind: list[str] = []

    async def acting(state: State) -> list[Compacted]:
        done = []
        for one in found:
            read = one.last
            for pipe in readers.get(one.name, ()):
                at = after(await state.offset(pipe), one.number) or 0
                behind.extend([pipe] if at < one.last else [])
                read = min(read, at)
            done.append(await state.datasets.compact(one.name, before, deleted=deleted, read=read))
        return done

    done = ledger.act(acting) or []
    ledger.document(
        compacted=[
            {"id": one.name, "versions": each.versions, "deleted": each.deleted}
            for one, each in zip(found, done, strict=True)
        ]
    )
    if not values.json:
        versions, gone = sum(each.versions for each in done), sum(each.deleted for each in done)
        also = f" and {_of_entities(gone, 'deleted ')}" if deleted else ""
        values.out.say(f"{counted(versions, 'version')}{also} removed")
        for pipe in behind:
            values.out.say(f"note: what {pipe} has not read yet stays")
    return 0
