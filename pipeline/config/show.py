"""Problems as people read them: where, what is wrong, what to do. No I/O.

Texts come in as values and a string goes out. Whatever a source or a message holds, what comes out moves no cursor
and holds no character of a masked value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final, Literal

from pipeline.config.excerpt import NO_MASKS, Mark, Masks, Source, Sources, changes, found_in
from pipeline.config.glyphs import columns, visible
from pipeline.errors import Decoded, Edit, Label, Note, Problem
from pipeline.scrub import Scrubber

WIDTH: Final = 88
_NARROWEST: Final = 24
_FIX: Final = "`mailweir check --fix` writes this:"
# A decoded text is shown with so many lines before and after the one that is marked.
_BEFORE, _AFTER = 2, 1
# More changed lines of one repair are not read here; `mailweir check --diff` has them all.
_MOST_CHANGES: Final = 40

# An `_id` has at most 128 characters; of a longer word nobody reads more than how it begins and ends.
_HEAD, _TAIL = 60, 30
_too_long: Final = re.compile(r"\S{129,}")

Style = Literal["error", "warning", "gutter", "removed", "added"]
Painter = Callable[[Style, str], str]
_CODES: Final[Mapping[Style, str]] = {
    "error": "1;31",
    "warning": "1;33",
    "gutter": "34",
    "removed": "31",
    "added": "32",
}
_EDGES: Final[Mapping[str, Style]] = {"|": "gutter", "-": "removed", "+": "added"}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the lines below it are."""

    arrow: Literal["-->", ":::"]
    text: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a source; as a part of a repair it goes (`-`) or comes (`+`)."""

    number: int
    text: str
    sign: Literal["|", "-", "+"] = "|"


@dataclass(frozen=True, slots=True)
class _Pointer:
    """A place in the line above it."""

    indent: int
    signs: str
    label: str


# Beside these: an empty line at the gutter, and lines that are left out.
_Item = _Place | _Line | _Pointer | Note | Literal["bar", "gap"]


def render(
    problems: Sequence[Problem],
    texts: Mapping[str, str],
    *,
    width: int = WIDTH,
    color: bool = False,
    masks: Masks = NO_MASKS,
    scrubber: Scrubber | None = None,
    limit: int | None = None,
) -> str:
    """The problems in full, a blank line between two; at most `limit` of them. No line break at the end.

    A source line is cut to `width` columns beside its gutter, a note is wrapped at `width`. `scrubber` is what the
    text will pass on its way out, so that it moves nothing then.
    """
    sources = Sources(texts, masks, scrubber)
    wanted = ordered(problems)
    shown = wanted if limit is None else wanted[: max(0, limit)]
    blocks = [block(problem, sources, width, color=color) for problem in shown]
    if len(shown) < len(wanted):
        blocks.append(f"… {len(wanted) - len(shown)} more, `--format concise` shows all")
    return "\n\n".join(blocks)


def concise(
    problems: Sequence[Problem],
    texts: Mapping[str, str],
    *,
    masks: Masks = NO_MASKS,
    scrubber: Scrubber | None = None,
) -> str:
    """One line for each problem. No line break at the end."""
    sources = Sources(texts, masks, scrubber)
    lines = []
    for problem in ordered(problems):
        line, column = sources[problem.span.file].place(problem.span.start)
        meant = did_you_mean(problem)
        where = f"{visible(problem.span.file)}:{line}:{column}"
        what = visible(_brief(f"{problem.told} ({meant})" if meant else problem.told, sources))
        lines.append(f"{where}: {problem.code} {what}")
    return "\n".join(lines)


def summary(problems: Sequence[Problem], files: int) -> str:
    """How many there are, and how many can be repaired."""
    errors = sum(problem.level == "error" for problem in problems)
    fixable = sum(bool(problem.fix) for problem in problems)
    found = f"{_count(errors, 'error')}, {_count(len(problems) - errors, 'warning')} in {_count(files, 'file')}."
    return f"{found} {fixable} fixable with `mailweir check --fix`." if fixable else found


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """By file; in a file the faults of its JSON first, since they can be the cause of others; then by place."""
    return sorted(problems, key=lambda p: (p.span.file, not p.code.startswith("E1"), p.span.start))


def did_you_mean(problem: Problem) -> str:
    """The question that a help asks, or nothing."""
    for note in problem.notes:
        if note.kind == "help" and note.text.startswith("did you mean "):
            question, mark, _ = note.text.partition("?")
            return question + mark
    return ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def block(problem: Problem, sources: Sources, width: int = WIDTH, *, color: bool = False) -> str:
    """One problem in full."""
    width = max(width, _NARROWEST)
    paint = _painter(color=color)
    notes = [Note(note.kind, _brief(note.text, sources)) for note in problem.notes]
    items: list[_Item] = [*_excerpts(problem, sources, width), *notes]
    repair = [*_repair(problem, sources, width)]
    numbers = {item.number for item in (*items, *repair) if isinstance(item, _Line)}
    names = {number: sources.scrubber.scrub(str(number)) for number in numbers}
    gutter = max(map(len, names.values()), default=1)
    # What only shows when a system is opened has no code: no check can report it.
    head = f"{problem.level}[{problem.code}]" if problem.code else problem.level
    lines = [f"{paint(problem.level, head)}: {visible(_brief(problem.message, sources))}".rstrip()]
    for item in items:
        lines += _printed(item, problem, names, gutter, width, paint)
    if repair:
        lines.append(" " * (gutter + 1) + paint("gutter", "=") + f" fix: {_FIX}")
    for item in repair:
        lines += _printed(item, problem, names, gutter, width, paint)
    return "\n".join(lines)


def _brief(text: str, sources: Sources) -> str:
    """Words without secrets, and with the middle left out of what is longer than any name may be."""
    return _too_long.sub(lambda word: f"{word[0][:_HEAD]}…{word[0][-_TAIL:]}", sources.scrubber.scrub(text))


def _excerpts(problem: Problem, sources: Sources, width: int) -> Iterator[_Item]:
    span = problem.span
    by_file: dict[str, list[Mark]] = {span.file: [Mark(span.start, span.end, "^", _brief(problem.label, sources))]}
    others: list[tuple[Literal["^", "-"], Label]] = [("^", label) for label in problem.also]
    others += [("-", label) for label in problem.related]
    for sign, label in others:
        mark = Mark(label.span.start, label.span.end, sign, _brief(label.text, sources))
        by_file.setdefault(label.span.file, []).append(mark)
    for file, marks in by_file.items():
        source = sources[file]
        line, column = source.place(marks[0].start)
        first = file == span.file
        path = f" ({' → '.join(_brief(part, sources) for part in problem.path)})" if first and problem.path else ""
        yield _Place("-->" if first else ":::", f"{file}:{line}:{column}{path}")
        if source.text or any(mark.label for mark in marks):
            yield "bar"
            yield from _marked(source, marks, width)
    yield "bar"
    if problem.decoded:
        yield from _decoded(problem, problem.decoded, sources[span.file], width)


def _marked(source: Source, marks: Sequence[Mark], width: int) -> Iterator[_Item]:
    """The lines that have marks, with the marks below them."""
    by_line: dict[int, list[Mark]] = {}
    for mark in dict.fromkeys(source.on_one_line(mark) for mark in marks):
        by_line.setdefault(source.lines.place(mark.start)[0], []).append(mark)
    before = 0
    for number in sorted(by_line):
        if before and number > before + 1:
            yield "gap"
        yield from _marked_line(source, number, by_line[number], width)
        before = number


def _marked_line(source: Source, number: int, marks: Sequence[Mark], width: int) -> Iterator[_Item]:
    """A line with its marks, the rightmost first; a long line more than once if marks are far from each other."""
    rest = sorted(marks, key=lambda mark: mark.start)
    done = 0
    while done < len(rest):
        row = source.row(number, width, rest[done].start)
        yield _Line(number, row.text)
        here = [rest[done], *takewhile(row.shows, islice(rest, done + 1, None))]
        for mark in sorted(here, key=lambda mark: -mark.start):
            indent, length = row.extent(mark)
            yield _Pointer(indent, mark.sign * length, mark.label)
        done += len(here)


def _decoded(problem: Problem, decoded: Decoded, around: Source, width: int) -> Iterator[_Item]:
    span = around.inside(problem.span.start, problem.span.end)
    if around.masks_between(*span):
        masks = [(0, len(decoded.text))]
    else:
        masks = found_in(decoded.text, around.tells(decoded.text, span))
    source = Source(decoded.text, masks, around.scrubber)
    mark = source.on_one_line(Mark(decoded.start, decoded.end, "^", problem.label))
    line, column = source.place(mark.start)
    yield _Place(":::", f"{decoded.title}, line {line}, column {column}")
    yield "bar"
    for number in range(max(1, line - _BEFORE), min(line + _AFTER, len(source.lines.starts)) + 1):
        if number == line:
            yield from _marked_line(source, number, [mark], width)
        else:
            yield _Line(number, source.row(number, width).text)
    yield "bar"


def _repair(problem: Problem, sources: Sources, width: int) -> Iterator[_Item]:
    by_file: dict[str, list[Edit]] = {problem.span.file: []}
    for edit in problem.fix:
        by_file.setdefault(edit.span.file, []).append(edit)
    for file, edits in by_file.items():
        lines = [_Line(c.row.number, c.row.text, c.sign) for c in changes(sources[file], edits, width)]
        if lines and file != problem.span.file:
            yield _Place(":::", file)
        yield from lines[:_MOST_CHANGES]
        if len(lines) > _MOST_CHANGES:
            yield "gap"


def _printed(
    item: _Item, problem: Problem, numbers: Mapping[int, str], gutter: int, width: int, paint: Painter
) -> Iterator[str]:
    margin = " " * gutter
    match item:
        case "bar":
            yield f"{margin} {paint('gutter', '|')}"
        case "gap":
            yield paint("gutter", "...")
        case _Place(arrow, text):
            yield f"{margin}{paint('gutter', arrow)} {visible(text)}"
        case _Line(number, text, sign):
            edge = paint(_EDGES[sign], f"{numbers[number]:>{gutter}} {sign}")
            yield f"{edge} {text}".rstrip() if text else edge
        case _Pointer(indent, signs, label):
            words = f"{signs} {visible(label)}".rstrip()
            style = problem.level if signs[0] == "^" else "gutter"
            yield f"{margin} {paint('gutter', '|')} {' ' * indent}{paint(style, words)}"
        case Note(kind, text):
            head = f"{margin} = {kind}: "
            lines = [part for line in text.split("\n") for part in _wrapped(visible(line), width - len(head))]
            yield f"{margin} {paint('gutter', '=')} {kind}: {lines[0]}".rstrip()
            yield from (f"{' ' * len(head)}{line}".rstrip() for line in lines[1:])


def _wrapped(text: str, room: int) -> list[str]:
    """The text in lines of at most `room` columns; a longer word has its own. Blanks between words are kept."""
    lines = [""]
    for number, word in enumerate(text.split(" ")):
        longer = f"{lines[-1]} {word}" if number else word
        if columns(longer) <= room or not lines[-1].strip():
            lines[-1] = longer
        elif word:
            lines.append(word)
    return lines


def _painter(*, color: bool) -> Painter:
    def paint(style: Style, text: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if color and text else text

    return paint
