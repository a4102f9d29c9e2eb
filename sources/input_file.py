"""Files of the project and standard input, as sources read them, and what becomes of the faults in them."""

from __future__ import annotations

import gzip
import logging
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from pipeline.config.given import advice, note
from pipeline.errors import Problem, SourceError, Span
from sources.parts import Batch, Fault, OnError
from systems.disk import reason
from systems.forms import is_below

# A pipe holds so much; from a file larger portions are read, so that few lines are cut in two.
_PIPE: Final = 65_536
_FILE: Final = 1_048_576
# More of one kind in one run is one fault many times; all are counted.
_MOST_TOLD: Final = 20

_log: Final = logging.getLogger("mailweir.source")


class InputFile:
    """A regular file below a folder, unpacked while it is read if its name ends with `.gz`; `-` is standard input."""

    def __init__(self, root: Path, path: str) -> None:
        """`path` leads from the folder `root` to the file."""
        self._root = root
        self._path = path
        self.once = path == "-"
        self.name = "standard input" if self.once else path

    def portions(self) -> Iterator[bytes]:
        """Its bytes, as they come; `SourceError` if it cannot be read."""
        if self.once:
            yield from portions_of(sys.stdin.buffer, self.name)
            return
        with ExitStack() as stack:
            file = stack.enter_context(open_file(self._root, self._path))
            yield from portions_of(unpacked(file, self._path, stack), self.name)


def unpacked(file: BinaryIO, path: str, stack: ExitStack) -> BinaryIO:
    """The file itself, or what is packed in it."""
    if not path.endswith(".gz"):
        return file
    return stack.enter_context(cast("BinaryIO", gzip.GzipFile(fileobj=file)))


def without_faults(found: Iterator[Batch], on_error: OnError | None, *, growing: bool = False) -> Iterator[Batch]:
    """The batches up to the first fault, which is raised; or all of them, and what they leave out is logged.

    Where the configuration says nothing of it (None), it is no help against a fault.
    """
    skipped = 0
    for batch in found:
        fault = batch.fault
        if fault is not None and growing and fault.unfinished:
            yield batch._replace(fault=None)
            _log.warning("%s; the last line has no end yet and is read when it has one", _error(fault))
            break
        if fault is not None and (on_error != "skip" or not fault.resumes):
            yield batch._replace(fault=None)
            raise _error(_advised(fault) if fault.resumes and on_error == "stop" else fault)
        if fault is not None:
            skipped += 1
            if skipped <= _MOST_TOLD:
                _log.warning("%s; it is left out", _error(fault))
        yield batch
    if skipped > _MOST_TOLD:
        _log.warning("%d parts that are no entities were left out", skipped)


def _advised(fault: Fault) -> Fault:
    """The same, with what it holds up."""
    notes = (
        note("what stands before it is delivered; what stands behind it is read when this is mended"),
        advice('to leave such parts out and read on: `"on_error": "skip"` in the source'),
    )
    return fault._replace(problem=replace(fault.problem, notes=(*fault.problem.notes, *notes)))


def _error(fault: Fault) -> SourceError:
    return SourceError(fault.problem, fault.text, fault.place.line, fault.place.column)


def portions_of(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """What a stream gives, as soon as it gives it."""
    # A pipe has read1, which does not wait for more; a file and a gzip file are read in large portions.
    read = getattr(stream, "read1", None) if _is_pipe(stream) else None
    while True:
        try:
            portion = read(_PIPE) if read else stream.read(_FILE)
        except (OSError, EOFError, zlib.error) as error:
            why = reason(error) if isinstance(error, OSError) and error.strerror else str(error).lower()
            raise unreadable(name, why) from None
        if not portion:
            return
        yield portion


def _is_pipe(stream: BinaryIO) -> bool:
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, AttributeError):
        return False


def unreadable(name: str, why: str) -> SourceError:
    """What is said of a file that cannot be read."""
    return SourceError(Problem("E115", f"cannot read this file: {why}", Span(name, 0, 0)))


def open_file(root: Path, path: str) -> BinaryIO:
    """The file, if it is a regular one in the folder."""
    real = os.path.realpath(root / path)
    if not is_below(path) or not Path(real).is_relative_to(os.path.realpath(root)):
        raise unreadable(path, "it lies outside of the project")
    try:
        # Without O_NONBLOCK opening a FIFO waits for a writer that never comes.
        handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(path, reason(error)) from None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return cast("BinaryIO", os.fdopen(handle, "rb", buffering=0))
    os.close(handle)
    raise unreadable(path, "it is not a regular file")
