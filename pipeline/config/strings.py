"""Strings of a JSON text: the right ones fast, the wrong ones as they were meant. No I/O.

A string that is right costs one call into the standard library's scanner. When that refuses, the end of the string is
looked for as a person would, what is wrong inside is listed, and the value is what the string says once repaired.
"""

from __future__ import annotations

import json.decoder
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.config.blanks import LOOKALIKES, Blanks, after
from pipeline.config.faults import MOST_EDITS, Faults, Place
from pipeline.config.tree import Scalar

_scan: Callable[[str, int, bool], tuple[str, int]] = json.decoder.scanstring  # type: ignore[attr-defined]

# Guesses about where strings were meant to end may look ahead this many characters in all, which keeps reading
# linear; each guess counts as so many at least.
_AHEAD = 20_000_000
_GUESS = 1000

# Typographic quotes: upper, reversed, lower, prime and full-width ones.
_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\uff02"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032"
_ACUTE = "\u00b4"
# Each quote that people begin strings with, and those that may end it.
CLOSERS = (
    {'"': '"', "'": "'", "`": "`" + _ACUTE, _ACUTE: _ACUTE + "`", "\u00ab": "\u00bb", "\u00bb": "\u00ab"}
    | dict.fromkeys(_DOUBLE, _DOUBLE + '"')
    | dict.fromkeys(_SINGLE, _SINGLE + "'" + _ACUTE)
)

_HEX = "[0-9a-fA-F]"
_PAIR = rf"u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}"
_SOUND = rf'\\(?:["\\/bfnrt]|u(?!0000|[dD][89a-fA-F]){_HEX}{{4}}|{_PAIR})'
_SOUND_RUN = re.compile(rf"[^\\\x00-\x1f]*+(?:{_SOUND}[^\\\x00-\x1f]*+)*+")
_SOUND_RUN_IN_OTHER_QUOTES = re.compile(rf'[^"\\\x00-\x1f]*+(?:{_SOUND}[^"\\\x00-\x1f]*+)*+')
_UNICODE_ESCAPE = re.compile(rf"\\u({_HEX}{{4}})")
# Every escape that stands for one character, the superfluous `\'` among them.
_ONE_CHARACTER = re.compile(rf"\\(?:{_PAIR}|u{_HEX}{{4}}|[\"\\/bfnrt'`])")

_UNUSABLE = re.compile("[\x00\ud800-\udfff]")

# The closing quote is followed by more text at once, as in "<a href="x">": it was meant to be part of the string.
_GLUED = re.compile(rf"[^ \t\n\r,:}}\]\[{{/#=;${''.join(CLOSERS)}{LOOKALIKES}]|\{{[{{%#]|/[^/*]")
_SPACE = re.compile(r"[ \t]*+")
_SPACE_AND_LINES = re.compile(r"[ \t\n\r]*+")
_CLOSERS_AND_SPACE = re.compile(r"(?:[\]}][ \t]*+)*+")
_TYPOGRAPHIC_END = re.compile(r"(?<!\\)[\u201c\u201d\u2033](?=[ \t]*+[,:}\]])")
_TYPOGRAPHIC_END_OF_LINE = re.compile(r"(?<!\\)[\u201c\u201d\u2033](?=[ \t]*+(?:[,:}\]]|\Z))")
_ON_LINE = {
    quote: re.compile(rf"[^{closers}\\\n\r]*+(?:\\[^\n\r][^{closers}\\\n\r]*+)*+") for quote, closers in CLOSERS.items()
}
_ACROSS_LINES = {
    quote: re.compile(rf"[^{closers}\\]*+(?:\\.[^{closers}\\]*+)*+", re.DOTALL) for quote, closers in CLOSERS.items()
}
Kind = Literal["quote", "control", "backslash", "escape", "nul", "half"]


class Offsets:
    """From characters of a string's value to where they stand in the text; asked for in rising order.

    Works for strings in any quotes or none, as they come out of recovery. All questions together read the string once.
    """

    __slots__ = ("_at", "_end", "_escape", "_escapes", "_index")

    def __init__(self, text: str, node: Scalar) -> None:
        """Begin with the first character of the string."""
        opened = text[node.start : node.start + 1] in CLOSERS
        self._end = node.end - opened
        # The character `_index` of the value stands at `_at`; the next escape comes after it.
        self._index, self._at = 0, node.start + opened
        self._escapes = _ONE_CHARACTER.finditer(text, self._at, self._end)
        self._escape = next(self._escapes, None)

    def at(self, index: int) -> int:
        """Where the character `index` stands; for the length of the value, where the string ends."""
        while self._escape is not None and self._index + self._escape.start() - self._at < index:
            self._index += self._escape.start() - self._at + 1
            self._at = self._escape.end()
            self._escape = next(self._escapes, None)
        return min(self._at + index - self._index, self._end)


