"""Takes registered secrets out of text, in every form that they are written in. No I/O.

Every output boundary (terminal, log, page, report) sends its text through one `Scrubber`.

What is found: the value as it is; as JSON, `repr`, HTML and URLs escape it, also one escape within another; in hex;
and in base64 at any alignment, so that `AUTH PLAIN` is found although user name and password are encoded together.
The login in a URL is found without being registered.
What is not: a value cut in pieces by line breaks that the writer added, and a value that was compressed or hashed.

Values of one to three characters are masked only where they stand as whole words: as parts of words they are in
every text, and a text with those letters gone would tell them.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import Final, Literal
from urllib.parse import quote

from pipeline.escapes import spellings_of
from pipeline.logins import logins
from pipeline.secret import MASK, Secret

Interval = tuple[int, int]
Finder = Callable[[str], Iterable[Interval]]

# Up to this many characters a value is looked for as a word only.
LONGEST_WORD: Final = 3
# A line of a value of several lines (a key file) is a secret too when it has so many characters.
SHORTEST_LINE: Final = 8

# So many values are looked for one by one: this is quicker than taking the text to pieces.
FEW: Final = 64
# Lengths of the pieces by which more values are found, the longest first.
_PIECES: Final = (8, 4, 3, 2, 1)

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_base64_rest = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_plain_run = re.compile(r"[A-Za-z0-9]+")


class Scrubber:
    """Replaces every registered value by `********`. Scrubbed text stays as it is when it is scrubbed again."""

    # Attributes hold secrets and functions only, so that a dump of a scrubber tells nothing.
    __slots__ = ("_find", "_known", "_register")

    def __init__(self) -> None:
        """Start with no values."""
        self._known: list[Secret] = []
        self._register, self._find = _collection()

    def __len__(self) -> int:
        """How many values are looked for."""
        return len(self._known)

    def __bool__(self) -> bool:
        """Also one without values takes logins out of URLs."""
        return True

    def add(self, value: Secret | str) -> None:
        """Register a value. One of nothing but blanks and asterisks is passed over: masking it would hide nothing."""
        text = value.reveal() if isinstance(value, Secret) else value
        lines = [line for line in text.splitlines() if len(line.strip()) >= SHORTEST_LINE]
        for part in dict.fromkeys([text, text.strip(), *(line.strip() for line in lines)]):
            if part.strip("* \t\r\n") and self._register(part):
                self._known.append(Secret(part))

    def update(self, other: Scrubber) -> None:
        """Register everything that another scrubber knows."""
        for secret in tuple(other._known):
            self.add(secret)

    def scrub(self, text: str) -> str:
        """The text without the registered values."""
        if not isinstance(text, str):
            raise TypeError("only text can be scrubbed")  # here, as frames further in have values in their variables
        found = self.places(text)
        return _masked(text, found) if found else text

    def places(self, text: str) -> list[Interval]:
        """What `scrub` takes out of a text, in order; no place touches another."""
        # A mask put next to what was left can complete another match: a word that stood against a secret becomes
        # a whole word, and a secret may have asterisks itself. Each round leaves fewer other characters, so it ends.
        found: list[Interval] = []
        shown = text
        while intervals := self._intervals(shown):
            found = _stretches([*found, *_behind(intervals, found)])
            shown = _masked(text, found)
        return found

    def scrub_bytes(self, data: bytes) -> bytes:
        """The same for UTF-8; bytes that are none stay as they are."""
        if not self._known and b"://" not in data:
            return data
        return self.scrub(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def _intervals(self, text: str) -> list[Interval]:
        return [*self._find(text), *((login.start, login.end) for login in logins(text))]


def _stretches(intervals: Iterable[Interval]) -> list[Interval]:
    """What the intervals cover, in order, so that of two that overlap or touch nothing is left between."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _masked(text: str, stretches: list[Interval]) -> str:
    """One mask for each stretch."""
    pieces: list[str] = []
    done = 0
    for start, end in stretches:
        pieces += [text[done:start], MASK]
        done = end
    return "".join([*pieces, text[done:]])


def _behind(intervals: Iterable[Interval], masked: Sequence[Interval]) -> Iterable[Interval]:
    """Places in a text with masks as places in the text itself; a mask that one shares belongs to it whole."""
    if not masked:
        return intervals
    longer = [0, *accumulate(len(MASK) - (end - start) for start, end in masked)]
    shown = [start + before for (start, _), before in zip(masked, longer, strict=False)]

    def place(position: int, of_mask: Literal[0, 1]) -> int:
        # A place ends with a mask whose end it reaches, and begins with one in which it begins.
        index = bisect_right(shown, position - of_mask) - 1
        inside = index >= 0 and position - of_mask < shown[index] + len(MASK)
        return masked[index][of_mask] if inside else position - longer[index + 1]

    return ((place(start, 0), place(end, 1)) for start, end in intervals)


