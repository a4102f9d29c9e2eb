"""Files of the project that sinks write: replaced as a whole, or grown by what can be taken back."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, cast

from pipeline.run import StoppedError
from systems.disk import reason
from systems.forms import is_below

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
# Without O_NONBLOCK opening a FIFO waits for a reader that never comes.
_GROWN: Final = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class OutputFile:
    """A file below a folder; one whose name ends with `.gz` is packed. `StoppedError` for whatever the disk refuses."""

    def __init__(self, root: Path, path: str) -> None:
        """`path` leads from the folder `root` to the file; folders on the way are made."""
        self._root = root
        self.path = path
        self.packed = path.endswith(".gz")

    @contextmanager
    def replacing(self) -> Iterator[Draft]:
        """A draft, which becomes the file when it is kept; otherwise nothing has happened."""
        with self._telling():
            real = self._real()
            draft = Draft(real, packed=self.packed)
        try:
            with self._telling():
                yield draft
        finally:
            draft.drop()

    def append(self, data: bytes) -> None:
        """Put bytes behind its end; when this returns they are safe."""
        with self._telling():
            handle = self._open()
            try:
                rest = memoryview(gzip.compress(data, mtime=0) if self.packed else data)
                os.lseek(handle, 0, os.SEEK_END)
                while rest:
                    rest = rest[os.write(handle, rest) :]
                os.fsync(handle)
            finally:
                os.close(handle)

    @property
    def size(self) -> int:
        """How long it is; 0 if it is not there."""
        with self._telling():
            try:
                return self._real().stat().st_size
            except FileNotFoundError:
                return 0

    def has_more_than(self, size: int) -> bool:
        """Whether there are more than so many bytes in it, unpacked; of one that cannot be unpacked: yes."""
        with self._telling():
            try:
                with self._real().open("rb") as file:
                    return (
                        len(cast("IO[bytes]", gzip.GzipFile(fileobj=file) if self.packed else file).read(size + 1))
                        > size
                    )
            except FileNotFoundError:
                return False
            except (gzip.BadGzipFile, EOFError, zlib.error):
                return True

    def cut(self, size: int) -> None:
        """Take back what is behind so many bytes."""
        with self._telling():
            handle = self._open()
            try:
                if os.fstat(handle).st_size > size:
                    os.ftruncate(handle, size)
                    os.fsync(handle)
            finally:
                os.close(handle)

    def _open(self) -> int:
        handle = os.open(self._real(), _GROWN, 0o666)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return handle
        os.close(handle)
        raise StoppedError(f"cannot write {self.path}: it is not a regular file")

    def _real(self) -> Path:
        """Where it is, by whatever links, and in the project."""
        root = os.path.realpath(self._root)
        real = Path(os.path.realpath(self._root / self.path))
        if not is_below(self.path) or not real.is_relative_to(root):
            raise StoppedError(f"cannot write {self.path}: it lies outside of the project")
        real.parent.mkdir(parents=True, exist_ok=True)
        return real

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoppedError(f"cannot write {self.path}: {reason(error)}") from None


class Draft:
    """What is to become a file, beside it under another name."""

    def __init__(self, path: Path, *, packed: bool) -> None:
        """Begin with nothing."""
        self._path = path
        self._hidden = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with suppress(FileNotFoundError):
            self._hidden.unlink()  # of a process of this number that was killed
        self._file = os.fdopen(os.open(self._hidden, _NEW, 0o666), "wb")
        self._to = cast("IO[bytes]", gzip.GzipFile("", "wb", fileobj=self._file, mtime=0)) if packed else self._file

    def write(self, data: bytes) -> None:
        """More of it."""
        self._to.write(data)

    def keep(self) -> None:
        """Put it in the place of the file, whole: also after a power cut there is the one or the other."""
        if self._to is not self._file:
            self._to.close()
        self._file.flush()
        with suppress(OSError):  # who may use the file that is there may use this one
            os.fchmod(self._file.fileno(), stat.S_IMODE(self._path.stat().st_mode))
        os.fsync(self._file.fileno())
        self._file.close()
        self._hidden.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def drop(self) -> None:
        """Take it away, unless it was kept."""
        with suppress(OSError):
            self._to.close()
            self._file.close()
        with suppress(OSError):
            self._hidden.unlink()
