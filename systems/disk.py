"""Files that are whole or not there, also after a crash: with this the systems write that keep mail in folders."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from systems.mail import Phase, Reason, SystemFault, Trouble

# A disk that is full now will most likely be full in a second, and hardly in a minute for the same reason.
PAUSE: Final = 60.0
# What a process left half written is taken away when no process can still be writing it: the rule of Maildir.
HALF_WRITTEN: Final = 36 * 3600

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
# Without O_NONBLOCK to open a FIFO would wait for a writer that never comes.
_OPEN: Final = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
# What says of a name that it is none of ours, and nothing of the disk.
_strange: Final = frozenset({errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.EACCES, errno.EPERM, errno.ENXIO})


class FolderError(Exception):
    """A folder, or a file in it, that cannot be used: which one, why, and what to do."""

    def __init__(self, path: Path, why: str, advice: str = "") -> None:
        """`why` goes on from the path: `others can read it`."""
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why
        self.advice = advice


class Disk:
    """The operations that change a disk.

    What is written is safe from a power cut when the call returns, a name when `sync_folder` has returned.
    """

    def make_folder(self, path: Path) -> None:
        """A folder for its owner alone."""
        path.mkdir(mode=0o700)

    def write_new(self, path: Path, data: bytes) -> None:
        """A file for its owner alone, which must not be there yet. What cannot be written whole is taken away."""
        handle = os.open(path, _NEW, 0o600)
        try:
            _write(handle, data, 0)
            self.sync(handle)
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise
        finally:
            os.close(handle)

    def write_at(self, handle: int, data: bytes, offset: int, *, safe: bool = True) -> None:
        """Bytes of an open file; if not `safe`, they may be lost by a power cut."""
        _write(handle, data, offset)
        if safe:
            self.sync(handle)

    def cut(self, handle: int, size: int) -> None:
        """Shorten an open file."""
        os.ftruncate(handle, size)

    def stamp(self, file: int | Path, nanoseconds: int) -> None:
        """The time that a file shows as that of its last change; a hint, it need not outlast anything."""
        os.utime(file, ns=(nanoseconds, nanoseconds))

    def rename(self, old: Path, new: Path) -> None:
        """Another name; what had it before is gone."""
        old.rename(new)

    def remove(self, path: Path) -> None:
        """Take a name away if it is there."""
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Keep the names in a folder as they are."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sync(handle)
        finally:
            os.close(handle)

    def sync(self, handle: int) -> None:
        """Wait until the disk has what was written to an open file or folder."""
        os.fsync(handle)

    def write_whole(self, path: Path, data: bytes) -> None:
        """A file under its name, whole or not at all; what had the name before is gone."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self.remove(temporary)
        self.write_new(temporary, data)
        self.rename(temporary, path)


class Refusal:
    """What a system says of itself after its disk refused to write: nothing more, for a while."""

    def __init__(self, server: str, now: Callable[[], int]) -> None:
        """`now` gives nanoseconds since 1970."""
        self._server = server
        self._now = now
        self._until = 0
        self._text = ""

    def begin(self, error: OSError) -> str:
        """The disk refused; gives the reason in a few words."""
        self._until = self._now() + int(PAUSE * 1e9)
        self._text = reason(error)
        return self._text

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing is written now; None if it would be tried."""
        left = (self._until - self._now()) / 1e9
        # A clock that was set back must not make the pause longer.
        if not 0 < left <= PAUSE:
            return None
        return Trouble(self._server, SystemFault(Phase.BEFORE, Reason.UNAVAILABLE, self._text), left)


def _write(handle: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        done = os.pwrite(handle, rest, offset)
        rest, offset = rest[done:], offset + done


def make_folders(disk: Disk, path: Path) -> None:
    """The folder and those above it that are missing, each for its owner alone."""
    try:
        missing = []
        above = path
        while not above.exists():
            missing.append(above)
            above = above.parent
        for folder in reversed(missing):
            with suppress(FileExistsError):
                disk.make_folder(folder)
                disk.sync_folder(folder.parent)
        usable = path.is_dir()
    except OSError as error:
        raise FolderError(path, f"it cannot be made: {reason(error)}") from None
    if not usable:
        raise FolderError(path, "it is not a folder")


def left_behind(folder: Path, nanoseconds: int) -> list[Path]:
    """The files in a folder that nobody can be writing any more at this time."""
    oldest = nanoseconds // 10**9 - HALF_WRITTEN
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < oldest:
                    found.append(Path(entry.path))
    return found


def fault_of_folder(path: Path) -> FolderError | None:
    """Why a folder does not belong to this user alone; None if it does."""
    found = path.stat()
    if found.st_uid != os.geteuid():
        return FolderError(path, "it belongs to another user", "name a folder of your own, or let it be made")
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        return FolderError(path, f"others can use it (mode {mode:04o})", f"chmod 700 {path}")
    return None


def open_file(path: Path, most: int, *, write: bool = False) -> int:
    """A file of ours, of at most so many bytes; FolderError if it is none. No link is followed."""
    try:
        handle = os.open(path, _OPEN | (os.O_RDWR if write else os.O_RDONLY))
    except OSError as error:
        if error.errno in _strange:
            raise FolderError(path, f"it cannot be opened: {reason(error)}") from None
        raise
    why = _fault_of_file(os.fstat(handle), most)
    if why is None:
        return handle
    os.close(handle)
    raise FolderError(path, why)


def _fault_of_file(found: os.stat_result, most: int) -> str | None:
    """Why an open file is none that was written here; None if it may be."""
    if not stat.S_ISREG(found.st_mode):
        return "it is not a regular file"
    if found.st_uid != os.geteuid():
        return "it belongs to another user"
    if found.st_nlink > 1:
        return "it has another name elsewhere"
    if found.st_mode & 0o077:
        return f"others can use it (mode {stat.S_IMODE(found.st_mode):04o})"
    return "it is too large" if found.st_size > most else None


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a file as `open_file` takes it."""
    handle = open_file(path, most)
    try:
        return read_open(handle)
    finally:
        os.close(handle)


def read_open(handle: int) -> bytes:
    """All of an open file."""
    size = os.fstat(handle).st_size
    pieces = []
    offset = 0
    while offset < size and (piece := os.pread(handle, size - offset, offset)):
        pieces.append(piece)
        offset += len(piece)
    return b"".join(pieces)


def reason(error: OSError) -> str:
    """Why the machine refused, in a few words."""
    return (error.strerror or type(error).__name__).lower()
