"""Numbers of three types: whole ones, floats and decimals, which are exact. No I/O."""

from __future__ import annotations

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
