"""CSV as a source: rows of a file of the project or of standard input become entities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Context, Many, SourceConfig
from pipeline.config.given import advice
from pipeline.config.near import near
from pipeline.entity import Entity
from sources.csv_decode import is_encoding
from sources.csv_text import USUAL, Columns, Form, batches
from sources.input_file import InputFile, without_faults
from sources.parts import OnError
from systems.forms import file_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

# The encodings that people mean when they misspell one.
_usual = ("utf-8", "utf-16", "iso-8859-1", "iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "macintosh")
_delimiter_of = {"excel": ",", "excel_tab": "\t", "unix_dialect": ","}


class CsvConfig(SourceConfig):
    """Entities from the rows of a CSV file of the project. Values are strings, as they stand in the file."""

    type: Literal["csv"]
    """`csv`."""
    path: str
    """The file: a path from the project's folder, below it. `.gz` is read as gzip. `-` is standard input."""
    primary_key: str | Annotated[Many[str], Field(min_length=1)]
    """The column that becomes the `_id`, or a list of columns: their values are joined with `:`, and in each of them a
    `:` is written `%3A` and a `%` is written `%25`."""
    has_header: bool = True
    """Whether the first row names the columns. Without a header `field_names` does."""
    field_names: Annotated[Many[str], Field(min_length=1)] | None = None
    """The names of the columns, in order. They win over those of the header."""
    delimiter: str | None = None
    """The character between two fields. Default: the one of `,`, `;`, tab and `|` that the first line has most of, or
    the one that a first line such as `sep=;` names."""
    quote: str = '"'
    """The character around a field in which a delimiter or a line break stands; inside of the field it is written
    twice."""
    dialect: Literal["excel", "excel_tab", "unix_dialect"] | None = None
    """A delimiter by the name of what wrote the file: `,`, or the tab of `excel_tab`."""
    auto_dialect: bool = True
    """Whether the delimiter is found out. If not, and nothing names it, it is `,`."""
    encoding: str | None = None
    """How characters are written: `windows-1252`, `iso-8859-1`, `utf-16` … Default: what the byte order mark says, or
    UTF-8."""
    decode_error_strategy: Literal["strict", "replace"] = "strict"
    """What is done with bytes that are no characters: `strict`, the row is a fault; `replace`, each becomes U+FFFD."""
    whitelist: Many[str] | None = None
    """Only these columns become properties. Default: all."""
    blacklist: Many[str] = ()
    """These columns become none."""
    preserve_empty_strings: bool = False
    """Whether an empty field is a property with an empty string. Otherwise the entity does not have it."""
    on_error: OnError = "stop"
    """What is done with a row that is no entity. `stop`: the run ends there with the place of the fault, and what
    stands before it is delivered. `skip`: it is logged, counted and left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The path stays in the project, columns have names, signs are one character, the encoding is one."""
        yield from file_faults(given, "path")
        if given.get("has_header", default=True) is False and not given.has("field_names"):
            help_ = advice('name the columns: `"field_names": ["id", "email"]`')
            message = "without a header the columns need `field_names`"
            yield given.problem("E204", message, "has_header", notes=(help_,))
        for name in ("delimiter", "quote"):
            sign = given.text(name)
            if sign is not None and not _is_sign(sign):
                help_ = advice('a tab is written `"\\t"`' if name == "delimiter" else 'usual is `"\\""`')
                yield given.problem("E203", f"`{name}` is one character that can be seen", name, notes=(help_,))
        if given.has("delimiter") and given.text("delimiter") == (given.text("quote") or '"'):
            yield given.problem("E203", "`delimiter` is the same character as `quote`", "delimiter")
        yield from _no_encoding(given)

    def build(self, context: Context) -> Csv:
        """The source itself."""
        keys = (self.primary_key,) if isinstance(self.primary_key, str) else self.primary_key
        columns = Columns(
            keys, self.has_header, self.field_names or (), self.whitelist, self.blacklist, self.preserve_empty_strings
        )
        delimiter = self.delimiter or (_delimiter_of[self.dialect] if self.dialect else None)
        if delimiter is None and not self.auto_dialect:
            delimiter = ","
        form = Form(delimiter, self.quote, self.encoding, self.decode_error_strategy == "replace")
        return Csv(InputFile(Path(context.root), self.path), columns, form, self.on_error)


def _is_sign(text: str) -> bool:
    return len(text) == 1 and text not in "\r\n\0" and not re.fullmatch("[\ud800-\udfff]", text)


def _no_encoding(given: Given) -> Iterable[Problem]:
    name = given.text("encoding")
    if name is None or is_encoding(name):
        return
    close = near(name, _usual)
    help_ = advice(f'did you mean "{close[0]}"?' if close else "such as " + ", ".join(f'"{one}"' for one in _usual[:5]))
    yield given.problem("E203", f"there is no encoding `{name}`", "encoding", notes=(help_,))


class Csv:
    """Reads one file from its start in each run. It has no position."""

    def __init__(self, file: InputFile, columns: Columns, form: Form = USUAL, on_error: OnError = "stop") -> None:
        """`columns` says what the rows become."""
        self._file = file
        self._columns = columns
        self._form = form
        self._on_error: OnError = on_error
        self.once = file.once
        self.skipped = 0

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return False

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities; `SourceError` where it cannot go on."""
        found = batches(self._file.portions(), self._file.name, self._columns, self._form)
        for batch in without_faults(found, self._on_error):
            self.skipped += batch.fault is not None
            if batch.entities:
                yield batch.entities, None
