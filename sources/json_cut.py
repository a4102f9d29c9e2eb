"""Where the values of a JSON text begin and end, and how deep they are: brackets and strings, nothing else. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

Form = Literal["lines", "list", "objects"]

BLANKS: Final = b" \t\r\n"
MOST_DEPTH: Final = 64

_blank: Final = re.compile(rb"[ \t\r\n]*+")
# Everything up to the next bracket, whole strings among it; then the rest of a string that goes on in the next portion.
_outside: Final = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_inside: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_string: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_bare: Final = re.compile(rb'[^ \t\r\n,\[\]{}":]++')


def _levels(most: int) -> re.Pattern[bytes]:
    """A list or object of at most so many levels, in one go."""
    inner = rb'[^"{}\[\]]++|' + _string
    for _ in range(most):
        whole = rb"[{\[](?:" + inner + rb")*+[}\]]"
        inner = rb'[^"{}\[\]]++|' + _string + rb"|" + whole
    return re.compile(whole, re.DOTALL)


# Most entities have no more levels; of others this is tried in vain once.
_shallow: Final = _levels(4)
_no_brackets: Final = bytes(set(range(256)) - set(b"{}[]"))


class CutError(Exception):
    """The text between two values is not as it must be; nothing behind it can be trusted."""

    def __init__(self, code: str, message: str, at: int, label: str = "") -> None:
        """`at` counts bytes in the data of the cutter."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at
        self.label = label


class Cutter:
    """Cuts a text that comes in portions into values: the items of one list, or values one after the other.

    `data` is what was not taken yet. Each byte is looked at once, however small the portions are.
    """

    __slots__ = ("_at", "_begin", "_depth", "_expects", "_fresh", "_in_string", "data", "ended")

    def __init__(self, *, listed: bool, ended: bool = False) -> None:
        """`ended` says that no more portions follow."""
        self.data = b""
        self.ended = ended
        self._at = 0
        self._begin = -1
        self._depth = 0
        self._in_string = False
        self._fresh = False
        self._expects: Literal["open", "first", "item", "comma", "end", "value"] = "open" if listed else "value"

    @property
    def pending(self) -> bytes:
        """The beginning of a value that is not whole yet."""
        return b"" if self._begin < 0 else self.data[self._begin :]

    @property
    def begin(self) -> int:
        """Where that stands in the data; without one, the end of the data."""
        return len(self.data) if self._begin < 0 else self._begin

    @property
    def closed(self) -> bool:
        """Whether the text may end here."""
        return self._begin < 0 and self._expects in {"open", "end", "value"}

    def add(self, portion: bytes) -> None:
        """More of the text."""
        self.data += portion

    def take(self) -> bytes:
        """What was read for good: everything before a value that is not whole. The data begins behind it then."""
        begin = self.begin
        taken, self.data = self.data[:begin], self.data[begin:]
        self._at -= begin
        self._begin = min(self._begin, 0)
        return taken

    def spans(self) -> Iterator[tuple[int, int]]:
        """Start and end of each value that is whole, in the data; `CutError` for what stands wrong between two."""
        while True:
            if self._begin < 0 and not self._starts():
                return
            if not self._ends():
                return
            yield self._begin, self._at
            self._begin = -1

    def _starts(self) -> bool:
        """Go to the start of the next value, past what stands before it."""
        while True:
            self._at = _end(_blank, self.data, self._at)
            if self._at == len(self.data):
                return False
            sign = self.data[self._at : self._at + 1]
            if self._punctuation(sign):
                self._at += 1
                continue
            if sign in b",:]}":
                raise CutError("E108", f"`{sign.decode()}` is not a value", self._at, "an object stands here")
            self._begin = self._at
            self._depth = 0
            self._fresh = True
            self._in_string = sign == b'"'
            self._at += self._in_string
            if self._expects != "value":
                self._expects = "comma"
            return True

    def _punctuation(self, sign: bytes) -> bool:
        """Whether this is a sign of the list itself, where it may stand."""
        match self._expects, sign:
            case "open", b"[":
                self._expects = "first"
            case "comma", b",":
                self._expects = "item"
            case (("first" | "comma"), b"]"):
                self._expects = "end"
            case "open", _:
                raise CutError("E108", "this is not a list", self._at, "a list begins with `[`")
            case "end", _:
                raise CutError("E107", "text after the end of the list", self._at)
            case "comma", sign if sign not in b"}:":
                raise CutError("E102", "a comma is missing", self._at, "between two items")
            case "item", (b"]" | b","):
                raise CutError("E101", "a comma too many", self._at, "an item is missing before this")
            case _:
                return False
        return True

    def _ends(self) -> bool:
        """Go to the end of the value that has begun; false when it is not there yet."""
        data = self.data
        first = data[self._begin : self._begin + 1]
        if first not in b'"{[':
            self._at = _end(_bare, data, self._at)
            return self._at < len(data) or self.ended
        if self._fresh:
            self._fresh = False
            if whole := _shallow.match(data, self._begin):
                self._at = whole.end()
                return True
        while True:
            if self._in_string:
                self._at = _end(_inside, data, self._at)
                if data[self._at : self._at + 1] != b'"':
                    return False
                self._at += 1
                self._in_string = False
                if not self._depth:
                    return True
            self._at = _end(_outside, data, self._at)
            sign = data[self._at : self._at + 1]
            if not sign:
                return False
            self._at += 1
            if sign == b'"':
                self._in_string = True
            elif sign in b"{[":
                self._depth += 1
            else:
                self._depth -= 1
                if not self._depth:
                    return True


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    return found.end() if found else at


def is_open(data: bytes) -> bool:
    """Whether something in this text has been opened and is not closed."""
    cutter = Cutter(listed=False)
    cutter.add(data)
    try:
        for _ in cutter.spans():
            pass
    except CutError:
        return False
    return cutter.pending[:1] in (b"{", b"[", b'"')


def too_deep(data: bytes) -> int | None:
    """Where the first bracket below `MOST_DEPTH` levels stands; None when there is none."""
    if data.count(b"{") + data.count(b"[") <= MOST_DEPTH:
        return None
    # Brackets in strings only make this say less; each round takes away one or two levels.
    brackets = data.translate(None, _no_brackets)
    for _ in range(MOST_DEPTH // 2):
        if not brackets:
            return None
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    at, depth = 0, 0
    while (at := _end(_outside, data, at)) < len(data):
        sign = data[at : at + 1]
        if sign == b'"':
            # A string without an end: what is wrong is told by the reader.
            return None
        depth += 1 if sign in b"{[" else -1
        if depth > MOST_DEPTH:
            return at
        at += 1
    return None
