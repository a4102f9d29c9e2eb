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
    return lambda text: _in_turn(begin, [part for part in middle if part], end, text)


def _in_turn(begin: str, middle: list[str], end: str, text: str) -> bool:
    """Each part as early as possible: what fits later fits behind it too."""
    last = len(text) - len(end)
    at = len(begin)
    if last < at or not _fits(begin, text, 0) or not _fits(end, text, last):
        return False
    for part in middle:
        at = _find(part, text, at, last)
        if at < 0:
            return False
        at += len(part)
    return at <= last


def _find(part: str, text: str, start: int, end: int) -> int:
    if "?" not in part:
        return text.find(part, start, end)
    return next((at for at in range(start, end - len(part) + 1) if _fits(part, text, at)), -1)


def _fits(part: str, text: str, at: int) -> bool:
    if "?" not in part:
        return text.startswith(part, at)
    return all(sign in {"?", text[at + place]} for place, sign in enumerate(part))
