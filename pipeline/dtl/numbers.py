"""Numbers of three types: whole ones, floats and decimals, which are exact. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from math import isfinite
from typing import Any, Final

from pipeline.dtl.limits import MOST_DIGITS, bounded

# Enough digits for any sum of money and any measure; a quotient has to end somewhere.
EXACT: Final = Context(
    prec=100,
    rounding=ROUND_HALF_EVEN,
    Emin=MIN_EMIN,
    Emax=MAX_EMAX,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)


def as_decimal(number: Any) -> Decimal:
    """A number as a decimal: a float as it is written, 2.2 and not what is stored of it."""
    if type(number) is Decimal:
        return number
    return Decimal(repr(number)) if type(number) is float else Decimal(number)


def levelled(one: Any, other: Any) -> tuple[Any, Any]:
    """Two numbers that can be calculated with: both are decimals, if one is."""
    if type(one) is Decimal or type(other) is Decimal:
        return as_decimal(one), as_decimal(other)
    return one, other


def checked(number: Any) -> Any:
    """A number that is no more than may be; null for a float that is no number."""
    if type(number) is float:
        return number if isfinite(number) else None
    if type(number) is int:
        # A digit has more than three bits.
        bounded(number.bit_length() // 3.3, MOST_DIGITS, "digits")
    return number


def added(one: Any, other: Any) -> Any:
    """The sum of two numbers."""
    one, other = levelled(one, other)
    return EXACT.add(one, other) if type(one) is Decimal else checked(one + other)


def whole_of(number: Any) -> int:
    """A number without its fraction."""
    if type(number) is Decimal:
        bounded(number.adjusted(), MOST_DIGITS, "digits")
    return int(number)


def calculated(operation: Callable[[Any, Any], Any], one: Any, other: Any) -> Any:
    """What an operation makes of two numbers; null where it makes no number of them, as a division by zero."""
    try:
        return checked(operation(*levelled(one, other)))
    except ArithmeticError:
        return None


def plus(one: Any, other: Any) -> Any:
    """The sum."""
    return EXACT.add(one, other) if type(one) is Decimal else one + other


def minus(one: Any, other: Any) -> Any:
    """The difference."""
    return EXACT.subtract(one, other) if type(one) is Decimal else one - other


def times(one: Any, other: Any) -> Any:
    """The product."""
    return EXACT.multiply(one, other) if type(one) is Decimal else one * other


def over(one: Any, other: Any) -> Any:
    """The quotient; of two whole numbers a whole one, if it is."""
    if type(one) is Decimal:
        return EXACT.divide(one, other)
    if type(one) is int and type(other) is int:
        whole, rest = divmod(one, other)
        if not rest:
            return whole
    return one / other


def modulo(one: Any, other: Any) -> Any:
    """The rest of a division, with the sign of the divisor, for numbers of all types."""
    if type(one) is not Decimal:
        return one % other
    rest = EXACT.remainder(one, other)
    return EXACT.add(rest, other) if rest and rest.is_signed() != other.is_signed() else rest


def power(one: Any, other: Any) -> Any:
    """The first to the power of the other; null where that is no real number."""
    if type(one) is Decimal:
        return EXACT.power(one, other)
    if type(one) is int and type(other) is int and other > 0:
        bounded((one.bit_length() - 1) * other // 3.4, MOST_DIGITS, "digits")
    found = one**other
    return None if type(found) is complex else found


# Room for each digit of the largest numbers.
_WIDE: Final = Context(prec=2 * MOST_DIGITS, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[InvalidOperation])


def rounded(number: Any, digits: int, mode: str) -> Any:
    """A number with so many digits behind the point, rounded as it is written; a whole number for none."""
    bounded(abs(digits), MOST_DIGITS, "digits")
    kind = type(number)
    if kind is int and digits >= 0:
        return number
    found = as_decimal(number)
    bounded(found.adjusted(), MOST_DIGITS, "digits")
    _, figures, exponent = found.as_tuple()
    bounded(len(figures), MOST_DIGITS, "digits")
    if type(exponent) is int and exponent < -digits:
        found = found.quantize(Decimal((0, (1,), -digits)), rounding=mode, context=_WIDE)
    if kind is int or digits == 0:
        return int(found)
    return checked(float(found)) if kind is float else found
