"""Filters for numbers: worked with, and written as people of a country write them. No I/O."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from decimal import Context as Precision
from typing import Any, Final

from jinja2 import Undefined
from jinja2.runtime import Context

from pipeline.template.formats import sane
from pipeline.template.limits import Failed
from pipeline.template.locales import DIGITS
from pipeline.template.times import locale_of
from pipeline.template.values import Missing, a_kind

_WRITTEN: Final = re.compile(r"[+-]?\d{1,300}(?:\.\d{1,300})?")
# What rounds to nothing has no sign.
_WORTH: Final = re.compile(r"[1-9]")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
# Decimal places, and digits before the point, that a number in a mail can have.
_MOST_PLACES: Final = 30
_WIDE: Final = Precision(prec=1100, rounding=ROUND_HALF_UP)
_PREFIXES: Final = "kMGTPEZY"


def exact(value: Any, what: str) -> Decimal:
    """A number as decimal digits; `0.1` is a tenth."""
    if isinstance(value, Undefined):
        raise Missing(value)
    if isinstance(value, str) and _WRITTEN.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        found = sane(value)
        number = Decimal(str(found)) if isinstance(found, float) else Decimal(found)
        if number.is_finite():
            return number
    raise Failed(f"`{what}` takes a number, not {a_kind(value)}")


def _places(value: Any, what: str) -> int:
    if not isinstance(value, int) or abs(value) > _MOST_PLACES:
        raise Failed(f"`{what}` takes up to {_MOST_PLACES} decimal places")
    return value


def absolute(_: Context, value: Any) -> Any:
    """Without its sign."""
    if isinstance(value, int | float | Decimal):
        return abs(value)
    raise Failed(f"`abs` takes a number, not {a_kind(value)}")


def integer(_: Context, value: Any, default: int = 0, base: int = 10) -> int:
    """As a whole number; `default` for what is none."""
    try:
        if isinstance(value, str):
            return int(value, base)
        return int(sane(value) if isinstance(value, float | Decimal) else value)
    except (TypeError, ValueError, OverflowError):
        try:
            return int(float(value))
        except (TypeError, ValueError, OverflowError):
            return default


def floating(_: Context, value: Any, default: float = 0.0) -> float:
    """As a number with a fraction; `default` for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return default


def rounded(_: Context, value: Any, precision: int = 0, method: str = "common") -> Any:
    """To so many decimal places, `common`, or always up (`ceil`) or down (`floor`)."""
    places = _places(precision, "round")
    if method not in {"common", "ceil", "floor"}:
        raise Failed('`round` knows "common", "ceil" and "floor"')
    if not isinstance(value, int | float | Decimal):
        raise Failed(f"`round` takes a number, not {a_kind(value)}")
    try:
        if method == "common":
            return round(sane(value), places)
        scaled = sane(value) * 10**places if isinstance(value, int | Decimal) else value * 10.0**places
        return getattr(math, method)(scaled) / (10**places)
    except (OverflowError, ValueError, DecimalException):
        raise Failed("this number is too large to be rounded") from None


def filesizeformat(_: Context, value: Any, binary: bool = False) -> str:
    """A number of bytes for people: `13.0 kB`."""
    size = float(exact(value, "filesizeformat"))
    base = 1024 if binary else 1000
    if size == 1:
        return "1 Byte"
    if size < base:
        return f"{int(size)} Bytes"
    power = min(int(math.log(size, base) + 1e-9), len(_PREFIXES))
    prefix = _PREFIXES[power - 1]
    unit = f"{prefix.upper()}iB" if binary else f"{prefix}B"
    return f"{size / base**power:.1f} {unit}"


def _digits(number: Decimal, places: int | None, locale: str) -> str:
    """The digits without a sign, in groups."""
    customs = locale_of(locale)
    shown = abs(number)
    if places is not None:
        shown = shown.quantize(Decimal(1).scaleb(-places), context=_WIDE)
    whole, _, part = f"{shown:f}".partition(".")
    if len(whole) >= customs.group_from:
        whole = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", customs.group, whole)
    return f"{whole}{customs.point}{part}" if part else whole


def number(_: Context, value: Any, decimals: int | None = None, locale: str = "en") -> str:
    """A number with its thousands apart, and so many decimal places."""
    found = exact(value, "number")
    digits = _digits(found, None if decimals is None else _places(decimals, "number"), locale)
    return f"-{digits}" if found < 0 and _WORTH.search(digits) else digits


def money(_: Context, value: Any, currency: str, locale: str = "en") -> str:
    """An amount of a currency (`EUR`), with the coins that the currency has."""
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise Failed("`money` needs a currency of three letters, such as `EUR`")
    customs = locale_of(locale)
    found = exact(value, "money")
    digits = _digits(found, DIGITS.get(currency, 2), locale)
    sign = customs.signs.get(currency, currency)
    if customs.money.startswith("{1}{") and sign[-1].isalpha():
        sign += "\u00a0"
    amount = customs.money.format(digits, sign)
    return f"-{amount}" if found < 0 and _WORTH.search(digits) else amount


def plural(_: Context, value: Any, one: str, many: str) -> str:
    """One word for 1, another for every other number; of a list its length counts."""
    count = len(value) if isinstance(value, list | tuple | dict) else exact(value, "plural")
    return one if count == 1 else many
