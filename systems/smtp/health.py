"""How a server, or a whole system, is: values that say whether to try it, and when again. No I/O.

    closed     it works, so far as anybody knows
    open       it failed: nothing is tried until `until`
    half-open  the wait is over: one session finds out

`failed` opens a circuit, or opens it anew and for longer; `worked` closes it. That a circuit becomes half-open needs
nobody to say so, and that one session only finds out is seen from the sessions, so no mark can be left behind.

Times are seconds of one clock that nobody sets. `jitter` is a random number from 0 up to 1, made by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from tenacity.wait import wait_exponential

from systems.mail import Reason
from systems.waits import Growth

# A server that finds its clients too many is given one more each so many seconds.
GROW_EVERY: Final = 60.0
MOST_FAILURES: Final = 10_000


class State(StrEnum):
    """Whether to try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Cause(StrEnum):
    """What went wrong, so far as it decides how long to wait."""

    NETWORK = "network"
    LOGIN = "login"


_growth: Final = {
    # As `wait_random_exponential`: many clients that a server lost come back at many times.
    Cause.NETWORK: Growth(wait_exponential(multiplier=2, max=300), shortest=1.0, share=0.0),
    # Never sooner than five minutes, so that no account is locked, and never later than an hour.
    Cause.LOGIN: Growth(wait_exponential(multiplier=375, max=3600), shortest=300.0, share=0.8),
}


def cause_of(reason: Reason) -> Cause:
    """How a fault of a system counts: a refused login wants patience, everything else may heal soon."""
    return Cause.LOGIN if reason is Reason.LOGIN_REFUSED else Cause.NETWORK


@dataclass(frozen=True, slots=True)
class Circuit:
    """The health of one server or system. The empty one is closed.

    Refused logins are counted apart: a server that is out of reach between two of them does not make it forget.
    """

    faults: int = 0
    logins: int = 0
    cause: Cause | None = None
    until: float = 0.0

    def state(self, now: float) -> State:
        """Whether to try now."""
        if self.cause is None:
            return State.CLOSED
        return State.OPEN if now < self.until else State.HALF_OPEN

    def failed(self, cause: Cause, now: float, jitter: float) -> Circuit:
        """The circuit after a failure. What several sessions meet at once counts once."""
        if self.state(now) is State.OPEN and cause in {self.cause, Cause.NETWORK}:
            return self
        if cause is Cause.LOGIN:
            logins = min(self.logins + 1, MOST_FAILURES)
            return Circuit(0, logins, cause, now + _growth[cause].seconds(logins, jitter))
        faults = min(self.faults + 1, MOST_FAILURES)
        return Circuit(faults, self.logins, cause, now + _growth[cause].seconds(faults, jitter))

    def worked(self) -> Circuit:
        """The circuit after a session became ready for mail. An older session that goes on proves less."""
        return Circuit()

    def plain(self, now: float, wall: float) -> dict[str, str | int | float | None]:
        """Plain values to store; `wall` is the time of day that belongs to `now`."""
        cause = None if self.cause is None else self.cause.value
        until = 0.0 if self.cause is None else wall + self.until - now
        return {"faults": self.faults, "logins": self.logins, "cause": cause, "until": until}

    @classmethod
    def stored(cls, values: Mapping[str, object], now: float, wall: float) -> Self:
        """The circuit of stored values; a closed one if they are none.

        A time of day that somebody set makes the wait shorter or longer, but never longer than it can be at most.
        """
        faults, logins, until = _count(values.get("faults")), _count(values.get("logins")), values.get("until")
        cause = next((each for each in Cause if each.value == values.get("cause")), None)
        if cause is None or faults is None or logins is None or not isinstance(until, int | float):
            return cls()
        most = _growth[cause].seconds(max(1, logins if cause is Cause.LOGIN else faults), 1.0)
        left = until - wall
        return cls(faults, logins, cause, now + (min(left, most) if left > 0 else 0.0))


def _count(value: object) -> int | None:
    """A number of failures; None if it is none."""
    return value if isinstance(value, int) and 0 <= value <= MOST_FAILURES else None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How many connections a server takes, as learnt from its refusals. The empty one knows of no limit."""

    most: int | None = None
    since: float = 0.0

    def crowded(self, connections: int, begun: float, now: float) -> Ceiling:
        """After the server found `connections` too many and refused one that began to open at `begun`: half of them.

        One that began before the ceiling was lowered says nothing new. A server that refuses the only connection is
        not crowded but out of order.
        """
        if self.most is not None and begun < self.since:
            return self
        return Ceiling(max(1, connections // 2), now)

    def at(self, now: float, connections: int) -> int:
        """How many connections of those configured may be there now."""
        return connections if self.most is None else min(connections, self.most + self._steps(now))

    def grows_at(self, now: float) -> float | None:
        """When one more may be there; None if there is no limit to grow from."""
        return None if self.most is None else self.since + GROW_EVERY * (self._steps(now) + 1)

    def _steps(self, now: float) -> int:
        steps = int(max(0.0, now - self.since) // GROW_EVERY)
        # The time that `grows_at` said has come, also where the division rounds down.
        return steps + (self.since + GROW_EVERY * (steps + 1) <= now)
