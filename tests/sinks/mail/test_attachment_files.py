"""Files that go with mails are read from one folder, and nothing else is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sinks.mail.attachment_files import AttachmentFiles


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with some files, and what is no file."""
    folder = tmp_path / "attachments"
    (folder / "de").mkdir(parents=True)
    (folder / "terms.txt").write_bytes(b"terms")
    (folder / "de" / "terms.txt").write_bytes(b"Bedingungen")
    (folder / ".hidden").write_bytes(b"hidden")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "away").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "pipe")
    return tmp_path


def test_a_file_is_read(project: Path) -> None:
    """Also one of a folder within."""
    files = AttachmentFiles(str(project))
    assert files.read("terms.txt") == b"terms"
    assert files.read("de/terms.txt") == b"Bedingungen"


OUTSIDE = ["", "/etc/passwd", "../secret", "de/../../secret", "./terms.txt", "de//terms.txt", ".hidden", "link"]
NO_FILES = ["away/secret", "pipe", "de", "gone", "gone/terms.txt", "terms.txt/x", "a\0b", "\ud800", "x" * 300, "de/"]


@pytest.mark.parametrize("path", [*OUTSIDE, *NO_FILES])
def test_what_is_no_file_of_the_folder_is_not_read(project: Path, path: str) -> None:
    """Paths that lead out, links, folders and pipes come back as a reason, at once."""
    reason = AttachmentFiles(str(project)).read(path)
    assert isinstance(reason, str)
    reason.encode("utf-8", "surrogateescape")


def test_a_large_file_is_not_read(project: Path) -> None:
    """One of more bytes than a mail may have."""
    assert AttachmentFiles(str(project), 5).read("terms.txt") == b"terms"
    assert AttachmentFiles(str(project), 4).read("terms.txt") == "`terms.txt` has more than 4 bytes"


def test_without_the_folder_it_says_so(tmp_path: Path) -> None:
    """And names it."""
    reason = AttachmentFiles(str(tmp_path)).read("terms.txt")
    assert reason == "there is no folder `attachments` in the project, where `terms.txt` should be"
