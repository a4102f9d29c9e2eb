"""Changing a text in a few places and in no other. No I/O."""

from __future__ import annotations

from bisect import bisect_left, insort
from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

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
    taken = _Taken()
    chosen = []
    for problem in problems:
        if problem.fix and all(map(taken.leaves, problem.fix)):
            chosen.append(problem)
            for edit in problem.fix:
                taken.add(edit)
    return chosen


@dataclass(slots=True)
class _Taken:
    """The places that edits need for themselves, in order."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    quotes: list[int] = field(default_factory=list)

    def leaves(self, edit: Edit) -> bool:
        """Whether the edit shares no character with another one.

        An insertion may stand at the edge of a replacement, but not a quote: it belongs to the word beside it, and
        what is written for that word has its own.
        """
        start, end = edit.span.start, edit.span.end
        if start == end:
            edge = edit.text == '"'
            around = self.spans[max(0, bisect_left(self.spans, (start, start)) - 1) :][:2]
            return not any(first < start < last or (edge and start in (first, last)) for first, last in around)
        at = bisect_left(self.spans, (start, end))
        beside = self.spans[max(0, at - 1) : at + 1]
        if any(first < end and start < last for first, last in beside):
            return False
        return not (_any_in(self.points, start + 1, end - 1) or _any_in(self.quotes, start, end))

    def add(self, edit: Edit) -> None:
        """Take its place."""
        start, end = edit.span.start, edit.span.end
        if start != end:
            insort(self.spans, (start, end))
        else:
            insort(self.quotes if edit.text == '"' else self.points, start)


def _any_in(places: Sequence[int], first: int, last: int) -> bool:
    at = bisect_left(places, first)
    return at < len(places) and places[at] <= last


def encode(document: Document, text: str) -> bytes:
    """The bytes of a file that holds `text` and is otherwise like the one the document was read from.

    For the document's own text these are the bytes that were read, wrong ones included.
    """
    body = text.encode("utf-8", "surrogateescape")
    return BOM_UTF8 + body if document.bom else body
