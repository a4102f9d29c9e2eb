"""Changing a text in a few places and in no other. No I/O."""

from __future__ import annotations

from bisect import bisect_left, insort
from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence

from pipeline.config.tree import Document
from pipeline.errors import Edit, Problem


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made, all counted in the text as it was.

    Insertions at one place keep the order they are given in. Of edits that overlap the later one is left out.
    """
    pieces: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        if edit.span.start >= at:
            pieces += text[at : edit.span.start], edit.text
            at = edit.span.end
    pieces.append(text[at:])
    return "".join(pieces)


def compatible(problems: Iterable[Problem]) -> list[Problem]:
    """Those problems of one file whose repairs can be made together, each whole; of two that touch the first."""
    taken: list[tuple[int, int]] = []
    chosen = []
    for problem in problems:
        places = [(edit.span.start, edit.span.end) for edit in problem.fix]
        if places and not any(_touches(place, taken) for place in places):
            chosen.append(problem)
            for place in places:
                insort(taken, place)
    return chosen


def _touches(place: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    """Whether a place shares characters with one of those, which are in order and share none with each other."""
    start, end = place
    at = bisect_left(taken, place)
    # An insertion may stand at the edge of anything, and beside another insertion.
    before = taken[at - 1] if at else (0, 0)
    after = taken[at] if at < len(taken) else (end, end)
    return before[1] > start or after[0] < end


def encode(document: Document, text: str) -> bytes:
    """The bytes of a file that holds `text` and is otherwise like the one the document was read from.

    For the document's own text these are the bytes that were read, wrong ones included.
    """
    body = text.encode("utf-8", "surrogateescape")
    return BOM_UTF8 + body if document.bom else body
