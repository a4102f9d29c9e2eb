"""Sources that have no entity any more, before datasets that have some: real files and a real state."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.running import Asked, Done, Run
from pipeline.config.load import Options, load
from pipeline.state.sqlite.dataset_look import SqliteReads

PEOPLE = [{"_id": f"c{n}", "n": str(n)} for n in range(4)]
CSV = "_id,n\n" + "".join(f"{one['_id']},{one['n']}\n" for one in PEOPLE)
LINES = "".join(json.dumps(one) + "\n" for one in PEOPLE)
SOURCES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "csv": ({"type": "csv", "path": "in", "primary_key": "_id"}, CSV, ["", "_id,n\n"]),
    "lines": ({"type": "json", "path": "in.jsonl"}, LINES, ["", "\n\n"]),
    "list": ({"type": "json", "path": "in"}, json.dumps(PEOPLE), ["", "[]"]),
    "xml": (
        {"type": "xml", "path": "in", "element": "c", "primary_key": "n"},
        "<r>" + "".join(f"<c n='{one['n']}'/>" for one in PEOPLE) + "</r>",
        ["<r/>"],
    ),
}


class Place:
    """A project with one pipe, from a file into a dataset."""

    def __init__(self, folder: Path, source: dict[str, Any]) -> None:
        """The source is in a file that is not there yet."""
        self.folder = folder
        self.file = folder / source["path"]
        self.pipe(source)

    def pipe(self, source: dict[str, Any], **parts: Any) -> None:
        """The pipe with this source."""
        pipe = {"_id": "people", "type": "pipe", "source": source, **parts}
        (self.folder / "people.conf.json").write_text(json.dumps(pipe))

    def run(self, asked: Asked | None = None) -> Done:
        """Run it."""
        loaded = load(self.folder, Options(here=self.folder))
        assert not loaded.project.errors
        return asyncio.run(Run(loaded, asked or Asked()).go())

    def alive(self) -> int:
        """How many entities the dataset has."""
        reads = SqliteReads(self.folder / ".mailweir")
        found = reads.dataset("people")
        reads.close()
        return 0 if found is None else found.entities


@pytest.mark.parametrize("kind", SOURCES)
def test_an_empty_source_deletes_nothing(kind: str, tmp_path: Path) -> None:
    """However it is empty: the run stops with the place and what to do, each time, until there are entities again."""
    source, text, empties = SOURCES[kind]
    place = Place(tmp_path, source)
    place.file.write_text(text)
    assert place.run().reports[0].stopped == ""
    for empty in empties:
        place.file.write_text(empty)
        for _ in range(2):
            done = place.run()
            assert "the dataset `people` has 4 entities: they would all be deleted" in done.reports[0].stopped
            problem, _ = done.unread["people"].shown("people")
            assert (problem.code, problem.span.file) == ("E221", place.file.name)
            assert any('"if_source_empty": "accept"' in note.text for note in problem.notes)
            assert place.alive() == 4
    place.file.write_text(text.replace("c3", "c4").replace("n='3'", "n='5'"))
    done = place.run()
    assert (done.reports[0].stopped, done.reports[0].deleted, place.alive()) == ("", 1, 4)


@pytest.mark.parametrize(
    "sink",
    [
        {"type": "json", "path": "out/all.jsonl"},
        {"type": "json", "path": "out/all.json.gz", "format": "list"},
        {"type": "csv", "path": "out/all.csv", "columns": ["_id"]},
    ],
)
def test_an_empty_source_replaces_no_file_that_has_entities(sink: dict[str, Any], tmp_path: Path) -> None:
    """It stays, and the fault says which; an empty one, or none, is written."""
    source, text, _ = SOURCES["csv"]
    place = Place(tmp_path, source)
    place.pipe(source, sink=sink)
    out = tmp_path / sink["path"]
    place.file.write_text("_id,n\n")
    for _ in range(2):
        assert place.run().reports[0].stopped == ""
    nothing = out.read_bytes()
    place.file.write_text(text)
    assert place.run().reports[0].stopped == ""
    full = out.read_bytes()
    place.file.write_text("_id,n\n")
    done = place.run()
    assert f"`{sink['path']}` would be replaced by an empty file" in done.reports[0].stopped
    assert out.read_bytes() == full
    place.pipe(source | {"if_source_empty": "accept"}, sink=sink)
    assert (place.run().reports[0].stopped, out.read_bytes()) == ("", nothing)


@pytest.mark.parametrize("kind", SOURCES)
def test_who_says_so_gets_all_deleted(kind: str, tmp_path: Path) -> None:
    """With `accept` no entity means that there are none."""
    source, text, empties = SOURCES[kind]
    place = Place(tmp_path, source | {"if_source_empty": "accept"})
    place.file.write_text(text)
    place.run()
    place.file.write_text(empties[-1])
    done = place.run()
    assert (done.reports[0].stopped, done.reports[0].deleted, place.alive()) == ("", 4, 0)


def test_a_source_that_was_always_empty_is_no_fault(tmp_path: Path) -> None:
    """Unless `fail` says that it is one, before any sink."""
    source, _, _ = SOURCES["csv"]
    place = Place(tmp_path, source)
    place.file.write_text("_id,n\n")
    assert place.run().reports[0].stopped == ""
    for sink in ({"type": "dataset"}, {"type": "null"}):
        place.pipe(source | {"if_source_empty": "fail"}, sink=sink)
        assert "E221 this source has no entities" in place.run().reports[0].stopped


def test_a_run_that_finds_nothing_new_is_no_empty_source(tmp_path: Path) -> None:
    """What was read before is still there."""
    source, text, _ = SOURCES["lines"]
    place = Place(tmp_path, source | {"if_source_empty": "fail"})
    place.file.write_text(text)
    assert [place.run().reports[0].stopped for _ in range(3)] == ["", "", ""]
    assert place.run(Asked(since="")).reports[0].stopped == ""


def test_a_list_that_is_emptied_in_the_configuration_is_meant(tmp_path: Path) -> None:
    """Somebody has written it so."""
    place = Place(tmp_path, {"path": "none", "type": "csv", "primary_key": "_id"})
    place.pipe({"type": "embedded", "entities": PEOPLE})
    place.run()
    place.pipe({"type": "embedded", "entities": []})
    assert (place.run().reports[0].stopped, place.alive()) == ("", 0)


def test_of_alternatives_the_chosen_one_counts(tmp_path: Path) -> None:
    """What it says of an empty source holds, and what the others say does not."""
    source, text, _ = SOURCES["csv"]
    place = Place(tmp_path, source)
    place.file.write_text(text)
    place.run()
    place.file.write_text("")
    chosen = {"test": source, "prod": source | {"if_source_empty": "accept"}}
    for condition, left in (("test", 4), ("prod", 0)):
        place.pipe({"type": "conditional", "condition": condition, "alternatives": chosen})
        place.run()
        assert place.alive() == left
