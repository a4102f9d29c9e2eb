"""What is wrong with a row of CSV, and where. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.config.given import advice, note
from pipeline.config.near import near
from pipeline.errors import Note, Problem, Span
from sources.parts import Fault, Place

_line_end: Final = re.compile(r"\r\n|\n|\r")
_MOST_NAMED: Final = 10


class Dialect(NamedTuple):
    """How fields are kept apart: by the delimiter, and in quotes, in which a quote is written twice."""

    delimiter: str
    quote: str


class Row(NamedTuple):
    """The text of a row, without its line end, and the line in which it begins."""

    name: str
    line: int
    text: str

    def fault(self, code: str, message: str, at: tuple[int, int], label: str = "", notes: Sequence[Note] = ()) -> Fault:
        """The fault at these characters of it."""
        start, end = min(at[0], len(self.text)), min(at[1], len(self.text))
        span = Span(self.name, start, max(end, min(start + 1, len(self.text))))
        return Fault(Problem(code, message, span, label, notes=tuple(notes)), self.text, Place(0, self.line))


def line_count(row: Sequence[str]) -> int:
    """How many lines a row takes that was read; one of no fields is an empty line."""
    return 1 + sum(len(_line_end.findall(field)) for field in row if "\n" in field or "\r" in field)


def wrong_width(row: Row, dialect: Dialect, found: int, columns: int) -> Fault:
    """A row with more or fewer fields than there are columns."""
    message = f"this row has {_fields(found)} for {columns} columns"
    starts = _scan(row.text, dialect).starts
    if found < columns:
        return row.fault("E219", message, (len(row.text) - 1, len(row.text)), "a field is missing behind this")
    help_ = advice(f"a field in which a `{dialect.delimiter}` stands needs quotes around it")
    at = (starts[columns], len(row.text)) if columns < len(starts) else (0, len(row.text))
    return row.fault("E219", message, at, "there is no column for this", (help_,))


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def nameless(row: Row, dialect: Dialect, column: int, name: str) -> Fault:
    """A row whose `_id` would be empty."""
    starts = _scan(row.text, dialect).starts
    at = starts[column] if column < len(starts) else 0
    return row.fault("E218", "the `_id` of this entity is empty", (at, at + 1), f"the column `{name}` is empty here")


def misquoted(row: Row, dialect: Dialect, *, closed: bool) -> Fault:
    """A row in which a quoted field goes on behind its closing quote, or has none."""
    at = _scan(row.text, dialect).wrong
    if not closed:
        told = row.fault("E106", "a quoted field is never closed", (at, at + 1), "it is opened here")
        return told._replace(resumes=False)
    help_ = advice(f"inside of a quoted field a quote is written twice: `{dialect.quote * 2}`")
    message = "text goes on behind the closing quote of a field"
    return row.fault("E219", message, (at, at + 1), "the field is closed before this", (help_,))


def is_damaged(sign: str) -> bool:
    """Whether a character stands for a byte that is no text."""
    return "\udc80" <= sign <= "\udcff"


def undecodable(row: Row, encoding: str) -> Fault:
    """A row with bytes that are no text; the first of them is told."""
    at = next((at for at, sign in enumerate(row.text) if is_damaged(sign)), 0)
    byte = f"the byte 0x{ord(row.text[at]) & 0xFF:02X} is" if row.text else "these bytes are"
    told = Row(row.name, row.line, row.text.encode(errors="replace").decode())
    label = f"{byte} not {encoding} here"
    help_ = advice('name the encoding of the file, such as `"encoding": "windows-1252"`, or save it as UTF-8')
    return told.fault("E112", f"the file is not {encoding}", (at, at + 1), label, (help_,))


def unknown_column(row: Row, wanted: str, names: Sequence[str], property_: str) -> Fault:
    """A column that is named in the configuration and is not there."""
    close = near(wanted, names)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    listed = ", ".join(f"`{name}`" for name in names[:_MOST_NAMED])
    notes: tuple[Note, ...] = (note(f"`{property_}` names it; columns: {listed}{more}"),)
    notes += (advice(f"did you mean `{close[0]}`?"),) if close else ()
    told = row.fault("E219", f"there is no column `{wanted}`", (0, len(row.text)), notes=notes)
    return told._replace(resumes=False)


def named_twice(row: Row, dialect: Dialect, names: Sequence[str]) -> Fault | None:
    """The first name that two columns have."""
    starts = _scan(row.text, dialect).starts
    for place, name in enumerate(names):
        if name and name in names[:place]:
            at = starts[place] if place < len(starts) else 0
            message = f"two columns have the name `{name}`"
            help_ = advice("give the columns other names with `field_names`")
            told = row.fault("E219", message, (at, at + len(name)), "the second one", (help_,))
            return told._replace(resumes=False)
    return None


class _Scanned(NamedTuple):
    """Where fields begin; `wrong` is where a quote is out of place.

    That is the opening one of a field without end, or the first character behind a closing one.
    """

    starts: list[int]
    wrong: int = 0


def _scan(text: str, dialect: Dialect) -> _Scanned:
    """Go through the fields of a row, up to the first that is wrong."""
    delimiter, quote = dialect
    starts = [0]
    at = 0
    while True:
        if text.startswith(quote, at):
            at += 1
            while (at := text.find(quote, at)) >= 0 and text.startswith(quote, at + 1):
                at += 2
            if at < 0:
                return _Scanned(starts, starts[-1])
            at += 1
            if at < len(text) and text[at] != delimiter:
                return _Scanned(starts, at)
        else:
            at = text.find(delimiter, at)
            at = len(text) if at < 0 else at
        if at >= len(text):
            return _Scanned(starts)
        at += 1
        starts.append(at)
