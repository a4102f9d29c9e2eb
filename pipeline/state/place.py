"""The folder of the state: for its owner alone, on a disk of this machine, with room left."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from pipeline.state.faults import StateError, StateReason

# What locks and shared memory do not work on, or only seem to. The names are those of mountinfo.
_of_the_network: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gfs2", "glusterfs", "lustre"}
    | {"ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs"}
)
_MOUNTS: Final = Path("/proc/self/mountinfo")


def prepare(folder: Path, *, mounts: Path = _MOUNTS, network: bool = False) -> None:
    """Make the folder if it is missing, and see to it that nobody else reads it."""
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _keep_names(folder.parent)
        found = folder.stat()
        if found.st_uid != os.geteuid():
            raise StateError(
                StateReason.REFUSED,
                f"{folder} belongs to the user with the number {found.st_uid}, and this is {os.geteuid()}",
                "run as that user, or name a folder of your own",
            )
        if found.st_mode & 0o077:
            folder.chmod(stat.S_IMODE(found.st_mode) & 0o700)
    except OSError as error:
        raise refused(folder, error) from None
    kind = file_system(folder, mounts)
    if kind in _of_the_network and not network:
        raise StateError(
            StateReason.NETWORK,
            f"{folder} is on a network file system ({kind}), where locks cannot be trusted",
            "keep the state on a disk of this machine",
        )


def _keep_names(folder: Path) -> None:
    """A power cut must not take the folder away that holds what was admitted."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_file(path: Path) -> bool:
    """Make a file for its owner alone; False if it was there. Then others lose the right to read it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        # Not opened: closing it would drop the locks that SQLite has on it in this process.
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise StateError(StateReason.REFUSED, f"{path} is not a regular file") from None
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            path.chmod(0o600)
        return False
    except OSError as error:
        raise refused(path, error) from None
    return True


def refused(path: Path, error: OSError) -> StateError:
    """What a refusal of the machine means."""
    reason = (error.strerror or type(error).__name__).lower()
    text = f"{path} cannot be used: {reason} (user number {os.geteuid()})"
    return StateError(StateReason.REFUSED, text, "give this user a project folder on a disk that can be written to")


def file_system(folder: Path, mounts: Path = _MOUNTS) -> str:
    """The kind of file system that a folder is on; `""` where nothing tells."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    place = os.path.realpath(folder)
    best, kind = "", ""
    for line in lines:
        # id, parent, device, root, where it is mounted, options …, "-", the kind …
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = fields[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        inside = point in {"/", place} or place.startswith(f"{point}/")
        # Of two mounts on one place the later one is seen.
        if inside and len(point) >= len(best):
            best, kind = point, after.split(" ", 1)[0]
    return kind


def room(folder: Path) -> int:
    """How many bytes are free for this user."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
