"""Characters as people see them: nothing that moves a cursor, turns a line round or cannot be encoded. No I/O."""

from __future__ import annotations

from typing import Final
from unicodedata import category, combining, east_asian_width

UNKNOWN: Final = "\ufffd"
_TAB: Final = "    "
# Joiners make letters of some scripts, and parts of one emoji, stand together; all other format characters can turn
# a line round or hide a part of it.
_JOINERS: Final = "\u200c\u200d"
_unprintable = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def glyph(character: str) -> str:
    """What is shown for a character; nothing that moves a cursor, turns the line round or cannot be encoded."""
    if character.isprintable():
        return character
    if character == "\t":
        return _TAB
    if character < " ":
        return chr(0x2400 + ord(character))
    if character == "\x7f":
        return "\u2421"
    return UNKNOWN if category(character) in _unprintable and character not in _JOINERS else character


def visible(text: str) -> str:
    """A text on one line, every character being shown."""
    return text if text.isprintable() else "".join(map(glyph, text))


def columns(text: str) -> int:
    """How many columns of a terminal a visible text takes."""
    return len(text) if text.isascii() else sum(map(_character_columns, text))


def _character_columns(character: str) -> int:
    if combining(character) or category(character) in {"Mn", "Me"} or character in _JOINERS:
        return 0
    if "\u1160" <= character <= "\u11ff":
        # Vowels and last consonants of Korean, drawn into the consonant before.
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
