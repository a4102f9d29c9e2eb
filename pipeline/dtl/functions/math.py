"""Functions that calculate. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from math import cos, sin, sqrt, tan
from typing import Any, Final

from pipeline.dtl.numbers import EXACT, calculated, checked, minus, modulo, over, plus, power, rounded, times
from pipeline.dtl.registry import DROP, Shown, Subject, shows
from pipeline.dtl.values import NUMBERS, first

math: Final = Subject(
    "math",
    "Math",
    'The functions that are signs take the first value of each side, in the order in which they are written: `["-", 5, '
    "2]` is 3. Those that are words take the second number first, and calculate with each of the values behind it: "
    '`["minus", 2, 5]` is 3. What is no number is left out, and null is the result where there is none: of a '
    "division by zero, or of the square root of a number below zero. The result is a decimal where one of the numbers "
    "is; else a float where one of them is, or where a quotient is not whole.",
)

Operation = Callable[[Any, Any], Any]


def _sign(sign: str, args: str, operation: Operation, doc: str, *examples: Shown) -> None:
    """The first values of two arguments, in the order of the page."""

    def calculate(one: Any, other: Any) -> Any:
        one, other = first(one), first(other)
        return calculated(operation, one, other) if type(one) in NUMBERS and type(other) in NUMBERS else None

    math.values(sign, args, doc, *examples)(calculate)


def _word(word: str, args: str, operation: Operation, doc: str, *examples: Shown) -> None:
    """Each value of the second argument, with the first one behind it."""

    def calculate(other: Any, one: Any) -> Any:
        return calculated(operation, one, other) if type(other) in NUMBERS else DROP

    math.each(word, args, NUMBERS, doc, *examples)(calculate)


_sign(
    "+",
    "A B",
    plus,
    "A and B together.",
    shows(["+", "_S.price", "_S.freight"], 12.5, {"price": 10, "freight": 2.5}),
    shows(["+", ["list", 1, 2], ["decimal", "0.1"]], "~f1.1"),
    shows(["+", 1, None], None),
    shows(["+", 1, "1"], None),
)
_sign(
    "-",
    "A B",
    minus,
    "A without B.",
    shows(["-", "_S.price", "_S.rebate"], 8, {"price": 10, "rebate": 2}),
    shows(["-", ["list", 1, 2], 3], -2),
    shows(["-", None, 1], None),
)
_sign(
    "*",
    "A B",
    times,
    "A times B.",
    shows(["*", "_S.price", "_S.count"], 31.5, {"price": 10.5, "count": 3}),
    shows(["*", ["list", 2, 3], ["decimal", "1.50"]], "~f3.00"),
    shows(["*", 2, True], None),
)
_sign(
    "/",
    "A B",
    over,
    "A divided by B.",
    shows(["/", "_S.sum", "_S.count"], 3, {"sum": 6, "count": 2}),
    shows(["/", ["list", 1, 2], 4], 0.25),
    shows(["/", 1, 0], None),
)
_sign(
    "%",
    "A B",
    modulo,
    "What is left of A when it is divided by B. It has the sign of B.",
    shows(["%", "_S.number", 3], 1, {"number": 7}),
    shows(["%", ["list", -7, 1], 3], 2),
    shows(["%", 1, 0], None),
)
_sign(
    "^",
    "A B",
    power,
    "A to the power of B.",
    shows(["^", 2, "_S.level"], 256, {"level": 8}),
    shows(["^", ["list", 2, 3], -1], 0.5),
    shows(["^", -8, 0.5], None),
)
_word(
    "plus",
    "INCREMENT VALUES",
    plus,
    "Each number with INCREMENT added.",
    shows(["plus", 1, "_S.count"], 13, {"count": 12}),
    shows(["plus", 0.5, ["list", 1, "2", 3]], [1.5, 3.5]),
    shows(["plus", 1, None], None),
)
_word(
    "minus",
    "DECREMENT VALUES",
    minus,
    "Each number with DECREMENT taken away.",
    shows(["minus", 1, "_S.count"], 11, {"count": 12}),
    shows(["minus", 0.5, ["list", 1, "2", 3]], [0.5, 2.5]),
    shows(["minus", None, 1], None),
)
_word(
    "multiply",
    "MULTIPLIER VALUES",
    times,
    "Each number times MULTIPLIER.",
    shows(["multiply", 1.25, "_S.price"], 12.5, {"price": 10}),
    shows(["multiply", 2, ["list", 1, "2", ["decimal", "1.5"]]], [2, "~f3.0"]),
    shows(["multiply", 2, None], None),
)
_word(
    "divide",
    "DIVISOR VALUES",
    over,
    "Each number divided by DIVISOR.",
    shows(["divide", 100, "_S.cents"], 10.5, {"cents": 1050}),
    shows(["divide", 2, ["list", 1, "2", 4]], [0.5, 2]),
    shows(["divide", 0, ["list", 1]], [None]),
)
_word(
    "mod",
    "DIVISOR VALUES",
    modulo,
    "What is left of each number when it is divided by DIVISOR. It has the sign of DIVISOR.",
    shows(["mod", 3, "_S.number"], 1, {"number": 7}),
    shows(["mod", 3, ["list", -7, "2", ["decimal", "-7"]]], [2, "~f2"]),
    shows(["mod", 0, 1], None),
)
_word(
    "pow",
    "EXPONENT VALUES",
    power,
    "Each number to the power of EXPONENT.",
    shows(["pow", 2, "_S.side"], 49, {"side": 7}),
    shows(["pow", 0.5, ["list", 4, "4", -4]], [2.0, None]),
    shows(["pow", 2, None], None),
)


def _rounding(name: str, mode: str, doc: str, *examples: Shown) -> None:
    def rounding(digits: Any, number: Any) -> Any:
        if digits is not None and type(digits) is not int:
            raise ValueError("DIGITS is a whole number")
        return rounded(number, digits or 0, mode)

    math.each(
        name,
        "[DIGITS] VALUES",
        NUMBERS,
        f"{doc}, with DIGITS behind the point; a whole number if that is 0 or left out. Floats count as they are "
        "written.",
        *examples,
    )(rounding)


_rounding(
    "ceil",
    ROUND_CEILING,
    "Each number, or the next greater one",
    shows(["ceil", "_S.price"], 11, {"price": 10.2}),
    shows(["ceil", 1, ["list", 2.25, -2.25, 3, "2.5"]], [2.3, -2.2, 3]),
    shows(["ceil", None], None),
)
_rounding(
    "floor",
    ROUND_FLOOR,
    "Each number, or the next smaller one",
    shows(["floor", "_S.price"], 10, {"price": 10.9}),
    shows(["floor", -2, ["list", 1250, -1250.0, "2.5"]], [1200, -1300.0]),
    shows(["floor", None], None),
)
_rounding(
    "round",
    ROUND_HALF_EVEN,
    "The number that is nearest to each, and of two the one that ends with an even digit",
    shows(["round", 2, "_S.price"], 10.35, {"price": 10.346}),
    shows(["round", ["list", 0.5, 1.5, ["decimal", "2.5"], "2.5"]], [0, 2, 2]),
    shows(["round", 1, ["decimal", "2.25"]], "~f2.2"),
    shows(["round", None], None),
)


@math.each(
    "abs",
    "VALUES",
    NUMBERS,
    "Each number without its sign.",
    shows(["abs", "_S.change"], 2.5, {"change": -2.5}),
    shows(["abs", ["list", -1, "-1", 1]], [1, 1]),
    shows(["abs", None], None),
)
def _abs(number: Any) -> Any:
    # The built-in function rounds a decimal to the digits of the thread's context.
    return number.copy_abs() if type(number) is Decimal else abs(number)


def _real(name: str, function: Callable[[float], float | None], doc: str, *examples: Shown) -> None:
    """A function of real numbers: of floats."""

    def calculate(number: Any) -> Any:
        try:
            return checked(function(float(number)))
        except (OverflowError, ValueError):  # too large, or outside of the function's domain
            return None

    math.each(name, "VALUES", NUMBERS, doc, *examples)(calculate)


def _tangent(angle: float) -> float | None:
    # Beside a pole the float that is nearest gives some number with sixteen digits, which means nothing.
    return None if abs(cos(angle)) < 1e-15 else tan(angle)


_real(
    "cos",
    cos,
    "The cosine of each angle in radians.",
    shows(["cos", "_S.angle"], 1.0, {"angle": 0}),
    shows(["cos", ["list", 0.0, "0"]], [1.0]),
    shows(["cos", None], None),
)
_real(
    "sin",
    sin,
    "The sine of each angle in radians.",
    shows(["sin", "_S.angle"], 0.0, {"angle": 0}),
    shows(["sin", ["list", 0.0, "0"]], [0.0]),
    shows(["sin", None], None),
)
_real(
    "tan",
    _tangent,
    "The tangent of each angle in radians; null where it has none.",
    shows(["tan", "_S.angle"], 0.0, {"angle": 0}),
    shows(["tan", ["list", 0.0, "0", 1.5707963267948966]], [0.0, None]),
    shows(["tan", None], None),
)


@math.each(
    "sqrt",
    "VALUES",
    NUMBERS,
    "The square root of each number; null below zero. Of a decimal it is a decimal.",
    shows(["sqrt", "_S.area"], 1.5, {"area": 2.25}),
    shows(["sqrt", ["list", 4, "4", -4, ["decimal", "6.25"]]], [2.0, None, "~f2.5"]),
    shows(["sqrt", None], None),
)
def _sqrt(number: Any) -> Any:
    if number < 0:
        return None
    if type(number) is Decimal:
        return EXACT.sqrt(number)
    try:
        return sqrt(number)
    except OverflowError:
        return None
