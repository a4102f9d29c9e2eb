"""The state's own clock: it never goes back, nobody can set it, and it goes on when the machine starts anew. No I/O.

While the machine runs, steady time is its boot clock plus a shift. When the machine starts anew, or the state is opened
on another one, the boot clock begins from something else, and only the time of day can say how long that took. It is
believed if servers of time held the wall clock right both before and after. Otherwise:

    Steady time goes on from where it was, as if no time had passed. What was stamped before (up to `boundary`) may be
    older than it looks: for an hour at most it counts against the limit, but it is no reason to discard a message.

As soon as the wall clock is held right, `resolved` says how much older those stamps are, and all is exact again.

So no wall clock, however it jumps, lets a message more through, and none discards a message that had a place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

HOUR: Final = 3600
# Whether the wall clock is held right is asked again after so many seconds.
ASK_EVERY: Final = 60.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the clocks of the machine show at an instant."""

    boot_id: str
    boot: float
    wall: float
    synchronised: bool


@dataclass(frozen=True, slots=True)
class Bearings:
    """What is stored to tell steady time.

    `noted` is the latest on record. `anchor` is wall less steady time, None if the wall clock was not held right when
    that was last asked: a clock that nothing corrects drifts. `before` is that of the time up to `boundary`, while it
    is of use.
    """

    boot_id: str
    shift: float
    noted: float
    asked: float
    anchor: float | None = None
    boundary: int | None = None
    before: float | None = None


def first(reading: Reading) -> Bearings:
    """The bearings of a new state: steady time is what the boot clock shows."""
    anchor = reading.wall - reading.boot if reading.synchronised else None
    return Bearings(reading.boot_id, 0.0, reading.boot, reading.boot, anchor)


def steady(bearings: Bearings, boot: float) -> float:
    """The steady time."""
    return max(bearings.noted, boot + bearings.shift)


def restarted(bearings: Bearings, boot_id: str, boot: float) -> bool:
    """Whether the machine started anew since, or is another one.

    Where a machine has no name for its start, a boot clock that went back says so.
    """
    return bearings.boot_id != boot_id or boot + bearings.shift < bearings.noted


def resumed(bearings: Bearings, reading: Reading, latest: int | None) -> Bearings:
    """The bearings after the machine started anew; `latest` is the last second that was stamped so far."""
    if reading.synchronised and bearings.anchor is not None:
        now = max(bearings.noted, reading.wall - bearings.anchor)
        anchor = reading.wall - now
        return replace(bearings, boot_id=reading.boot_id, shift=now - reading.boot, noted=now, asked=now, anchor=anchor)
    return replace(
        bearings,
        boot_id=reading.boot_id,
        shift=bearings.noted - reading.boot,
        asked=bearings.noted,
        anchor=None,
        boundary=max(math.ceil(bearings.noted), latest or 0),
        # Of two restarts before the wall clock was held right, nobody can say which took how long.
        before=bearings.anchor if bearings.boundary is None else None,
    )


def should_ask(bearings: Bearings, now: float) -> bool:
    """Whether it is time to ask if the wall clock is held right."""
    return bearings.before is not None or now >= bearings.asked + ASK_EVERY


def noted(bearings: Bearings, now: float) -> Bearings:
    """The bearings with `now` on record."""
    over = bearings.boundary is not None and now >= bearings.boundary + HOUR
    return replace(bearings, noted=now, boundary=None, before=None) if over else replace(bearings, noted=now)


def resolved(bearings: Bearings, reading: Reading, now: float) -> tuple[Bearings, int]:
    """The bearings after asking, and how many seconds older all is that was stamped up to `boundary`."""
    bearings = replace(bearings, asked=now)
    if not reading.synchronised:
        return replace(bearings, anchor=None), 0
    bearings = replace(bearings, anchor=reading.wall - now)
    if bearings.before is None:
        return bearings, 0
    older = math.floor(max(0.0, reading.wall - bearings.before - now))
    return replace(bearings, boundary=None, before=None), older


def second_of(bearings: Bearings, at: float) -> int:
    """The second with which an acceptance is stamped: rounded up, and never one of those up to `boundary`."""
    second = math.ceil(at)
    return second if bearings.boundary is None else max(second, bearings.boundary + 1)


def over_up_to(now: float) -> int:
    """The last second whose stamps count no more."""
    return math.floor(now) - HOUR


def frees_at(second: int) -> float:
    """The steady time from which a stamp counts no more."""
    return float(second + HOUR)
