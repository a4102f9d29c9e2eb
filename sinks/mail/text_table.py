"""Tables of HTML as text: columns where they fit, records where they do not, and layout as what it lays out. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from sinks.mail.text_page import WIDTH

_BETWEEN: Final = "  "

_number = re.compile(r"[^\w]*\d[\d.,:%\s'’]*[^\w]*|[A-Z]{3} \d[\d.,]*|\d[\d.,]* (?:[A-Z]{3}|[a-z]{1,3}\.?)").fullmatch


class Cell(NamedTuple):
    """A cell: the lines of its text, and whether it is the head of others."""

    lines: Sequence[str]
    is_head: bool = False


def table_lines(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """The lines of a table. It is a grid if no cell has more than a line and all of them fit beside each other."""
    rows = [row for row in rows if any(cell.lines for cell in row)]
    if all(len(cell.lines) <= 1 for row in rows for cell in row):
        lines = _grid([[_Line("".join(cell.lines), cell.is_head) for cell in row] for row in rows])
        if lines is not None:
            return lines
    return _blocks(rows)


class _Line(NamedTuple):
    text: str
    is_head: bool


def _grid(rows: list[list[_Line]]) -> list[str] | None:
    """Columns; records of `head: text` where the columns are too wide but have names; None where neither will do."""
    most = max(map(len, rows), default=0)
    if most * (len(_BETWEEN) + 1) > WIDTH:
        return None
    # A row of one cell is a title, or spans the others: it makes no column wider.
    full = [row for row in rows if len([cell for cell in row if cell.text]) > 1]
    columns = [at for at in range(most) if any(at < len(row) and row[at].text for row in full)]
    if len(columns) < 2:
        return None
    widths = {at: max(len(row[at].text) for row in full if at < len(row)) for at in columns}
    head = full[0] if all(cell.is_head for cell in full[0]) else None
    if sum(widths.values()) + len(_BETWEEN) * (len(columns) - 1) > WIDTH:
        return _records(rows, head) if head else None
    right = {at for at in columns if _is_numbers([row[at].text for row in full if row is not head and at < len(row)])}
    lines = []
    for row in rows:
        if len([cell for cell in row if cell.text]) < 2:
            lines.append("".join(cell.text for cell in row))
            continue
        texts = [row[at].text if at < len(row) else "" for at in columns]
        adjusted = [
            text.rjust(widths[at]) if at in right else text.ljust(widths[at])
            for at, text in zip(columns, texts, strict=True)
        ]
        lines.append(_BETWEEN.join(adjusted).rstrip())
        if row is head:
            lines.append(_BETWEEN.join("-" * widths[at] for at in columns))
    return lines


def _is_numbers(texts: list[str]) -> bool:
    there = [text for text in texts if text]
    return bool(there) and all(_number(text) for text in there)


def _records(rows: list[list[_Line]], head: list[_Line]) -> list[str]:
    lines: list[str] = []
    for row in rows:
        if row is head:
            continue
        if lines:
            lines.append("")
        for at, cell in enumerate(row):
            if cell.text:
                name = head[at].text if at < len(head) else ""
                lines.append(f"{name}: {cell.text}" if name else cell.text)
    return lines


def _blocks(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """One cell after the other. Lines of single cells stay together, what has several lines stands apart."""
    lines: list[str] = []
    apart = False
    for row in rows:
        for cell in row:
            if not cell.lines:
                continue
            several = len(cell.lines) > 1
            if lines and (several or apart):
                lines.append("")
            lines += cell.lines
            apart = several
    return lines
