"""Where the lists and objects of a text end, by right or by guess, and what stands after the document. No I/O."""

from __future__ import annotations

import re

from pipeline.config.blanks import Blanks, after
from pipeline.config.brackets import NOWHERE, Brackets, Opened, Verdict
from pipeline.config.faults import Container, Faults, closer
from pipeline.config.mask import is_secret_name
from pipeline.config.scalars import PLAIN_STRING
from pipeline.config.tree import Array, Node, Object, Scalar

_S = r"[ \t\n\r]*+"
_LINE = re.compile(r"[^\n\r]*+")
_COMMA = re.compile(rf"{_S},{_S}")
_COMMAS = re.compile(rf"(?:,{_S})++\Z")
_CLOSERS = re.compile(rf"(?:[\]}}]{_S})++\Z")
_ITEM_AHEAD = re.compile(rf"{_S}(?:[\[{{]|{PLAIN_STRING}{_S}[,\]])")
_PROPERTY_AHEAD = re.compile(rf"{_S}{PLAIN_STRING}{_S}:")


class Ends:
    """Knows what is `open` at the place of reading; `listed` is a list in which a `:` has been reported."""

    __slots__ = ("_blanks", "_brackets", "_faults", "_guessed", "_judged", "_text", "listed", "open")

    def __init__(self, text: str, faults: Faults, blanks: Blanks) -> None:
        """Report to `faults`."""
        self._text = text
        self._faults = faults
        self._blanks = blanks
        self._brackets = Brackets(text)
        self._guessed = False
        self._judged: tuple[int, Verdict, bool] = (-1, "instead", False)
        self.open: list[Container] = []
        self.listed: Node | None = None

    def closing(self, node: Container, at: int, comma: int) -> int:
        """Where reading goes on after the node, which ends at `at`, by right or by guess.

        A closer or the end of the text is there. `comma` is the place of a comma before that, or -1.
        """
        character = self._text[at : at + 1]
        if character == closer(node) and comma < 0:
            node.end = at + 1
            return at + 1
        node.end = at
        verdict, sure = ("instead", True) if character in ("", closer(node)) else self._verdict(at)
        if character and verdict != "outer":
            if comma >= 0:
                self._faults.trailing_comma(comma, node)
            if character != closer(node):
                node.whole = False
                if self._may_be_told(node) and node is not self.listed:
                    self._faults.wrong_closer(node, at, character, sure)
            node.end = at + 1
            return at + 1
        node.whole = False
        self._guessed = True
        if self._may_be_told(node):
            self._faults.not_closed(node, at, character)
        return at

    def is_stray(self, node: Container, at: int) -> bool:
        """Whether a closer stands here that is neither the node's nor that of one around it; it is reported then."""
        character = self._text[at : at + 1]
        if character in ("", closer(node)) or self._verdict(at)[0] != "stray":
            return False
        if self._may_be_told(node) and node is not self.listed and not self._faults.has_no_names(node):
            self._faults.stray_closer(node, at, character)
        return True

    def is_early(self, node: Container, at: int) -> bool:
        """Whether a list or object goes on after the bracket before `at`, which was taken for its end.

        What follows does not fit into what is open around it, or nothing is.
        """
        if self._faults.stopped or self._blanks.torn >= 0 or self._text[at - 1] != closer(node):
            return False
        if self.open:
            # A list that ends early in an object: an item follows where a property belongs.
            comma = after(_COMMA, self._text, at)
            if isinstance(self.open[-1], Array) or comma == at or _PROPERTY_AHEAD.match(self._text, comma):
                return False
            follows = self._blanks.peek(comma) in '[{"' and isinstance(node, Array)
            follows = follows and not self._brackets.neat(node.start, at - 1)
        else:
            follows = self._blanks.peek(at) == ","
            if isinstance(node, Object) and not follows:
                follows = _PROPERTY_AHEAD.match(self._text, at) is not None
        opened = self._opened()
        return follows and self._brackets.rather([*opened, (node.start, closer(node))], opened, at)

    def is_first_item(self, end: int) -> bool:
        """Whether the list or object that ends here is the first item of a list whose opening bracket is missing.

        It is the value of a property, and something follows that is no property.
        """
        comma = after(_COMMA, self._text, end)
        if comma == end or self._blanks.torn >= 0 or self._blanks.peek(comma) not in '[{"':
            return False
        if _PROPERTY_AHEAD.match(self._text, comma):
            return False
        opened = self._opened()
        return self._brackets.rather([*opened, (NOWHERE, "]")], opened, end)

    def has_ended(self, node: Container, at: int) -> bool:
        """Whether the node has ended before `at`, where the next part of what is around it begins.

        That is a bracket in an object that is an item of a list, or a name in a list that is the value of a property.
        """
        if self._blanks.torn >= 0 or len(self.open) < 2 or isinstance(self.open[-2], type(node)):
            return False
        if isinstance(node, Array) and not _PROPERTY_AHEAD.match(self._text, at):
            return False
        opened = self._opened()
        if not self._brackets.rather(opened[:-1], opened, at):
            return False
        node.end = at
        node.whole = False
        self._guessed = True
        self._faults.not_closed_before(node, at)
        return True

    def is_inner_name(self, key: Scalar | None, value: Node, end: int) -> bool:
        """Whether the string that ends at `end` is the first name of an object whose opening bracket is missing.

        Only where that makes the brackets come out even, and never in the place of a secret.
        """
        if not isinstance(value, Scalar) or not isinstance(value.value, str) or self._blanks.peek(end) != ":":
            return False
        if (key and is_secret_name(str(key.value))) or self._blanks.torn >= 0:
            return False
        opened = self._opened()
        return self._brackets.rather([*opened, (NOWHERE, "}")], opened, end)

    def is_turned(self, node: Container, at: int) -> bool:
        """Whether the list that begins before `at` is an object, or the other way round; it is reported then.

        Its contents say so, and its closing bracket.
        """
        contents = _PROPERTY_AHEAD if isinstance(node, Array) else _ITEM_AHEAD
        if at != node.start + 1 or self._blanks.torn >= 0 or not contents.match(self._text, at):
            return False
        turned, sure = self._brackets.turned(self._opened(), at)
        if turned:
            self._faults.wrong_opener(node, sure)
        return turned

    def is_spare_opener(self, at: int) -> bool:
        """Whether the bracket where a property belongs is one too many: without it they come out even."""
        opened = self._opened()
        return self._blanks.torn < 0 and self._brackets.rather(opened, opened, at, also=at + 1)

    def after_root(self, root: Node, at: int) -> None:
        """Report what stands after the document, unless it follows from a fault inside."""
        text = self._text
        at = self._blanks.skip(at)
        if at == len(text) or self._blanks.torn >= 0:
            return
        rest = text[at:].rstrip(" \t\n\r")
        if _COMMAS.match(text, at):
            self._faults.comma_after_document(at, at + len(rest))
        elif _CLOSERS.match(text, at):
            if not self._guessed:
                self._faults.closes_nothing(at, at + len(rest))
        else:
            if isinstance(root, Array | Object):
                root.whole = False
            line_end = min(after(_LINE, text, at), at + len(rest))
            if text[at] == ":":
                advice = "put the properties between `{` and `}`"
            elif text[at] in "{[,":
                advice = "put several components into one list: `[{…}, {…}]`"
            else:
                advice = "remove it"
            self._faults.after_end(at, line_end, advice)

    def _verdict(self, at: int) -> tuple[Verdict, bool]:
        """What the closer at `at` is, which is not that of the innermost list or object; and whether that is sure."""
        if self._judged[0] != at:
            verdict, sure = self._brackets.judge(self._opened(), at)
            self._judged = at, verdict, sure and self._blanks.torn < 0
        return self._judged[1:]

    def _opened(self) -> list[Opened]:
        own = {"{": "}", "[": "]"}
        return [
            (node.start if own.get(self._text[node.start]) == closer(node) else NOWHERE, closer(node))
            for node in self.open
        ]

    def _may_be_told(self, node: Container) -> bool:
        """Whether what is wrong with the end of a node does not come from a string that swallowed the text."""
        return node.start > self._blanks.torn