def raw_offset(text: str, node: Scalar, index: int) -> int:
    """Where in the text the character `index` of a string's value stands, when only one is asked for."""
    return Offsets(text, node).at(index)


class Strings:
    """Reads the strings of one text."""

    __slots__ = ("ahead", "blanks", "faults", "text")

    def __init__(self, text: str, faults: Faults, blanks: Blanks) -> None:
        """Report to `faults`, and to `blanks` where a string is not closed."""
        self.text = text
        self.faults = faults
        self.blanks = blanks
        self.ahead = _AHEAD

    def read(self, start: int, *, name: bool = False) -> tuple[str | None, int]:
        """The value of the string that begins at `start`, and where it ends; it may be a `name`.

        The value is None when the end or the content can only be guessed; `blanks.torn` tells the former.
        """
        text = self.text
        if text[start] == '"':
            try:
                value, end = _scan(text, start + 1, True)
            except ValueError:
                pass
            else:
                if not _GLUED.match(text, end) and not (text.find("\\u", start, end) >= 0 and _UNUSABLE.search(value)):
                    return value, end
        return _Quoted(self, start, name).read()

    def look(self, pattern: re.Pattern[str], at: int) -> int:
        """As `after`, looking ahead as far as is still allowed."""
        end = after(pattern, self.text, at, at + max(self.ahead, 0))
        self.ahead -= max(end - at, _GUESS)
        return end

    def ends_value(self, at: int) -> bool:
        """Whether after white space comes what may follow a string: punctuation, or the end of the text."""
        at = self.look(_SPACE_AND_LINES, at)
        return self.text[at : at + 1] in ",:}]"

    def ends_value_on_line(self, at: int) -> bool:
        """As `ends_value`; the end of the line counts too, and after closers must come more of the kind."""
        closers = self.look(_SPACE, at)
        at = self.look(_CLOSERS_AND_SPACE, closers)
        return self.text[at : at + 1] in (",#/\n\r" if at > closers else ",:#/\n\r")


@dataclass(slots=True)
class _Troubles:
    """What is wrong inside a string: the places of each kind, in the order found, and the edits that mend all."""

    found: dict[Kind, list[Place]] = field(default_factory=dict)
    mends: list[tuple[int, int, str]] = field(default_factory=list)
    complete: bool = True

    def add(self, kind: Kind, place: Place, mend: str) -> int:
        """Take one that is mended by being replaced; gives where it ends."""
        self.found.setdefault(kind, []).append(place)
        self.mends.append((*place, mend))
        return place[1]

    def fixes(self, kind: Kind) -> list[tuple[int, int, str]]:
        """The edits for one kind, if none is missing."""
        wanted = set(self.found.get(kind, ()))
        return [edit for edit in self.mends if edit[:2] in wanted] if self.complete else []


