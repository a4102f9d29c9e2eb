"""What an expression may take at most, so that no entity can hang a run. No I/O."""

from __future__ import annotations

from typing import Any, Final

MOST_VALUES: Final = 1_000_000
"""Values in a list that a function makes."""
MOST_TEXT: Final = 16_000_000
"""Characters of a text that a function makes: as much as a source reads of one entity."""
MOST_PATTERN: Final = 10_000
"""Characters of a pattern that an entity may have: each costs a little for each character of a text."""
MOST_DIGITS: Final = 4_000
"""Digits of a number: as many as Python writes of one."""
MOST_LEVELS: Final = 100
"""Rules that are applied within each other."""
MOST_TURNS: Final = 10_000_000
"""Values that functions such as `map` and joins look at for one entity, some seconds of work: a loop within a loop is
the square of what one may be."""
MOST_MADE: Final = 128_000_000
"""What rules make for one entity in memory, about in bytes: several texts of the greatest length."""
MUCH: Final = 100
"""Less than this is not counted: so much each of the values that are looked at may make."""


# Bytes of a value beside the characters of a text.
_EACH: Final = 16
TOO_MUCH: Final = f"more than {MOST_MADE // 1_000_000} MB are made of one entity"


class LimitError(ValueError):
    """More than is allowed."""


def bounded(size: float, most: int, what: str) -> None:
    """LimitError if a size is more than the most."""
    if size > most:
        raise LimitError(f"more than {most:,} {what}")


def weighed(value: Any) -> int:
    """About the bytes of a value; LimitError if they are too many.

    What it has several times is counted each time, as it is written each time.
    """
    kind = type(value)
    if kind is not dict and kind is not list:
        return len(value) if kind is str else 0
    made = 0
    rest = [value]
    for one in rest:
        made += _EACH * len(one)
        for inner in one.values() if type(one) is dict else one:
            kind = type(inner)
            if kind is str:
                made += len(inner)
            elif kind is dict or kind is list:
                rest.append(inner)
        if made > MOST_MADE:
            raise LimitError(TOO_MUCH)
    return made
