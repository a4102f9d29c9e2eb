"""Brackets that do not fit: which of them is the slip. No I/O.

A bracket is seen to be wrong at or after the place of the slip. Two things tell more: whether the rest of the text
comes out even under a guess, and the indentation, which people and programs keep even where a bracket is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.config.tree import Array, Node, Object

# What a closer that does not close the innermost list or object is: `instead` of that one's own, a `stray` that is too
# many, or the right end of one `outer`, so that those within are not closed.
Verdict = Literal["instead", "stray", "outer"]
# A list or object that is open: the place of its opening bracket, and its closing one.
Opened = tuple[int, str]

# Guesses may look ahead this many characters in all, which keeps reading linear.
_AHEAD = 2_000_000
# Where no line begins within so many characters, nothing is said of indentation.
_WIDE = 1000
NOWHERE: Final = -1
"""The place of an opening bracket that is missing."""

_line_end = re.compile(r"[ \t]*+(?:[\n\r]++(?:[ \t]++(?=[\n\r]))?+)++")
_token = re.compile(
    r'"[^"\\\n\r]*+(?:\\.[^"\\\n\r]*+)*+"?'
    r"|'[^'\n\r]*+'"
    r"|//[^\n\r]*+|\#[^\n\r]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+"
    r"|[\[\]{}]",
    re.DOTALL,
)
_blank_rest = re.compile(r"[ \t\n\r]*\Z")
_indentation = re.compile(r"[ \t]*+")
_end_of_line = re.compile(r"[ \t]*+[\n\r]")
_closer_of = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class _Course:
    """How far the brackets fit under a guess, whether they come out even, and whether the indentation agrees."""

    reached: int
    even: bool = False
    neat: bool = False


class Brackets:
    """Judges the brackets of one text."""

    __slots__ = ("_left", "_text")

    def __init__(self, text: str) -> None:
        """Look at nothing yet."""
        self._text = text
        self._left = _AHEAD

    def judge(self, opened: Sequence[Opened], at: int) -> tuple[Verdict, bool]:
        """What the closer at `at` is, and whether that is sure. The last of `opened` is of the other kind."""
        character = self._text[at]
        same = [index for index, (_, closer) in enumerate(opened) if closer == character]
        guesses: list[tuple[Verdict, Sequence[Opened], int]] = [
            ("instead", opened[:-1], opened[-1][0]),
            ("stray", opened, NOWHERE),
        ]
        if same:
            guesses.insert(0, ("outer", opened[: same[-1]], opened[same[-1]][0]))
        best, furthest = guesses[0][0], -1
        for verdict, stack, opener in guesses:
            course = self._follow(stack, at + 1)
            if course.even:
                return verdict, course.neat and self.neat(opener, at)
            if course.reached > furthest:
                best, furthest = verdict, course.reached
        return best, False

    def rather(self, opened: Sequence[Opened], than: Sequence[Opened], at: int, also: int = -1) -> bool:
        """Whether the brackets come out even from `at` on (or from `also`) with these open, and not with those."""
        return not self._follow(than, at).even and self._follow(opened, at if also < 0 else also).even

    def turned(self, opened: Sequence[Opened], at: int) -> tuple[bool, bool]:
        """Whether the last of `opened` is a list where its bracket makes an object, or the other way round.

        So it is when the brackets come out even from `at` on only in this way. Also tells whether that is sure.
        """
        opener, closer = opened[-1]
        course = self._follow([*opened[:-1], (opener, "]" if closer == "}" else "}")], at)
        return course.even and not self._follow(opened, at).even, course.neat

    def neat(self, opener: int, closer: int) -> bool:
        """Whether the indentation says that the two belong together, or says nothing."""
        text = self._text
        line, first = self._line(closer), self._line(opener)
        if opener == NOWHERE or line is None or first is None or line <= opener:
            return True
        begins = self._width(line) == closer - line
        if not begins and not _end_of_line.match(text, opener + 1):
            # Both have something beside them, as where a list is written over a few lines like a sentence.
            return True
        return begins and text[line:closer] == text[first : first + self._width(first)]

    def stand_alone(self, opener: int, closer: int) -> bool:
        """Whether each begins a line, of the same indentation."""
        line, first = self._line(closer), self._line(opener)
        if line is None or first is None or line <= opener:
            return False
        return self._width(line) == closer - line and self._width(first) == opener - first == closer - line

    def is_step_out(self, at: int) -> bool:
        """Whether the line of a character is the last one of its indentation, and a line with less follows."""
        line, below = self._line(at), _line_end.match(self._text, at)
        return line is not None and below is not None and self._width(below.end()) < self._width(line)

    def _width(self, line: int) -> int:
        found = _indentation.match(self._text, line)
        return 0 if found is None else found.end() - line

    def _line(self, at: int) -> int | None:
        """Where the line of a character begins; None when that is far away."""
        start = max(0, at - _WIDE)
        found = max(self._text.rfind("\n", start, at), self._text.rfind("\r", start, at))
        return found + 1 if found >= 0 else 0 if start == 0 else None

    def _follow(self, opened: Sequence[Opened], at: int) -> _Course:
        text, stack, neat = self._text, list(opened), True
        start, stop = at, min(len(text), at + max(0, self._left))
        if not stack:
            return _Course(at, even=_blank_rest.match(text, at) is not None, neat=True)
        for token in _token.finditer(text, at, stop):
            sign, at = token[0], token.start()
            if sign in _closer_of:
                stack.append((at, _closer_of[sign]))
            elif sign in {"]", "}"}:
                if stack[-1][1] != sign:
                    break
                neat = self.neat(stack.pop()[0], at) and neat
                if not stack:
                    self._left -= at - start
                    return _Course(at, even=_blank_rest.match(text, at + 1) is not None, neat=neat)
        else:
            at = stop
        self._left -= at - start
        return _Course(at)


def is_last(text: str, root: Node, suspects: Sequence[Node]) -> bool:
    """Whether brackets after the end of the document are certainly the ones that are too many, and none before."""
    if suspects or text[root.end - 1 : root.end] not in {"]", "}"}:
        return False
    if Brackets(text).stand_alone(root.start, root.end - 1):
        return True
    # On one line the first of them may be any but the last ones, which stand in a row.
    row = len(text[: root.end].rstrip("]} \t\r\n"))
    inner = all(node.end > row for node in containers(root))
    return inner and "\n" not in text[root.start : root.end]


def doubtful(text: str, root: Node) -> Iterator[Array | Object]:
    """The lists and objects whose two brackets are indented differently, in the order of their ends."""
    brackets = Brackets(text)
    for node in sorted(containers(root), key=lambda node: (node.end, -node.start)):
        if text[node.end - 1 : node.end] == _closer_of.get(text[node.start]) and not brackets.neat(
            node.start, node.end - 1
        ):
            yield node


def containers(root: Node) -> Iterator[Array | Object]:
    """Every list and object of a tree."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Array):
            yield node
            stack.extend(node.items)
        elif isinstance(node, Object):
            yield node
            stack.extend(member.value for member in node.members.values())
