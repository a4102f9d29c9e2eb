"""What was expected against what came: entities matched by what identifies them, never by their position. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from mailweir.testing.blacklist import Blacklist, Path
from mailweir.testing.matchers import ABSENT, holds, name_of, same

# A number with more digits has always been compared as the nearest one that a machine keeps in eight bytes.
_DIGITS: Final = 16
_LARGEST: Final = 10**_DIGITS


class Difference(NamedTuple):
    """One property of one entity; without a `path` it is the whole entity. `ABSENT` on the side that has none."""

    id: str
    path: tuple[str, ...]
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class Rules:
    """How to compare. `whole`: also properties that are not expected by name; `extra`: further entities are welcome.

    `files` are the texts that matchers name; without `matching` there are no matchers. Deleted entities that nobody
    expects count as none where `ignore_deletes`.
    """

    blacklist: Blacklist = field(default_factory=Blacklist)
    sort_by: Sequence[str] = ("_id",)
    ignore_deletes: bool = True
    whole: bool = True
    extra: bool = False
    matching: bool = False
    files: Mapping[str, str] = field(default_factory=dict)


def normal(value: Any, blacklist: Blacklist, path: Path = ()) -> Any:
    """A value as it is compared: without what belongs to the engine, and with numbers in one form."""
    if isinstance(value, dict):
        return {
            name: normal(inner, blacklist, (*path, name))
            for name, inner in value.items()
            if _is_compared(name, inner) and (*path, name) not in blacklist
        }
    if isinstance(value, list | tuple):
        return [normal(one, blacklist, path) for one in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LARGEST:
        return _as_float(value)
    return value


def _as_float(value: int) -> int:
    try:
        return int(float(value))
    except OverflowError:
        return value


def _is_compared(name: str, value: object) -> bool:
    return not name.startswith("_") or name == "_id" or (name == "_deleted" and value is True)


def in_order(entities: Sequence[Any], sort_by: Sequence[str] = ("_id",)) -> list[Any]:
    """Entities by what identifies them, then by all that they say: the order of an expected file."""
    return sorted(entities, key=lambda one: (_key(one, sort_by), _json(one)))


def differences(expected: Sequence[Any], actual: Sequence[Any], rules: Rules) -> list[Difference]:
    """All that differs, entity by entity in the order of an expected file."""
    found: list[tuple[str, list[Difference]]] = []
    for one, other in pairs(expected, actual, rules):
        if other is ABSENT or (one is ABSENT and not rules.extra):
            who = id_of(other if one is ABSENT else one)
            found.append((who, [Difference(who, (), one, other)]))
        elif one is not ABSENT:
            who = id_of(other)
            found.append((who, list(value_differences(who, (), one, other, rules))))
    return [difference for _, some in sorted(found, key=lambda each: each[0]) for difference in some]


def pairs(expected: Sequence[Any], actual: Sequence[Any], rules: Rules) -> Iterator[tuple[Any, Any]]:
    """What is compared with what, as it is compared; `ABSENT` beside what has no partner."""
    wanted = [normal(one, rules.blacklist) for one in expected]
    came = [normal(one, rules.blacklist) for one in actual]
    if rules.ignore_deletes:
        named_ones = {_key(one, rules.sort_by) for one in wanted}
        came = [one for one in came if not _deleted(one) or _key(one, rules.sort_by) in named_ones]
    left: dict[str, list[Any]] = {}
    for one in in_order(came, rules.sort_by):
        left.setdefault(_key(one, rules.sort_by), []).append(one)
    nameless: list[Any] = []
    named: dict[str, list[Any]] = {}
    for one in in_order(wanted, rules.sort_by):
        if rules.matching and not _named(one, rules.sort_by):
            nameless.append(one)
        else:
            named.setdefault(_key(one, rules.sort_by), []).append(one)
    for key, some in named.items():
        rest: list[Any] = []
        yield from _best(some, left.pop(key, []), rules, rest)
        left[key] = rest
    others = [one for some in left.values() for one in some]
    unexpected: list[Any] = []
    yield from _best(nameless, others, rules, unexpected)
    yield from ((ABSENT, one) for one in unexpected)


def _best(wanted: Sequence[Any], came: list[Any], rules: Rules, rest: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Pairs of entities that one name stands for: first those that are the same, then in order. `rest` is left."""
    open_: list[Any] = []
    for one in wanted:
        place = next(
            (place for place, other in enumerate(came) if not any(value_differences("", (), one, other, rules))), None
        )
        if place is None:
            open_.append(one)
        else:
            yield one, came.pop(place)
    for one in open_:
        yield one, came.pop(0) if came else ABSENT
    rest += came


def value_differences(
    id: str,
    path: tuple[str, ...],
    expected: Any,
    actual: Any,
    rules: Rules,
) -> Iterator[Difference]:
    """What differs in a value, property by property."""
    name = name_of(expected) if rules.matching else None
    if name is not None:
        if not holds(name, expected[name], actual, rules.files):
            yield Difference(id, path, expected, actual)
    elif isinstance(expected, dict) and isinstance(actual, dict):
        names = {**expected, **actual} if rules.whole else expected
        for one in sorted(names):
            inner = expected.get(one, ABSENT)
            other = actual.get(one, ABSENT)
            if inner is ABSENT or (other is ABSENT and not (rules.matching and name_of(inner))):
                yield Difference(id, (*path, one), inner, other)
            else:
                yield from value_differences(id, (*path, one), inner, other, rules)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual) and _deep(expected):
        for place, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from value_differences(id, (*path, f"[{place}]"), one, other, rules)
    elif not same(expected, actual):
        yield Difference(id, path, expected, actual)


def _deep(values: list[Any]) -> bool:
    """Whether a list holds more than plain values; a list of those, such as lines, is shown as one."""
    return any(isinstance(one, dict | list) for one in values)


def _named(entity: object, sort_by: Sequence[str]) -> bool:
    return isinstance(entity, dict) and all(one in entity and name_of(entity[one]) is None for one in sort_by)


def _key(entity: object, sort_by: Sequence[str]) -> str:
    if not isinstance(entity, dict):
        return _json(entity)
    return _json([entity.get(name) for name in sort_by])


def _deleted(entity: object) -> bool:
    return isinstance(entity, dict) and entity.get("_deleted") is True


def id_of(entity: object) -> str:
    """What an entity is called where differences are told."""
    found = entity.get("_id") if isinstance(entity, dict) else None
    return found if isinstance(found, str) else "" if found is None else _json(found)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
