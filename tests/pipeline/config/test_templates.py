"""The folder of templates is read, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.config.templates import MOST_BYTES, read_templates


def test_files_at_any_depth_have_their_path_as_name(tmp_path: Path) -> None:
    """From the folder, with `/`; hidden files and folders are left alone; a byte order mark is no text."""
    folder = tmp_path / "templates"
    for name in ("a.html", "parts/b.txt", ".hidden/c.html", "parts/.d.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes("\ufeff<p>æ\r\n".encode())
    found = read_templates(tmp_path, tmp_path)
    assert {name: (document.name, document.text) for name, document in found.items()} == {
        "a.html": ("templates/a.html", "<p>æ\r\n"),
        "parts/b.txt": ("templates/parts/b.txt", "<p>æ\r\n"),
    }


def test_what_is_no_plain_file_is_named_with_the_reason(tmp_path: Path) -> None:
    """Links are not followed, a FIFO is not waited for, large files and other encodings are not taken."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (tmp_path / "outside").write_text("secret", encoding="utf-8")
    (tmp_path / "inside").mkdir()
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "linked-folder").symlink_to(tmp_path / "inside")
    (folder / "latin").write_bytes(b"\xe6")
    (folder / "large").write_bytes(b" " * (MOST_BYTES + 1))
    os.mkfifo(folder / "fifo")
    found = read_templates(tmp_path, tmp_path)
    assert {name: document.problems[0].message for name, document in found.items()} == {
        "fifo": "cannot read this file: it is not a regular file",
        "large": "cannot read this file: it has more than 2 MB",
        "latin": "the file is not UTF-8",
        "link": "cannot read this file: it is a symbolic link",
        "linked-folder": "cannot read this file: it is a symbolic link",
    }
    assert all(document.text == "" for document in found.values())


def test_a_project_without_the_folder_has_no_templates(tmp_path: Path) -> None:
    """Neither is there one when the folder is a link or a file."""
    assert read_templates(tmp_path, tmp_path) == {}
    (tmp_path / "templates").symlink_to(tmp_path)
    assert read_templates(tmp_path, tmp_path) == {}
    (tmp_path / "templates").unlink()
    (tmp_path / "templates").write_text("x", encoding="utf-8")
    assert read_templates(tmp_path, tmp_path) == {}
