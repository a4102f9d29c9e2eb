"""The source `diff_datasets`, on a real state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import MachineClock
from pipeline.entity import Entity
from pipeline.state.datasets import Change, Entry
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.versions import entity_hash, ordered_text
from sinks.mail import outbound
from sources.diff_datasets import DiffDatasetsConfig
from sources.diff_read import Comparison, DiffDatasets


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


def read(source: DiffDatasets, since: str | None = None) -> tuple[dict[str, Any], str | None]:
    """The differences by `_id`, None where there are none any more, and the position that is reached."""
    found: dict[str, Any] = {}
    for entities, reached in source.read(since):
        found |= {one["_id"]: None if one.get("_deleted") else one["$diff"] for one in entities}
        since = reached
    return found, since


def test_only_what_differs_is_told(tmp_path: Path) -> None:
    """What each dataset has of it; what one of them lacks differs in all."""
    one = [{"_id": "a", "price": 1, "name": "Tea"}, {"_id": "b", "price": 2}, {"_id": "c", "n": 1}]
    write(tmp_path, ("old", one), ("new", [{"_id": "a", "price": 3, "name": "Tea"}, {"_id": "b", "price": 2.0}]))
    source = DiffDatasets(SqliteReads(tmp_path), ["old", "new"], Comparison())
    found, since = read(source)
    assert found == {"a": {"price": {"old": 1, "new": 3}}, "b": None, "c": {"n": {"old": 1}}}
    entities = [one for page, _ in source.read(None) for one in page]
    assert {key: value for key, value in entities[0].items() if key[0] != "_"} == {
        "price": [1, 3],
        "name": "Tea",
        "$diff": {"price": {"old": 1, "new": 3}},
    }
    assert read(source, since) == ({}, since)
    write(tmp_path, ("new", [{"_id": "a", "price": 1, "name": "Tea"}]), ("old", [{"_id": "b", "price": 5}]))
    assert read(source, since)[0] == {"a": None, "b": {"price": {"old": 5, "new": 2.0}}}


@pytest.mark.parametrize(("ignores", "expected"), [(False, {"_deleted": {"new": True}}), (True, None)])
def test_a_deleted_entity_differs_from_one_that_was_never_there(
    tmp_path: Path, expected: Any, *, ignores: bool
) -> None:
    """Unless that is to be ignored."""
    write(tmp_path, ("new", [{"_id": "a"}]), ("old", [{"_id": "z"}]), ("new", [{"_id": "a", "_deleted": True}]))
    source = DiffDatasets(SqliteReads(tmp_path), ["old", "new"], Comparison(ignores_deletes=ignores))
    assert read(source)[0].get("a") == expected


def test_an_entity_that_is_deleted_everywhere_is_the_same(tmp_path: Path) -> None:
    """It comes as deleted."""
    write(tmp_path, ("new", [{"_id": "a"}]), ("old", [{"_id": "a"}]))
    write(tmp_path, ("new", [{"_id": "a", "_deleted": True}]), ("old", [{"_id": "a", "_deleted": True}]))
    assert read(DiffDatasets(SqliteReads(tmp_path), ["old", "new"], Comparison()))[0] == {"a": None}


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (Comparison(), {"n", "m", "k"}),
        (Comparison(only=frozenset("nm")), {"n", "m"}),
        (Comparison(only=frozenset("nm"), without=frozenset("n")), {"m"}),
        (Comparison(lists_as_sets=True), {"n"}),
    ],
)
def test_what_is_compared_can_be_chosen(comparison: Comparison, expected: set[str]) -> None:
    """Some properties, all but some, and lists without their order, at every depth."""
    one = {"_id": "a", "_updated": 1, "n": 1, "m": [1, 2, 2], "k": {"l": [[1], [2, 3]]}}
    other = {"_id": "a", "_updated": 9, "n": True, "m": [2, 1.0], "k": {"l": [[3, 2], [1]]}}
    assert set(comparison.differences(["one", "other"], [one, other])) == expected


def test_what_is_declared_is_built(tmp_path: Path) -> None:
    """All of it reaches the source."""
    write(tmp_path, ("old", [{"_id": "a", "n": [1], "m": 1}]), ("new", [{"_id": "a", "n": [1, 1], "m": 2}]))

    class Context:
        datasets = SqliteReads(tmp_path)

    context: Any = Context()
    declared = {"type": "diff_datasets", "datasets": ["old", "new"], "treat_lists_as_sets": True}
    config = DiffDatasetsConfig.model_validate({**declared, "supports_since": False, "blacklist": ["x"]})
    assert read(config.build(context)) == ({"a": {"m": {"old": 1, "new": 2}}}, None)
    config = DiffDatasetsConfig.model_validate({**declared, "whitelist": ["n"]})
    assert read(config.build(context))[0] == {"a": None}
