"""What differs, for people: nothing but that, `-` as it was expected and `+` as it came. No I/O."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, Final

from mailweir.testing.compare import Difference
from mailweir.testing.matchers import ABSENT

# More is read by nobody at once.
MOST_ENTITIES: Final = 20
MOST_LINES: Final = 40
# Of a long value the part that differs, with so many characters around it.
AROUND: Final = 20
LONG: Final = 100
# Python's own `ndiff` asks for as much.
_ALIKE: Final = 0.75
_MOST_MARKED: Final = 2 * LONG


def view(found: Sequence[Difference], *, full: bool = False, short: bool = False) -> Iterator[str]:
    """Lines: each entity, in it each property, and both values; where it is `short` these two stand on one line."""
    groups = [(named, list(some)) for named, some in groupby(found, key=lambda one: one.id)]
    shown = groups if full else groups[:MOST_ENTITIES]
    for number, (named, some) in enumerate(shown):
        if number:
            yield ""
        if not short:
            yield f"  _id {named}" if named else "  (no _id)"
        for one in some:
            if short and (place := _place(named, one.path)):
                yield f"  {place}"
            elif not short and one.path:
                yield f"      {written(one.path)}"
            for line in _both(one.expected, one.actual, full=full):
                yield (f"    {line}" if short else f"    {line[:2]}  {line[2:]}").rstrip()
    if len(shown) < len(groups):
        yield f"  … {len(groups) - len(shown)} more, `--full`"


def written(path: Sequence[str]) -> str:
    """A path as people write it: `a.b[0].c`."""
    return ".".join(path).replace(".[", "[")


def _place(named: str, path: Sequence[str]) -> str:
    """An entity and what differs in it: `c1.text`; in brackets the list that it stands in, where there are several."""
    if path and path[0].startswith("("):
        return f"{_place(named, path[1:])} {path[0]}".strip()
    return ".".join(one for one in (named, written(path)) if one).replace(".[", "[")


def _both(expected: Any, actual: Any, *, full: bool) -> Iterator[str]:
    if expected is ABSENT or actual is ABSENT:
        sign, value = ("+", actual) if expected is ABSENT else ("-", expected)
        what = "is not expected" if expected is ABSENT else "is missing"
        lines = _lines(value, full=full)
        if len(lines) == 1:
            yield f"{sign} {lines[0]}   ({what})"
            return
        yield f"  ({what})"
        yield from (f"{sign} {line}" for line in lines)
        return
    if type(expected) is not type(actual) and _is_text(expected) and _is_text(actual) and _same_lines(expected, actual):
        yield from (f"- {line}" for line in _lines(expected, full=full))
        yield from (f"+ {line}" for line in _lines(actual, full=full))
        yield f"  (expected is {_kind(expected)}, actual is {_kind(actual)})"
        return
    if _is_text(expected) and _is_text(actual) and (isinstance(expected, list) or isinstance(actual, list)):
        yield from _texts(_text_lines(expected), _text_lines(actual), full=full)
    elif isinstance(expected, str) and isinstance(actual, str):
        one, other = (expected, actual) if full else _cut(expected, actual)
        yield f"- {_quoted(one)}"
        yield f"+ {_quoted(other)}"
    else:
        yield from (f"- {line}" for line in _lines(expected, full=full))
        yield from (f"+ {line}" for line in _lines(actual, full=full))
    yield from _invisible(expected, actual)


def _is_text(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _same_lines(expected: Any, actual: Any) -> bool:
    return _text_lines(expected) == _text_lines(actual)


def _text_lines(value: Any) -> list[str]:
    return value.split("\n") if isinstance(value, str) else value


def _texts(expected: list[str], actual: list[str], *, full: bool) -> Iterator[str]:
    """Lines that differ, with one before and one behind them."""
    lines: list[str] = []
    for group in SequenceMatcher(None, expected, actual, autojunk=False).get_grouped_opcodes(1):
        if lines:
            lines.append("  …")
        for kind, first, last, start, end in group:
            if kind == "equal":
                lines += [f"  {_short(_seen(line), full=full)}" for line in expected[first:last]]
            else:
                lines += _changed(expected[first:last], actual[start:end], full=full)
    if len(lines) > MOST_LINES and not full:
        lines = [*lines[:MOST_LINES], f"  … {len(lines) - MOST_LINES} more lines, `--full`"]
    yield from lines


def _changed(expected: list[str], actual: list[str], *, full: bool) -> Iterator[str]:
    """Lines that are others now: where each is like the one that it was, with marks below what changed in it."""
    pairs = [(one, other) if full else _cut(one, other) for one, other in zip(expected, actual, strict=False)]
    seen = [(_seen(one), _seen(other)) for one, other in pairs]
    if len(expected) == len(actual) <= MOST_LINES and all(_alike(one, other) for one, other in seen):
        for one, other in seen:
            gone, new = _marks(one, other)
            yield from (f"- {one}", *gone, f"+ {other}", *new)
        return
    yield from (f"- {_short(_seen(line), full=full)}" for line in expected)
    yield from (f"+ {_short(_seen(line), full=full)}" for line in actual)


def _alike(one: str, other: str) -> bool:
    """Whether marks help: below lines that have little in common nobody can read them."""
    if max(len(one), len(other)) > _MOST_MARKED:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() > _ALIKE


def _marks(one: str, other: str) -> tuple[list[str], list[str]]:
    """Below the old line and the new one: `-` is gone, `+` has come, `^` is another; nothing where there is no mark."""
    gone, new = [" "] * len(one), [" "] * len(other)
    for kind, first, last, start, end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind != "equal":
            gone[first:last] = ("^" if kind == "replace" else "-") * (last - first)
            new[start:end] = ("^" if kind == "replace" else "+") * (end - start)
    first_row, second_row = ("".join(row).rstrip() for row in (gone, new))
    return [f"? {first_row}"] if first_row else [], [f"? {second_row}"] if second_row else []


def _short(line: str, *, full: bool) -> str:
    return line if full or len(line) <= 2 * LONG else f"{line[: 2 * LONG]}…"


def _seen(line: str) -> str:
    """A line in which tabs and the spaces at its end can be seen."""
    kept = line.rstrip(" ")
    return _plain(kept.replace("\t", "→") + "·" * (len(line) - len(kept)))


def _quoted(text: str) -> str:
    """A value in quotes; spaces at its end, and tabs, can be seen."""
    kept = text.rstrip(" ")
    shown = json.dumps(kept, ensure_ascii=False)[1:-1].replace("\\t", "→")
    return _plain(f'"{shown}{"·" * (len(text) - len(kept))}"')


def _plain(text: str) -> str:
    """A text without characters that nobody sees."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def _cut(expected: str, actual: str) -> tuple[str, str]:
    """The part of long values that differs, and a little around it."""
    if max(len(expected), len(actual)) <= LONG:
        return expected, actual
    least = min(len(expected), len(actual))
    start = next((place for place in range(least) if expected[place] != actual[place]), least)
    end = next((place for place in range(least - start) if expected[-1 - place] != actual[-1 - place]), least - start)

    def part(text: str) -> str:
        first, last = max(0, start - AROUND), min(len(text), len(text) - end + AROUND)
        if last - first > 2 * LONG:
            last = first + 2 * LONG
        return ("…" if first else "") + text[first:last] + ("…" if last < len(text) else "")

    return part(expected), part(actual)


