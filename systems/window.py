"""The sliding window: in every span of an hour at most so many messages are accepted. It decides and says when. No I/O.

A permit is taken before a message is handed over. In flight it counts, however long that takes; `settle` stamps it
with the time of the server's answer, and from then on it counts for an hour. So when a server accepts a message, each
message that it accepted within the hour before is counted, in flight or stamped, and there are never more than `limit`.

A stamp is kept as a whole second, rounded up: a place frees up to a second later than it could, never earlier. An
hour has 3600 seconds, so a million messages take no more memory than 3601 numbers and as many counts.

Times are seconds of one clock that runs on while the machine sleeps and that nobody sets: CLOCK_BOOTTIME, or the clock
of the database that several processes share, read under its lock. The time of day is not one: set forward by an hour
it would empty the window. What is stored across a restart of the machine is moved to the new clock by `restore`.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, takewhile
from typing import Final, NamedTuple

HOUR: Final = 3600
HIGHEST: Final = 2**32 - 1  # so that four bytes count the messages of a second


class Permit(NamedTuple):
    """Leave to hand over so many messages, taken at `taken`. It is for the window that gave it."""

    number: int
    places: int
    taken: float


class Full(NamedTuple):
    """No permit. `free_at` is when so many places will have freed, None if that rests on answers that have not come.

    `never`: more was asked for than the limit lets through in any hour.
    """

    used: int
    limit: int
    free_at: float | None
    never: bool


class Bucket(NamedTuple):
    """How many messages count as accepted at a second."""

    second: int
    places: int


class Window:
    """At most `limit` messages an hour. What counts as one, a message or a recipient, is the caller's."""

    __slots__ = ("_counts", "_flying", "_in_flight", "_limit", "_next", "_now", "_seconds", "_settled")

    def __init__(self, limit: int) -> None:
        """Nothing was sent yet."""
        self.limit = limit
        self._seconds = array("q")  # in order
        self._counts = array("I")  # messages of each second
        self._settled = 0  # the sum of them
        self._flying: dict[int, int] = {}  # permits by number, and how many messages of each have no answer
        self._in_flight = 0  # the sum of them
        self._next = 0
        self._now = -math.inf

    @property
    def limit(self) -> int:
        """The most messages an hour. Set below what was sent, it lets nothing through until enough has passed."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        if not 0 <= limit <= HIGHEST:
            raise ValueError(f"a limit is a number from 0 to {HIGHEST}")
        self._limit = limit

    @property
    def in_flight(self) -> int:
        """How many messages have a permit and no answer."""
        return self._in_flight

    def used(self, now: float) -> int:
        """How many messages count."""
        self._expire(now)
        return self._settled + self._in_flight

    def free(self, now: float) -> int:
        """How many more may go."""
        return max(0, self._limit - self.used(now))

    def take(self, now: float, count: int = 1) -> Permit | Full:
        """A permit for `count` messages, or for none of them and when to ask again."""
        if count < 1:
            raise ValueError("a permit is for 1 message or more")
        used = self.used(now)
        if used + count > self._limit:
            return Full(used, self._limit, self._free_at(used + count - self._limit), count > self._limit)
        permit = Permit(self._next, count, self._now)
        self._next += 1
        self._flying[permit.number] = count
        self._in_flight += count
        return permit

    def settle(self, permit: Permit, at: float, count: int | None = None) -> None:
        """The server answered at `at`, for all of the permit's messages or for `count` of them.

        Whatever it answered, and also if it did not and the message may have gone: they count for an hour.
        """
        second = math.ceil(max(at, permit.taken))
        self._stamp(second, self._land(permit, count))

    def give_back(self, permit: Permit, count: int | None = None) -> None:
        """Messages that certainly did not go count no more."""
        self._land(permit, count)

    def recover(self, now: float) -> int:
        """Stamp what is in flight with `now`, because nobody is left to settle it. How many messages that are."""
        lost = self._in_flight
        if lost:
            self._stamp(math.ceil(max(now, self._now)), lost)
            self._flying.clear()
            self._in_flight = 0
        return lost

    def restore(self, buckets: Iterable[Bucket], shift: float = 0.0) -> None:
        """Count what was stored; `shift` is what this clock shows less what that one showed at the same moment."""
        for second, places in buckets:
            if places < 0:
                raise ValueError("a second has 0 messages or more")
            if places:
                self._stamp(math.ceil(second + shift), places)

    def buckets(self, now: float) -> Iterator[Bucket]:
        """What counts and is not in flight, by second: to store it, or to show when which places free."""
        self._expire(now)
        return map(Bucket, self._seconds.tolist(), self._counts.tolist())

    def _expire(self, now: float) -> None:
        """Forget what is an hour old. A clock that goes back stands still here."""
        self._now = max(self._now, now)
        seconds = self._seconds
        if seconds and seconds[0] + HOUR <= self._now:
            old = bisect_right(seconds, math.floor(self._now) - HOUR)
            self._settled -= sum(self._counts[:old])
            del seconds[:old], self._counts[:old]

    def _land(self, permit: Permit, count: int | None) -> int:
        """Take messages out of flight. A permit that is counted twice would let too many through."""
        flying = self._flying.get(permit.number, 0)
        count = flying if count is None else count
        if not 1 <= count <= flying:
            raise ValueError("the permit has not so many messages in flight")
        if count == flying:
            del self._flying[permit.number]
        else:
            self._flying[permit.number] = flying - count
        self._in_flight -= count
        return count

    def _stamp(self, second: int, count: int) -> None:
        seconds = self._seconds
        self._settled += count
        if seconds and seconds[-1] == second:
            self._counts[-1] += count
        elif not seconds or seconds[-1] < second:
            seconds.append(second)
            self._counts.append(count)
        else:
            index = bisect_left(seconds, second)
            if seconds[index] == second:
                self._counts[index] += count
            else:
                seconds.insert(index, second)
                self._counts.insert(index, count)

    def _free_at(self, needed: int) -> float | None:
        """When so many of the stamped messages will be an hour old."""
        if self._settled < needed:
            return None
        # Most often the first second is enough.
        index = len(list(takewhile(needed.__gt__, accumulate(self._counts))))
        return float(self._seconds[index] + HOUR)
