"""A folder with caught mail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailweir.caught import Caught
from mailweir.gallery import Gallery


def caught(number: int, subject: str) -> Caught:
    """A mail as the catcher numbers it."""
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return Caught(
        number,
        at,
        "a@example.com",
        ("b@example.org",),
        f"Subject: {subject}\r\n\r\n\udc80\r\n".encode("utf-8", "surrogateescape"),
    )


def test_each_mail_is_kept_to_the_byte_with_a_page(tmp_path: Path) -> None:
    """Under the next number, whatever the catcher counted, and in the list."""
    gallery = Gallery(tmp_path / "a" / "caught")
    gallery.begin()
    for number, subject in ((5, "One"), (6, "Two")):
        gallery.keep(caught(number, subject))
    assert gallery.count == 2
    assert gallery.first is not None
    assert gallery.first.subject == "One"
    assert gallery.path(2, "eml").read_bytes() == caught(6, "Two").content
    assert "<h1>Two</h1>" in gallery.path(2).read_text()
    assert gallery.index.read_text().count("href=") == 2


def test_a_beginning_removes_mails_and_nothing_else(tmp_path: Path) -> None:
    """The files of the mails before are gone, those of people stay; numbers begin with 1."""
    gallery = Gallery(tmp_path)
    gallery.begin()
    gallery.keep(caught(1, "One"))
    (tmp_path / "notes.html").write_text("mine")
    again = Gallery(tmp_path)
    again.begin()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "notes.html"]
    again.keep(caught(2, "Two"))
    assert "Two" in again.path(1).read_text()


def test_the_list_is_written_once_for_many(tmp_path: Path) -> None:
    """While a run is busy the list waits; then it has all."""
    gallery = Gallery(tmp_path)
    gallery.begin()
    gallery.busy = True
    gallery.keep(caught(1, "One"))
    assert "href=" not in gallery.index.read_text()
    gallery.list_all()
    assert "href=" in gallery.index.read_text()


def test_a_mail_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """An `OSError`, of which the catcher makes a refusal."""
    gallery = Gallery(tmp_path / "gone")
    gallery.begin()
    gallery.index.unlink()
    gallery.folder.rmdir()
    with pytest.raises(FileNotFoundError):
        gallery.keep(caught(1, "One"))
    assert gallery.count == 0
