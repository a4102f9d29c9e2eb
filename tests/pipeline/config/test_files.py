"""Reading and replacing files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config.files import read_document, replace_file, shown


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    """Through a link the file behind it is replaced, and nothing else is left in the folder."""
    file = tmp_path / "a.json"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link = tmp_path / "b.json"
    link.symlink_to(file)
    replace_file(link, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o640)
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """The old bytes stay, and no part of the new ones does."""
    file = tmp_path / "a.json"
    file.write_bytes(b"old")
    with pytest.raises(TypeError):
        replace_file(file, "text is no bytes")  # type: ignore[arg-type]
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (Path.resolve, "no such file or directory"),
        (Path.mkdir, "it is a folder"),
        (os.mkfifo, "it is not a regular file"),
    ],
    ids=["missing", "folder", "fifo"],
)
def test_what_cannot_be_read_is_a_located_fault(tmp_path: Path, make: Callable[[Path], object], why: str) -> None:
    """The reason is the system's, in a few words."""
    make(tmp_path / "a.conf.json")
    (problem,) = read_document(tmp_path / "a.conf.json", "a.conf.json").problems
    assert (problem.code, problem.message) == ("E115", f"cannot read this file: {why}")


def test_paths_are_named_from_here(tmp_path: Path) -> None:
    """Below the current folder by the way there, else whole."""
    assert shown(tmp_path / "a" / "b", tmp_path) == "a/b"
    assert shown(tmp_path, tmp_path / "a") == str(tmp_path)
