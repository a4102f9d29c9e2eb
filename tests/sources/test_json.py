"""A JSON file of the project as a source."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.config.show import render
from pipeline.entity import NI
from pipeline.errors import SourceError
from sources.json import JsonConfig, entities_of
from sources.json_file import Json, JsonStream
from sources.json_url import JsonUrl
from sources.parts import OnError


def lines(*ids: str) -> str:
    """Entities, one a line."""
    return "".join(f'{{"_id": "{id_}"}}\n' for id_ in ids)


def ids(source: Json | JsonStream | JsonUrl, since: str | None = None) -> tuple[list[str], str | None]:
    """The `_id` of all entities, and the last position."""
    found: list[str] = []
    for entities, reached in source.read(since):
        found += [entity["_id"] for entity in entities]
        since = reached
    return found, since


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in a project."""
    path = tmp_path / "in.jsonl"
    path.write_text(lines("1", "2"))
    return path


def source(file: Path, on_error: OnError = "stop") -> Json:
    """It as a source."""
    return Json(file.parent, file.name, on_error=on_error)


def test_a_file_that_grows_is_read_on(file: Path) -> None:
    """The second run gives what was added, the third nothing."""
    found, since = ids(source(file))
    assert found == ["1", "2"]
    with file.open("a") as more:
        more.write(lines("3"))
    found, since = ids(source(file), since)
    assert found == ["3"]
    assert ids(source(file), since) == ([], since)


def test_every_batch_has_a_position_to_go_on_from(file: Path) -> None:
    """Stopped after any batch, nothing is read twice and nothing is left out."""
    names = [str(number) for number in range(1000)]
    file.write_text(lines(*names))
    given: list[str] = []
    for entities, since in source(file).read(None):
        given += [entity["_id"] for entity in entities]
        assert given + ids(source(file), since)[0] == names


@pytest.mark.parametrize(
    "text", [lines("9", "2"), lines("2"), "", lines("1", "9", "3"), lines("1") + "\n" + lines("2", "3")]
)
def test_another_file_is_read_from_its_start(file: Path, text: str) -> None:
    """If one byte before the position is another one, or missing, all of the file is read."""
    _, since = ids(source(file))
    file.write_text(text)
    assert ids(source(file), since)[0] == [json.loads(line)["_id"] for line in text.split("\n") if line]


@pytest.mark.parametrize("since", ["", "7", "1.2", "a.b.c", "999.1.00", "-1.1.00", "0.1.\u0663"])
def test_a_position_of_others_is_none(file: Path, since: str) -> None:
    """What was not written by this source means reading all."""
    assert ids(source(file), since)[0] == ["1", "2"]


def test_a_last_line_without_end_is_read_when_it_is_whole(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Half a line is left to the next run, and told; a whole one without its line break is read once."""
    file.write_text(lines("1") + '{"_id": "2", "na')
    found, since = ids(source(file))
    assert found == ["1"]
    assert "in.jsonl:2:14" in caplog.text
    assert "read when it has one" in caplog.text
    with file.open("a") as more:
        more.write('me": "x"}')
    found, since = ids(source(file), since)
    assert found == ["2"]
    with file.open("a") as more:
        more.write("\n" + lines("3"))
    assert ids(source(file), since)[0] == ["3"]


def test_lines_are_counted_over_runs(file: Path) -> None:
    """A fault in what was added has its line in the whole file."""
    file.write_text("\ufeff" + lines("1", "2").rstrip())
    _, since = ids(source(file))
    with file.open("a") as more:
        more.write("\n" + lines("3") + "{nothing}\n")
    with pytest.raises(SourceError, match="in.jsonl:4:2: E1"):
        ids(source(file), since)


def test_a_bad_line_stops_the_source_and_is_where_it_goes_on(file: Path) -> None:
    """What stands before it is given with a position; corrected, it is read by the next run with all behind it."""
    file.write_text(lines("1") + '{"_id": 2}\n' + lines("3"))
    reading = source(file).read(None)
    entities, since = next(reading)
    assert entities == [{"_id": "1"}]
    with pytest.raises(SourceError, match="in.jsonl:2:9: E218 the `_id` of this entity is a number, not a string"):
        next(reading)
    file.write_text(lines("1", "2", "3"))
    assert ids(source(file), since)[0] == ["2", "3"]


def test_bad_lines_are_left_out_if_that_is_wanted(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each is logged with its place and without its data, up to twenty; all are counted, and the rest is read."""
    file.write_text(lines("1") + '{"secret": "s3cr3t"}\n' * 30 + lines("3") + "}\n")
    reader = source(file, "skip")
    found, since = ids(reader)
    assert (found, reader.skipped) == (["1", "3"], 31)
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "in.jsonl:2:1: E218 this entity has no `_id`; it is left out"
    assert len(told) == 21
    assert told[-1].startswith("31 ")
    assert "s3cr3t" not in caplog.text
    assert ids(source(file, "skip"), since)[0] == []


def test_a_fault_is_drawn_in_its_line(file: Path) -> None:
    """The excerpt has the line of the file, its number and a caret."""
    file.write_text(lines("1") + '{"_id": "2", "n": None}\n')
    with pytest.raises(SourceError) as raised:
        ids(source(file))
    problem, texts = raised.value.shown()
    assert '2 | {"_id": "2", "n": None}\n  |                   ^^^^' in render([problem], texts)


def test_lists_and_compressed_files_are_read_anew(tmp_path: Path) -> None:
    """They have no position; `.gz` is unpacked while it is read."""
    (tmp_path / "list.json").write_text('[{"_id": "1"}, {"_id": "2"}]')
    (tmp_path / "lines.jsonl.gz").write_bytes(gzip.compress(lines("1", "2").encode()))
    for name in ("list.json", "lines.jsonl.gz"):
        assert ids(Json(tmp_path, name)) == (["1", "2"], None)
    (tmp_path / "lines.jsonl").write_text(lines("1", "2"))
    assert ids(Json(tmp_path, "lines.jsonl", lasting=False)) == (["1", "2"], None)


@pytest.mark.parametrize(
    "data", [b"no gzip", gzip.compress(lines("1", "2").encode(), mtime=0)[:-9], b"\x1f\x8b\x08\x00" + b"x" * 20]
)
def test_a_broken_archive_is_told(tmp_path: Path, data: bytes) -> None:
    """What is no gzip file, or breaks off, is a fault of the file."""
    (tmp_path / "in.gz").write_bytes(data)
    with pytest.raises(SourceError, match="in.gz:1:1: E115 cannot read this file: "):
        ids(Json(tmp_path, "in.gz"))


def test_only_regular_files_of_the_project_are_read(tmp_path: Path) -> None:
    """Nothing outside of the folder, by no way; no folder, no pipe, and what is not there is told."""
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "out.jsonl").write_text(lines("1"))
    (project / "link.jsonl").symlink_to("../out.jsonl")
    (project / "inner.jsonl").write_text(lines("1"))
    (project / "alias.jsonl").symlink_to("inner.jsonl")
    os.mkfifo(project / "fifo")
    for name in ("../out.jsonl", str(tmp_path / "out.jsonl"), "link.jsonl", "fifo", ".", "none.jsonl"):
        with pytest.raises(SourceError, match="E115 cannot read this file: "):
            ids(Json(project, name))
    assert ids(Json(project, "alias.jsonl"))[0] == ["1"]


