"""What an expression may take at most, so that no entity can hang a run. No I/O."""

from __future__ import annotations

from typing import Final

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


class LimitError(ValueError):
    """More than is allowed."""


def bounded(size: float, most: int, what: str) -> None:
    """LimitError if a size is more than the most."""
    if size > most:
        raise LimitError(f"more than {most:,} {what}")
