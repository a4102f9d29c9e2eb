"""The sliding window of a limit over time: how many messages counted when, against which limit. No I/O.

It is what the limiter goes by: a message counts from the second in which a server took it, and an hour from there on.
What is on its way counts too, but when it began to is not on record, so only the last value has it.

Times are wall times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from pipeline.state.facts import Retention
from pipeline.state.steady import HOUR
from pipeline.state.views import Discarded, Freeing, LimitChange

# What is shown at a time, by its word.
SPANS: Final = {"1h": HOUR, "6h": 6 * HOUR, "24h": 24 * HOUR, "7d": 7 * 24 * HOUR}
USUAL: Final = "6h"
# How long a message may be on its way: a server takes so long for the answer that counts (RFC 5321 section 4.5.3.2.6).
# One that left below a limit may so arrive above it, when it was lowered meanwhile.
ON_ITS_WAY: Final = 600.0
# Up or down within so many seconds is a trend.
_RECENT: Final = 300.0
_MINUTE: Final = 60

Trend = Literal["rising", "falling", "steady"]


class Step(NamedTuple):
    """A value from a time on."""

    at: float
    value: int


class Series(NamedTuple):
    """One window from `begin` to `end`. `broken` are times at which a message was taken above the limit."""

    begin: float
    end: float
    used: tuple[Step, ...]
    limits: tuple[Step, ...]
    discarded: tuple[Discarded, ...]
    broken: tuple[Step, ...]
    in_flight: int

    @property
    def now(self) -> int:
        """How many count at the end."""
        return self.used[-1].value

    @property
    def highest(self) -> int:
        """The highest value of all."""
        return max(step.value for step in (*self.used, *self.limits))

    @property
    def trend(self) -> Trend:
        """Where it goes."""
        before = value_at(self.used, max(self.begin, self.end - _RECENT))
        return "steady" if before == self.now else "rising" if before < self.now else "falling"

    @property
    def thrown(self) -> int:
        """How many messages were discarded."""
        return sum(one.many for one in self.discarded)


def begin_of(span: float, now: float) -> float:
    """Where the picture of a span begins: not before the count of a whole hour is known."""
    return max(now - span, now - Retention().history + HOUR)


def series_of(
    begin: float,
    now: float,
    taken: Iterable[Freeing],
    in_flight: int,
    limit: int,
    changes: Iterable[LimitChange],
    discarded: Iterable[Discarded],
) -> Series:
    """A window between two times.

    `taken` is what servers took from an hour before `begin` on, `changes` are those of the limit, in any order, and
    `limit` is today's.
    """
    # Acceptances are stamped with the second that they fall into, rounded up; they count at once.
    stamps = [Freeing(min(one.at, now), one.places) for one in taken]
    used = _used(begin, now, stamps, in_flight)
    limits = _limits(begin, now, limit, changes)
    seconds = {one.at for one in stamps}
    broken = tuple(
        step
        for step in used
        if step.at in seconds and step.value > _highest_since(limits, step.at - ON_ITS_WAY, step.at)
    )
    return Series(begin, now, used, limits, tuple(discarded), broken, in_flight)


def value_at(steps: Sequence[Step], at: float) -> int:
    """The value at a time."""
    return next((step.value for step in reversed(steps) if step.at <= at), steps[0].value)


def _used(begin: float, now: float, stamps: Iterable[Freeing], in_flight: int) -> tuple[Step, ...]:
    changes: Counter[float] = Counter()
    for at, places in stamps:
        if at + HOUR > begin:
            changes[max(at, begin)] += places
            if at + HOUR <= now:
                changes[at + HOUR] -= places
    changes[begin] += 0
    changes[now] += in_flight
    steps: list[Step] = []
    value = 0
    for at in sorted(changes):
        value += changes[at]
        steps.append(Step(at, value))
    return tuple(steps)


def _limits(begin: float, now: float, limit: int, changes: Iterable[LimitChange]) -> tuple[Step, ...]:
    known = sorted(changes)
    before = [one for one in known if one.at <= begin]
    # Of a time before the first that is on record, the first is the best that is known.
    first = before[-1].limit if before else known[0].limit if known else limit
    steps = [Step(begin, first), *(Step(one.at, one.limit) for one in known if begin < one.at <= now)]
    if steps[-1].value != limit:
        steps.append(Step(now, limit))
    return tuple(steps)


def _highest_since(limits: Sequence[Step], since: float, until: float) -> int:
    return max(value_at(limits, since), *(step.value for step in limits if since <= step.at <= until), 0)


def thinned(steps: Sequence[Step], begin: float, end: float, columns: int) -> Iterator[Step]:
    """The same line for a picture of so many columns: of each the first, lowest, highest and last value, in order."""
    width = (end - begin) / columns
    column: list[Step] = []
    number = 0
    for step in steps:
        mine = min(columns - 1, int((step.at - begin) / width)) if width > 0 else 0
        if mine != number and column:
            yield from _corners(column)
            column = []
        number = mine
        column.append(step)
    yield from _corners(column)


def _corners(column: Sequence[Step]) -> list[Step]:
    if len(column) <= 4:
        return list(column)
    kept = {0, len(column) - 1}
    kept.add(min(range(len(column)), key=lambda at: column[at].value))
    kept.add(max(range(len(column)), key=lambda at: column[at].value))
    return [column[at] for at in sorted(kept)]


def by_minute(freeing: Iterable[Freeing]) -> list[Freeing]:
    """How many places come free in each minute, with its beginning."""
    found: Counter[int] = Counter()
    for at, places in freeing:
        found[int(at // _MINUTE) * _MINUTE] += places
    return [Freeing(float(minute), found[minute]) for minute in sorted(found)]
