"""The sources `union_datasets` and `merge_datasets`, on a real state."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import MachineClock
from pipeline.entity import Entity
from pipeline.run import StoppedError
from pipeline.state.datasets import Change, Entry
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.versions import entity_hash, ordered_text
from sinks.mail import outbound
from sources.dataset_read import UnionDatasets
from sources.merge_read import MergeDatasets, combined


def write(folder: Path, *datasets: tuple[str, Sequence[Entity]]) -> None:
    """Put entities into datasets, one after the other."""

    async def put() -> None:
        async with SqliteState.open(folder, MachineClock(), outbound.stranded) as state:
            for name, entities in datasets:
                entries = [
                    Entry(one["_id"], entity_hash(ordered_text(one)), "_deleted" in one, one) for one in entities
                ]
                await state.datasets.put(Change(name, name, entries))

    asyncio.run(put())


def read(source: Any, since: str | None = None) -> tuple[list[str], str | None]:
    """The names of what it gives, with a minus before deleted ones, and the position that is reached."""
    names = []
    for entities, reached in source.read(since):
        names += [("-" if one.get("_deleted") else "") + one["_id"] + one.get("n", "") for one in entities]
        since = reached
    return names, since


def test_a_union_has_the_entities_of_all(tmp_path: Path) -> None:
    """One dataset after the other, with its name before theirs; later what changed in each."""
    union = UnionDatasets(SqliteReads(tmp_path), ["one", "two"])
    assert read(union) == ([], None)
    write(tmp_path, ("one", [{"_id": "a"}, {"_id": "b"}]))
    names, since = read(union)
    assert (names, union.afresh) == (["one:a", "one:b"], True)
    assert (read(union, since), union.afresh) == (([], since), False)
    write(tmp_path, ("two", [{"_id": "a"}]), ("one", [{"_id": "b", "n": "!"}]))
    names, since = read(union, since)
    # There is one dataset more: what a reading of all has not met can only be known from the start.
    assert (names, union.afresh) == (["one:a", "one:b!", "two:a"], True)
    write(tmp_path, ("two", [{"_id": "a", "_deleted": True}]), ("one", [{"_id": "a", "n": "?"}]))
    assert read(union, since)[0] == ["one:a?", "-two:a"]
    assert read(UnionDatasets(SqliteReads(tmp_path), ["two"], prefixes=False), since)[0] == ["-a"]
    assert [since for _, since in UnionDatasets(SqliteReads(tmp_path), ["two"], lasting=False).read(None)] == [None]


def test_a_merge_has_each_entity_once(tmp_path: Path) -> None:
    """As it is in the dataset that changed last; deleted only when it is so everywhere."""
    merge = MergeDatasets(SqliteReads(tmp_path), ["one", "two"])
    write(tmp_path, ("one", [{"_id": "a", "n": "1"}, {"_id": "b", "n": "1"}]), ("two", [{"_id": "a", "n": "2"}]))
    names, since = read(merge)
    assert names == ["a2", "b1"]
    write(tmp_path, ("one", [{"_id": "a", "n": "3"}]), ("two", [{"_id": "c", "n": "2"}]))
    names, since = read(merge, since)
    assert names == ["a3", "c2"]
    write(tmp_path, ("one", [{"_id": "a", "_deleted": True}]), ("two", [{"_id": "c", "_deleted": True}]))
    assert read(merge, since)[0] == ["a2", "-c"]


def test_an_entity_that_changed_in_two_datasets_comes_once(tmp_path: Path) -> None:
    """With what both have."""
    merge = MergeDatasets(SqliteReads(tmp_path), ["one", "two"], "all")
    write(tmp_path, ("one", [{"_id": "a", "n": "1", "x": 1}]), ("two", [{"_id": "a", "n": "1", "x": 2, "y": 3}]))
    ((first, _), (second, _)) = merge.read(None)
    (entity,) = [*first, *second]
    assert {name: entity[name] for name in ("_id", "n", "x", "y")} == {"_id": "a", "n": "1", "x": [1, 2], "y": 3}


values = st.one_of(st.integers(0, 2), st.lists(st.integers(0, 2), max_size=2), st.none())
versions = st.lists(st.dictionaries(st.sampled_from("xyz"), values), min_size=1, max_size=3)


@given(versions)
def test_combined_properties_lose_no_value(found: list[Mapping[str, Any]]) -> None:
    """Each value of each version is there; one that all agree on is as it was."""
    made = combined([{"_id": "a", **one} for one in found])
    for name in "xyz":
        given_ = [one[name] for one in found if name in one]
        assert (name in made) == bool(given_)
        if given_ and all(one == given_[0] for one in given_) and not isinstance(given_[0], list):
            assert made[name] == given_[0]
        every = made[name] if isinstance(made.get(name), list) else [made.get(name)]
        for value in given_:
            assert all(item in every for item in (value if isinstance(value, list) else [value]))


@pytest.mark.parametrize("kind", [UnionDatasets, MergeDatasets])
def test_empty_datasets_can_be_a_fault(tmp_path: Path, kind: Any) -> None:
    """If none of them has anything."""
    with pytest.raises(StoppedError, match="the datasets `one`, `two` are empty"):
        read(kind(SqliteReads(tmp_path), ["one", "two"], fails=True))
