"""The three standard streams, whatever the caller has made of them: closed, a pipe nobody reads, a full disk."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import BytesIO
from typing import BinaryIO, TextIO


class StreamError(Exception):
    """A standard stream that cannot be used, in words for the person."""


def opened(stream: TextIO | None) -> TextIO:
    """The stream; nowhere, when the caller closed it before the start."""
    # The handle of the closed stream is the lowest one free: this takes it, and no file can get it later.
    return stream or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def put(stream: TextIO, text: str | bytes) -> bool:
    """Write and flush; False when the reader has gone (`| head`), which is no fault: the rest is dropped.

    `StreamError` when the system refuses to write.
    """
    try:
        if isinstance(text, str):
            stream.write(text)
        else:
            stream.buffer.write(text)
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
        return False
    except OSError as error:
        _silence(stream)
        raise StreamError(f"cannot write to {_name(stream)}: {_reason(error)}") from None
    return True


def taken(most: int = -1) -> bytes:
    """What comes from standard input, up to so many bytes."""
    stdin: TextIO | None = sys.stdin
    source: BinaryIO = stdin.buffer if stdin else BytesIO()
    try:
        return source.read(most)
    except OSError as error:
        raise StreamError(f"cannot read standard input: {_reason(error)}") from None


def _silence(stream: TextIO) -> None:
    """What is still in the buffer, and what is written from now on, goes nowhere: Python flushes again at exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _name(stream: TextIO) -> str:
    return {"<stdout>": "standard output", "<stderr>": "standard error"}.get(stream.name, stream.name)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
