"""Text in columns, and what a stream can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows in columns, two blanks apart; a column in which no row but the first has a word is left out."""
    from pipeline.config.glyphs import columns, visible

    shown = [[visible(cell) for cell in row] for row in rows]
    kept = [index for index in range(len(shown[0])) if any(row[index] for row in shown[1:])] if shown else []
    widths = {index: max(columns(row[index]) for row in shown) for index in kept}
    lines = ("  ".join(row[index] + " " * (widths[index] - columns(row[index])) for index in kept) for row in shown)
    return [line.rstrip() for line in lines]


def can_show(stream: TextIO, text: str) -> bool:
    """Whether the encoding of a stream has these characters."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
