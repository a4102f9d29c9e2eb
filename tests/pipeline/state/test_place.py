"""The folder of the state."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.state import place
from pipeline.state.faults import StateError, StateReason

MOUNTS = """\
22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:26 / /home rw,relatime shared:2 - nfs4 server:/home rw
31 30 0:27 / /home/ann rw - ext4 /dev/vdb rw
32 22 0:28 / /with\\040space rw - cifs //server/share rw
33 22 0:29 / /mnt/both rw - ext4 /dev/vdc rw
34 33 0:30 / /mnt/both rw - 9p share rw
short line
"""


def fault(folder: Path, **settings: object) -> StateError:
    """Why a folder is refused."""
    with pytest.raises(StateError) as caught:
        place.prepare(folder, **settings)  # type: ignore[arg-type]
    return caught.value


def test_a_missing_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """With those above it."""
    folder = tmp_path / "a" / "b"
    place.prepare(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_others_lose_their_rights(tmp_path: Path) -> None:
    """A folder or file that others could read is closed to them: it holds other people's mail."""
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    place.prepare(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    file = folder / "state.db"
    file.touch(0o644)
    file.chmod(0o644)
    assert not place.make_file(file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask says."""
    before = os.umask(0)
    try:
        assert place.make_file(tmp_path / "state.db")
    finally:
        os.umask(before)
    assert (tmp_path / "state.db").stat().st_mode & 0o777 == 0o600


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder or a link in its place is nothing to write into."""
    (tmp_path / "target").touch()
    (tmp_path / "state.db").symlink_to(tmp_path / "target")
    with pytest.raises(StateError, match="not a regular file") as caught:
        place.make_file(tmp_path / "state.db")
    assert caught.value.reason is StateReason.REFUSED


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """With its name, and who asked."""
    (tmp_path / "file").touch()
    refusal = fault(tmp_path / "file" / "state")
    assert refusal.reason is StateReason.REFUSED
    assert str(tmp_path / "file") in str(refusal)
    assert f"user number {os.geteuid()}" in str(refusal)
    with pytest.raises(StateError, match="cannot be used"):
        place.make_file(tmp_path / "gone" / "state.db")


def test_the_kind_of_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    """Deeper mounts hide the ones above, later ones those before; blanks in names are understood."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    for folder, kind in {
        "/var/lib/mailweir": "ext4",
        "/home/bo": "nfs4",
        "/home/ann/project": "ext4",
        "/homeless": "ext4",
        "/with space/x": "cifs",
        "/mnt/both": "9p",
    }.items():
        assert place.file_system(Path(folder), mounts) == kind
    assert place.file_system(Path("/"), tmp_path / "none") == ""


def test_a_network_file_system_is_refused_unless_it_is_wanted(tmp_path: Path) -> None:
    """Locks and shared memory do not work there, or only seem to."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / {tmp_path} rw - nfs server:/ rw\n")
    refusal = fault(tmp_path / "state", mounts=mounts)
    assert refusal.reason is StateReason.NETWORK
    assert "nfs" in str(refusal)
    place.prepare(tmp_path / "state", mounts=mounts, network=True)


def test_free_room_is_what_the_machine_says(tmp_path: Path) -> None:
    """In bytes that this user may use."""
    found = os.statvfs(tmp_path)
    assert 0 <= place.room(tmp_path) <= found.f_blocks * found.f_frsize
