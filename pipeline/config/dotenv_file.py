"""The text of files of `NAME=value` lines, read by python-dotenv without interpolation. Opens no file.

What is shown of such a file is a copy with the same lines and columns in which every value and every comment is
masked: people keep passwords in `.env` too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dotenv.parser import Binding, parse_stream

from pipeline.config.given import advice
from pipeline.config.tree import Document, Lines
from pipeline.errors import Label, Problem, Span
from pipeline.secret import MASK

# Faults told for one file; a file with more is of another kind.
MOST_FAULTS: Final = 20
# python-dotenv takes time in the square of a run of blanks.
MOST_BLANKS: Final = 1000

_blanks = re.compile(rf"[^\S\r\n]{{{MOST_BLANKS + 1},}}")
_filled_line = re.compile(r"^([^\S\n]*)\S.*$", re.MULTILINE)
_name = re.compile(r"[A-Za-z0-9_.-]+")
_export = re.compile(r"(?:export[^\S\r\n]+)?")
_key = re.compile(r"'[^']+'|[^'=#\s][^=#\s]*")
_value = re.compile(r"[^\S\r\n]*=[^\S\r\n]*(['\"]?)")
_string = {quote: re.compile(rf"(?:\\.|[^{quote}\\])*{quote}", re.DOTALL) for quote in ("'", '"')}


@dataclass(frozen=True, slots=True)
class Statement:
    """A piece of the text from `start`: one assignment, comment or fault, with the blank lines before it."""

    start: int
    text: str = field(repr=False)
    key: str | None
    value: str | None = field(repr=False)
    faulty: bool

    @property
    def lead(self) -> str:
        """The blanks and blank lines before what it says."""
        return self.text[: len(self.text) - len(self.text.lstrip())]

    @property
    def bare(self) -> bool:
        """Whether it is a name alone."""
        return self.key is not None and self.value is None


@dataclass(frozen=True, slots=True)
class DotenvFile:
    """What a file sets; of a name that stands twice the last one counts."""

    values: Mapping[str, str] = field(repr=False)
    names: Sequence[str]
    """The names that may be shown. What follows a line that sets nothing may be a piece of a value."""
    document: Document
    """The text that may be shown."""
    problems: Sequence[Problem]
    unread: frozenset[str] = field(repr=False)
    """Names that may stand in lines that could not be read."""
    at: Mapping[str, Span]
    """Where each of the names stands that may be shown; of a name that stands twice, the one that counts."""


def read_dotenv(data: bytes, name: str, *, secret: bool = False) -> DotenvFile:
    """What the bytes of a file set, and every line that cannot be read.

    A name alone is passed over in `.env`, where it stands for a variable of the process. A file of secrets has no
    use for it, and there it may be a line of a key file that lacks its quotes. Raises UnicodeDecodeError.
    """
    text = data.decode("utf-8").lstrip("\ufeff")
    if blanks := _blanks.search(text):
        return _unread(text, name, blanks.start())
    pieces = statements(text)
    clear = next((at for at, piece in enumerate(pieces) if piece.faulty or piece.bare), len(pieces))
    faults = [piece for piece in pieces if piece.faulty or (secret and piece.bare)]
    masked = [_masked(piece) for piece in pieces[:clear]]
    shown = "".join(masked) + _masked_lines(piece.text for piece in pieces[clear:])
    spans = _Spans(name, text, shown)
    last = {piece.key: piece.value for piece in pieces if piece.key is not None}
    values = {key: value for key, value in last.items() if value is not None}
    places = _places(pieces[:clear], masked, name)
    problems = [*(_problem(piece, name, spans) for piece in faults), *_twice(places, name)]
    return DotenvFile(
        values,
        tuple(key for key in values if key in places),
        Document(name, shown, None, []),
        sorted(problems[:MOST_FAULTS], key=lambda problem: problem.span.start),
        frozenset(found for piece in faults for found in _name.findall(piece.text)),
        {key: found[-1] for key, found in places.items()},
    )


def _places(pieces: Iterable[Statement], masked: Iterable[str], name: str) -> dict[str, list[Span]]:
    """Where names are set, in the text that is shown."""
    places: dict[str, list[Span]] = {}
    at = 0
    for piece, shown in zip(pieces, masked, strict=True):
        key = _key_of(piece.text[len(piece.lead) :])
        if key and piece.key is not None and _name.fullmatch(piece.key):
            start = at + len(piece.lead) + key.start()
            places.setdefault(piece.key, []).append(Span(name, start, start + len(key[0])))
        at += len(shown)
    return places


def _twice(places: Mapping[str, Sequence[Span]], name: str) -> Iterator[Problem]:
    """W318 for each name that is set more than once."""
    for key, spans in places.items():
        if len(spans) > 1:
            count = "twice" if len(spans) == 2 else f"{len(spans)} times"
            yield Problem(
                "W318",
                f"`{key}` is set {count} in `{name}`",
                spans[-1],
                "this one counts",
                related=tuple(Label(span, "not used") for span in spans[:-1][:MOST_FAULTS]),
                notes=(advice("remove the others"),),
            )


def statements(text: str) -> list[Statement]:
    """The pieces of a text without a byte order mark, which joined are the text."""
    pieces: list[Statement] = []
    start = 0
    for binding in parse_stream(io.StringIO(text, newline="")):
        pieces.append(_statement(binding, start))
        start += len(binding.original.string)
    return pieces


def _statement(binding: Binding, start: int) -> Statement:
    return Statement(start, binding.original.string, binding.key, binding.value, binding.error)


def _masked(piece: Statement) -> str:
    """An assignment with its value masked, or a comment, in as many lines; what is no plain name is masked too."""
    if piece.key is not None and not _name.fullmatch(piece.key):
        return _masked_lines([piece.text])
    lead = piece.lead
    said = piece.text[len(lead) :]
    end = said[len(said.rstrip("\r\n")) :]
    more = "\n" * said[: len(said) - len(end)].count("\n")
    key = _key_of(said)
    if piece.key is None or key is None:
        return lead + (f"# {MASK}" if said else "") + more + end
    return f"{lead}{said[: key.end()]}={MASK if piece.value else ''}{more}{end}"


def _key_of(said: str) -> re.Match[str] | None:
    export = _export.match(said)
    return _key.match(said, export.end() if export else 0)


def _masked_lines(texts: Iterable[str]) -> str:
    return _filled_line.sub(rf"\1{MASK}", "".join(texts))


class _Spans:
    """From a place in the text to the same line and column of the text that is shown."""

    def __init__(self, name: str, text: str, shown: str) -> None:
        self._name = name
        self._text = Lines(text)
        self._shown = Lines(shown)

    def at(self, offset: int) -> Span:
        """From there to the end of the line."""
        line, column = self._text.place(offset)
        start = self._shown.starts[line - 1]
        end = start + len(self._shown.line(line))
        return Span(self._name, min(start + column - 1, end), end)


def _unread(text: str, name: str, blanks: int) -> DotenvFile:
    shown = _masked_lines([text])
    span = _Spans(name, text, shown).at(blanks)
    message = f"`{name}` has more than {MOST_BLANKS} blanks in a row"
    problem = Problem("E314", message, span, notes=(advice("write the value in quotes, without them"),))
    return DotenvFile({}, (), Document(name, shown, None, []), [problem], frozenset(_name.findall(text)), {})


def _problem(piece: Statement, name: str, spans: _Spans) -> Problem:
    label, *help_ = _reason(piece.text[len(piece.lead) :])
    span = spans.at(piece.start + len(piece.lead))
    return Problem("E314", f"this line of `{name}` cannot be read", span, label, notes=tuple(map(advice, help_)))


def _reason(said: str) -> tuple[str, ...]:
    """Why a statement cannot be read, and what to do; without a word of it, as it may be a secret."""
    key = _key_of(said)
    if key is None:
        if "'" in said.partition("=")[0]:
            return "the `'` before the name is never closed", "write the name without quotes"
        return "no name stands before the `=`", "write `NAME=value`"
    value = _value.match(said, key.end())
    if value is None:
        return "a `=` is missing after the name", "write `NAME=value`; a value of several lines needs quotes round it"
    quote = value[1]
    inside = f"inside the quotes write `\\{quote}` for `{quote}` and `\\\\` for `\\`"
    if not quote or not _string[quote].match(said, value.end()):
        return f"the `{quote}` before the value is never closed", f"close it; {inside}"
    return f"something stands after the closing `{quote}`", f"remove it; {inside}"