def test_a_stream_is_read_as_it_comes() -> None:
    """Entities of a pipe are given while its writer is still there."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as writer:
        found = JsonStream(stream, "standard input").read(None)
        for name in ("1", "2"):
            writer.write(lines(name).encode())
            assert next(found) == ([{"_id": name}], None)
        writer.write(b'{"_id": "3"')
        writer.close()
        with pytest.raises(SourceError, match="standard input:3:1: E106"):
            next(found)


def test_the_entities_of_a_stream() -> None:
    """One after the other, for whoever needs no batches."""
    assert list(entities_of(io.BytesIO(b'{"_id": "1"}'), "in")) == [{"_id": "1"}]


def config(**properties: Any) -> JsonConfig:
    """A config as it is declared."""
    return JsonConfig.model_validate({"type": "json", **properties})


def test_what_is_declared_is_built(tmp_path: Path) -> None:
    """Path, form, what is done with faults and whether it goes on reach the source; `-` is standard input."""

    class Context:
        pipe = "p"
        root = str(tmp_path)

    (tmp_path / "in.json").write_text('{"_id": "1"}\n{}\n')
    context: Any = Context()
    assert ids(config(path="in.json", on_error="skip", supports_since=False).build(context)) == (["1"], None)
    with pytest.raises(SourceError, match="in.json:1:1: E108 this is not a list"):
        ids(config(path="in.json", format="list").build(context))
    assert isinstance(config(path="-").build(context), JsonStream)


@pytest.mark.parametrize("path", ["../in.json", "/etc/passwd", "a/../../b.json", "", "a\nb"])
def test_a_path_that_cannot_be_is_told_by_check(tmp_path: Path, path: str) -> None:
    """E203 at the path, before anything is run."""
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "json", "path": path}, "sink": {"type": "null"}}
    (tmp_path / "p.conf.json").write_text(json.dumps(pipe))
    problems = check_paths([tmp_path], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == ["E203"]


def test_checking_loads_no_decoder() -> None:
    """The config class alone is light."""
    script = "import sys, sources.json; sys.exit('msgspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mailweir")


@pytest.mark.parametrize("ending", ["\n", "]"])
def test_strings_that_stand_for_other_values_are_read(tmp_path: Path, ending: str) -> None:
    """In lines and in a list, also where the tilde is an escape; `_id` is a name."""
    line = '{"_id": "~:a", "x": "~:a", "y": ["\\u007ebaGk="], "z": "~"}'
    (tmp_path / "in.json").write_text(f"{'[' if ending == ']' else ''}{line}{ending}")
    found = [one for entities, _ in Json(tmp_path, "in.json").read(None) for one in entities]
    assert found == [{"_id": "~:a", "x": NI("a"), "y": [b"hi"], "z": "~"}]
