"""CSV as it comes in: portions of bytes become entities, or a fault with its place. No I/O.

The first row that is not empty names the columns, unless they are named elsewhere. What is held in memory is one
portion and the rows that began before it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from itertools import chain, compress, count, islice, repeat, starmap
from operator import contains
from typing import Final, NamedTuple

from pipeline.entity import Entity
from sources.csv_decode import Lines, TooLargeError
from sources.csv_fault import (
    Dialect,
    Row,
    is_damaged,
    line_count,
    misquoted,
    named_twice,
    nameless,
    undecodable,
    unknown_column,
    wrong_width,
)
from sources.keys import joined
from sources.parts import BATCH, MOST_BYTES, Batch, Fault, Place, too_large
from sources.row_maker import maker

# In the order in which they are taken when none stands out.
_delimiters: Final = (",", ";", "\t", "|")
# What spreadsheets write and read before everything else.
_says: Final = re.compile(r'"?sep=([^\r\n"])"?\r?\n?\Z')


class Form(NamedTuple):
    """How a text is to be read; without a `delimiter` that of its first line is found out."""

    delimiter: str | None = None
    quote: str = '"'
    encoding: str | None = None
    replace: bool = False


USUAL: Final = Form()


class Columns(NamedTuple):
    """What becomes of the columns: `key` makes the `_id`. Without `names` the header has them."""

    key: Sequence[str]
    has_header: bool = True
    names: Sequence[str] = ()
    only: Collection[str] | None = None
    without: Collection[str] = ()
    keep_empty: bool = False


def batches(portions: Iterable[bytes], name: str, columns: Columns, form: Form = USUAL) -> Iterator[Batch]:
    """The entities of a text of this name."""
    return _Reading(portions, name, columns, form).batches()


class _Reading:
    """One pass through a text."""

    def __init__(self, portions: Iterable[bytes], name: str, columns: Columns, form: Form) -> None:
        self._lines = Lines(portions, form.encoding, replace=form.replace)
        self._name = name
        self._columns = columns
        self._encoding = form.encoding or "UTF-8"
        self._quote = form.quote
        self._delimiter = form.delimiter
        self._skipped = 0  # lines before those that the reader counts

    def batches(self) -> Iterator[Batch]:
        groups = iter(self._lines)
        try:
            first = next(groups, None)
        except (TooLargeError, UnicodeDecodeError) as error:
            yield Batch((), Place(), self._cut_off(error, 1))
            return
        if first is None:
            return
        self._dialect = Dialect(self._delimiter or self._found_out(first), self._quote)
        # The module has one limit for all its users, so it is only raised. Too large a row is found by its lines.
        csv.field_size_limit(max(csv.field_size_limit(), 4 * MOST_BYTES))
        self._reader = csv.reader(
            chain(first[self._skipped :], chain.from_iterable(groups)),
            delimiter=self._dialect.delimiter,
            quotechar=self._dialect.quote,
            strict=True,
        )
        shape = self._shape()
        if isinstance(shape, Fault):
            yield Batch((), self._end(), shape)
        elif shape is not None:
            yield from self._rows(shape)

    def _found_out(self, lines: Sequence[str]) -> str:
        """The sign that keeps the fields of the first line apart."""
        line = next((line for line in lines if line.strip()), "")
        if said := _says.fullmatch(line):
            self._skipped = lines.index(line) + 1
            return said[1]
        bare = re.sub(rf"{re.escape(self._quote)}[^{re.escape(self._quote)}]*(?:{re.escape(self._quote)}|\Z)", "", line)
        return max(_delimiters, key=bare.count)

    def _end(self) -> Place:
        """Behind everything that was read."""
        return Place(0, self._skipped + self._reader.line_num + 1)

    def _row(self, first: int, lines: int) -> Row:
        return Row(self._name, first, self._lines.of(first, first + lines - 1).rstrip("\r\n"))

    def _shape(self) -> _Shape | Fault | None:
        """The columns; None when there is no row at all."""
        begin = self._skipped
        try:
            header = next((row for row in self._reader if row), None) if self._columns.has_header else []
        except csv.Error:
            return self._broken(begin)._replace(resumes=False)
        except (TooLargeError, UnicodeDecodeError) as error:
            return self._cut_off(error, begin + 1)
        if header is None:
            return None
        names = self._columns.names or header
        lines = line_count(header)
        row = self._row(self._skipped + self._reader.line_num - lines + 1, lines) if header else Row(self._name, 1, "")
        if fault := named_twice(row, self._dialect, names):
            return fault
        wanted = [("primary_key", self._columns.key), ("whitelist", self._columns.only or ())]
        for property_, several in wanted:
            for name in several:
                if name not in names:
                    return unknown_column(row, name, [each for each in names if each], property_)
        return _Shape(names, self._columns)

    def _rows(self, shape: _Shape) -> Iterator[Batch]:
        rows: list[list[str]] = []
        reader, lines = self._reader, self._lines
        going = True
        while going:
            begin = self._skipped + reader.line_num
            groups = lines.groups
            fault: Fault | None = None
            going = False
            try:
                if lines.loaded - begin >= BATCH:
                    # All lines are here, so nobody is waited for; and without a step of Python for each row.
                    rows.extend(islice(reader, BATCH))
                    going = len(rows) == BATCH
                else:
                    for row in reader:
                        rows.append(row)
                        if len(rows) == BATCH or lines.groups != groups:
                            going = True
                            break
            except csv.Error:
                fault = self._broken(begin + sum(map(line_count, rows)))
                going = fault.resumes
            except (TooLargeError, UnicodeDecodeError) as error:
                fault = self._cut_off(error, begin + sum(map(line_count, rows)) + 1)
            entities = None if lines.damaged else shape.quick(rows)
            if entities is None:
                entities = yield from self._with_care(shape, rows, begin)
            if entities or fault:
                yield Batch(entities, self._end(), fault)
            lines.passed()
            rows = []

    def _with_care(self, shape: _Shape, rows: Sequence[list[str]], begin: int) -> Generator[Batch, None, list[Entity]]:
        """The rows that are right behind the last that is wrong; what comes before them is given."""
        entities: list[Entity] = []
        for row in rows:
            lines = line_count(row)
            fault = self._fault_of(shape, row, begin + 1, lines) if row else None
            begin += lines
            if fault is not None:
                yield Batch(entities, Place(0, begin + 1), fault)
                entities = []
            elif row:
                entities += shape.quick([row]) or ()
        return entities

    def _fault_of(self, shape: _Shape, row: Sequence[str], first: int, lines: int) -> Fault | None:
        if len(row) != shape.width:
            return wrong_width(self._row(first, lines), self._dialect, len(row), shape.width)
        if self._lines.damaged and any(map(is_damaged, "".join(row))):
            return undecodable(self._row(first, lines), self._encoding)
        empty = shape.empty_key(row)
        if empty is not None:
            return nameless(self._row(first, lines), self._dialect, empty, shape.names[empty])
        return None

    def _broken(self, before: int) -> Fault:
        """The row behind so many lines, which the reader refused."""
        lines = self._skipped + self._reader.line_num - before
        row = self._row(before + 1, lines)
        # Only who looks for the end of a field asks for more lines than there are.
        return misquoted(row, self._dialect, closed=not self._lines.ended)

    def _cut_off(self, error: TooLargeError | UnicodeDecodeError, line: int) -> Fault:
        """What ends the text at a line."""
        if isinstance(error, UnicodeDecodeError):
            fault = undecodable(Row(self._name, line, ""), error.encoding)
        else:
            fault = too_large(self._name, Place(0, line))
        return fault._replace(resumes=False)


class _Shape:
    """How a row becomes an entity."""

    def __init__(self, names: Sequence[str], columns: Columns) -> None:
        self.names = names
        self.width = len(names)
        self._keys = [list(names).index(name) for name in columns.key]
        self._keep_empty = columns.keep_empty
        kept = [(name, at) for at, name in enumerate(names) if self._is_kept(name, columns)]
        self._make = maker(self.width, [("_id", self._keys[0]), *kept])

    def _is_kept(self, name: str, columns: Columns) -> bool:
        # The `_id` is made of the key; a column without a name has no place in an entity.
        return name not in ("", "_id", *columns.without) and (columns.only is None or name in columns.only)

    def empty_key(self, row: Sequence[str]) -> int | None:
        """The column of the key that has nothing."""
        return next((at for at in self._keys if not row[at]), None)

    def quick(self, rows: Sequence[list[str]]) -> list[Entity] | None:
        """The entities, if all rows are right; the rows are of no use then."""
        if set(map(len, rows)) - {self.width}:
            return None
        if len(self._keys) == 1:
            key = self._keys[0]
            ids = [row[key] for row in rows]
            if "" in ids:
                return None
        else:
            if any(self.empty_key(row) is not None for row in rows):
                return None
            ids = [joined([row[at] for at in self._keys]) for row in rows]
        entities = list(starmap(self._make, rows))
        if len(self._keys) > 1:
            for id_, entity in zip(ids, entities, strict=True):
                entity["_id"] = id_
        if not self._keep_empty:
            for at in compress(count(), map(contains, rows, repeat(""))):
                entities[at] = {name: value for name, value in entities[at].items() if value}
        return entities
