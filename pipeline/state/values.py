"""Values of entities by which they are joined: where they stand, and what makes two of them equal. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from pipeline.entity import to_json

# Before a name in a path: the properties of this name in every namespace, and in none.
ANY_SPACE: Final = "*:"

# Numbers of this size are written out by all types alike; ones with more zeros at their end have a power of ten.
_EXACT: Final = 1 << 62
_LONGEST: Final = 20


def values_at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """The values at a path of properties; lists on the way and at its end are gone through."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        name = path[0]
        if name in value:
            yield from values_at(value[name], path[1:])
        elif name.startswith(ANY_SPACE):
            end = name[1:]
            for each, inner in value.items():
                if each == end[1:] or each.endswith(end):
                    yield from values_at(inner, path[1:])


def value_key(value: Any) -> bytes | None:
    """The same bytes for values that are equal, and for no others; None for null, which is equal to nothing."""
    if value is None:
        return None
    if isinstance(value, float | Decimal):
        return _number_key(Decimal(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return _number_key(Decimal(value)) if abs(value) > _EXACT else b"%d" % value
    return to_json(value, ordered=True)


def _number_key(value: Decimal) -> bytes | None:
    if not value.is_finite():
        return None if value.is_nan() else b"%r" % float(value)
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    power = int(exponent) + len(text) - len(short)
    if not short:
        return b"0"
    written = "0" * power if 0 <= power < _LONGEST else f"E{power}"
    return f"{'-' if sign else ''}{short}{written}".encode()
