"""Values that are no list or object: the plain ones fast, numbers, words and text without quotes with care. No I/O."""

from __future__ import annotations

import re
from math import isinf

from pipeline.config.blanks import LOOKALIKES, after
from pipeline.config.faults import Faults, naming
from pipeline.config.thousands import with_underscores
from pipeline.config.tree import Broken, Node, Scalar

# Python refuses to read longer whole numbers, because that takes quadratic time.
MOST_DIGITS = 4300

# The values that the reader's fast path knows, as four groups: string, number, its fraction, word.
PLAIN_STRING = r'"([^"\\\x00-\x1f]*+)"'
SCALAR = rf"(?:{PLAIN_STRING}|(-?(?:0|[1-9][0-9]*+)((?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?))|(true|false|null))"

# What ends a word: blanks, punctuation, quotes. For use inside [^ ].
STOPS = rf' \t\n\r,\[\]{{}}"{LOOKALIKES}'
# Half a character; bytes that are no UTF-8 are decoded to these.
SURROGATE = re.compile("[\ud800-\udfff]")
WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)((?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?)")
_NEARLY_NUMBER = re.compile(r"([-+]?)(\.?)([0-9].*+)")
_WORD = re.compile(rf"(?:[^{STOPS}:;#/]++|/(?![/*]))*+")
# A string or a `{name}` that stands in the middle of a bare text belongs to it, as in ObjectId("1f") or ${HOME}/mail.
_ENDING_QUOTE = r'"[ \t]*+(?:[,:}\]\n\r]|\Z)'
_INNER = rf'\{{[^{{}}"\n\r]*+\}}|(?!{_ENDING_QUOTE})"[^"\\\n\r,{{}}\[\]]*+"'
_PIECE = rf"(?:[^{STOPS};]++|;)(?:[^{STOPS};]++|;(?=[^{STOPS}])|{_INNER})*+"
# It may hold blanks. A comment ends it, but not the `//` of an address.
_GAP = rf"[ \t{LOOKALIKES}]++"
_TEXT = re.compile(rf"{_PIECE}(?:{_GAP}(?!//|/\*|#){_PIECE})*+")
_LAST_QUOTE = re.compile(_ENDING_QUOTE)
_REFERENCE = re.compile(rf"\$(?:ENV|SECRET)\([^{STOPS}()'\\\x00-\x1f]*+\)(?=[{STOPS}/#]|\Z)")

_OTHER_SPELLINGS = {"true": "true", "false": "false", "null": "null", "none": "null"}
_NO_JSON = {
    "NaN": "JSON has no word for what is not a number: write `null`, or leave the property out",
    "Infinity": "JSON has no word for infinity: write a large number, or leave the property out",
    "undefined": "write `null`, or leave the property out",
}
_NO_NUMBERS = (
    (
        re.compile(r"[-+]?0[0-9][0-9.eE+-]*+"),
        "a number does not begin with `0`",
        "leave the zeros out, or write quotes if they belong to it",
    ),
    (
        re.compile(r"[-+]?[0-9]++\.(?:[eE][-+]?[0-9]++)?"),
        "a number has digits after its point",
        "write the digits, or leave the point out",
    ),
    (re.compile(r"[-+]?0[xXoObB][0-9a-fA-F]++"), "a number is written in decimal digits", "write it in decimal digits"),
)


def number(token: str, fraction: str) -> int | float | None:
    """The value of a JSON number, `fraction` being what follows its whole part; None when it is too long or large."""
    if len(token) > MOST_DIGITS and len(token.lstrip("-")) > MOST_DIGITS:
        return None
    if fraction:
        value = float(token)
        return None if isinf(value) else value
    try:
        return int(token)
    except ValueError:
        # The interpreter's own limit can be set lower.
        return None


def plain_scalar(found: re.Match[str], group: int) -> Scalar | None:
    """The value that a match of `SCALAR` has found, its first group being `group`; None when it needs a closer look."""
    text = found[group]
    if text is not None:
        start, end = found.span(group)
        return Scalar(start - 1, end + 1, text)
    token = found[group + 1]
    if token is None:
        start, end = found.span(group + 3)
        return Scalar(start, end, WORDS[found[group + 3]])
    value = number(token, found[group + 2])
    if value is None:
        return None
    start, end = found.span(group + 1)
    return Scalar(start, end, value)


def read_scalar(text: str, start: int, faults: Faults) -> tuple[Node, int]:
    """The value without quotes that begins at `start`, and where it ends; at least one character is read."""
    if reference := _REFERENCE.match(text, start):
        faults.bare_reference(start, reference.end(), reference[0])
        return Scalar(start, reference.end(), reference[0]), reference.end()
    end = after(_WORD, text, start)
    if _LAST_QUOTE.match(text, end):
        return _bare_text(text, start, end, faults)
    token = text[start:end]
    if token in WORDS:
        return Scalar(start, end, WORDS[token]), end
    if found := _NUMBER.fullmatch(token):
        return _number(token, found[1], start, faults), end
    text_end = after(_TEXT, text, start)
    if text_end <= end and (node := _nearly(token, start, faults)):
        return node, end
    return _bare_text(text, start, text_end, faults)


def _number(token: str, fraction: str, start: int, faults: Faults) -> Node:
    end = start + len(token)
    value = number(token, fraction)
    if value is not None:
        return Scalar(start, end, value)
    if fraction and len(token) <= MOST_DIGITS:
        faults.add("E108", "this number is too large", (start, end), "larger than any number that can be kept")
    else:
        faults.add("E113", "a number of too many digits", (start, end), note=f"the limit is {MOST_DIGITS} digits")
    return Broken(start, end)


def _nearly(token: str, start: int, faults: Faults) -> Node | None:
    """A word or number of another language, if that is what the token is."""
    end = start + len(token)
    place = start, end
    if len(token) <= len("false") and (meant := _OTHER_SPELLINGS.get(token.lower())):
        faults.add("E108", f"`{token}` is not a value", place, f"write `{meant}`", fix=[(start, end, meant)])
        return Scalar(start, end, WORDS[meant])
    word = token[1:] if token[:1] in ("+", "-") else token
    if word in _NO_JSON:
        faults.add("E108", f"`{word}` is not a value", place, "not JSON", help=_NO_JSON[word])
        return Broken(start, end)
    if found := _NEARLY_NUMBER.fullmatch(token):
        sign, point, digits = found.groups()
        meant = f"{sign.strip('+')}{'0.' if point else ''}{digits}"
        exact = _NUMBER.fullmatch(meant)
        value = number(meant, exact[1]) if exact else None
        if value is not None:
            at = start + len(sign)
            fix = [(start, at, "")] * (sign == "+") + [(at, at + 1, "0.")] * (point == ".")
            wrong = sign if sign == "+" else point
            faults.add("E108", f"a number does not begin with `{wrong}`", place, "not a JSON number", fix=fix)
            return Scalar(start, end, value)
    if (whole := with_underscores(token, start, faults)) is not None:
        return Scalar(start, end, whole)
    for pattern, message, text in _NO_NUMBERS:
        if pattern.fullmatch(token):
            faults.add("E108", message, place, "not a JSON number", help=text)
            return Broken(start, end)
    return None


def _bare_text(text: str, start: int, end: int, faults: Faults) -> tuple[Node, int]:
    run = text[start:end]
    if _LAST_QUOTE.match(text, end):
        # What begins otherwise may be a number with a quote too many, or a wrong sign in the place of the quote.
        begins = run[0].isalpha() or run[0] in "_$/"
        sure = begins and run.isprintable() and not any(character in run for character in '"\\')
        faults.no_opening_quote(start, sure)
        return Scalar(start, end + 1, run) if sure else Broken(start, end + 1), end + 1
    # Bytes that are no UTF-8 have been reported, and nothing is known of what they were meant to be.
    if not SURROGATE.search(run):
        if len(run) == 1 and not run.isalnum():
            message = f"{naming(run)} is not a value"
        else:
            message = "text must be inside double quotes" if run[0].isalpha() else "this is not a value"
        faults.add("E108", message, (start, end), "not JSON", help='write text inside double quotes: `"…"`')
    return Broken(start, end), end
