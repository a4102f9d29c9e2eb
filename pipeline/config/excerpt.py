"""Parts of a source as people see them: safe to print, secrets masked, cut to a width, with places marked. No I/O.

A place is counted in characters of the text; what is shown is counted in columns of a terminal. Between the two stand
cells: one for each character, one for the part of a mask that is on a line.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal

from pipeline.config.glyphs import columns, glyph
from pipeline.config.mask import Interval, merged, shown_for
from pipeline.config.tree import Lines
from pipeline.errors import Edit
from pipeline.scrub import FEW, Scrubber
from pipeline.secret import MASK

Masks = Mapping[str, Sequence[Interval]]
NO_MASKS: Final[Masks] = MappingProxyType({})

# A shorter part of a secret stands in other texts by chance.
_SHORTEST_PART: Final = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to be marked with `sign`, and a few words beside it."""

    start: int
    end: int
    sign: Literal["^", "-"]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """The characters `start` to `end` of a text, as they are shown."""

    start: int
    end: int
    shown: str
    columns: int


@dataclass(frozen=True, slots=True)
class Row:
    """A line as shown, or the part of it that fits; `first` and `last` are the characters it begins and ends with."""

    number: int
    text: str
    cells: Sequence[Cell]
    lead: int
    first: int
    last: int
    whole_end: bool

    def shows(self, mark: Mark) -> bool:
        """Whether the place begins in what is shown."""
        return self.first <= mark.start and (mark.start < self.last or self.whole_end)

    def extent(self, mark: Mark) -> tuple[int, int]:
        """Indent and length, in columns, of the signs below a place that is shown; at least one."""
        indent, length = self.lead, 0
        for cell in self.cells:
            if cell.end <= mark.start:
                indent += cell.columns
            elif cell.start < mark.end:
                length += cell.columns
            else:
                break
        if not length and mark.start < mark.end and mark.start < self.last:
            # An accent by itself: its letter is the column before.
            indent = max(self.lead, indent - 1)
        return indent, max(1, length)


@dataclass(frozen=True, slots=True)
class Change:
    """A line that a repair takes away (`-`), or one that it puts there (`+`)."""

    sign: Literal["-", "+"]
    row: Row


