"""Functions of strings. No I/O."""

from __future__ import annotations

from typing import Any, Final

from pipeline.dtl.limits import MOST_TEXT, bounded
from pipeline.dtl.registry import Subject, shows
from pipeline.dtl.values import first, listed

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


@strings.each(
    "ljust",
    "WIDTH FILL VALUES",
    str,
    f"Each string with FILL behind it, up to WIDTH characters; at most {MOST_TEXT:,}.",
    shows(["ljust", 5, "0", "123"], "12300"),
    shows(["ljust", 2, " ", ["list", "a", 5, "abc"]], ["a ", "abc"]),
    shows(["ljust", 5, "0", None], None),
)
def _ljust(width: Any, fill: Any, text: str) -> str:
    return text + _filling(width, fill, text)


def _filling(width: Any, fill: Any, text: str) -> str:
    if type(width) is not int or type(fill) is not str or len(fill) != 1:
        raise ValueError("WIDTH is a whole number, and FILL is one character")
    bounded(width, MOST_TEXT, "characters")
    return fill * (width - len(text))


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
