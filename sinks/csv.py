"""CSV as a sink: entities become rows of a file of the project."""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pipeline.component import Many, SinkConfig, SinkContext
from pipeline.config.given import advice
from pipeline.entity import Entity, to_json
from sinks.file import GrownFile, Mode, ReplacedFile
from sinks.output_file import OutputFile
from systems.forms import file_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


class CsvSinkConfig(SinkConfig):
    """Entities become rows of a CSV file of the project."""

    type: Literal["csv"]
    """`csv`."""
    path: str
    """The file: a path from the project's folder, below it; folders on the way are made. `.gz` is packed."""
    columns: Annotated[Many[str], Field(min_length=1)]
    """The properties that become columns, in order."""
    mode: Mode = "replace"
    """`replace`: each run reads the whole source and writes the file anew, whole or not at all. `append`: each run puts
    what it reads behind what is there."""
    delimiter: str = ","
    """The character between two fields."""
    quoting: Literal["minimal", "all"] = "minimal"
    """Whether only fields that need it are in quotes, or all."""
    lineterminator: Literal["\r\n", "\n"] = "\r\n"
    """What ends a row: CR and LF, as RFC 4180 and spreadsheets have it, or LF alone."""
    include_header: bool = True
    """Whether the first row has the names of the columns."""
    byte_order_mark: bool = False
    """Whether the file begins with a mark by which spreadsheets see that it is UTF-8."""
    skip_deleted: bool = True
    """Whether deleted entities are left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The path stays in the project; the delimiter is one character."""
        yield from file_faults(given, "path")
        yield from delimiter_fault(given)

    def form(self) -> Rows:
        """What writes the rows."""
        return Rows(
            self.columns,
            self.delimiter,
            self.lineterminator,
            quoted=self.quoting == "all",
            header=self.include_header,
            marked=self.byte_order_mark,
        )

    def build(self, context: SinkContext) -> ReplacedFile | GrownFile:
        """The sink itself."""
        form = self.form()
        file = OutputFile(Path(context.root), self.path)
        if self.mode == "replace":
            return ReplacedFile(file, form, skip_deleted=self.skip_deleted)
        return GrownFile(context.pipe, file, form, context.run, skip_deleted=self.skip_deleted)


def delimiter_fault(given: Given) -> Iterator[Problem]:
    """E203 for a delimiter that cannot stand between fields."""
    sign = given.text("delimiter")
    if sign is not None and (len(sign) != 1 or sign in '"\r\n\0'):
        help_ = advice('a tab is written `"\\t"`')
        yield given.problem("E203", "`delimiter` is one character that is no quote", "delimiter", notes=(help_,))


class Rows:
    """Entities as rows of CSV, in UTF-8."""

    def __init__(
        self, columns: Sequence[str], delimiter: str, end: str, *, quoted: bool, header: bool, marked: bool
    ) -> None:
        """`columns` are properties; `quoted`: all fields are; `marked`: with a byte order mark."""
        self._columns = columns
        self._header = header
        self._marked = marked
        self._text = io.StringIO(newline="")
        quoting: Any = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
        self._writer = csv.writer(self._text, delimiter=delimiter, lineterminator=end, quoting=quoting)

    def head(self) -> bytes:
        """The mark and the names of the columns, as far as they are wanted."""
        mark = "\ufeff" if self._marked else ""
        return (mark + (self._row(self._columns) if self._header else "")).encode()

    def text(self, entity: Entity) -> bytes:
        """A row."""
        try:
            return self._row([field(entity.get(name)) for name in self._columns]).encode()
        except UnicodeEncodeError:
            raise ValueError("it has half a character, which UTF-8 cannot write") from None

    def between(self) -> bytes:
        """Rows have their ends."""
        return b""

    def tail(self) -> bytes:
        """The last row is the end."""
        return b""

    def _row(self, fields: Sequence[str]) -> str:
        self._text.seek(0)
        self._text.truncate()
        self._writer.writerow(fields)
        return self._text.getvalue()


def field(value: Any) -> str:  # noqa: ANN401 - whatever a property holds
    """A value as text: nothing for null, JSON for lists and objects, base64 for bytes."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return to_json(value).decode() if isinstance(value, dict | list | tuple) else str(value)
