"""What stands between the tokens of a JSON text: white space, what looks like it, and comments. No I/O."""

from __future__ import annotations

import re
import sys

from pipeline.config.faults import Faults, Place

# Pasted from a web page or a word processor, these look like a space or like nothing at all.
LOOKALIKES = "\x0b\x0c\x1c-\x1f\x85\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff"

_SPACE = re.compile(r"[ \t\n\r]*+")
_LINE = re.compile(r"[^\n\r]*+")
_LOOKALIKE = re.compile(rf"([{LOOKALIKES}])\1*+")
_ALL_BLANKS = re.compile(f"[ \t\n\r{LOOKALIKES}]*+")
_MOST_PLACES = 1000


def after(pattern: re.Pattern[str], text: str, at: int, stop: int = sys.maxsize) -> int:
    """The end of what the pattern finds at `at`, looking no further than `stop`; `at` when it finds nothing."""
    found = pattern.match(text, at, stop)
    return at if found is None else found.end()


class Blanks:
    """Finds the next token. `torn` is where a string or comment began that swallowed what follows (-1: none did)."""

    __slots__ = ("_end", "_faults", "_lookalikes", "_text", "torn")

    def __init__(self, text: str, faults: Faults) -> None:
        """Report to `faults`."""
        self._text = text
        self._end = len(text)
        self._faults = faults
        self._lookalikes: dict[str, list[Place]] = {}
        self.torn = -1

    def skip(self, at: int) -> int:
        """The next place that is not blank, and the end of the text once reading has stopped."""
        text = self._text
        while not self._faults.stopped:
            at = after(_SPACE, text, at)
            character = text[at : at + 1]
            if character == "#" or (character == "/" and text[at + 1 : at + 2] in ("/", "*")):
                at = self._comment(at)
            elif character > "~" or character < " ":
                found = _LOOKALIKE.match(text, at)
                if found is None:
                    return at
                at = self._lookalike(character, found.span())
            else:
                return at
        return self._end

    def peek(self, at: int) -> str:
        """The next character that is no white space, comments being left alone; empty at the end."""
        at = after(_SPACE, self._text, at)
        return self._text[at : at + 1]

    def report(self) -> None:
        """Report the look-alikes: one fault for each character, however often a paste has brought it in."""
        for character, places in self._lookalikes.items():
            self._faults.lookalikes(character, places, len(places) < _MOST_PLACES)

    def _comment(self, start: int) -> int:
        text = self._text
        if text.startswith("/*", start):
            end = text.find("*/", start + 2)
            if end < 0:
                self._faults.never_closed("comment", start, width=2)
                self.torn = start
                return self._end
            end += 2
        else:
            end = after(_LINE, text, start)
        self._faults.comment(start, end)
        return end

    def _lookalike(self, character: str, place: Place) -> int:
        places = self._lookalikes.setdefault(character, [])
        if len(places) < _MOST_PLACES:
            places.append(place)
            return place[1]
        # There are too many to show or mend, so they only have to be passed fast.
        return after(_ALL_BLANKS, self._text, place[0])
