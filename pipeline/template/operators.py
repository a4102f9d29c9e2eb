"""What `+`, `==`, `in`, `~` and the like do in a template: as in Jinja2, within limits and with words. No I/O."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Context as Precision
from decimal import Decimal, DecimalException
from typing import Any, Final

from jinja2 import Undefined
from jinja2.runtime import Context
from markupsafe import Markup

from pipeline.template.formats import percent
from pipeline.template.limits import MOST_BITS, Failed, Meter, PastLimit
from pipeline.template.values import Missing, a_kind, escape_text, plain, weigh

# Money of any country, to fractions of a cent; a context of its own, so that no other code changes the results.
_EXACT: Final = Precision(prec=40)

_DECIMALS: Final[Mapping[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": _EXACT.add,
    "-": _EXACT.subtract,
    "*": _EXACT.multiply,
    "/": _EXACT.divide,
    "//": _EXACT.divide_int,
    "%": _EXACT.remainder,
    "**": _EXACT.power,
}
_NUMBERS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
_WANTED: Final = {
    "+": "two numbers, two texts or two lists",
    "*": "two numbers, or a text and how often to repeat it",
    "%": "two numbers, or a text with `%s` in it",
}

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
_SMALL: Final = (bool, float, type(None))


def calculate(context: Context, sign: str, left: Any, right: Any) -> Any:
    """`left sign right`."""
    if sign == "%" and isinstance(left, str):
        return percent(left, right, context)
    for side in (left, right):
        if isinstance(side, Undefined):
            raise Missing(side)
    meter: Meter = context.meter  # type: ignore[attr-defined]
    if isinstance(left, int | float | Decimal) and isinstance(right, int | float | Decimal):
        return _numbers(sign, left, right)
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        meter.make(len(left) + len(right))
        return left + right
    if sign == "+" and type(left) in {list, tuple} and type(left) is type(right):
        meter.step(len(left) + len(right))
        return left + right
    if sign == "*":
        if isinstance(left, int):
            left, right = right, left
        if isinstance(left, str) and isinstance(right, int):
            meter.make(len(left) * max(right, 0))
            return left * right
        if isinstance(left, list | tuple) and isinstance(right, int):
            meter.step(len(left) * max(right, 0))
            return left * right
    if sign in "+-" and isinstance(left, date | timedelta) and isinstance(right, date | timedelta):
        return _moments(sign, left, right)
    wanted = _WANTED.get(sign, "two numbers")
    raise Failed(f"`{sign}` needs {wanted}, not {a_kind(left)} and {a_kind(right)}")


def _numbers(sign: str, left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() + right.bit_length()
        if sign == "**" and right > 0:
            bits = left.bit_length() * right
        if bits > MOST_BITS:
            raise PastLimit(f"`{sign}` makes a number of more than 3 000 digits")
    try:
        if isinstance(left, Decimal) or isinstance(right, Decimal):
            return _DECIMALS[sign](_exact(left), _exact(right))
        result = _NUMBERS[sign](left, right)
    except ZeroDivisionError:
        raise Failed("division by zero", "ask first: `{% if … %}`") from None
    except (OverflowError, DecimalException):
        raise Failed(f"`{sign}` has no result that is a number people use") from None
    if isinstance(result, complex):
        raise Failed("the root of a negative number is no number that a text can show")
    return result


def _exact(number: float | Decimal) -> Decimal:
    return number if isinstance(number, Decimal) else Decimal(str(number))


def _moments(sign: str, left: Any, right: Any) -> Any:
    try:
        return _NUMBERS[sign](left, right)
    except (TypeError, OverflowError):
        raise Failed(f"`{sign}` cannot be done with these two times") from None


def compare(context: Context, left: Any, *more: Any) -> bool:
    """`left op right`, and on: `more` are operators and what stands to the right of each."""
    meter: Meter = context.meter  # type: ignore[attr-defined]
    for name, right in zip(more[::2], more[1::2], strict=True):
        if not _compared(meter, name, left, right):
            return False
        left = right
    return True


def _compared(meter: Meter, name: str, left: Any, right: Any) -> bool:
    if name in {"in", "notin"}:
        return contains(meter, right, left) == (name == "in")
    if type(left) not in _SMALL and type(right) not in _SMALL:
        weigh(left, meter)
        weigh(right, meter)
    try:
        return bool(_COMPARISONS[name](left, right))
    except TypeError:
        raise Failed(f"{a_kind(left)} and {a_kind(right)} cannot be put in order") from None


def contains(meter: Meter, items: Any, wanted: Any) -> bool:
    """`wanted in items`."""
    if isinstance(items, Undefined):
        items = list(items)
    if isinstance(items, str):
        if not isinstance(wanted, str):
            raise Failed(f"`in` looks for text in a text, not for {a_kind(wanted)}")
        meter.work(len(items))
        return wanted in items
    if isinstance(items, dict):
        return key(meter, wanted) in items
    weight = weigh(wanted, meter)
    if isinstance(items, str | bytes) or not hasattr(type(items), "__iter__"):
        raise Failed(f"`in` cannot look into {a_kind(items)}")
    for item in meter.counted(items, 1 + weight // 64):
        if isinstance(item, list | tuple | dict):
            weigh(item, meter)
        if item is wanted or item == wanted:
            return True
    return False


def key(meter: Meter, wanted: Any) -> Any:
    """Something that can be the name of a property."""
    if isinstance(wanted, list | dict | set):
        raise Failed(f"{a_kind(wanted)} cannot be the name of a property")
    weigh(wanted, meter)
    return wanted


def joined(context: Context, escapes: bool, *parts: Any) -> str:
    """`a ~ b`: one text. Where HTML is escaped and a part is HTML, the result is, and the other parts are escaped."""
    texts = [plain(part, context) for part in parts]
    context.meter.make(sum(map(len, texts)))  # type: ignore[attr-defined]
    if not (escapes and any(isinstance(text, Markup) for text in texts)):
        return "".join(map(str.__str__, texts))
    return Markup("".join(str.__str__(text) if isinstance(text, Markup) else escape_text(text) for text in texts))  # noqa: S704 - each part is escaped
