"""What leaves the process: one place where text is scrubbed, coloured and written."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, TextIO

from mailweir.cli.streams import StreamError, opened, put
from mailweir.in_ci import in_ci
from pipeline.scrub import Scrubber

Color = Literal["auto", "always", "never"]
DEFAULT_WIDTH = 88


@dataclass(slots=True)
class Out:
    """Standard output and standard error behind one scrubber. `gone` says that nobody reads one of them any more."""

    stdout: TextIO = field(default_factory=lambda: opened(sys.stdout))
    stderr: TextIO = field(default_factory=lambda: opened(sys.stderr))
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    color: Color = "auto"
    scrubber: Scrubber = field(default_factory=Scrubber)
    quiet: bool = False
    gone: bool = False

    def line(self, text: str = "") -> None:
        """A line of result, to standard output."""
        self._write(self.stdout, text)

    def say(self, text: str) -> None:
        """A line for the person, to standard error; `--quiet` drops it."""
        if not self.quiet:
            self.fault(text)

    def fault(self, text: str) -> None:
        """A fault, to standard error. Where nothing can be written there is nobody to tell."""
        with suppress(StreamError):
            self._write(self.stderr, text)

    def document(self, value: object) -> None:
        """One JSON document, to standard output."""
        self._json(json.dumps(self._scrubbed(value), ensure_ascii=False, indent=2))

    def record(self, value: object) -> None:
        """One JSON document on a line of its own, to standard output."""
        self._json(json.dumps(self._scrubbed(value), ensure_ascii=False))

    def data(self, value: bytes) -> None:
        """A file as it is, to standard output."""
        self.gone |= not put(self.stdout, value)

    def colors(self, stream: TextIO) -> bool:
        """Whether to colour: NO_COLOR beats FORCE_COLOR beats the terminal."""
        if self.color != "auto":
            return self.color == "always"
        if self.environ.get("NO_COLOR"):
            return False
        if self.environ.get("FORCE_COLOR"):
            return True
        return stream.isatty() and not in_ci(self.environ)

    def width(self, stream: TextIO) -> int:
        """The columns of the terminal, or the usual width without one."""
        if not stream.isatty():
            return DEFAULT_WIDTH
        return max(40, shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns)

    def _scrubbed(self, value: object) -> object:
        """The texts in a document without secrets. Its numbers stay: with a mask among them it would be no JSON."""
        match value:
            case str():
                return self.scrubber.scrub(value)
            case dict():
                return {self._scrubbed(key): self._scrubbed(item) for key, item in value.items()}
            case list() | tuple():
                return [self._scrubbed(item) for item in value]
        return value

    def _json(self, text: str) -> None:
        # In UTF-8 whatever the terminal has (RFC 8259 section 8.1): a `?` in the place of a letter is another value.
        self.data((printable(text) + "\n").encode())

    def _write(self, stream: TextIO, text: str, *, scrub: bool = True) -> None:
        text = self.scrubber.scrub(text) if scrub else text
        encoding = stream.encoding or "utf-8"
        # A terminal without UTF-8 shows a `?` rather than a traceback; lone surrogates have no bytes at all.
        self.gone |= not put(stream, text.encode(encoding, "replace").decode(encoding) + "\n")


def printable(text: str) -> str:
    """A JSON text in which nothing that strangers wrote can be acted on by a terminal, or has no bytes."""
    lines = text.split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(_shown, line)) for line in lines)


def _shown(character: str) -> str:
    return character if character.isprintable() else "".join(f"\\u{unit:04x}" for unit in _units(character))


def _units(character: str) -> Iterator[int]:
    data = character.encode("utf-16-be", "surrogatepass")
    return (int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2))
