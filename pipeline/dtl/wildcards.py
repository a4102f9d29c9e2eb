"""Patterns with `*` for any characters and `?` for one. Each takes time in proportion to the text. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a whole text is as the pattern says."""
    if "?" not in pattern:
        if "*" not in pattern:
            return pattern.__eq__
        if pattern == "*":
            return lambda text: True
        if pattern.count("*") == 1:
            begin, end = pattern.split("*")
            least = len(begin) + len(end)
            return lambda text: len(text) >= least and text.startswith(begin) and text.endswith(end)
    if "*" not in pattern:
        return lambda text: len(text) == len(pattern) and _fits(pattern, text, 0)
    begin, *middle, end = pattern.split("*")
    finders = [(_finder(part), len(part)) for part in middle if part]
    return lambda text: _in_turn(begin, finders, end, text)


Find = Callable[[str, int, int], int]
"""Where a part stands first in a text from one place up to another; below 0 if nowhere."""


def _in_turn(begin: str, middle: list[tuple[Find, int]], end: str, text: str) -> bool:
    """Each part as early as possible: what fits later fits behind it too."""
    last = len(text) - len(end)
    at = len(begin)
    if last < at or not _fits(begin, text, 0) or not _fits(end, text, last):
        return False
    for find, size in middle:
        at = find(text, at, last)
        if at < 0:
            return False
        at += size
    return at <= last


def _finder(part: str) -> Find:
    if "?" not in part:
        return lambda text, start, end: text.find(part, start, end)
    # Each bit tells whether the part fits up to there, ending at the character that is looked at (the algorithm of
    # Baeza-Yates and Gonnet): every character is looked at once, however much of the part fits at each place.
    anything = sum(1 << at for at, sign in enumerate(part) if sign == "?")
    bits: dict[str, int] = {}
    for at, sign in enumerate(part):
        if sign != "?":
            bits[sign] = bits.get(sign, anything) | 1 << at
    whole = 1 << len(part) - 1

    def find(text: str, start: int, end: int) -> int:
        fitting = 0
        for at in range(start, end):
            fitting = (fitting << 1 | 1) & bits.get(text[at], anything)
            if fitting & whole:
                return at - len(part) + 1
        return -1

    return find


def _fits(part: str, text: str, at: int) -> bool:
    if "?" not in part:
        return text.startswith(part, at)
    return all(sign in {"?", text[at + place]} for place, sign in enumerate(part))