class _Quoted:
    """A string that the standard library refuses, or whose quotes look wrong."""

    __slots__ = ("_faults", "_name", "_quote", "_start", "_strings", "_text")

    def __init__(self, strings: Strings, start: int, name: bool) -> None:
        self._name = name
        self._strings = strings
        self._text = strings.text
        self._faults = strings.faults
        self._start = start
        self._quote = strings.text[start]

    def read(self) -> tuple[str | None, int]:
        """As `Strings.read`."""
        text, quote = self._text, self._quote
        line_end = after(_ON_LINE[quote], text, self._start + 1)
        if line_end == len(text) or text[line_end] not in CLOSERS[quote]:
            return self._across_lines(line_end)
        if not _GLUED.match(text, line_end + 1):
            return self._content(line_end)
        end = self._typographic_end(_TYPOGRAPHIC_END, line_end)
        if end >= 0:
            return self._content(end)
        inner = [line_end]
        end = self._end_after_inner(inner)
        if end < 0:
            return self._content(line_end, sure=False)
        if quote != '"':
            return self._content(end)
        self._faults.inner_quotes([(at, at + 1) for at in inner])
        return None, end + 1

    def _across_lines(self, line_end: int) -> tuple[str | None, int]:
        """No closing quote on this line: a string of several lines, or one that is never closed."""
        text, start = self._text, self._start
        end = self._typographic_end(_TYPOGRAPHIC_END_OF_LINE, line_end)
        if end >= 0:
            return self._content(end)
        end = self._strings.look(_ACROSS_LINES[self._quote], line_end)
        if end < len(text) and text[end] in CLOSERS[self._quote] and self._strings.ends_value(end + 1):
            return self._content(end)
        self._faults.never_closed("string", start)
        self._strings.blanks.torn = start
        content = text[start + 1 : line_end].rstrip(" \t")
        return None, start + len(content) if content.endswith(",") else line_end

    def _typographic_end(self, pattern: re.Pattern[str], stop: int) -> int:
        """A straight quote is open and a typographic one seems to close it: where, or -1."""
        if self._quote != '"':
            return -1
        found = pattern.search(self._text, self._start + 1, stop)
        return -1 if found is None else found.start()

    def _end_after_inner(self, inner: list[int]) -> int:
        """The quote on this line that looks like the last, or -1; those that are passed go to `inner`."""
        text, quote = self._text, self._quote
        while self._strings.ahead > 0:
            at = self._strings.look(_ON_LINE[quote], inner[-1] + 1)
            if at >= len(text) or text[at] not in CLOSERS[quote]:
                break
            if self._strings.ends_value_on_line(at + 1):
                return at
            inner.append(at)
        return -1

    def _content(self, end: int, sure: bool = True) -> tuple[str | None, int]:
        """The value between the opening quote and the closing one at `end`, its faults being reported.

        Unless that end is `sure`, the quotes are not repaired.
        """
        troubles = self._troubles(end)
        self._report(end, troubles, sure)
        if not troubles.complete:
            return None, end + 1
        text, at = self._text, self._start + 1
        pieces: list[str] = []
        for start, stop, mended in troubles.mends:
            pieces += text[at:start], mended
            at = stop
        pieces += text[at:end], '"'
        return _scan("".join(pieces), 0, False)[0], end + 1

    def _troubles(self, end: int) -> _Troubles:
        text, quote = self._text, self._quote
        run = _SOUND_RUN if quote == '"' else _SOUND_RUN_IN_OTHER_QUOTES
        troubles = _Troubles()
        at = after(run, text, self._start + 1, end)
        while at < end:
            if len(troubles.mends) >= MOST_EDITS:
                troubles.complete = False
                break
            at = after(run, text, self._trouble(troubles, at), end)
        return troubles

    def _trouble(self, troubles: _Troubles, at: int) -> int:
        """Take the one that begins at `at`; gives where it ends."""
        text = self._text
        character, following = text[at], text[at + 1]
        if character == '"':
            return troubles.add("quote", (at, at + 1), '\\"')
        if character != "\\":
            return troubles.add("nul" if character == "\0" else "control", (at, at + 1), _escaped(character))
        if following in "'`":
            # JSON has no such escape and needs none, so the backslash can only be too much.
            return troubles.add("backslash", (at, at + 2), following)
        if escape := _UNICODE_ESCAPE.match(text, at):
            return troubles.add("nul" if escape[1] == "0000" else "half", escape.span(), escape[0])
        # The value keeps the backslash. The file is left as it is: in "C:\new\dir" the `\n` is wrong too.
        return troubles.add("escape", (at, at + 1), "\\\\") + 1

    def _report(self, end: int, troubles: _Troubles, sure: bool) -> None:
        text, start, faults = self._text, self._start, self._faults
        other_quotes = self._quote != '"'
        if other_quotes or text[end] != '"':
            wrong = [at for at in (start, end) if text[at] != '"']
            inside = troubles.fixes("quote") + troubles.fixes("backslash") if other_quotes else []
            fix = sorted([(at, at + 1, '"') for at in wrong] + inside) if sure and troubles.complete else []
            faults.wrong_quotes((start, end + 1), text[wrong[0]], fix)
        for kind, places in troubles.found.items():
            if kind == "control":
                fix = troubles.fixes(kind) if self._may_break(end, [text[at] for at, _ in places]) else []
                faults.control_characters(places, _escaped(text[places[0][0]]), fix)
            elif kind == "backslash" and not other_quotes:
                faults.spare_backslashes(places, troubles.fixes(kind))
            elif kind == "escape":
                faults.unknown_escapes([(at, stop + 1) for at, stop in places])
            elif kind == "nul":
                faults.nul_characters(places)
            elif kind == "half":
                faults.half_characters(places)

    def _may_break(self, end: int, controls: Sequence[str]) -> bool:
        """Whether control characters can belong to the string.

        A name has none, one word no line break, and none at its end: those slipped in.
        """
        content = self._text[self._start + 1 : end]
        if self._name or (len(content.split(None, 1)) == 1 and content != content.strip()):
            return False
        breaks = sum(control in "\n\r" for control in controls)
        return breaks != 1 or len(content.split(None, 2)) > 2


def _escaped(control: str) -> str:
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}.get(control, f"\\u{ord(control):04x}")
