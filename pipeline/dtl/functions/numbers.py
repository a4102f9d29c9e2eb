"""Functions that make numbers of other values. No I/O."""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from pipeline.dtl.casts import cast, type_test
from pipeline.dtl.limits import MOST_DIGITS, bounded
from pipeline.dtl.numbers import as_decimal, whole_of
from pipeline.dtl.registry import DROP, Subject, shows
from pipeline.entity import decimal_of

numbers: Final = Subject(
    "numbers",
    "Numbers",
    "Of three types: whole numbers, floats (IEEE 754, 64 bits) and decimals, which are exact. True is no number.",
)

_whole: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_hexadecimal: Final = re.compile(r"0x([0-9a-fA-F]+)", re.ASCII)


@cast(
    numbers,
    "integer",
    "A whole number of each value: of a string of digits, or of hexadecimal digits after `0x` in two's complement; of "
    "a number without its fraction.",
    shows(["integer", "_S.count"], 12, {"count": "12"}),
    shows(["integer", ["list", " -7 ", 2.9, "~f-2.9", "1.5", True, "0xff", "0x00ff"]], [-7, 2, -2, -1, 255]),
    shows(["integer", ["literal", 0], ["list", "a", "3", None]], [0, 3]),
    shows(["integer", None], None),
)
def _integer(value: Any) -> Any:
    kind = type(value)
    if kind is int:
        return value
    if kind is float or kind is Decimal:
        return whole_of(value)
    return _of_text(value.strip()) if kind is str else DROP


def _of_text(text: str) -> Any:
    bounded(len(text), MOST_DIGITS, "digits")
    if _whole.fullmatch(text):
        return int(text)
    found = _hexadecimal.fullmatch(text)
    if found is None:
        return DROP
    number, bits = int(found[1], 16), 4 * len(found[1])
    return number - (1 << bits) if number >> (bits - 1) else number


@cast(
    numbers,
    "decimal",
    "An exact number of each value: of a string of digits, with or without a fraction and an exponent; of a float as "
    "it is written.",
    shows(["decimal", "_S.price"], "~f10.50", {"price": "10.50"}),
    shows(["decimal", ["list", 2.2, 3, "1e3", "a", False]], ["~f2.2", "~f3", "~f1E+3"]),
    shows(["decimal", "_.", ["list", "1,5"]], ["1,5"]),
    shows(["decimal", None], None),
)
def _decimal(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        text = value.strip()
        bounded(len(text), MOST_DIGITS, "digits")
        found = decimal_of(text)
        return DROP if found is None else found
    return as_decimal(value) if kind in {int, float, Decimal} else DROP


@cast(
    numbers,
    "float",
    "A float of each value: of a string of digits, with or without a fraction and an exponent; of another number the "
    "float that is nearest.",
    shows(["float", "_S.price"], 10.5, {"price": "10.50"}),
    shows(["float", ["list", 3, "~f2.2", "1e3", "a", "1e999", False]], [3.0, 2.2, 1000.0]),
    shows(["float", ["literal", 0], ["list", "1,5"]], [0]),
    shows(["float", None], None),
)
def _float(value: Any) -> Any:
    found = _decimal(value) if type(value) is str else value
    if type(found) not in {int, float, Decimal}:
        return DROP
    try:
        made = float(found)
    except OverflowError:
        return DROP
    return made if isfinite(made) else DROP


@numbers.each(
    "hex",
    "VALUES",
    int,
    "Each whole number in two's complement: after `0x` two hexadecimal digits for each byte.",
    shows(["hex", "_S.code"], "0x02ff", {"code": 767}),
    shows(["hex", ["list", 128, -128, 1.5, "1"]], ["0x0080", "0x80"]),
    shows(["hex", None], None),
)
def _hex(number: int) -> str:
    bits = (number if number >= 0 else ~number).bit_length()
    return "0x" + number.to_bytes(bits // 8 + 1, signed=True).hex()


type_test(
    numbers,
    "is-integer",
    frozenset({int}),
    "Whether the first value is a whole number.",
    shows(["is-integer", "_S.count"], True, {"count": 12}),
    shows(["is-integer", ["list", 1.0, 1]], False),
    shows(["is-integer", True], False),
)
type_test(
    numbers,
    "is-float",
    frozenset({float}),
    "Whether the first value is a float: in JSON it has a point or an exponent.",
    shows(["is-float", "_S.price"], True, {"price": 10.5}),
    shows(["is-float", ["list", 1, 1.0]], False),
    shows(["is-float", None], False),
)
type_test(
    numbers,
    "is-decimal",
    frozenset({Decimal}),
    "Whether the first value is a decimal.",
    shows(["is-decimal", ["decimal", "10.5"]], True),
    shows(["is-decimal", ["list", 10.5]], False),
    shows(["is-decimal", None], False),
)
