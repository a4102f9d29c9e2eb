"""What is given to a test, spread over the time that passes in it. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from pipeline.entity import SECOND, Entity, datetime_of

NOW: Final = "2026-01-01T12:00:00Z"
# A test that needs more of one kind has them in a file.
MOST_REPEATED: Final = 100_000

_duration: Final = re.compile(r"\+?(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|min|m|h|d))+", re.ASCII)
_part: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|min|m|h|d)", re.ASCII)
_seconds: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class GivenError(ValueError):
    """What is given cannot be read; `path` leads to it."""

    def __init__(self, text: str, path: tuple[str | int, ...] = ()) -> None:
        """Keep both."""
        super().__init__(text)
        self.path = path


class Moment(NamedTuple):
    """Entities that come at one time, in seconds after the beginning."""

    at: float
    entities: list[Entity]


def seconds_of(text: str) -> float | None:
    """A span of time such as `10s`, `61m`, `1h30m`; None for another text."""
    if not _duration.fullmatch(text):
        return None
    return sum(float(number) * _seconds[unit] for number, unit in _part.findall(text))


def time_of(text: str) -> int | None:
    """A point of time in nanoseconds since 1970; None for another text."""
    found = datetime_of(text)
    return None if found is None else found.ns


def is_script(item: object) -> bool:
    """Whether an item says when or how often an entity comes, and is none itself."""
    return isinstance(item, dict) and "_id" not in item and bool(item) and item.keys() <= _WORDS


_WORDS: Final = {"at", "repeat", "step", "entity", "comment"}


def moments(items: Sequence[Any], now: int, step: float = 0.0) -> list[Moment]:
    """The entities in the order in which they come; `GivenError` where that cannot be told."""
    found: list[Moment] = []
    at, first = 0.0, True
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            raise GivenError("an entity is an object", (place,))
        for pause, entity in _scripted(item, at, now, place) if is_script(item) else _plain(item, step, first=first):
            first = False
            at = max(at, pause) if is_script(item) else at + pause
            if not found or found[-1].at != at:
                found.append(Moment(at, []))
            if entity is not None:
                found[-1].entities.append(entity)
    return found


def _plain(item: Entity, step: float, *, first: bool) -> Iterator[tuple[float, Entity | None]]:
    yield 0.0 if first else step, item


def _scripted(item: Entity, at: float, now: int, place: int) -> Iterator[tuple[float, Entity | None]]:
    """When each entity of an item comes."""
    begin = at if "at" not in item else _at(item["at"], now, place)
    if begin < at:
        raise GivenError("`at` lies before the entity before it", (place, "at"))
    count = item.get("repeat", 1)
    if type(count) is not int or not 1 <= count <= MOST_REPEATED:
        raise GivenError(f"`repeat` is a number from 1 to {MOST_REPEATED:,}", (place, "repeat"))
    step = seconds_of(item["step"]) if isinstance(item.get("step"), str) else 0.0 if "step" not in item else None
    if step is None:
        raise GivenError("`step` is a span of time, such as `10s`", (place, "step"))
    entity = item.get("entity")
    if entity is None and "repeat" not in item:
        yield begin, None
        return
    if not isinstance(entity, dict):
        raise GivenError("`entity` is an object", (place, "entity") if "entity" in item else (place,))
    for number in range(1, count + 1):
        yield begin + (number - 1) * step, _numbered(entity, str(number)) if "repeat" in item else entity


def _at(value: object, now: int, place: int) -> float:
    """Seconds after the beginning."""
    if isinstance(value, str):
        span = seconds_of(value)
        if span is not None:
            return span
        moment = time_of(value)
        if moment is not None:
            return (moment - now) / SECOND
    raise GivenError("`at` is a span after the beginning, such as `+61m`, or a time", (place, "at"))


def _numbered(value: Any, number: str) -> Any:
    """The same with `{n}` replaced in all texts."""
    if isinstance(value, str):
        return value.replace("{n}", number)
    if isinstance(value, dict):
        return {name: _numbered(inner, number) for name, inner in value.items()}
    return [_numbered(one, number) for one in value] if isinstance(value, list) else value
