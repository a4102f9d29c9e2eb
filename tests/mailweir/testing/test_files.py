from __future__ import annotations

import json
from pathlib import Path

from mailweir.cli.checking import check_paths
from mailweir.testing.files import files_of
from pipeline.config.load import Options, load

PIPE = {
    "_id": "welcome",
    "type": "pipe",
    "source": {"type": "embedded", "entities": [{"_id": "a"}]},
    "sink": {"type": "null"},
}


def project(folder: Path, **files: object) -> Path:
    """A project with a pipe and these files; `__` in a name is a folder."""
    (folder / "pipes").mkdir(exist_ok=True)
    (folder / "pipes" / "a.conf.json").write_text(json.dumps(PIPE))
    for name, content in files.items():
        path = folder / (name.replace("__", "/") + ".test.json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return folder


def test_which_files_are_tests(tmp_path: Path) -> None:
    """All in `expected`, and elsewhere those that say so; those of other tools are left alone."""
    project(tmp_path, expected__welcome={}, a={"type": "test"}, b={"cases": []}, c={"jest": 1}, pipes__d={"pipe": "x"})
    loaded = load(tmp_path, Options(here=tmp_path))
    assert [file.document.name for file in files_of(loaded, tmp_path)] == [
        "a.test.json",
        "b.test.json",
        "expected/welcome.test.json",
        "pipes/d.test.json",
    ]
    assert [file.path.name for file in files_of(loaded, tmp_path, [tmp_path / "pipes"])] == ["d.test.json"]


def test_check_tells_faults_of_tests(tmp_path: Path) -> None:
    """In the same run as those of the configuration, and by themselves when they are asked for."""
    project(tmp_path, expected__welcome={"pip": "welcome", "cases": [{"name": "a", "expect": []}]}, c={"pip": 1})
    options = Options(here=tmp_path)
    for path in (tmp_path, tmp_path / "expected", tmp_path / "expected" / "welcome.test.json"):
        checked = check_paths([path], options)
        assert [(one.code, one.span.file) for one in checked.problems] == [("E701", "expected/welcome.test.json")]
    assert check_paths([tmp_path / "pipes"], options).problems == []


def test_a_broken_file_is_told_once(tmp_path: Path) -> None:
    """Also when it is asked for by name."""
    project(tmp_path)
    path = tmp_path / "expected" / "welcome.test.json"
    path.parent.mkdir()
    path.write_text('{"pipe": "welcome",, "cases": [{"name": "a", "expect": []}]}')
    checked = check_paths([path], Options(here=tmp_path))
    assert len({(one.code, one.span) for one in checked.problems}) == len(checked.problems) == 1
