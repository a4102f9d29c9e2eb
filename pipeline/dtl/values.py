"""What holds for values everywhere in the language: truth, lists, equality, order. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from pipeline.entity import NI, URI, Date, Datetime

NUMBERS: Final = frozenset({int, float, Decimal})
TIMES: Final = frozenset({Datetime, Date})
ANYTHING: Final = frozenset({bool, int, float, Decimal, Datetime, Date, UUID, NI, URI, str, dict, list, bytes})
"""Every type but that of null. A list is among them where it is in a list."""


def is_true(value: Any) -> bool:
    """Only false, null and the empty list are not; 0 and "" are."""
    return not (value is None or value is False or (type(value) is list and not value))


def listed(value: Any) -> Sequence[Any]:
    """A value as a list of values: null is none."""
    if type(value) is list:
        return value
    return () if value is None else (value,)


def first(value: Any) -> Any:
    """The first of a list, or the value itself; null, where there is none."""
    if type(value) is list:
        return value[0] if value else None
    return value


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same: numbers by what they count, and true is no number."""
    kind, other_kind = type(one), type(other)
    if kind is bool or other_kind is bool:
        return one is other
    if kind is list and other_kind is list:
        return len(one) == len(other) and all(map(equal, one, other))
    if kind is dict and other_kind is dict:
        return one.keys() == other.keys() and all(equal(value, other[name]) for name, value in one.items())
    return bool(one == other)


def same(one: Any, other: Any) -> bool:
    """`eq`: a value and a list of nothing but it are the same; null is the same as null only."""
    kind, other_kind = type(one), type(other)
    if kind is other_kind and kind is str:
        return bool(one == other)
    if one is None or other is None:
        return one is other
    if kind is list or other_kind is list:
        return equal(list(listed(one)), list(listed(other)))
    return equal(one, other)


def key_of(value: Any) -> Hashable:
    """Equal values, and only they, have equal keys."""
    kind = type(value)
    if kind is bool:
        return bool, value
    if kind is list:
        return list, tuple(map(key_of, value))
    if kind is dict:
        return dict, frozenset((name, key_of(inner)) for name, inner in value.items())
    return value  # type: ignore[no-any-return]


def distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once, where it stands first."""
    seen: dict[Hashable, Any] = {}
    for value in values:
        seen.setdefault(key_of(value), value)
    return list(seen.values())


# Values of different types are in the order of their types.
_RANKS: Final[dict[type, int]] = {
    type(None): 0,
    bool: 1,
    int: 2,
    float: 2,
    Decimal: 2,
    Datetime: 3,
    Date: 3,
    UUID: 4,
    NI: 5,
    URI: 6,
    str: 7,
    dict: 8,
    list: 9,
    bytes: 10,
}
_LAST: Final = 11


def order_of(value: Any) -> tuple[Any, ...]:
    """What values of any types are sorted by."""
    kind = type(value)
    rank = _RANKS.get(kind, _LAST)
    if kind is dict:
        return rank, [(name, order_of(value[name])) for name in sorted(value)]
    if kind is list:
        return rank, list(map(order_of, value))
    return (rank,) if value is None or rank == _LAST else (rank, value)


# Of these each value can be compared with each, as it is.
_ORDERLY: Final = ({str}, {int}, {float}, {int, float})


def in_order(values: Iterable[Any], by: Callable[[Any], Any] | None = None, *, falling: bool = False) -> list[Any]:
    """The values sorted, or sorted by what a function makes of them; those that are level stay as they were."""
    found = list(values)
    keys = found if by is None else list(map(by, found))
    if set(map(type, keys)) not in _ORDERLY:
        keys = list(map(order_of, keys))
    places = sorted(range(len(found)), key=keys.__getitem__, reverse=falling)
    return [found[place] for place in places]


def compared(one: Any, other: Any) -> int | None:
    """Below 0, 0 or above 0, as the first value of `one` is less, level or greater; None where they do not compare."""
    one, other = first(one), first(other)
    rank = _RANKS.get(type(one), _LAST)
    if rank != _RANKS.get(type(other), _LAST) or rank in {0, _LAST}:
        return None
    if rank in {8, 9}:
        one, other = order_of(one), order_of(other)
    return int(one > other) - int(one < other)