class Source:
    """A text with the places in it that are secret."""

    def __init__(
        self,
        text: str,
        masks: Iterable[Interval] = (),
        scrubber: Scrubber | None = None,
        parts: Iterable[Interval] = (),
    ) -> None:
        """Take places in any order, also such that overlap or lie outside of the text; `parts` are parts of values.

        What the scrubber takes out of all that is printed is masked here first: taken out of a line later, it would
        shift what stands behind it, and the signs below would point beside their place.
        """
        self.text = text
        self.lines = Lines(text)
        self.scrubber = scrubber or Scrubber()
        values = list(masks)
        given = [*values, *parts]
        # Of many passwords each would be looked for in the whole text, and found where its place is known already.
        searched = _blanked(text, given) if len(self.scrubber) > FEW else text
        self._given = [*given, *self.scrubber.places(searched)]
        self.masks = merged(self._given, len(text))
        self._values = merged(values, len(text))

    def inside(self, start: int, end: int) -> tuple[int, int]:
        """The nearest span that the text has."""
        start = min(max(start, 0), len(self.text))
        return start, min(max(end, start), len(self.text))

    def region(self, start: int, end: int) -> tuple[int, int, int, int]:
        """Line and column of the start and of the end; the end is exclusive.

        What begins or ends in a mask begins or ends with it, the mask being as long as it is shown: a place tells
        no length of a secret.
        """
        start, end = self.inside(start, end)
        begin = self.mask_at(start)
        first = begin[0] if begin else start
        line, column = self.lines.place(first)
        if begin and end <= start:
            return line, column, line, column
        last = self.mask_at(end - 1) if end > start else None
        if last is None:
            return line, column, *self.lines.place(end)
        end_line, end_column = self.lines.place(last[0])
        return line, column, end_line, end_column + len(self.shown(last))

    def place(self, start: int) -> tuple[int, int]:
        """Line and column of a character."""
        return self.region(start, start)[:2]

    def on_one_line(self, mark: Mark) -> Mark:
        """The place inside of the text, and of the line that it begins in; one in a mask begins with the mask."""
        start, end = self.inside(mark.start, mark.end)
        mask = self.mask_at(start)
        start = mask[0] if mask else start
        high = self.bounds(self.lines.place(start)[0])[1]
        start = min(start, high)
        return replace(mark, start=start, end=max(start, min(end, high)))

    def mask_at(self, position: int) -> Interval | None:
        """The mask that covers a character."""
        index = bisect_right(self.masks, (position, len(self.text) + 1)) - 1
        return self.masks[index] if index >= 0 and position < self.masks[index][1] else None

    def is_part(self, mask: Interval) -> bool:
        """Whether a mask covers no value, but something within one that is known as a secret."""
        index = bisect_right(self._values, (mask[1] - 1, len(self.text) + 1)) - 1
        return index < 0 or self._values[index][1] <= mask[0]

    def shown(self, mask: Interval) -> str:
        """What stands for a mask."""
        return shown_for(self.text, *mask, part=self.is_part(mask))

    def masks_between(self, start: int, end: int) -> list[Interval]:
        """The masks that share a character with a span, or that an empty span stands in."""
        found = []
        index = max(0, bisect_left(self.masks, (start, start)) - 1)
        for first, last in self.masks[index:]:
            if first >= max(end, start + 1):
                break
            if first < end and last > start:
                found.append((first, last))
        return found

    @cached_property
    def secrets(self) -> list[tuple[str, Interval]]:
        """What is masked, with and without its escapes, and where."""
        found = []
        for start, end in self._given:
            mask = max(0, start), max(0, end)
            bare = self.text[slice(*mask)].strip().strip("\"'")
            found += [(part, mask) for part in dict.fromkeys((bare, _unescaped(bare))) if part]
        return found

    def tells(self, text: str, near: Interval) -> list[str]:
        """The secrets that a text repeats; short ones only when they stand in a line of `near`."""
        first = self.lines.place(near[0])[0]
        last = self.lines.place(near[1])[0]
        low, high = self.lines.starts[first - 1], (*self.lines.starts[last : last + 1], len(self.text) + 1)[0]
        return [
            part
            for part, mask in self.secrets
            if part in text and (len(part) >= _SHORTEST_PART or (mask[0] < high and mask[1] > low))
        ]

    def hides(self, edit: Edit) -> bool:
        """Whether what an edit writes may hold a part of a secret."""
        start, end = self.inside(edit.span.start, edit.span.end)
        return bool(self.masks_between(start, end)) or bool(edit.text and self.tells(edit.text, (start, end)))

    def bounds(self, number: int) -> tuple[int, int]:
        """The first character of a line, and the one after its last."""
        starts = self.lines.starts
        start = starts[number - 1]
        end = starts[number] if number < len(starts) else len(self.text)
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return start, end

    def row(self, number: int, width: int, anchor: int = 0) -> Row:
        """A line, cut when it has more columns than `width`, so that the characters from `anchor` on are shown."""
        low, high = self.bounds(number)
        cells = self._onward(low, high, width)
        if (cells[-1].end if cells else low) < high:
            cells = self._round(min(max(anchor, low), high), low, high, width)
        first, last = (cells[0].start, cells[-1].end) if cells else (low, low)
        lead, trail = "…" if first > low else "", "…" if last < high else ""
        cells = self._hidden(cells, lead, trail)
        text = lead + "".join(cell.shown for cell in cells) + trail
        return Row(number, text, cells, len(lead), first, last, last == high)

    def _hidden(self, cells: list[Cell], lead: str, trail: str) -> list[Cell]:
        """The cells without what becomes a secret only by being shown: a word that stands alone where a line is cut."""
        while found := self.scrubber.places(lead + "".join(cell.shown for cell in cells) + trail):
            kept: list[Cell] = []
            at = len(lead)
            for cell in cells:
                start, at = at, at + len(cell.shown)
                if not any(first < at and last > start for first, last in found):
                    kept.append(cell)
                elif kept and kept[-1].shown == MASK and kept[-1].end == cell.start:
                    kept[-1] = replace(kept[-1], end=cell.end)
                else:
                    kept.append(Cell(cell.start, cell.end, MASK, len(MASK)))
            if kept == cells:
                break
            cells = kept
        return cells

    def _round(self, anchor: int, low: int, high: int, width: int) -> list[Cell]:
        mask = self.mask_at(anchor)
        middle = max(low, mask[0]) if mask else anchor
        before = self._back(middle, low, width // 2 - 4)
        after = self._onward(middle, high, width - _columns(before))
        if (after[-1].end if after else middle) == high:
            before = self._back(middle, low, width - _columns(after))
        return before + after

    def _onward(self, position: int, high: int, room: int) -> list[Cell]:
        cells: list[Cell] = []
        while position < high:
            cell = self._cell(position, 0, high)
            room -= cell.columns
            if room < 0:
                break
            cells.append(cell)
            position = cell.end
        return cells

    def _back(self, position: int, low: int, room: int) -> list[Cell]:
        cells: list[Cell] = []
        while position > low:
            cell = self._cell(position - 1, low, position)
            room -= cell.columns
            if room < 0:
                break
            cells.append(cell)
            position = cell.start
        return cells[::-1]

    def _cell(self, position: int, low: int, high: int) -> Cell:
        mask = self.mask_at(position)
        if mask:
            shown = self.shown(mask)
            return Cell(max(low, mask[0]), min(high, mask[1]), shown, len(shown))
        shown = glyph(self.text[position])
        return Cell(position, position + 1, shown, columns(shown))


class Sources:
    """The texts that problems point into; each is prepared once, when it is needed."""

    def __init__(self, texts: Mapping[str, str], masks: Masks, scrubber: Scrubber | None = None) -> None:
        """Take texts and masks by the name of the file, and what is taken out of all that is printed."""
        self._texts = texts
        self._masks = masks
        self.scrubber = scrubber or Scrubber()
        self._known: dict[str, Source] = {}

    def __getitem__(self, file: str) -> Source:
        """The text of a file; an empty one when it is not known."""
        if file not in self._known:
            self._known[file] = Source(self._texts.get(file, ""), self._masks.get(file, ()), self.scrubber)
        return self._known[file]


def changes(source: Source, edits: Iterable[Edit], width: int) -> Iterator[Change]:
    """The lines that differ when the edits are made, secrets masked in both."""
    shift = 0
    for first, last, hunk in _hunks(source, edits):
        low, high = source.lines.starts[first - 1], source.bounds(last)[1]
        after = _edited(source, low, high, hunk)
        old = [source.lines.line(number) for number in range(first, last + 1)]
        new = [after.lines.line(number) for number in range(1, len(after.lines.starts) + 1)]
        same = 0
        while same < min(len(old), len(new)) and old[same] == new[same]:
            same += 1
        tail = 0
        while tail < min(len(old), len(new)) - same and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        inner = max(0, hunk[0].span.start - source.lines.starts[first + same - 1]) if same < len(old) else 0
        for index in range(same, len(old) - tail):
            number = first + index
            yield Change("-", source.row(number, width, source.lines.starts[number - 1] + inner * (index == same)))
        for index in range(same, len(new) - tail):
            row = after.row(index + 1, width, after.lines.starts[index] + inner * (index == same))
            yield Change("+", replace(row, number=first + index + shift))
        shift += len(new) - len(old)


def _hunks(source: Source, edits: Iterable[Edit]) -> list[tuple[int, int, list[Edit]]]:
    """The edits that can be made, those that share lines together: first line, last line, edits."""
    hunks: list[tuple[int, int, list[Edit]]] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        start, end = source.inside(edit.span.start, edit.span.end)
        if start < at:
            continue
        at = end
        kept = replace(edit, span=replace(edit.span, start=start, end=end))
        first, last = source.lines.place(start)[0], source.lines.place(end)[0]
        if hunks and first <= hunks[-1][1]:
            hunks[-1][2].append(kept)
            hunks[-1] = (hunks[-1][0], max(last, hunks[-1][1]), hunks[-1][2])
        else:
            hunks.append((first, last, [kept]))
    return hunks


def _edited(source: Source, low: int, high: int, edits: Sequence[Edit]) -> Source:
    """The characters `low` to `high` with the edits made, and the masks in them."""
    pieces: list[str] = []
    masks: list[Interval] = []
    parts: list[Interval] = []
    length = 0

    def keep(start: int, end: int) -> None:
        nonlocal length
        for first, last in source.masks_between(start, end):
            kept = parts if source.is_part((first, last)) else masks
            kept.append((max(first, start) - start + length, min(last, end) - start + length))
        pieces.append(source.text[start:end])
        length += end - start

    at = low
    for edit in edits:
        keep(at, edit.span.start)
        beside = source.masks_between(edit.span.start - 1, edit.span.end + 1)
        if source.hides(edit) or (beside and not edit.text.strip("\"'")):
            # Quotes that are put round a secret become the quotes of its mask.
            masks.append((length, length + len(edit.text)))
        pieces.append(edit.text)
        length += len(edit.text)
        at = edit.span.end
    keep(at, max(at, high))
    return Source("".join(pieces), masks, source.scrubber, parts)


def _blanked(text: str, places: Iterable[Interval]) -> str:
    """The text with asterisks in these places, as long as before."""
    pieces: list[str] = []
    at = 0
    for start, end in merged(places, len(text)):
        pieces += text[at:start], "*" * (end - start)
        at = end
    return "".join((*pieces, text[at:]))


def _columns(cells: Iterable[Cell]) -> int:
    return sum(cell.columns for cell in cells)


def _unescaped(raw: str) -> str:
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw


def found_in(text: str, parts: Iterable[str]) -> list[Interval]:
    """Every place where one of the parts stands in a text."""
    return [found.span() for part in parts for found in re.finditer(re.escape(part), text)]