def _collection() -> tuple[Callable[[str], bool], Finder]:
    """Two functions over the same values: one takes a value in and says if it is new, one finds all of them in a text.

    A few values are looked for one by one. Of many, only those that have a piece in the text: a configuration may hold
    ten thousand passwords and have as many faults.
    """
    values: list[str] = []
    known: set[str] = set()
    always: list[str] = []
    by_piece: dict[str, list[str]] = {}
    sizes: dict[int, None] = {}
    finder = lru_cache(maxsize=FEW)(_finder)

    def index(value: str) -> None:
        for mark in _marks(value):
            if not mark:
                always.append(value)
                continue
            size = next(size for size in _PIECES if size <= len(mark))
            sizes[size] = None
            # Values may begin alike (`password1`, `password2`), or end so: the rarer piece tells more.
            first, last = (by_piece.setdefault(piece, []) for piece in (mark[:size], mark[-size:]))
            (last if len(last) < len(first) else first).append(value)

    def register(value: str) -> bool:
        if value in known:
            return False
        if len(values) == FEW:
            for earlier in values:
                index(earlier)
        if len(values) >= FEW:
            index(value)
        # Last, as another thread may be looking for values.
        known.add(value)
        values.append(value)
        return True

    def suspects(text: str) -> Iterable[str]:
        if len(values) <= FEW:
            return values
        pieces = {text[start : start + size] for size in tuple(sizes) for start in range(len(text) - size + 1)}
        hit = by_piece.keys() & pieces
        return dict.fromkeys([*always, *(value for piece in hit for value in by_piece[piece])])

    def find(text: str) -> Iterable[Interval]:
        return [interval for value in suspects(text) for interval in finder(value)(text)]

    return register, find


def _parts(value: str) -> tuple[str, Sequence[str], Sequence[str]]:
    """Of the forms of a value: the characters that all escapes leave, its hex digits, and what base64 makes of it."""
    # No escape touches ASCII letters and digits: without the longest run of them no form of the value is there.
    core = max(_plain_run.findall(value), key=len, default="")
    return (core, (), ()) if len(value) <= LONGEST_WORD else (core, _hexes(value), _base64_cores(value))


def _marks(value: str) -> Sequence[str]:
    """A text that holds none of these does not hold the value."""
    core, hexes, cores = _parts(value)
    return (core, *hexes, *cores)


def _finder(value: str) -> Finder:
    """Gives where a value stands in a text."""
    short = len(value) <= LONGEST_WORD
    core, hexes, cores = _parts(value)
    marks = (core, *hexes, *cores)
    forms = cache(lambda: spellings_of(value))

    def search(text: str) -> Iterator[Interval]:
        if core in text:
            for form in forms():
                for start in _starts(text, form):
                    end = start + len(form)
                    if not short or _is_word(text, start, end):
                        yield start, end
        for digits in hexes:
            for start in _starts(text, digits):
                yield start, start + len(digits)
        for part in cores:
            yield from _base64_runs(text, part)

    def find(text: str) -> Iterable[Interval]:
        # Most texts hold nothing. A few `in` find that out sooner than one pattern of all the marks would.
        for mark in marks:
            if mark in text:
                return search(text)
        return ()

    return find


def _starts(text: str, part: str) -> Iterator[int]:
    """Every place of a part, also where places overlap."""
    start = text.find(part)
    while start >= 0:
        yield start
        start = text.find(part, start + 1)


def _is_word(text: str, start: int, end: int) -> bool:
    return not any(side.isalnum() or side == "_" for side in (text[start - 1 : start], text[end : end + 1]))


def _encoded(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _hexes(value: str) -> tuple[str, ...]:
    digits = binascii.hexlify(_encoded(value)).decode("ascii")
    return tuple(dict.fromkeys((digits, digits.upper())))


def _base64_cores(value: str) -> tuple[str, ...]:
    """The characters that a value alone decides, for each of its three alignments, as they are written."""
    data = _encoded(value)
    cores = []
    for before, undecided in ((0, 0), (1, 2), (2, 3)):
        letters = base64.b64encode(bytes(before) + data).decode("ascii")
        cores.append(letters[undecided : (before + len(data)) * 8 // 6])
    written = []
    for core in cores:
        if core.isalnum():
            written.append(core)
            continue
        percent = quote(core, safe="")
        urlsafe = core.translate(str.maketrans("+/", "-_"))
        written += [core, urlsafe, percent, percent.replace("%2B", "%2b").replace("%2F", "%2f")]
        written.append(core.replace("/", r"\/"))
    return tuple(dict.fromkeys(written))


def _base64_runs(text: str, core: str) -> Iterator[Interval]:
    """Where base64 with this core begins and ends: letters beside the core hold a part of the value."""
    done = 0
    start = text.find(core)
    while start >= 0:
        rest = _base64_rest.match(text, start + len(core))
        end = rest.end() if rest else start + len(core)
        yield done + len(text[done:start].rstrip(_LETTERS)), end
        done = end
        start = text.find(core, end)
