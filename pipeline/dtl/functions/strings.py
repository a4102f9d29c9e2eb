"""Functions of strings. The one that replaces stands in `strings_replace`. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pipeline.dtl.limits import MOST_PATTERN, MOST_TEXT, MOST_VALUES, bounded
from pipeline.dtl.registry import DROP, Subject, shows
from pipeline.dtl.texts import as_string
from pipeline.dtl.values import ANYTHING, first, listed
from pipeline.dtl.wildcards import matcher

strings: Final = Subject("strings", "Strings", "What is no string is left out.")


@strings.each(
    "upper",
    "VALUES",
    str,
    "Each string in upper case.",
    shows(["upper", "_S.name"], "KARI", {"name": "Kari"}),
    shows(["upper", ["list", "a", 5, "b"]], ["A", "B"]),
    shows(["upper", 5], None),
)
def _upper(text: str) -> str:
    return text.upper()


@strings.each(
    "lower",
    "VALUES",
    str,
    "Each string in lower case.",
    shows(["lower", "_S.name"], "kari", {"name": "KARI"}),
    shows(["lower", ["list", "A", 5, "B"]], ["a", "b"]),
    shows(["lower", None], None),
)
def _lower(text: str) -> str:
    return text.lower()


@strings.values(
    "concat",
    "VALUES+",
    "All strings of all arguments in one.",
    shows(["concat", "Hello ", "_S.name", "!"], "Hello Kari!", {"name": "Kari"}),
    shows(["concat", ["list", "a", 5, "b"], "c"], "abc"),
    shows(["concat", 5, None], ""),
)
def _concat(values: list[Any]) -> str:
    try:
        found = "".join(values)
    except TypeError:
        found = "".join([one for value in values for one in listed(value) if type(one) is str])
    bounded(len(found), MOST_TEXT, "characters")
    return found


@strings.each(
    "length",
    "VALUES",
    str,
    "How many characters each string has.",
    shows(["length", "_S.name"], 4, {"name": "Kari"}),
    shows(["length", ["list", "", 5, "bb"]], [0, 2]),
    shows(["length", 5], None),
)
def _length(text: str) -> int:
    return len(text)


def _padded(width: Any, fill: Any, values: Any, *, left: bool) -> Any:
    width, fill = first(width), first(fill)
    if type(width) is not int or type(fill) is not str or len(fill) != 1:
        return None
    bounded(width, MOST_TEXT, "characters")
    pad = str.rjust if left else str.ljust
    if type(values) is list:
        texts = [text for text in values if type(text) is str]
        bounded(sum(max(width, len(text)) for text in texts), MOST_TEXT, "characters")
        return [pad(text, width, fill) for text in texts]
    return pad(values, width, fill) if type(values) is str else None


@strings.values(
    "ljust",
    "WIDTH FILL VALUES",
    f"Each string with FILL behind it, up to WIDTH characters; at most {MOST_TEXT:,}. "
    "Null if WIDTH is no whole number or FILL not one character.",
    shows(["ljust", 5, "0", "123"], "12300"),
    shows(["ljust", 2, " ", ["list", "a", 5, "abc"]], ["a ", "abc"]),
    shows(["ljust", 5, "0", None], None),
    shows(["ljust", "5", "0", "123"], None),
)
def _ljust(width: Any, fill: Any, values: Any) -> Any:
    return _padded(width, fill, values, left=False)


@strings.values(
    "rjust",
    "WIDTH FILL VALUES",
    f"Each string with FILL before it, up to WIDTH characters; at most {MOST_TEXT:,}. "
    "Null if WIDTH is no whole number or FILL not one character.",
    shows(["rjust", 6, "0", ["string", "_S.number"]], "000042", {"number": 42}),
    shows(["rjust", 2, " ", ["list", "a", 5, "abc"]], [" a", "abc"]),
    shows(["rjust", 5, "00", "123"], None),
)
def _rjust(width: Any, fill: Any, values: Any) -> Any:
    return _padded(width, fill, values, left=True)


@strings.values(
    "is-string",
    "VALUES",
    "Whether the first value is a string.",
    shows(["is-string", "a"], True),
    shows(["is-string", ["list", 1, "a"]], False),
    shows(["is-string", None], False),
)
def _is_string(values: Any) -> bool:
    return type(first(values)) is str


@strings.each(
    "string",
    "VALUES",
    ANYTHING,
    "Each value as a string: lists in a list and dicts as JSON, with names in order; bytes as their text in UTF-8. "
    "Null in a list is left out.",
    shows(["string", "_S.amount"], "12.5", {"amount": 12.5}),
    shows(["string", ["list", True, None, {"b": "~:crm:1", "a": [1]}]], ["true", '{"a": [1], "b": "crm:1"}']),
    shows(["string", ["list", "~bw6U=", "~b/w==", "~t2026-01-02T03:04:05Z"]], ["å", "2026-01-02T03:04:05Z"]),
    shows(["string", "_S.none"], None, {}),
)
def _string(value: Any) -> Any:
    found = as_string(value)
    return DROP if found is None else found


@strings.values(
    "join",
    "SEPARATOR VALUES",
    "One string of all strings, with SEPARATOR between them.",
    shows(["join", ", ", "_S.tags"], "new, paid", {"tags": ["new", "paid"]}),
    shows(["join", "-", ["list", "a", 5, None, "b"]], "a-b"),
    shows(["join", "-", "a"], "a"),
    shows(["join", "-", None], ""),
)
def _join(separator: Any, values: Any) -> str:
    between = _text(separator, "SEPARATOR")
    texts = [one for one in listed(values) if type(one) is str]
    bounded(sum(map(len, texts)) + len(between) * (len(texts) - 1), MOST_TEXT, "characters")
    return between.join(texts)


@strings.values(
    "split",
    "[SEPARATOR] VALUES",
    "One list of the parts of each string, between SEPARATOR or else between blanks. An empty SEPARATOR is between all "
    f"characters. At most {MOST_VALUES:,} parts.",
    shows(["split", ";", "_S.to"], ["a@example.com", "b@example.com"], {"to": "a@example.com;b@example.com"}),
    shows(["split", " a  b "], ["a", "b"]),
    shows(["split", "", ["list", "ab", 5, "c"]], ["a", "b", "c"]),
    shows(["split", ",", None], []),
)
def _split(separator: Any, values: Any) -> list[str]:
    between = None if separator is None else _text(separator, "SEPARATOR")
    found: list[str] = []
    for text in listed(values):
        if type(text) is str:
            # One part more than separators; between blanks there are no more parts than every other character.
            more = len(text) // 2 if between is None else len(text) if not between else text.count(between)
            bounded(len(found) + more, MOST_VALUES, "parts")
            found += list(text) if between == "" else text.split(between)
    return found


@strings.values(
    "substring",
    "START [END] VALUES",
    "The characters of each string from START up to END; the first is at 0. Negative numbers count from the end.",
    shows(["substring", 0, 3, "_S.name"], "Kar", {"name": "Kari"}),
    shows(["substring", -2, ["list", "abc", 5, "d"]], ["bc", "d"]),
    shows(["substring", 1, 2, None], None),
)
def _substring(start: Any, end: Any, values: Any) -> Any:
    part = slice(_whole(start, "START"), _whole(end, "END"))
    if type(values) is list:
        return [text[part] for text in values if type(text) is str]
    return values[part] if type(values) is str else None


def _whole(value: Any, name: str) -> int | None:
    found = first(value)
    if found is not None and type(found) is not int:
        raise ValueError(f"{name} is a whole number")
    return found


def _text(value: Any, name: str) -> str:
    found = first(value)
    if type(found) is not str:
        raise ValueError(f"{name} is a string")
    return found


def _stripped(chars: Any, text: str, strip: Callable[[str, str | None], str]) -> str:
    return strip(text, None if chars is None else _text(chars, "CHARACTERS"))


@strings.each(
    "strip",
    "[CHARACTERS] VALUES",
    str,
    "Each string without any of CHARACTERS, or else blanks, at both ends.",
    shows(["strip", "_S.name"], "Kari", {"name": " Kari\n"}),
    shows(["strip", "<>", ["list", "<a>", 5, "b<"]], ["a", "b"]),
    shows(["strip", None], None),
)
def _strip(chars: Any, text: str) -> str:
    return _stripped(chars, text, str.strip)


@strings.each(
    "lstrip",
    "[CHARACTERS] VALUES",
    str,
    "Each string without any of CHARACTERS, or else blanks, at its beginning.",
    shows(["lstrip", "0", "_S.number"], "42", {"number": "0042"}),
    shows(["lstrip", ["list", " a ", 5]], ["a "]),
    shows(["lstrip", 5], None),
)
def _lstrip(chars: Any, text: str) -> str:
    return _stripped(chars, text, str.lstrip)


@strings.each(
    "rstrip",
    "[CHARACTERS] VALUES",
    str,
    "Each string without any of CHARACTERS, or else blanks, at its end.",
    shows(["rstrip", "/", "https://example.com//"], "https://example.com"),
    shows(["rstrip", ["list", " a ", 5]], [" a"]),
    shows(["rstrip", None], None),
)
def _rstrip(chars: Any, text: str) -> str:
    return _stripped(chars, text, str.rstrip)


@strings.values(
    "matches",
    "PATTERN VALUES",
    "Whether there are values, and all are strings that match PATTERN as a whole: `*` stands for any characters, and "
    "`?` for one.",
    shows(["matches", "*@example.com", "_S.email"], True, {"email": "kari@example.com"}),
    shows(["matches", "a?", ["list", "ab", "abc"]], False),
    shows(["matches", "*", ["list", "a", 5]], False),
    shows(["matches", "*", None], False),
)
def _matches(pattern: Any, values: Any) -> bool:
    sought = _text(pattern, "PATTERN")
    bounded(len(sought), MOST_PATTERN, "characters of a pattern")
    fits = matcher(sought)
    found = listed(values)
    return bool(found) and all(type(value) is str and fits(value) for value in found)
