"""The tree that a JSON text becomes: every key and value knows where it stands. No I/O.

Offsets count characters of the decoded text, without a byte order mark.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, chain, count
from operator import add

from pipeline.errors import Problem, Span


@dataclass(slots=True, eq=False)
class Node:
    """A value in the text, from `start` to `end` (exclusive)."""

    start: int
    end: int


@dataclass(slots=True, eq=False)
class Scalar(Node):
    """A string, number, boolean or null. Strings span their quotes."""

    value: str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Broken(Node):
    """A place where a value belongs and none could be read; the fault has been reported."""


@dataclass(slots=True, eq=False)
class Array(Node):
    """A list. `whole` is false when its end was guessed."""

    items: list[Node] = field(default_factory=list)
    whole: bool = True


@dataclass(slots=True, eq=False)
class Member:
    """A property of an object: its key (with the quotes) and its value."""

    key: Scalar
    value: Node


@dataclass(slots=True, eq=False)
class Object(Node):
    """An object; of a key given twice the last one counts, as JSON readers do. `whole` as in `Array`."""

    members: dict[str, Member] = field(default_factory=dict)
    whole: bool = True


@dataclass(slots=True)
class Document:
    """A file as read: its name, its decoded text, the tree (None when there is none) and the faults of syntax."""

    name: str
    text: str
    root: Node | None
    problems: list[Problem]
    bom: bool = False
    torn: bool = False
    """Whether brackets do not fit, so that a property may stand in another object than it seems to."""
    cut: bool = False
    """Whether it has more values than are read."""

    def span(self, node: Node) -> Span:
        """The place of a node in this file."""
        return Span(self.name, node.start, node.end)

    def no_value(self, span: Span) -> Problem | None:
        """The fault of what stands there, when that is no value of JSON: `None`, `+1`."""
        return next((problem for problem in self.problems if problem.code == "E108" and problem.span == span), None)


class Lines:
    """Line and column of an offset, both from 1; columns count characters."""

    def __init__(self, text: str) -> None:
        """Index the starts of the lines (after each LF; CRLF needs nothing more)."""
        self.text = text
        # Four bytes a line and no Python code for each: a file may be ten million empty lines.
        ends = map(add, accumulate(map(len, text.split("\n"))), count(1))
        self.starts = array("I", chain([0], ends))
        self.starts.pop()

    def place(self, offset: int) -> tuple[int, int]:
        """(line, column) of a character."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        start = self.starts[number - 1]
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


def plain(node: Node) -> object:
    """The value as the standard library would give it; a broken place is None."""
    match node:
        case Scalar():
            return node.value
        case Array():
            return [plain(item) for item in node.items]
        case Object():
            return {key: plain(member.value) for key, member in node.members.items()}
    return None


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in the order of the text."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        if isinstance(top, Array):
            stack.extend(reversed(top.items))
        elif isinstance(top, Object):
            stack.extend(member.value for member in reversed(top.members.values()))
