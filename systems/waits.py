"""How long to wait after a failure, longer each time, by the strategies of tenacity. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from tenacity import RetryCallState
from tenacity.wait import wait_exponential


class _Attempt(RetryCallState):
    """What a strategy looks at, without the clock that an attempt of tenacity's own reads."""

    def __init__(self, number: int) -> None:
        self.attempt_number = number


@dataclass(frozen=True, slots=True)
class Growth:
    """Waits from `shortest`, or `share` of the longest that this failure may bring, up to that."""

    longest: wait_exponential
    shortest: float = 0.0
    share: float = 0.0

    def seconds(self, failures: int, jitter: float) -> float:
        """The wait after so many failures in a row; `jitter` is a random number from 0 up to 1."""
        high = self.longest(_Attempt(failures))
        low = max(self.shortest, self.share * high)
        return low + jitter * (high - low)
