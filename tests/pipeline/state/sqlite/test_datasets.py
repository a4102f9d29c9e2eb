"""Datasets in the file: what is written, read, found, swept and removed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clock import MachineClock
from pipeline.entity import Entity
from pipeline.state.datasets import Change, Changed, Entry, Page, TooManyError
from pipeline.state.facts import Offset
from pipeline.state.faults import StateError
from pipeline.state.sqlite import schema
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.versions import entity_hash, ordered_text
from sinks.mail import outbound


def entry(id_: str, value: object = 0, *, deleted: bool = False, **more: Any) -> Entry:
    """An entity with one property."""
    entity: Entity = {"_id": id_, "v": value, **({"_deleted": True} if deleted else {})}
    return Entry(id_, entity_hash(ordered_text(entity)), deleted, entity, **more)


def put(states: Any, state: Any, entries: Sequence[Entry], **more: Any) -> Changed:
    """Write them to `people`."""
    done: Changed = states.run(state.datasets.put(Change("people", "p", entries, **more)))
    return done


def everything(reads: SqliteReads, *, history: bool = False) -> Page:
    """All of `people`."""
    found = reads.dataset("people")
    return Page((), 0) if found is None else reads.page(found.number, 0, found.last, 10_000, history=history)


@pytest.fixture
def reads(states: Any) -> SqliteReads:
    """Reads the file of the states."""
    return SqliteReads(states.folder)


batches = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2), st.booleans()), max_size=6), max_size=6
)


@settings(max_examples=40)
@given(batches, st.booleans())
def test_a_dataset_is_what_was_written_last(steps: list[list[tuple[str, int, bool]]], history: bool) -> None:
    """Whatever comes twice, changes, goes and comes back: a dictionary, in the order of changes, with its history."""
    with TemporaryDirectory() as folder, asyncio.Runner() as states:
        state, reads = SqliteState.open(Path(folder), MachineClock(), outbound.stranded), SqliteReads(Path(folder))
        states.run(state.datasets.prepare("people", "p", [("v",)]))
        model: dict[str, tuple[int, bool]] = {}
        changes: list[tuple[str, int, bool]] = []
        for step in steps:
            before = len(changes)
            for id_, value, deleted in step:
                old = model.get(id_)
                if (deleted and (old is None or old[1])) or old == (value, deleted):
                    continue
                model[id_] = value, deleted
                changes.append((id_, value, deleted))
            done = put(states, state, [entry(id_, value, deleted=deleted) for id_, value, deleted in step])
            written = len(changes) - before
            assert done == Changed(written, len(step) - written)
            found = everything(reads)
            assert {one["_id"]: (one["v"], "_deleted" in one) for one in found.entities} == model
            order = [one["_updated"] for one in found.entities]
            assert order == sorted(order)
            assert [changes[at - 1] for at in order] == [
                (id_, *model[id_]) for id_ in (e["_id"] for e in found.entities)
            ]
            for value in range(3):
                wanted = {id_ for id_, (has, gone) in model.items() if has == value and not gone}
                assert {one["_id"] for one in reads.find("people", ("v",), [float(value)])} == wanted
                assert {one["_id"] for one in reads.find("people", ("v", "none"), [value])} == set()
        about = reads.dataset("people")
        assert about is not None
        assert (about.last, about.entities) == (len(changes), sum(not gone for _, gone in model.values()))
        assert about.deleted == sum(gone for _, gone in model.values())
        if history:
            kept = everything(reads, history=True).entities
            assert [(one["_id"], one["v"], "_deleted" in one) for one in kept] == changes
            for id_ in model:
                versions = reads.versions("people", id_)
                assert [one["v"] for one in versions] == [value for name, value, _ in changes[::-1] if name == id_]
        reads.close()
        state.close()


def test_what_is_unchanged_writes_nothing(states: Any, reads: SqliteReads) -> None:
    """Neither a row nor the time of the last change."""
    state = states.open()
    put(states, state, [entry("a"), entry("b")])
    before = reads.dataset("people")
    states.clock.advance(60)
    assert put(states, state, [entry("b"), entry("a")]) == Changed(0, 2)
    assert reads.dataset("people") == before


def test_the_position_comes_with_the_entities(states: Any, reads: SqliteReads) -> None:
    """Both or none: also when the process is killed, or when too much would change."""
    state = states.open()
    put(states, state, [entry("a")], offset=Offset("p", "1"))
    with pytest.raises(TooManyError):
        put(states, state, [entry("b"), entry("c")], offset=Offset("p", "2"), most=1)
    states.kill(state)
    state = states.open()
    assert states.run(state.offset("p")) == "1"
    assert [one["_id"] for one in everything(reads).entities] == ["a"]


def test_a_reading_deletes_what_it_has_not_met(states: Any, reads: SqliteReads) -> None:
    """Also when it was killed and went on; what came meanwhile stays, and what is deleted is not deleted again."""
    state = states.open()
    put(states, state, [entry(id_) for id_ in "abcdef"])
    put(states, state, [entry("f", deleted=True)])
    scan = states.run(state.datasets.scan("people", "p", afresh=True))
    put(states, state, [entry("a"), entry("b", 1)], offset=Offset("p", "1"), scan=scan)
    states.kill(state)
    state = states.open()
    scan = states.run(state.datasets.scan("people", "p", afresh=False))
    put(states, state, [entry("c"), entry("g"), entry("g", 2)], offset=Offset("p", "2"), scan=scan)
    assert scan is not None
    assert states.run(state.datasets.missing(scan)) == 2
    swept = states.run(state.datasets.sweep(scan, 0, marked=True))
    assert swept == (2, None)
    found = {one["_id"]: one for one in everything(reads).entities}
    assert {id_ for id_, one in found.items() if "_deleted" in one} == {"d", "e", "f"}
    assert found["d"]["$deletion_tracked"] is True
    assert found["d"]["v"] == 0
    assert "$deletion_tracked" not in found["f"]
    assert states.run(state.datasets.scan("people", "p", afresh=False)) is None


def test_what_another_process_writes_meanwhile_is_not_deleted(states: Any, reads: SqliteReads) -> None:
    """Each deletes only what was there before it began: of two that read the same source both may see another of it."""
    one, other = states.open(), states.open()
    put(states, one, [entry("a"), entry("b"), entry("c")])
    scans = [states.run(state.datasets.scan("people", "p", afresh=True)) for state in (one, other)]
    put(states, one, [entry("a"), entry("b")], scan=scans[0])
    put(states, other, [entry("a", 1), entry("d")], scan=scans[1])
    for state, scan in zip((one, other), scans, strict=True):
        states.run(state.datasets.sweep(scan, 0))
    found = {entity["_id"]: "_deleted" in entity for entity in everything(reads).entities}
    assert found == {"a": False, "b": True, "c": True, "d": False}


def test_a_reading_that_goes_elsewhere_deletes_nothing(states: Any, reads: SqliteReads) -> None:
    """What it left out may be there: the next one that begins at the start tells."""
    state = states.open()
    put(states, state, [entry("a"), entry("b")])
    states.run(state.datasets.scan("people", "p", afresh=True))
    states.run(state.datasets.abandon("people"))
    assert states.run(state.datasets.scan("people", "p", afresh=False)) is None
    assert all("_deleted" not in one for one in everything(reads).entities)


def test_a_filtered_entity_is_deleted_where_it_was(states: Any, reads: SqliteReads) -> None:
    """It is not counted as written; where it never was, nothing is stored unless that is wanted."""
    state = states.open()
    put(states, state, [entry("a")])
    out = [entry("a", 1, deleted=True, filtered=True), entry("b", 1, deleted=True, filtered=True)]
    assert put(states, state, out) == Changed(0, 0, filtered=1)
    assert [one["_id"] for one in everything(reads).entities] == ["a"]
    assert put(states, state, out, tombstones=True) == Changed(0, 0, filtered=1)
    assert [one["_id"] for one in everything(reads).entities] == ["a", "b"]


def test_a_version_that_is_not_the_stored_one_is_refused(states: Any, reads: SqliteReads) -> None:
    """With the version that it should have been made of; its neighbours are written."""
    state = states.open()
    put(states, state, [entry("a")])
    done = put(states, state, [entry("a", 1, expected=7), entry("b", 1, expected=0), entry("a", 2, expected=1)])
    assert done == Changed(2, 0, refused=((0, "its `_previous` is 7, and the stored version is 1"),))
    assert [(one["_id"], one["v"]) for one in everything(reads).entities] == [("b", 1), ("a", 2)]


def test_an_index_is_made_of_what_is_there(states: Any, reads: SqliteReads) -> None:
    """The same entities are found with it as without, in lists too, and no deleted ones."""
    state = states.open()
    put(states, state, [entry("a", ["x", "y"]), entry("b", "y"), entry("c", "y", deleted=True), entry("d", None)])
    without = [reads.find("people", ("v",), values) for values in (["y"], ["x", "y"], ["z"], [None])]
    states.run(state.datasets.prepare("people", "p", [("v",)]))
    put(states, state, [entry("b", "z")])
    put(states, state, [entry("b", "y")])
    found = [reads.find("people", ("v",), values) for values in (["y"], ["x", "y"], ["z"], [None])]
    names = [[[one["_id"] for one in each] for each in both] for both in (without, found)]
    assert names[0] == names[1] == [["a", "b"], ["a", "b"], [], []]
    assert [one["_id"] for one in reads.find("people", ("_id",), ["b", "nobody"])] == ["b"]


def test_a_dataset_that_is_deleted_is_another_one_next_time(states: Any, reads: SqliteReads) -> None:
    """Nothing of it is left, its pipe begins anew, and who has read it can tell."""
    state = states.open()
    put(states, state, [entry("a"), entry("b")], offset=Offset("p", "1"))
    put(states, state, [entry("a", 1)])
    states.run(state.datasets.prepare("people", "p", [("v",)]))
    states.run(state.datasets.scan("people", "p", afresh=True))
    before = reads.dataset("people")
    assert states.run(state.datasets.delete("people")) == 2
    assert states.run(state.datasets.delete("people")) is None
    assert reads.dataset("people") is None
    assert states.run(state.offset("p")) is None
    with closing(sqlite3.connect(states.folder / "state.db")) as file:
        tables = ("dataset", "entity", "history", "scan", "property", "property_value")
        assert [file.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables] == [(0,)] * len(tables)
    put(states, state, [entry("a")])
    after = reads.dataset("people")
    assert before is not None
    assert after is not None
    assert after.number > before.number


def test_old_versions_can_be_removed(states: Any, reads: SqliteReads) -> None:
    """Those that were replaced before a time; deleted entities only if that is wanted."""
    state = states.open()
    put(states, state, [entry("a"), entry("b")])
    put(states, state, [entry("a", 1), entry("b", deleted=True)])
    old = states.clock.wall() + 1
    states.clock.advance(60)
    put(states, state, [entry("a", 2)])
    assert states.run(state.datasets.compact("people", old)) == (3, 0)
    assert [one["v"] for one in reads.versions("people", "a")] == [2]
    assert states.run(state.datasets.compact("people", old, deleted=True)) == (0, 1)
    found = reads.dataset("people")
    assert found is not None
    assert (found.entities, found.deleted, reads.get("people", "b")) == (1, 0, None)
    assert states.run(state.datasets.compact("nobody", old)) == (0, 0)


def test_strange_names_are_names(states: Any, reads: SqliteReads) -> None:
    """Whatever a name is made of, one entity has it."""
    state = states.open()
    names = ["", "a\0b", "a\0c", "a", "A", "ä", "a\u0308", "~:x:y", "%", "'", "1", "🙂"]
    put(states, state, [entry(name) for name in names])
    assert put(states, state, [entry(name) for name in names]) == Changed(0, len(names))
    assert [one["_id"] for one in everything(reads).entities] == names
    assert [reads.get("people", name) for name in names] == list(everything(reads).entities)


def test_there_need_not_be_a_state(tmp_path: Path) -> None:
    """Nothing is there, and nothing is made."""
    reads = SqliteReads(tmp_path / "none")
    assert reads.datasets() == []
    assert reads.dataset("a") is None
    assert reads.get("a", "b") is None
    assert reads.find("a", ("b",), [1]) == []
    assert not list(tmp_path.iterdir())


def test_what_is_no_state_is_told(tmp_path: Path) -> None:
    """No traceback of SQLite's, but the file and what to do."""
    (tmp_path / "state.db").write_bytes(b"no database " * 1000)
    with pytest.raises(StateError, match="state.db"):
        SqliteReads(tmp_path).dataset("a")


def test_a_file_without_datasets_is_brought_forward(states: Any, reads: SqliteReads) -> None:
    """What it has stays, and a copy of it as it was."""
    states.folder.mkdir()
    path = states.folder / "state.db"
    path.touch(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        schema.migrate(file, path, schema.STEPS[:1])
        file.execute("INSERT INTO \"offset\" VALUES ('p', '7', 0)")
    assert reads.dataset("people") is None
    state = states.open()
    assert states.run(state.offset("p")) == "7"
    put(states, state, [entry("a")])
    assert (states.folder / "state.db.version-1").exists()
