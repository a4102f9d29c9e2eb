"""Statements for many rows at once.

A statement that is run for each row pays for each: its start, its end, what all rows have in common, and the lock of
the interpreter, which another thread may take meanwhile. With the values of many rows it pays once for all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

# Rows in one statement: as many as fit, until none is left. Larger ones gain nothing.
_SIZES: Final = (64, 8, 1)


class Bulk:
    """A statement around rows, such as `INSERT … VALUES (?1, ?2, ?, ?), (?1, ?2, ?, ?), …`."""

    def __init__(self, before: str, shared: int, own: int, after: str = "", between: str = "") -> None:
        """The text before and after the rows. Each row has so many values that all share, then so many of its own.

        `between` is what stands between these in a row; a `?` in `after` stands for one of the `last` values.
        """
        common = "".join(f"?{number}, " for number in range(1, shared + 1))
        row = f"({common}{between}{', '.join('?' * own)})"
        self._own = own
        self._texts = tuple((size, f"{before} {', '.join([row] * size)} {after}") for size in _SIZES)

    def write(
        self,
        connection: sqlite3.Connection,
        values: Sequence[object],
        shared: tuple[object, ...] = (),
        last: tuple[object, ...] = (),
    ) -> int:
        """Run it for the rows' own `values`, one row behind the other. How many rows it changed."""
        changed, at = 0, 0
        for size, text in self._texts:
            width = size * self._own
            for start in range(at, len(values) - width + 1, width):
                found = connection.execute(text, (*shared, *values[start : start + width], *last))
                changed += found.rowcount
                at = start + width
        return changed
