"""Lines of text as they grow from the left: words, blank lines, and what stands before a line. No I/O."""

from __future__ import annotations

from typing import Final

WIDTH: Final = 76  # of lines that are made here; words are not wrapped


class Indent:
    """What stands before the lines of an item or a quotation: one thing before the first, another before the rest."""

    __slots__ = ("first", "now", "rest")

    def __init__(self, first: str, rest: str) -> None:
        """Nothing is written yet."""
        self.first, self.rest = first, rest
        self.now = first

    @property
    def is_fresh(self) -> bool:
        """Whether the first line is still to come."""
        return self.now is self.first and self.first is not self.rest


class Page:
    """The lines of a mail or of a cell. Spaces collapse, and of blank lines there is never more than one in a row."""

    __slots__ = ("_gap", "_line", "_space", "_width", "indents", "lines")

    def __init__(self) -> None:
        """Nothing is written yet."""
        self.lines: list[str] = []
        self.indents: list[Indent] = []
        self._line: list[str] = []
        self._space = False
        self._gap = False
        self._width = 0

    @property
    def here(self) -> tuple[int, int]:
        """A place to come back to with `since`."""
        return len(self.lines), len(self._line)

    def since(self, place: tuple[int, int]) -> str | None:
        """What the line got since then; None if it is another line."""
        lines, pieces = place
        return "".join(self._line[pieces:]).strip() if lines == len(self.lines) else None

    def say(self, text: str) -> None:
        """Words that go on in this line."""
        words = text.split()
        if words and self._line and (self._space or text[0].isspace()):
            self._line.append(" ")
        if words:
            self._line.append(" ".join(words))
        self._space = text[-1:].isspace() or (self._space and not words)

    def say_apart(self, text: str) -> None:
        """Words with a space on both sides."""
        self._space = True
        self.say(text)
        self._space = True

    def keep(self, text: str) -> None:
        """Text whose spaces and line breaks count."""
        first, *more = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._line.append(first)
        for line in more:
            self.end_line(blank=True)
            self._line.append(line)

    def end_line(self, *, blank: bool = False) -> None:
        """What follows stands on a line of its own. An empty line is one only with `blank`."""
        text = "".join(self._line).rstrip()
        self._line.clear()
        self._space = False
        if text:
            self.put(text)
        elif blank:
            self._gap = True

    def gap(self) -> None:
        """End the line, and leave one blank before the next."""
        self.end_line()
        self._gap = True

    def item(self, indent: Indent) -> None:
        """Begin an item: the gap before it stands before its mark."""
        self.end_line()
        self._blank()
        self.indents.append(indent)

    def put(self, line: str) -> None:
        """A whole line; an empty one is a gap."""
        if not line:
            self._gap = True
            return
        if self._gap and not (self.indents and self.indents[-1].is_fresh):
            self._blank()
        self._gap = False
        before = ""
        for indent in self.indents:
            before += indent.now
            indent.now = indent.rest
        self.lines.append(before + line)
        self._width = len(line)

    def underline(self, with_: str) -> None:
        """A line under the last one, as wide as that."""
        self._gap = False
        self.put(with_ * min(self._width, WIDTH))

    def _blank(self) -> None:
        if self._gap and self.lines and self.lines[-1].strip(" >"):
            self.lines.append("".join([indent.rest for indent in self.indents]).rstrip())
        self._gap = False
