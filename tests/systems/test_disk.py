"""Files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from systems.disk import (
    HALF_WRITTEN,
    PAUSE,
    Disk,
    FolderError,
    Refusal,
    fault_of_folder,
    left_behind,
    make_folders,
    read_file,
)
from systems.mail import Reason

DISK = Disk()


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Folders above the one that is asked for too, whatever the umask lets through."""
    before = os.umask(0)
    try:
        make_folders(DISK, tmp_path / "state" / "spool" / "out")
        DISK.write_new(tmp_path / "state" / "file", b"x")
    finally:
        os.umask(before)
    for folder in ("state", "state/spool", "state/spool/out"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "file").stat().st_mode & 0o777 == 0o600
    assert fault_of_folder(tmp_path / "state") is None


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    """A new file whose name is taken is an error, and the old one stays; a link is not followed."""
    DISK.write_new(tmp_path / "a", b"old")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("a", "link"):
        with pytest.raises(FileExistsError):
            DISK.write_new(tmp_path / name, b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert not (tmp_path / "elsewhere").exists()


def test_a_whole_file_takes_the_place_of_another(tmp_path: Path) -> None:
    """With nothing left beside it, also after a process that died in the middle."""
    (tmp_path / f".a.{os.getpid()}.tmp").write_text("half")
    DISK.write_whole(tmp_path / "a", b"one")
    DISK.write_whole(tmp_path / "a", b"two" * 100_000)
    assert (tmp_path / "a").read_bytes() == b"two" * 100_000
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file in its place, and a file in the place of one above it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="it is not a folder"):
        make_folders(DISK, tmp_path / "file")
    with pytest.raises(FolderError, match="it cannot be made: not a directory"):
        make_folders(DISK, tmp_path / "file" / "below")


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o770, 0o704])
def test_a_folder_that_others_can_use_is_told(tmp_path: Path, mode: int) -> None:
    """With what to do about it."""
    tmp_path.chmod(mode)
    fault = fault_of_folder(tmp_path)
    assert fault is not None
    assert (fault.why, fault.advice) == (f"others can use it (mode {mode:04o})", f"chmod 700 {tmp_path}")


def test_files_that_are_not_ours_are_not_read(tmp_path: Path) -> None:
    """No link, no second name, no file for others, no FIFO, none that is too large."""
    DISK.write_new(tmp_path / "file", b"12345")
    assert read_file(tmp_path / "file", 5) == b"12345"
    with pytest.raises(FolderError, match="too large"):
        read_file(tmp_path / "file", 4)
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(FolderError, match="not a regular file"):
        read_file(tmp_path / "fifo", 5)
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(FolderError, match="symbolic links"):
        read_file(tmp_path / "link", 5)
    (tmp_path / "file").chmod(0o640)
    with pytest.raises(FolderError, match="others can use it"):
        read_file(tmp_path / "file", 5)
    (tmp_path / "file").chmod(0o600)
    os.link(tmp_path / "file", tmp_path / "second")
    with pytest.raises(FolderError, match="another name"):
        read_file(tmp_path / "file", 5)


def test_only_old_files_are_left_behind(tmp_path: Path) -> None:
    """Older than any process can be writing one."""
    for name, age in (("old", HALF_WRITTEN + 1), ("young", HALF_WRITTEN - 1)):
        DISK.write_new(tmp_path / name, b"")
        os.utime(tmp_path / name, (10**9 - age, 10**9 - age))
    assert left_behind(tmp_path, 10**18) == [tmp_path / "old"]


def test_a_disk_that_refuses_is_left_alone_for_a_while() -> None:
    """As long as the pause lasts, by whatever clock."""
    now = 10**18
    refusal = Refusal("out", lambda: now)
    assert refusal.trouble is None
    assert refusal.begin(OSError(28, "No space left on device")) == "no space left on device"
    trouble = refusal.trouble
    assert trouble is not None
    assert (trouble.server, trouble.fault.text, trouble.seconds) == ("out", "no space left on device", PAUSE)
    assert (trouble.fault.reason, trouble.fault.retryable) == (Reason.UNAVAILABLE, True)
    now += int(PAUSE * 1e9)
    assert refusal.trouble is None
    now = 0  # the clock was set back: the pause must not last for years
    assert refusal.trouble is None
