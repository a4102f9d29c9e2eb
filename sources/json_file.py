"""Entities from a JSON file or stream, batch by batch, and where to go on in a file of lines that grows."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.entity import Entity
from sources.input_file import open_file, portions_of, unpacked, without_faults
from sources.json_cut import Form
from sources.json_text import batches, opened
from sources.parts import OnError, Place

# So much is read at a time to see whether a file is the one that was read before.
_FILE: Final = 1_048_576

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
        self.afresh = True
        self.cut = False

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return _position(since) is not None

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities; `SourceError` where it cannot go on."""
        self.afresh, self.cut = True, False
        with ExitStack() as stack:
            file = stack.enter_context(open_file(self._root, self._path))
            if self._path.endswith(".gz"):
                yield from self._stream(unpacked(file, self._path, stack))
                return
            text = opened(portions_of(file, self._path), self._form)
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
        else:
            self.afresh = False
        text = opened((), "lines")._replace(portions=trail.kept(portions_of(file, self._path)))
        found = without_faults(batches(text, self._path, place), self._on_error, growing=True)
        for batch in found:
            print_ = trail.upto(batch.end.offset)
            if batch.entities or batch.end.column == 1:
                yield batch.entities, f"{batch.end.offset}.{batch.end.line}.{print_}"
            self.skipped += batch.fault is not None
        self.cut = trail.waits


class JsonStream:
    """Reads an open stream, once. It has no position."""

    once: Final = True

    def __init__(self, stream: BinaryIO, name: str, form: Form | None = None, on_error: OnError | None = None) -> None:
        """`name` is what faults call it. Without `on_error` it stops at one."""
        self._stream = stream
        self._name = name
        self._form: Form | None = form
        self._on_error = on_error
        self.skipped = 0

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities as they come; `SourceError` where it cannot go on."""
        text = opened(portions_of(self._stream, self._name), self._form)
        for batch in without_faults(batches(text, self._name), self._on_error):
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

    @property
    def waits(self) -> bool:
        """Whether there are bytes that were not read for good."""
        return any(self._waiting)

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
