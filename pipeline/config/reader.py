"""The structure of a JSON text, right or wrong: lists, objects, and what stands between their parts. No I/O.

One regular expression reads a whole property or item when it is right; that is nearly always, and makes the speed.
Where it does not match, the slow path finds out what was meant, reports it, and goes on. Both only move forward.

A value that could not be read is a `Broken` node; a list or object that may hold more than was read is not `whole`.
A fault is reported once, and what follows from it is not: `_loose` says that the last part was read by a guess, so
that a comma missing after it is no fault of its own. At a limit the blanks skip to the end of the text, where every
loop ends.
"""

from __future__ import annotations

import re

from pipeline.config.blanks import Blanks, after
from pipeline.config.ends import Ends
from pipeline.config.faults import Container, Faults, count, shown
from pipeline.config.scalars import PLAIN_STRING, SCALAR, STOPS, SURROGATE, plain_scalar, read_scalar
from pipeline.config.strings import CLOSERS, Strings
from pipeline.config.thousands import Whole, with_commas
from pipeline.config.tree import Array, Broken, Member, Node, Object, Scalar

_S = r"[ \t\n\r]*+"
_ITEM = re.compile(rf"{_S}{SCALAR}{_S}([,\]])")
_PROPERTY = re.compile(rf"{_S}{PLAIN_STRING}{_S}:(){_S}(?:{SCALAR}{_S}([,}}]))?+")
_SPACE = re.compile(_S)

_QUOTES = "".join(CLOSERS)
_NAME_WORD = rf"[^{STOPS}{_QUOTES}:=\\\x00-\x1f]++"
_NEXT_WORD = rf"[ \xa0]++(?!//|/\*|#|[{_QUOTES}])"
_BARE_NAME = re.compile(rf"{_NAME_WORD}(?:{_NEXT_WORD}{_NAME_WORD})*+(?={_S}[:=])")
# Covers at least what may be searched for a name in vain, so that no text is searched twice.
_MISPLACED = re.compile(rf":|[^{STOPS}:]++(?:{_NEXT_WORD}[^{STOPS}:]++)*+")
_NAME_AHEAD = re.compile(rf'"[^"\\\n\r]*+(?:\\.[^"\\\n\r]*+)*+"{_S}[:=]')
# A name whose closing quote is missing, with a whole value behind it.
_OPEN_NAME = re.compile(rf'"([\w.$-]++)[ \t]*+:(?=[ \t]*+(?:{SCALAR}[ \t]*+(?:[,}}\]\n\r]|\Z)|[{{\[][^\n\r]))')
_NOT_A_COLON = re.compile("=>|->|=|;")
# Where reading goes on after a string that is never closed: at the next line that begins as one may begin here.
_NEXT_PROPERTY = re.compile(r"""[\n\r][ \t]*+(?=(["'])[^"'\n\r]*+\1[ \t]*+:|[}\],])""")
_NEXT_ITEM = re.compile(r"""[\n\r][ \t]*+(?=["'{\[}\],0-9-]|true|false|null)""")
_LINE_BREAK = re.compile(r"[\n\r]")


