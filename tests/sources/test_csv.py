"""A CSV file of the project as a source."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.errors import SourceError
from sources.csv import Csv, CsvConfig

TOP = Path(__file__).parents[2]


def source(root: Path, **properties: Any) -> Csv:
    """A source as it is declared."""

    class Context:
        pipe = "p"

    context: Any = Context()
    context.root = str(root)
    return CsvConfig.model_validate({"type": "csv", "path": "in.csv", "primary_key": "id", **properties}).build(context)


def read(source: Csv) -> list[dict[str, Any]]:
    """All that it gives."""
    found: list[dict[str, Any]] = []
    for entities, since in source.read(None):
        assert since is None
        found += entities
    return found


def test_what_is_declared_is_built(tmp_path: Path) -> None:
    """Every property reaches the reader."""
    (tmp_path / "in.csv").write_bytes(b"k1\tk2\tb\tc\n1\t:\t\t'x\ty'\n")
    names = ["a", "b", "c", "d"]
    properties: dict[str, Any] = {"primary_key": ["a", "b"], "field_names": names, "quote": "'", "dialect": "excel_tab"}
    properties |= {"preserve_empty_strings": True, "whitelist": ["c", "d", "b"], "blacklist": ["b"]}
    assert read(source(tmp_path, **properties)) == [{"_id": "1:%3A", "c": "", "d": "x\ty"}]
    (tmp_path / "in.csv").write_bytes("1;\xe6,2\n".encode("latin-1"))
    plain: dict[str, Any] = {"has_header": False, "field_names": ["id", "b"], "auto_dialect": False}
    assert read(source(tmp_path, **plain, encoding="latin-1")) == [{"_id": "1;\xe6", "id": "1;\xe6", "b": "2"}]
    assert read(source(tmp_path, **plain, decode_error_strategy="replace"))[0]["_id"] == "1;\ufffd"
    (tmp_path / "in.csv").write_bytes(b"id:n\n1:x\n")
    assert read(source(tmp_path, delimiter=":")) == [{"_id": "1", "id": "1", "n": "x"}]


def test_a_bad_row_stops_the_source_or_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What stands before it is given; left out, it is logged with its place and without its data, and counted."""
    (tmp_path / "in.csv").write_text("id,n\n1,a\n2,s3cr3t,c\n3,d\n")
    reading = source(tmp_path).read(None)
    assert next(reading)[0] == [{"_id": "1", "id": "1", "n": "a"}]
    with pytest.raises(SourceError, match="in.csv:3:10: E219 this row has 3 fields for 2 columns"):
        next(reading)
    skipping = source(tmp_path, on_error="skip")
    assert [entity["_id"] for entity in read(skipping)] == ["1", "3"]
    assert skipping.skipped == 1
    assert "in.csv:3:10: E219 this row has 3 fields for 2 columns; it is left out" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_compressed_files_and_files_that_are_not_there(tmp_path: Path) -> None:
    """`.gz` is unpacked while it is read; what cannot be read is told."""
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(b"id\n1\n"))
    assert read(source(tmp_path, path="in.csv.gz")) == [{"_id": "1", "id": "1"}]
    with pytest.raises(SourceError, match="none.csv:1:1: E115 cannot read this file: no such file"):
        read(source(tmp_path, path="none.csv"))


def project(folder: Path, **properties: Any) -> Path:
    """A project with one pipe that swallows what it reads."""
    given = {"type": "csv", "path": "in.csv", "primary_key": "id", **properties}
    pipe = {"_id": "p", "type": "pipe", "source": given, "sink": {"type": "null"}}
    (folder / "p.conf.json").write_text(json.dumps(pipe))
    return folder


@pytest.mark.parametrize(
    ("properties", "code", "words"),
    [
        ({"path": "../in.csv"}, "E203", "leads out of the project"),
        ({"has_header": False}, "E204", "without a header the columns need `field_names`"),
        ({"delimiter": "::"}, "E203", "`delimiter` is one character"),
        ({"quote": ""}, "E203", "`quote` is one character"),
        ({"delimiter": '"'}, "E203", "the same character as `quote`"),
        ({"encoding": "windows-1522"}, "E203", "there is no encoding `windows-1522`"),
        ({"encoding": "hex"}, "E203", "there is no encoding `hex`"),
        ({"primary_key": []}, "E203", "primary_key"),
        ({"dialect": "exel"}, "E203", "dialect"),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, properties: dict[str, Any], code: str, words: str) -> None:
    """Before anything is run, at the property."""
    problems = check_paths([project(tmp_path, **properties)], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].message


def run(folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """`mailweir run` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mailweir", "run"],
        input=given,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        check=False,
        timeout=300,
    )


def test_a_run_reads_rows_and_draws_what_is_wrong(tmp_path: Path) -> None:
    """The summary counts them; a fault is shown with its line and a caret, and fails the run."""
    (tmp_path / "in.csv").write_text("id;name\n1;Ada\n2;Bo\n")
    done = run(project(tmp_path))
    assert (done.returncode, "2 read" in done.stdout) == (0, True)
    (tmp_path / "in.csv").write_text("id;name\n1;Ada\n2;Bo;Lee\n")
    done = run(tmp_path)
    assert done.returncode == 4
    assert " --> in.csv:3:6 (p → source)\n" in done.stderr
    assert "3 | 2;Bo;Lee\n  |      ^^^ there is no column for this\n" in done.stderr


def test_standard_input_is_read(tmp_path: Path) -> None:
    """`-` is what is piped in."""
    done = run(project(tmp_path, path="-"), "id,name\n1,Ada\n")
    assert (done.returncode, "1 read" in done.stdout) == (0, True)


def test_a_row_that_is_none_says_what_it_holds_up(tmp_path: Path) -> None:
    """What stands behind it is not read, and how it can be; where nothing can be trusted behind it, that is no help."""
    for text, helps in ((b"id,n\na,1\nb\nc,3\n", True), (b'id,n\na,1\nb,"3\n', False)):
        (tmp_path / "in.csv").write_bytes(text)
        with pytest.raises(SourceError) as caught:
            list(source(tmp_path).read(None))
        notes = [note.text for note in caught.value.problem.notes]
        assert any("what stands behind it is read when this is mended" in note for note in notes) == helps
        assert any('`"on_error": "skip"`' in note for note in notes) == helps
