"""An XML file of the project as a source."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.errors import SourceError
from sources.xml import Xml, XmlConfig

TOP = Path(__file__).parents[2]


def source(root: Path, **properties: Any) -> Xml:
    """A source as it is declared."""

    class Context:
        pipe = "p"

    context: Any = Context()
    context.root = str(root)
    return XmlConfig.model_validate({"type": "xml", "path": "in.xml", "primary_key": "id", **properties}).build(context)


def read(source: Xml) -> list[dict[str, Any]]:
    """All that it gives."""
    return [entity for entities, _ in source.read(None) for entity in entities]


def test_what_is_declared_is_built(tmp_path: Path) -> None:
    """Every property reaches the reader."""
    (tmp_path / "in.xml").write_text('<r><o id="1" x:a="2">z<e/></o></r>')
    properties: dict[str, Any] = {"element": "/r/o", "text_property": "t", "attribute_prefix": "@"}
    properties |= {"keep_prefixes": True, "preserve_empty_strings": True, "primary_key": ["@id", "@x:a"]}
    assert read(source(tmp_path, **properties)) == [{"_id": "1:2", "@id": "1", "@x:a": "2", "e": "", "t": "z"}]


def test_a_fault_stops_the_source_or_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An element without its key can be left out; what is not well-formed stops the source in any case."""
    (tmp_path / "in.xml").write_text('<r>\n<o id="1"/>\n<o secret="s3cr3t"/>\n<o id="3"/>\n</q>')
    stopping = source(tmp_path).read(None)
    assert next(stopping)[0] == [{"_id": "1", "id": "1"}]
    with pytest.raises(SourceError, match="in.xml:3:1: E218 this element has no `id` for its `_id`"):
        next(stopping)
    skipping = source(tmp_path, on_error="skip")
    found = skipping.read(None)
    assert [next(found)[0], next(found)[0]] == [[{"_id": "1", "id": "1"}], [{"_id": "3", "id": "3"}]]
    with pytest.raises(SourceError, match="in.xml:5:3: E220 this is not well-formed XML"):
        next(found)
    assert skipping.skipped == 1
    assert "in.xml:3:1: E218" in caplog.text
    assert "s3cr3t" not in caplog.text


def project(folder: Path, **properties: Any) -> Path:
    """A project with one pipe that swallows what it reads."""
    given = {"type": "xml", "path": "in.xml", "primary_key": "id", **properties}
    pipe = {"_id": "p", "type": "pipe", "source": given, "sink": {"type": "null"}}
    (folder / "p.conf.json").write_text(json.dumps(pipe))
    return folder


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"path": "/etc/x.xml"}, "leads out of the project"),
        ({"element": ""}, "`element` names no element"),
        ({"element": "/a//b"}, "`element` names no element"),
        ({"element": "a/b"}, "does not begin at the root"),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, properties: dict[str, Any], words: str) -> None:
    """Before anything is run, at the property."""
    problems = check_paths([project(tmp_path, **properties)], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == ["E203"]
    assert words in problems[0].message


def test_a_run_reads_elements_and_draws_what_is_wrong(tmp_path: Path) -> None:
    """A fault is shown with its line and a caret, and fails the run."""
    (tmp_path / "in.xml").write_text('<r>\n  <o id="1"/>\n  <o id="2"></r>')
    done = subprocess.run(
        [sys.executable, "-m", "mailweir", "run"],
        capture_output=True,
        text=True,
        cwd=project(tmp_path),
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        check=False,
        timeout=300,
    )
    assert (done.returncode, "1 read" in done.stdout) == (4, True)
    assert '3 |   <o id="2"></r>\n  |               ^ mismatched tag\n' in done.stderr