class Reader:
    """Reads one text, once."""

    __slots__ = ("_blanks", "_depth", "_end", "_ends", "_faults", "_firsts", "_left", "_loose", "_most", "_open",
                 "_strings", "_text")  # fmt: skip

    def __init__(self, text: str, faults: Faults, *, depth: int, values: int) -> None:
        """Report to `faults`; stop below `depth` levels and after `values` values."""
        self._text = text
        self._end = len(text)
        self._faults = faults
        self._blanks = Blanks(text, faults)
        self._strings = Strings(text, faults, self._blanks)
        self._ends = Ends(text, faults, self._blanks)
        self._depth = depth
        self._most = self._left = values
        self._open = self._ends.open
        self._loose = False
        self._firsts: dict[tuple[int, str], Scalar] = {}

    def document(self) -> Node | None:
        """The one value of the text; None when there is nothing to read."""
        at = self._blanks.skip(0)
        root: Node | None = None
        if at == self._end:
            if not self._faults.stopped and self._blanks.torn < 0:
                text = "a file holds one component, `{…}`, or a list of them, `[…]`"
                self._faults.add("E114", "the document is empty", (0, 0), help=text)
        elif (character := self._text[at]) in ",:]}":
            self._faults.misplaced(at, at + 1, character)
            root = Broken(at, at + 1)
        else:
            root, at = self._value(at)
            if self._ends.is_inner_name(None, root, at):
                self._faults.no_opener(root.start, "the document")
                root, at = self._members(Object(root.start, at), root.start, -1)
            while isinstance(root, Array | Object) and self._ends.is_early(root, at):
                at = self._read_on(root, at)
            if not isinstance(root, Broken):
                self._ends.after_root(root, at)
        self._blanks.report()
        return root

    def _value(self, at: int) -> tuple[Node, int]:
        """The value that begins at `at`, where something stands that is neither blank nor `,` nor a closer."""
        if self._left <= 0:
            return self._stop(f"more than {count(self._most)} values", at)
        self._left -= 1
        character = self._text[at]
        if character in "{[":
            if len(self._open) >= self._depth:
                return self._stop(f"nested deeper than {self._depth} levels", at)
            return self._object(at) if character == "{" else self._list(at)
        if character not in CLOSERS:
            return read_scalar(self._text, at, self._faults)
        value, end = self._strings.read(at)
        if value is not None:
            return Scalar(at, end, value), end
        return Broken(at, end), self._resume(end) if self._blanks.torn == at else end

    def _stop(self, what: str, at: int) -> tuple[Node, int]:
        self._faults.stop(f"{what}, reading stops here", at)
        return Broken(at, self._end), self._end

    def _resume(self, at: int) -> int:
        """Where to go on after a string that is not closed and seems to end at `at`."""
        self._loose = True
        if not self._open:
            return self._end
        node = self._open[-1]
        node.whole = False
        if at == self._end or self._text[at] == ",":
            return at
        found = (_NEXT_ITEM if isinstance(node, Array) else _NEXT_PROPERTY).search(self._text, at)
        return self._end if found is None else found.end()

    def _read_on(self, node: Container, at: int) -> int:
        """Read what follows a bracket that ends a list or object too early; gives where it really ends."""
        self._faults.early_end(node, at - 1, document=not self._open)
        return self._rest(node, at)[1]

    def _rest(self, node: Container, at: int) -> tuple[Node, int]:
        """Read what follows a part that ends at `at`, to the end of its list or object."""
        self._open.append(node)
        at, comma, closed = self._separator(node, at)
        self._open.pop()
        if closed:
            return node, at
        return self._items(node, at, comma) if isinstance(node, Array) else self._members(node, at, comma)

    def _list(self, start: int) -> tuple[Node, int]:
        return self._items(Array(start, start), start + 1, -1)

    def _items(self, node: Array, at: int, comma: int) -> tuple[Node, int]:
        """Read items from `at` to the end of the list; `comma` is the place of the comma before, or -1."""
        self._open.append(node)
        text = self._text
        closed = False
        while not closed:
            found = _ITEM.match(text, at)
            if found is not None and self._left > 0 and (value := plain_scalar(found, 1)) is not None:
                self._left -= 1
                node.items.append(value)
                at = found.end()
                if found[5] == ",":
                    comma = at - 1
                else:
                    node.end = at
                    closed = True
            elif not node.items and self._ends.is_turned(node, at):
                self._open.pop()
                return self._members(Object(node.start, node.start), at, -1)
            else:
                at, comma, closed = self._part(node, at, comma)
        self._open.pop()
        return node, at

    def _object(self, start: int) -> tuple[Node, int]:
        return self._members(Object(start, start), start + 1, -1)

    def _members(self, node: Object, at: int, comma: int) -> tuple[Node, int]:
        """Read properties from `at` to the end of the object; `comma` as in `_items`."""
        self._open.append(node)
        text, members = self._text, node.members
        closed = False
        while not closed:
            found = _PROPERTY.match(text, at)
            if found is None or self._faults.stopped:
                if not members and self._ends.is_turned(node, at):
                    self._open.pop()
                    return self._items(Array(node.start, node.start), at, -1)
                at, comma, closed = self._part(node, at, comma)
                continue
            name = found[1]
            key_start, key_end = found.span(1)
            key = Scalar(key_start - 1, key_end + 1, name)
            mark = found[7]
            if mark is not None and self._left > 0 and (value := plain_scalar(found, 3)) is not None:
                self._left -= 1
                if name in members:
                    self._put(node, key, value)
                else:
                    members[name] = Member(key, value)
                at = found.end()
                if mark == ",":
                    comma = at - 1
                else:
                    node.end = at
                    closed = True
            else:
                self._loose = False
                at = self._value_of(node, key, found.start(2), found.start(2))
                at, comma, closed = self._separator(node, at)
        self._open.pop()
        return node, at

    def _part(self, node: Container, at: int, comma: int) -> tuple[int, int, bool]:
        """Read one item or property and what separates it from the next, or the end of the node.

        `comma` is the place of the comma before, or -1. Gives the place to go on, the new comma, and whether the
        node has ended.
        """
        at = self._blanks.skip(at)
        character = self._text[at : at + 1]
        if character in "]}":
            if self._ends.is_stray(node, at):
                return at + 1, comma, False
            return self._ends.closing(node, at, comma), -1, True
        if character == ",":
            self._faults.extra_comma(at, node)
            return at + 1, comma, False
        if character == ('"' if isinstance(node, Array) else "{") and self._ends.has_ended(node, at):
            self._loose = True
            return at, -1, True
        self._loose = False
        if isinstance(node, Array):
            start = at
            value, at = self._value(start)
            if self._ends.is_inner_name(None, value, at):
                self._faults.no_opener(start, "an object")
                value, at = self._members(Object(start, start), start, -1)
            node.items.append(value)
        else:
            at = self._property(node, at)
        return self._separator(node, at)

    def _separator(self, node: Container, start: int) -> tuple[int, int, bool]:
        """Read what follows a value that ends at `start`; gives what `_part` gives."""
        at = start
        while True:
            at = self._blanks.skip(at)
            character = self._text[at : at + 1]
            if character == ",":
                return at + 1, at, False
            if character in "]}":
                # Passed over: also the end of the object whose `{` is missing.
                unlisted = character == "}" and node is self._ends.listed and self._blanks.peek(at + 1) == "]"
                if unlisted or self._ends.is_stray(node, at):
                    at += 1
                    continue
                return self._ends.closing(node, at, -1), -1, True
            if character in ";:" and self._is_comma(node, at, character):
                self._faults.missing_comma(at, node, character)
                return at + 1, -1, False
            if character == "{" and isinstance(node, Object) and self._ends.has_ended(node, at):
                self._loose = True
                return at, -1, True
            if self._begins_part(node, at, character):
                if not self._loose:
                    self._faults.missing_comma(start, node)
                return at, -1, False
            at = self._misplaced(node, at, character)
            self._loose = True

    def _is_comma(self, node: Container, at: int, character: str) -> bool:
        """Whether `;` or `:` stands in the place of a comma."""
        if character == ";":
            return self._blanks.peek(at + 1) not in ",]}"
        following = after(_SPACE, self._text, at + 1)
        return isinstance(node, Object) and _NAME_AHEAD.match(self._text, following) is not None

    def _begins_part(self, node: Container, at: int, character: str) -> bool:
        """Whether an item of the list or a property of the object begins here, for want of a comma before it."""
        if isinstance(node, Array):
            return character in CLOSERS or character.isalnum() or character in "{[$-+._"
        if character == '"':
            return _NAME_AHEAD.match(self._text, at) is not None
        return character in CLOSERS or _BARE_NAME.match(self._text, at) is not None

    def _misplaced(self, node: Container, at: int, character: str) -> int:
        """Pass over something that is neither a part nor a separator, with one report for all that stands in a row."""
        loose = self._loose
        if character in '{["' or self._left <= 0:
            end = self._value(at)[1]
        else:
            # Counted as a value, so that there are not endlessly many of them either.
            self._left -= 1
            end = after(_MISPLACED, self._text, at)
        if isinstance(node, Array) and character == ":":
            if node is not self._ends.listed and not loose:
                self._faults.name_in_list(at)
            self._ends.listed = node
            return end
        if not loose:
            if character.isalnum() or character in '{["':
                self._faults.second_value(at, end)
            elif not SURROGATE.search(self._text, at, end):
                self._faults.misplaced(at, end, self._text[at:end])
        return end

    def _property(self, node: Object, at: int) -> int:
        """Read the property that begins at `at`; gives where it ends."""
        character = self._text[at]
        if (found := _OPEN_NAME.match(self._text, at)) and not _NAME_AHEAD.match(self._text, at):
            end = found.end(1)
            self._faults.open_name(end, found[1])
            return self._after_name(node, Scalar(at, end, found[1]), end)
        if character in CLOSERS:
            name, end = self._strings.read(at, name=True)
            if name is None and self._blanks.torn == at:
                return self._resume(end)
            return self._after_name(node, None if name is None else Scalar(at, end, name), end)
        if found := _BARE_NAME.match(self._text, at):
            self._faults.bare_name(at, found.end(), found[0])
            return self._after_name(node, Scalar(at, found.end(), found[0]), found.end())
        if character == ":":
            self._faults.no_name(node, at, at + 1)
            return self._after_name(node, None, at)
        return self._no_property(node, at, character)

    def _no_property(self, node: Object, at: int, character: str) -> int:
        """Read something that stands in the place of a property; gives where it ends."""
        if character in "{[":
            if self._ends.is_spare_opener(at):
                self._faults.spare_opener(at, character)
                self._loose = True
                return at + 1
            end = self._value(at)[1]
        elif whole := with_commas(self._text, at, self._faults):
            return self._went_on(node, whole)
        else:
            value, end = read_scalar(self._text, at, Faults(self._faults.name, 1))
            if isinstance(value, Scalar) and isinstance(value.value, str):
                # A name whose quotes are the fault.
                read_scalar(self._text, at, self._faults)
                return self._after_name(node, value, end)
        node.whole = False
        self._faults.no_name(node, at, end)
        self._loose = True
        return self._after_name(node, None, end) if self._blanks.peek(end) == ":" else end

    def _went_on(self, node: Object, whole: Whole) -> int:
        """Put the whole number in the place of its beginning, which was taken for the value."""
        member = next(reversed(node.members.values()), None)
        if member is not None and member.value.start == whole.start:
            found = whole.value is not None
            member.value = Scalar(*whole) if found else Broken(whole.start, whole.end)
        return whole.end

    def _after_name(self, node: Object, key: Scalar | None, name_end: int) -> int:
        """Read the colon and the value after a name; a value without a `key` is left out."""
        at = self._blanks.skip(name_end)
        character = self._text[at : at + 1]
        if character == ":":
            return self._value_of(node, key, at + 1, at + 1)
        if found := _NOT_A_COLON.match(self._text, at):
            self._faults.not_a_colon(at, found.end(), found[0])
            return self._value_of(node, key, found.end(), found.end())
        if character in ",]}":
            return self._no_value(node, key, name_end, at)
        return self._value_of(node, key, name_end, at, colon=False)

    def _value_of(self, node: Object, key: Scalar | None, start: int, at: int, colon: bool = True) -> int:
        """Read a value at `at`; its colon, or its name when there is no `colon`, ends at `start`."""
        at = self._blanks.skip(at)
        while (character := self._text[at : at + 1]) in (":", "="):
            self._faults.extra_colon(at, character)
            at = self._blanks.skip(at + 1)
        if character in ",]}":
            return self._no_value(node, key, start, at)
        value, end = self._value(at)
        if self._ends.is_inner_name(key, value, end):
            self._faults.no_opener(at, "an object" if key is None else f"`{shown(str(key.value))}`")
            value, end = self._members(Object(at, at), at, -1)
        elif isinstance(value, Scalar) and isinstance(value.value, str) and self._is_next_name(start, at, end):
            self._no_value(node, key, start, at)
            return self._after_name(node, value, end)
        if isinstance(value, Array | Object):
            while self._ends.is_early(value, end):
                end = self._read_on(value, end)
            if self._ends.is_first_item(end):
                self._faults.no_opener(at, "a list" if key is None else f"`{shown(str(key.value))}`", "[")
                value, end = self._rest(Array(at, end, [value]), end)
        if not colon:
            self._faults.no_colon(start, None if key is None else str(key.value))
        self._put(node, key, value)
        return end

    def _is_next_name(self, start: int, at: int, end: int) -> bool:
        """Whether the string from `at` to `end`, read as a value, is the name of the next property.

        On the line of its own property it stays the value: a password must not be taken for a name and be printed.
        """
        return self._blanks.peek(end) == ":" and _LINE_BREAK.search(self._text, start, at) is not None

    def _no_value(self, node: Object, key: Scalar | None, start: int, at: int) -> int:
        if at < self._end:
            self._faults.no_value(start, None if key is None else str(key.value))
        self._put(node, key, Broken(start, start))
        return at

    def _put(self, node: Object, key: Scalar | None, value: Node) -> None:
        if key is None:
            node.whole = False
            return
        name = str(key.value)
        if name in node.members:
            # Taken out first, so that members stay in the order of the text.
            first = self._firsts.setdefault((node.start, name), node.members.pop(name).key)
            self._faults.given_twice(first, key)
        node.members[name] = Member(key, value)