def _lines(value: object, *, full: bool) -> list[str]:
    """A value on one line, or on several when it is long."""
    one = _plain(json.dumps(value, ensure_ascii=False, sort_keys=True))
    if len(one) <= LONG:
        return [one]
    lines = [_plain(line) for line in json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2).split("\n")]
    if not full:
        lines = [_short(line, full=False) for line in lines]
        if len(lines) > MOST_LINES:
            return [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES} more lines, `--full`"]
    return lines


def _invisible(expected: object, actual: object) -> Iterator[str]:
    """Name the difference where it cannot be seen."""
    if not (_is_text(expected) and _is_text(actual)):
        if type(expected) is not type(actual) and str(expected) == str(actual):
            yield f"  (expected is {_kind(expected)}, actual is {_kind(actual)})"
        return
    one, other = "\n".join(_text_lines(expected)), "\n".join(_text_lines(actual))
    if "".join(one.split()) == "".join(other.split()) and "".join(one.split()):
        strange = sorted({each for each in one + other if each.isspace() and each not in " \t\n"})
        named = ", ".join(f"U+{ord(each):04X} {unicodedata.name(each, 'control character')}" for each in strange)
        yield f"  (they differ in white space only{': ' + named if named else ''})"
    elif unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other):
        yield "  (they look the same: one is composed of other characters, NFC against NFD)"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    return "a string" if isinstance(value, str) else "a number" if isinstance(value, int | float) else "an object"
