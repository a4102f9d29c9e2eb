"""Filters of searches in a directory, as RFC 4515 has them. No I/O."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

# As deep as a person writes it, and a client that goes down with it can follow.
_DEEPEST: Final = 100
_attribute: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9-]+)*(?::dn)?(?::[A-Za-z0-9.-]+)?(?=:=)"
    r"|(?::dn)?:[A-Za-z0-9.-]+(?=:=)"
    r"|(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9-]+)*"
)
_sign: Final = re.compile(r":=|[~<>]?=")
_value: Final = re.compile(r"(?:[^()\\\0]|\\[0-9A-Fa-f]{2})*")


class Wrong(NamedTuple):
    """What is wrong with the characters `start` to `end`, as the rest of a sentence."""

    words: str
    start: int
    end: int


def filter_fault(text: str) -> Wrong | None:
    """The first fault of a filter; None if it has none."""
    at = depth = 0
    # What stands open: how many filters it has, and how many it may have.
    open_: list[tuple[int, bool]] = []
    while True:
        if at == len(text):
            return Wrong("is not whole: a `)` is missing", 0, len(text)) if open_ else Wrong("is empty", 0, 0)
        if text[at] == ")" and open_:
            count, one = open_.pop()
            if not count or (one and count > 1):
                return Wrong("has `!` with other than one filter" if one else "has nothing to join here", at, at + 1)
            at += 1
        elif text[at] != "(":
            return Wrong("needs a `(` here", at, at + 1)
        elif text[at + 1 : at + 2] in {"&", "|", "!"}:
            depth = len(open_)
            if depth == _DEEPEST:
                return Wrong("goes too deep", at, at + 1)
            open_.append((0, text[at + 1] == "!"))
            at += 2
            continue
        else:
            found = _item(text, at + 1)
            if isinstance(found, Wrong):
                return found
            at = found
        # A filter has ended.
        if not open_:
            return Wrong("has more behind its end", at, len(text)) if at < len(text) else None
        open_[-1] = (open_[-1][0] + 1, open_[-1][1])


def _item(text: str, at: int) -> Wrong | int:
    """Where a comparison ends, its `)` included."""
    name = _attribute.match(text, at)
    if name is None:
        return Wrong("needs the name of an attribute here", at, min(at + 1, len(text)))
    sign = _sign.match(text, name.end())
    if sign is None:
        return Wrong("needs `=`, `>=`, `<=` or `~=` here", name.end(), min(name.end() + 1, len(text)))
    value = _value.match(text, sign.end())
    end = sign.end() if value is None else value.end()
    if text[end : end + 1] == ")":
        return end + 1
    if end == len(text):
        return Wrong("is not whole: a `)` is missing", at - 1, end)
    return Wrong(r"has a character that is written as `\28`, `\29`, `\5c` or `\00`", end, end + 1)
