"""The function that replaces parts of strings. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pipeline.dtl.functions.strings import strings
from pipeline.dtl.limits import MOST_TEXT, bounded
from pipeline.dtl.registry import shows
from pipeline.dtl.values import first

__all__ = ["strings"]

# Each character may be compared with each of the texts to replace: this many take a few seconds.
_MOST_COMPARED = 200_000_000


@strings.values(
    "replace",
    "REPLACEMENTS VALUES | OLD NEW VALUES",
    "Each string with NEW for each OLD in it, or with the values of a dict for its names. With a dict the longest name "
    "that fits counts, and what was put in is not looked at again.",
    shows(["replace", "@", " at ", "_S.email"], "kari at example.com", {"email": "kari@example.com"}),
    shows(["replace", {"a": "b", "b": "a", "ab": "!"}, ["list", "bca", 5, "abba"]], ["acb", "!ab"]),
    shows(["replace", "", "-", "abc"], "abc"),
    shows(["replace", "a", "b", None], None),
)
def _replace(*args: Any) -> Any:
    *given, values = args
    replace = _by_dict(first(given[0])) if len(given) == 1 else _one(first(given[0]), first(given[1]))
    if type(values) is list:
        found = [replace(text) for text in values if type(text) is str]
        bounded(sum(map(len, found)), MOST_TEXT, "characters")
        return found
    return replace(values) if type(values) is str else None


def _one(old: Any, new: Any) -> Callable[[str], str]:
    if type(old) is not str or type(new) is not str:
        raise ValueError("OLD and NEW are strings")

    def replace(text: str) -> str:
        if not old:
            return text
        bounded(len(text) + text.count(old) * (len(new) - len(old)), MOST_TEXT, "characters")
        return text.replace(old, new)

    return replace


def _by_dict(given: Any) -> Callable[[str], str]:
    if type(given) is not dict or any(type(new) is not str for new in given.values()):
        raise ValueError("REPLACEMENTS is a dict of strings")
    new_of: Mapping[str, str] = given
    # Names in an order of their own, so that equal dicts give the same; the longest first.
    names = sorted((name for name in new_of if name), key=lambda name: (-len(name), name))
    if not names:
        return lambda text: text
    pattern = _any_of(tuple(names))

    def replace(text: str) -> str:
        bounded(len(text) * len(names), _MOST_COMPARED, "comparisons")
        size, at, parts = 0, 0, []
        for match in pattern.finditer(text):
            new = new_of[match[0]]
            size += match.start() - at + len(new)
            bounded(size, MOST_TEXT, "characters")
            parts += [text[at : match.start()], new]
            at = match.end()
        return "".join([*parts, text[at:]])

    return replace


@lru_cache(maxsize=64)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, names)))
