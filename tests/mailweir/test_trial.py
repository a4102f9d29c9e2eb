"""A dry run over datasets: what it shows is what a run would have made."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mailweir.trial import Trial
from pipeline.clock import MachineClock
from pipeline.entity import Entity
from pipeline.state.datasets import Change, Entry, Reads, Writes
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.versions import entity_hash, ordered_text
from sinks.mail import outbound

batches = st.lists(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2), st.booleans()), max_size=5), max_size=3
)


def entry(id_: str, value: int, *, deleted: bool) -> Entry:
    """An entity with one property."""
    entity: Entity = {"_id": id_, "v": value, **({"_deleted": True} if deleted else {})}
    return Entry(id_, entity_hash(ordered_text(entity)), deleted, entity)


async def write(writes: Writes, steps: list[list[tuple[str, int, bool]]], *, scans: bool) -> list[Any]:
    """What each step comes to, and what is swept at the end."""
    scan = await writes.scan("people", "p", afresh=True) if scans else None
    told: list[Any] = []
    for step in steps:
        entries = [entry(id_, value, deleted=deleted) for id_, value, deleted in step]
        told.append(await writes.put(Change("people", "p", entries, scan=scan)))
    if scan is not None:
        told += [await writes.missing(scan), await writes.sweep(scan, 0)]
    return told


def seen(reads: Reads) -> list[Any]:
    """All that can be read."""
    found = reads.dataset("people")
    if found is None:
        return []
    after = 0
    entities: list[Entity] = []
    while after < found.last:
        page = reads.page(found.number, after, found.last, 3)
        entities += page.entities
        after = page.last
    looked = [reads.get("people", id_) for id_ in "abcd"]
    joined = [sorted(one["_id"] for one in reads.find("people", ("v",), [value])) for value in range(3)]
    of_it = (found.last, found.entities)
    return [of_it, [_bare(one) for one in entities], [one and _bare(one) for one in looked], joined]


def _bare(entity: Entity) -> Entity:
    return {name: value for name, value in entity.items() if name not in ("_ts", "_hash")}


@settings(max_examples=40)
@given(batches, batches, st.booleans())
def test_what_it_shows_is_what_a_run_makes(before: Any, steps: Any, scans: Any) -> None:
    """Over what is stored: the same counts, the same entities in the same order, and nothing is changed."""

    async def work(folder: Path) -> None:
        async with SqliteState.open(folder, MachineClock(), outbound.stranded) as state:
            reads = SqliteReads(folder)
            await write(state.datasets, before, scans=False)
            stored = seen(reads)
            trial = Trial(reads)
            shown = await write(trial, steps, scans=scans)
            foreseen = seen(trial)
            assert seen(reads) == stored
            assert shown == await write(state.datasets, steps, scans=scans)
            assert foreseen == seen(reads)
            reads.close()

    with TemporaryDirectory() as folder:
        asyncio.run(work(Path(folder)))
