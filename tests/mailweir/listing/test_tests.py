from __future__ import annotations

from pathlib import Path

from mailweir.listing.tests import find_tests


def test_each_test_file_is_for_one_pipe(tmp_path: Path) -> None:
    """The property `pipe` says which; without it the name of the file does, also when the file cannot be read."""
    (tmp_path / "expected").mkdir()
    (tmp_path / "expected" / "a.test.json").write_text('{"pipe": "b"}')
    (tmp_path / "expected" / "c.test.json").write_text('{"pipe": 5}')
    (tmp_path / "d.test.json").write_bytes(b"\xff")
    (tmp_path / "e.json").write_text("{}")
    assert [(test.pipe, test.document.name) for test in find_tests(tmp_path, tmp_path)] == [
        ("d", "d.test.json"),
        ("b", "expected/a.test.json"),
        ("c", "expected/c.test.json"),
    ]


def test_folders_whose_configuration_is_not_read_have_no_tests(tmp_path: Path) -> None:
    """Hidden folders, those of other projects and what the project excludes are passed over."""
    for folder in (".git", "node_modules", "nested", "old", "kept"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.test.json").write_text("{}")
    (tmp_path / "nested" / "mailweir.json").write_text("{}")
    (tmp_path / "kept" / "skipped.test.json").write_text("{}")
    found = find_tests(tmp_path, tmp_path, ["old/", "skipped*"])
    assert [test.document.name for test in found] == ["kept/x.test.json"]
