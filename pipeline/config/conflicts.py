"""What a merge leaves in a file where two sides changed the same lines. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pipeline.config.faults import Faults

_marker: Final = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?![^ \t\r\n])[^\r\n]*+", re.MULTILINE)
HELP: Final = "keep one side, or put both together, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`"


@dataclass(slots=True)
class Conflict:
    """The lines that a merge put in, and the texts between them that are not read."""

    markers: list[re.Match[str]] = field(default_factory=list)
    hidden: list[tuple[int, int]] = field(default_factory=list)


def without_conflicts(text: str, faults: Faults) -> str:
    """The text with its first side alone, every character at its place; each conflict is reported."""
    if "<<<<<<<" not in text and ">>>>>>>" not in text:
        return text
    pieces: list[str] = []
    at = 0
    for conflict in _conflicts(text):
        _tell(conflict, faults)
        for start, end in conflict.hidden:
            pieces += (text[at:start], " " * (end - start))
            at = end
    return "".join([*pieces, text[at:]])


def _conflicts(text: str) -> Iterator[Conflict]:
    """Each conflict; what is left of one without its beginning or its end counts too."""
    current = Conflict()
    for marker in _marker.finditer(text):
        sign = marker[0][0]
        if sign == "<" and current.markers:
            yield _lines_alone(current)
            current = Conflict()
        if sign in "|=" and not current.markers:
            continue  # a line under a heading, as far as anyone can tell
        current.markers.append(marker)
        if sign == ">":
            yield _sides(current)
            current = Conflict()
    if current.markers:
        yield _lines_alone(current)


def _sides(conflict: Conflict) -> Conflict:
    first, *rest = conflict.markers
    if first[0][0] != "<" or len(rest) < 2:
        return _lines_alone(conflict)
    conflict.hidden = [first.span(), (rest[0].start(), rest[-1].end())]
    return conflict


def _lines_alone(conflict: Conflict) -> Conflict:
    conflict.hidden = [marker.span() for marker in conflict.markers]
    return conflict


def _tell(conflict: Conflict, faults: Faults) -> None:
    first, *rest = conflict.markers
    words = {"=": "the other side begins here", ">": "and ends here", "|": "what it was before both"}
    related = [(marker.span(), words[marker[0][0]]) for marker in rest if marker[0][0] in words]
    label = "one side begins here" if first[0][0] == "<" else "left over from a merge"
    faults.add("E116", "a merge conflict is not resolved", first.span(), label, related=related, help=HELP)
