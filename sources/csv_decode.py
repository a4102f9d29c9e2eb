"""Bytes of a text in any encoding, as the lines that they are. No I/O."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import chain
from typing import Final

from sources.parts import MOST_BYTES

# The longer marks first: one of UTF-32 begins as one of UTF-16.
_marks: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_MARK: Final = 4


class TooLargeError(Exception):
    """A line, or what is read in one go, past the limit."""


def is_encoding(name: str) -> bool:
    """Whether text can be read in an encoding of this name."""
    try:
        found = codecs.lookup(name)
        return found.incrementaldecoder is not None and isinstance(codecs.decode(b"", name), str)
    except (LookupError, ValueError):
        return False


class Lines:
    """The lines of a text, some thousand at a time, each with its line end.

    `of` gives those once more that were read since `passed` was called last. Bytes that are no text become lone
    surrogates, in `damaged` lines; with `replace` they become U+FFFD.
    """

    def __init__(self, portions: Iterable[bytes], encoding: str | None = None, *, replace: bool = False) -> None:
        """Without an `encoding` it is that of the byte order mark, or UTF-8."""
        self._texts = _whole_lines(self._decoded(iter(portions), encoding, replace=replace))
        self._kept: list[str] = []
        self._last: list[str] = []
        self._before = 0  # how many lines there were before those that are kept
        self._weight = 0  # of what is kept, in characters
        self.damaged = False
        self.ended = False
        self.groups = 0

    def __iter__(self) -> Iterator[list[str]]:
        """Groups of lines; `TooLargeError` when too much would have to be kept."""
        for text in self._texts:
            if self._weight > MOST_BYTES:
                raise TooLargeError
            self._last = StringIO(text, newline="").readlines()
            self._kept += self._last
            self._weight += len(text)
            self.groups += 1
            yield self._last
        self.ended = True

    @property
    def loaded(self) -> int:
        """How many lines there were so far."""
        return self._before + len(self._kept)

    def of(self, first: int, last: int) -> str:
        """The lines of these numbers, from 1."""
        return "".join(self._kept[first - 1 - self._before : last - self._before])

    def passed(self) -> None:
        """Nobody asks any more for lines before the last group."""
        self._weight = 0
        if len(self._kept) > len(self._last):
            self._before += len(self._kept) - len(self._last)
            self._kept = self._last[:]

    def _decoded(self, portions: Iterator[bytes], encoding: str | None, *, replace: bool) -> Iterator[str]:
        head = b""
        while len(head) < _LONGEST_MARK and (more := next(portions, b"")):
            head += more
        marked = next((name for mark, name in _marks if head.startswith(mark)), None)
        name = encoding or marked or "utf-8"
        if marked == "utf-8-sig" and codecs.lookup(name).name == "utf-8":
            name = marked
        decoder = codecs.getincrementaldecoder(name)("replace" if replace else "strict")
        for portion in chain((head,), portions):
            yield self._text(decoder, portion, final=False)
        yield self._text(decoder, b"", final=True)

    def _text(self, decoder: codecs.IncrementalDecoder, portion: bytes, *, final: bool) -> str:
        before = decoder.getstate()
        try:
            return decoder.decode(portion, final)
        except UnicodeDecodeError:
            self.damaged = True
        decoder.setstate(before)
        decoder.errors = "surrogateescape"
        try:
            return decoder.decode(portion, final)
        finally:
            decoder.errors = "strict"


def _whole_lines(texts: Iterator[str]) -> Iterator[str]:
    """The same in pieces that end with a line."""
    rest: list[str] = []
    size = 0
    for text in texts:
        # A `\r` at the very end may be the first half of a line end.
        cut = max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1
        if not cut:
            rest.append(text)
            size += len(text)
            if size > MOST_BYTES:
                raise TooLargeError
            continue
        yield "".join((*rest, text[:cut]))
        rest, size = [text[cut:]], len(text) - cut
    last = "".join(rest)
    if last:
        yield last
