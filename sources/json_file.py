"""Entities from a JSON file or stream, batch by batch, and where to go on in a file of lines that grows."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import stat
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, cast

from pipeline.entity import Entity
from pipeline.errors import Problem, SourceError, Span
from sources.json import is_below
from sources.json_cut import Form, OnError
from sources.json_fault import Fault, Place
from sources.json_text import Batch, batches, opened
from systems.disk import reason

# A pipe holds so much; from a file larger portions are read, so that few lines are cut in two.
_PIPE: Final = 65_536
_FILE: Final = 1_048_576
# More of one kind in one run is one fault many times; all are counted.
_MOST_TOLD: Final = 20

_log: Final = logging.getLogger("mailweir.source")


class Json:
    """Reads one file. Its position is that behind the last line, with a fingerprint of all bytes before it."""

    def __init__(
        self, root: Path, path: str, form: Form | None = None, on_error: OnError = "stop", *, lasting: bool = True
    ) -> None:
        """`path` leads from the folder `root` to a file below it. Unless `lasting`, every run reads all."""
        self._root = root
        self._path = path
        self._form = form
        self._on_error: OnError = on_error
        self._lasting = lasting
        self.skipped = 0

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities; `SourceError` where it cannot go on."""
        with ExitStack() as stack:
            file = stack.enter_context(_open(self._root, self._path))
            if self._path.endswith(".gz"):
                file = stack.enter_context(cast("BinaryIO", gzip.GzipFile(fileobj=file)))
                yield from self._stream(file)
                return
            text = opened(_portions(file, self._path), self._form)
            if text.form != "lines" or not self._lasting:
                file.seek(0)
                yield from self._stream(file)
                return
            yield from self._grown(file, since, text.start)

    def _stream(self, file: BinaryIO) -> Iterator[tuple[Sequence[Entity], None]]:
        stream = JsonStream(file, self._path, self._form, self._on_error)
        try:
            for batch, _ in stream.read(None):
                yield batch, None
        finally:
            self.skipped += stream.skipped

    def _grown(self, file: BinaryIO, since: str | None, start: Place) -> Iterator[tuple[Sequence[Entity], str | None]]:
        trail = Trail()
        place = _position(since)
        file.seek(0)
        if place is None or not trail.follow(file, place, since or ""):
            if since:
                _log.info("%s: is another file than before, all of it is read", self._path)
            trail, place = Trail(), start
            file.seek(0)
            trail.add(file.read(start.offset))
        text = opened((), "lines")._replace(portions=trail.kept(_portions(file, self._path)))
        found = _without_faults(batches(text, self._path, place), self._on_error, growing=True)
        for batch in found:
            print_ = trail.upto(batch.end.offset)
            if batch.entities or batch.end.column == 1:
                yield batch.entities, f"{batch.end.offset}.{batch.end.line}.{print_}"
            self.skipped += batch.fault is not None


class JsonStream:
    """Reads an open stream, once. It has no position."""

    once: Final = True

    def __init__(self, stream: BinaryIO, name: str, form: Form | None = None, on_error: OnError = "stop") -> None:
        """`name` is what faults call it."""
        self._stream = stream
        self._name = name
        self._form: Form | None = form
        self._on_error: OnError = on_error
        self.skipped = 0

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities as they come; `SourceError` where it cannot go on."""
        text = opened(_portions(self._stream, self._name), self._form)
        for batch in _without_faults(batches(text, self._name), self._on_error):
            self.skipped += batch.fault is not None
            if batch.entities:
                yield batch.entities, None


class Trail:
    """The fingerprint of everything before a place in a file that is being read."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._hash = hashlib.sha256()
        self._at = 0
        self._waiting: deque[memoryview] = deque()

    def add(self, data: bytes) -> None:
        """Bytes that have been read for good."""
        self._hash.update(data)
        self._at += len(data)

    def kept(self, portions: Iterable[bytes]) -> Iterator[bytes]:
        """The portions, while they pass."""
        for portion in portions:
            self._waiting.append(memoryview(portion))
            yield portion

    def upto(self, offset: int) -> str:
        """The fingerprint of the bytes before the offset; they are kept no longer."""
        while self._at < offset:
            portion = self._waiting.popleft()
            part = portion[: offset - self._at]
            self._hash.update(part)
            self._at += len(part)
            if len(part) < len(portion):
                self._waiting.appendleft(portion[len(part) :])
        return self._hash.copy().hexdigest()[:32]

    def follow(self, file: BinaryIO, place: Place, since: str) -> bool:
        """Read up to the place; whether the file has these bytes."""
        while left := place.offset - self._at:
            portion = file.read(min(left, _FILE))
            if not portion:
                return False
            self.add(portion)
        return since.endswith(f".{self.upto(self._at)}")


def _position(since: str | None) -> Place | None:
    """The place that a position tells; None if it is none of ours."""
    parts = (since or "").split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts[:2]):  # place, fingerprint
        return None
    return Place(int(parts[0]), int(parts[1]))


def _without_faults(found: Iterator[Batch], on_error: OnError, *, growing: bool = False) -> Iterator[Batch]:
    """The batches up to the first fault, which is raised; or all of them, and what they leave out is logged."""
    skipped = 0
    for batch in found:
        fault = batch.fault
        if fault is not None and growing and fault.unfinished:
            yield batch._replace(fault=None)
            _log.warning("%s; the last line has no end yet and is read when it has one", _error(fault))
            break
        if fault is not None and (on_error == "stop" or not fault.resumes):
            yield batch._replace(fault=None)
            raise _error(fault)
        if fault is not None:
            skipped += 1
            if skipped <= _MOST_TOLD:
                _log.warning("%s; it is left out", _error(fault))
        yield batch
    if skipped > _MOST_TOLD:
        _log.warning("%d parts that are no entities were left out", skipped)


def _error(fault: Fault) -> SourceError:
    return SourceError(fault.problem, fault.text, fault.place.line, fault.place.column)


def _portions(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """What a stream gives, as soon as it gives it."""
    # A pipe has read1, which does not wait for more; a file and a gzip file are read in large portions.
    read = getattr(stream, "read1", None) if _is_pipe(stream) else None
    while True:
        try:
            portion = read(_PIPE) if read else stream.read(_FILE)
        except (OSError, EOFError, zlib.error) as error:
            why = reason(error) if isinstance(error, OSError) and error.strerror else str(error).lower()
            raise _unreadable(name, why) from None
        if not portion:
            return
        yield portion


def _is_pipe(stream: BinaryIO) -> bool:
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, AttributeError):
        return False


def _unreadable(name: str, why: str) -> SourceError:
    return SourceError(Problem("E115", f"cannot read this file: {why}", Span(name, 0, 0)))


def _open(root: Path, path: str) -> BinaryIO:
    """The file, if it is a regular one in the folder."""
    real = os.path.realpath(root / path)
    if not is_below(path) or not Path(real).is_relative_to(os.path.realpath(root)):
        raise _unreadable(path, "it lies outside of the project")
    try:
        # Without O_NONBLOCK opening a FIFO waits for a writer that never comes.
        handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(path, reason(error)) from None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return cast("BinaryIO", os.fdopen(handle, "rb", buffering=0))
    os.close(handle)
    raise _unreadable(path, "it is not a regular file")
