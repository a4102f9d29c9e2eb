"""The source `dataset`, on a real state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import MachineClock
from pipeline.config.given import Given
from pipeline.entity import Entity
from pipeline.run import StoppedError
from pipeline.state.datasets import Change, Entry
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.versions import entity_hash, ordered_text
from sinks.mail import outbound
from sources.dataset import DatasetSourceConfig
from sources.dataset_read import PAGE, DatasetSource, Subset
from sources.dataset_subset import subset_parts


def write(folder: Path, entities: Sequence[Entity], name: str = "people") -> None:
    """Put entities into a dataset."""

    async def put() -> None:
        async with SqliteState.open(folder, MachineClock(), outbound.stranded) as state:
            entries = [Entry(one["_id"], entity_hash(ordered_text(one)), "_deleted" in one, one) for one in entities]
            await state.datasets.put(Change(name, "p", entries))

    asyncio.run(put())


def read(source: DatasetSource, since: str | None = None) -> tuple[list[str], str | None]:
    """The names of what it gives, with a minus before deleted ones, and the position that is reached."""
    names = []
    for entities, reached in source.read(since):
        names += [("-" if one.get("_deleted") else "") + one["_id"] for one in entities]
        since = reached
    return names, since


def test_what_changed_comes_in_the_order_of_changes(tmp_path: Path) -> None:
    """Each entity once, as it is now; after a position only what changed since."""
    source = DatasetSource(SqliteReads(tmp_path), "people")
    assert read(source) == ([], None)
    write(tmp_path, [{"_id": name} for name in "abc"])
    names, since = read(source)
    assert (names, source.afresh) == (["a", "b", "c"], True)
    assert read(source, since) == ([], since)
    assert not source.afresh
    write(tmp_path, [{"_id": "b", "n": 1}, {"_id": "a", "_deleted": True}])
    assert read(source, since)[0] == ["b", "-a"]
    assert read(source)[0] == ["c", "b", "-a"]


def test_a_dataset_that_was_made_again_is_read_from_the_start(tmp_path: Path) -> None:
    """A position in another one says nothing; nor does one that is none."""
    write(tmp_path, [{"_id": "a"}])
    source = DatasetSource(SqliteReads(tmp_path), "people")
    for since in ("99.1", "x", "x.y", "1.x", "-1.5", "-1", "."):
        assert read(source, since)[0] == ["a"]
        assert source.afresh


def test_a_person_may_name_a_change(tmp_path: Path) -> None:
    """As `_updated` shows it: what comes behind it is read."""
    write(tmp_path, [{"_id": name} for name in "abc"])
    source = DatasetSource(SqliteReads(tmp_path), "people")
    assert (read(source, "1")[0], source.afresh) == (["b", "c"], False)


def test_all_pages_are_read(tmp_path: Path) -> None:
    """However many there are, and with a position for each page."""
    people = [{"_id": str(number)} for number in range(2 * PAGE + 1)]
    write(tmp_path, people)
    pages = list(DatasetSource(SqliteReads(tmp_path), "people").read(None))
    assert [len(entities) for entities, _ in pages] == [PAGE, PAGE, 1]
    assert read(DatasetSource(SqliteReads(tmp_path), "people"), pages[0][1])[0] == [one["_id"] for one in people[PAGE:]]
    lasting = DatasetSource(SqliteReads(tmp_path), "people", lasting=False)
    assert {since for _, since in lasting.read(None)} == {None}


def test_versions_that_were_replaced_can_be_read_too(tmp_path: Path) -> None:
    """In the order of changes."""
    write(tmp_path, [{"_id": "a"}, {"_id": "b"}])
    write(tmp_path, [{"_id": "a", "n": 1}])
    assert read(DatasetSource(SqliteReads(tmp_path), "people", history=True))[0] == ["a", "b", "a"]


def test_a_subset_tells_what_is_not_in_it_any_more(tmp_path: Path) -> None:
    """One that was never among them does not come at all."""
    write(tmp_path, [{"_id": "a", "land": "NO"}, {"_id": "b", "land": ["SE", "NO"]}, {"_id": "c", "land": "SE"}])
    source = DatasetSource(SqliteReads(tmp_path), "people", Subset(["land"], ["NO"]))
    names, since = read(source)
    assert names == ["a", "b"]
    write(tmp_path, [{"_id": "a", "land": "DK"}])
    assert read(source, since)[0] == ["-a"]


def test_merged_away_entities_can_be_left_out(tmp_path: Path) -> None:
    """Those with `$replaced`."""
    write(tmp_path, [{"_id": "a", "$replaced": True}, {"_id": "b"}])
    assert read(DatasetSource(SqliteReads(tmp_path), "people", replaced=False))[0] == ["b"]


def test_an_empty_dataset_can_be_a_fault(tmp_path: Path) -> None:
    """For whoever fears to delete everything."""
    with pytest.raises(StoppedError, match="the dataset `people` is empty"):
        read(DatasetSource(SqliteReads(tmp_path), "people", fails=True))


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        (["eq", "_S.land", "NO"], True),
        (["eq", ["NO", "SE"], "_S.a.b"], True),
        (["eq", "_S.land", 1], True),
        (["eq", "_S.land", "_S.other"], False),
        (["eq", "NO", "SE"], False),
        (["neq", "_S.land", "NO"], False),
        (["eq", "_S.land", ["concat", ["x"]]], False),
        (["eq", "_S.", "NO"], False),
        ([], False),
    ],
)
def test_a_subset_compares_one_property(expression: list[object], *, fits: bool) -> None:
    """What it cannot say is a fault of the configuration."""
    assert (subset_parts(expression) is not None) == fits


def test_nothing_is_asked_of_a_subset_that_is_not_there() -> None:
    """Most have none."""
    nobody: Any = type("Nobody", (), {"get": lambda _, __: None})()
    given: Given = nobody
    assert list(DatasetSourceConfig.faults(given)) == []
