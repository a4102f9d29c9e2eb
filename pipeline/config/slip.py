"""A name that is clearly another one, but for a slip of the hand: sure enough to be written into a file. No I/O.

`pipeline.config.near` offers what may have been meant, and a person decides. Nobody looks at what is found here, so a
word is never taken for another word: `read` is near to `head`, and is no slip of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Longer names are no names, and comparing takes time in the square.
_LONGEST = 100
# The least length of a word at which a letter too many or too few, two letters that changed places, another letter,
# and two such slips are still a slip and not another word.
_ADDED, _SWAPPED, _CHANGED, _TWO = 4, 3, 6, 8
# The least length of a whole name that may hold two slips.
_LONG_NAME = 10

_hump = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_word = re.compile(r"[^\W_]+")
_no_digit = re.compile(r"\D+")


def slip(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was meant; None when there is no such one, or several."""
    if len(name) > _LONGEST:
        return None
    meant = words(name)
    digits = _no_digit.sub("", name)
    found = [
        candidate
        for candidate in dict.fromkeys(candidates)
        # Another digit is another thing: the second server, the next version.
        if candidate != name and digits == _no_digit.sub("", candidate) and _is_slip(meant, words(candidate))
    ]
    return found[0] if len(found) == 1 else None


def short_for(name: str, whole: str) -> bool:
    """Whether each word of a name is the word of the other, or leaves letters of it out: `our-srv`, `our-server`."""
    short, long = words(name), words(whole)
    return len(short) == len(long) and all(
        a == b or (len(a) > 1 and a[0] == b[0] and _in_order(a, b) and not _no_digit.sub("", a + b))
        for a, b in zip(short, long, strict=True)
    )


def words(name: str) -> list[str]:
    """The words of a name in small letters: `smtpPort`, `SMTP-Port` and `smtp_port` have the same two."""
    return [word.lower() for word in _word.findall(_hump.sub("_", name))]


def _is_slip(name: Sequence[str], other: Sequence[str]) -> bool:
    joined, whole = "".join(name), "".join(other)
    if joined == whole:
        return joined != ""
    if abs(len(joined) - len(whole)) > 2:
        return False
    if len(name) != len(other):
        # A sign between two words is missing or too much, and then it is the only other slip.
        return len(whole) >= _TWO and _slips(joined, whole) == 1
    left = 2 if len(whole) >= _LONG_NAME else 1
    for word, right in zip(name, other, strict=True):
        left -= _slips(word, right)
        if left < 0:
            return False
    return True


def _slips(word: str, right: str) -> int:
    """How many slips make one word of the other; 3 when it is another word."""
    if word == right:
        return 0
    longest = max(len(word), len(right))
    distance = _distance(word, right)
    if distance == 2:
        return 2 if longest >= _TWO and word[0] == right[0] else 3
    if distance != 1:
        return 3
    if len(word) != len(right):
        # One thing or a list of them: that is no letter too many.
        plural = word == f"{right}s" or right == f"{word}s"
        return 1 if longest >= _ADDED and word[0] == right[0] and not plural else 3
    swapped = sorted(word) == sorted(right)
    return 1 if longest >= (_SWAPPED if swapped else _CHANGED) else 3


def _distance(one: str, other: str) -> int:
    """Letters added, left out, changed, or two beside each other swapped; 3 stands for more than 2."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                best = min(best, older[j - 2] + 1)
            row.append(best)
        if min(row) > 2:
            return 3
    return min(row[-1], 3)


def _in_order(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)
