"""What leaves the process: one place where text is scrubbed, coloured and written."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TextIO

from pipeline.scrub import Scrubber

Color = Literal["auto", "always", "never"]
DEFAULT_WIDTH = 88


@dataclass(slots=True)
class Out:
    """Standard output and standard error behind one scrubber."""

    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    color: Color = "auto"
    scrubber: Scrubber = field(default_factory=Scrubber)
    quiet: bool = False

    def line(self, text: str = "") -> None:
        """A line of result, to standard output."""
        self._write(self.stdout, text)

    def say(self, text: str) -> None:
        """A line for the person, to standard error; `--quiet` drops it."""
        if not self.quiet:
            self._write(self.stderr, text)

    def fault(self, text: str) -> None:
        """A fault, to standard error."""
        self._write(self.stderr, text)

    def document(self, value: object) -> None:
        """One JSON document, to standard output."""
        self._write(self.stdout, json.dumps(value, ensure_ascii=False, indent=2))

    def colors(self, stream: TextIO) -> bool:
        """Whether to colour: NO_COLOR beats FORCE_COLOR beats the terminal."""
        if self.color != "auto":
            return self.color == "always"
        if self.environ.get("NO_COLOR"):
            return False
        if self.environ.get("FORCE_COLOR"):
            return True
        return stream.isatty() and not self.environ.get("CI")

    def width(self, stream: TextIO) -> int:
        """The columns of the terminal, or the usual width without one."""
        if not stream.isatty():
            return DEFAULT_WIDTH
        return max(40, shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns)

    def _write(self, stream: TextIO, text: str) -> None:
        text = self.scrubber.scrub(text)
        encoding = stream.encoding or "utf-8"
        # A terminal without UTF-8 shows a `?` rather than a traceback; lone surrogates have no bytes at all.
        stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        stream.flush()
