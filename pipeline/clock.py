"""The clocks of a machine, and one that a test turns by hand.

Two clocks are needed. `boot` runs on while the machine sleeps and nobody can set it, so what is limited and what is
waited for is measured on it; it begins anew with the machine, whose `boot_id` tells one start from another. `wall` is
the time of day: for people to read, and to find out how long the machine was off.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
# What adjtimex(2) answers while nothing holds the clock right, also after somebody set it by hand.
_UNSYNCHRONISED: Final = 5
# struct timex has 208 bytes on 64-bit Linux.
_TIMEX_ROOM: Final = 512


class Clock(Protocol):
    """What the engine asks of the time. Seconds."""

    @property
    def boot_id(self) -> str:
        """The name of this start of the machine; `""` where the machine has none."""
        ...

    def boot(self) -> float:
        """Seconds since the machine started, sleep included."""
        ...

    def wall(self) -> float:
        """Seconds since 1970."""
        ...

    def synchronised(self) -> bool:
        """Whether servers of time hold `wall` right just now."""
        ...


class MachineClock:
    """The clocks of this machine."""

    def __init__(self) -> None:
        """Ask for the name of this start once."""
        try:
            self._boot_id = _BOOT_ID.read_text("ascii").strip()
        except (OSError, ValueError):
            self._boot_id = ""
        # Elsewhere than on Linux the monotonic clock is the one that counts sleep.
        self._clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    @property
    def boot_id(self) -> str:
        """The name of this start of the machine."""
        return self._boot_id

    def boot(self) -> float:
        """Seconds since the machine started."""
        return time.clock_gettime(self._clock)

    def wall(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def synchronised(self) -> bool:
        """Whether the kernel says that its clock is held right."""
        return _kernel_is_synchronised()


def _kernel_is_synchronised() -> bool:
    import ctypes  # noqa: PLC0415 # slow to load, and asked for seldom

    ask = _adjtimex()
    if ask is None:
        return False
    # All zeros: change nothing, say how it is.
    answer: int = ask(ctypes.create_string_buffer(_TIMEX_ROOM))
    return 0 <= answer < _UNSYNCHRONISED


@cache
def _adjtimex():  # type: ignore[no-untyped-def] # noqa: ANN202 # a function of the C library, or None
    import ctypes  # noqa: PLC0415 # as above

    return getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)


@dataclass
class VirtualClock:
    """A clock that stands still until it is told."""

    boot_time: float = 1000.0
    wall_time: float = 1_800_000_000.0
    boot_id: str = "boot-1"
    held_right: bool = True

    def boot(self) -> float:
        """Seconds since the machine started."""
        return self.boot_time

    def wall(self) -> float:
        """Seconds since 1970."""
        return self.wall_time

    def synchronised(self) -> bool:
        """Whether `wall` is held right."""
        return self.held_right

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.boot_time += seconds
        self.wall_time += seconds

    def restart(self, boot_id: str, seconds_off: float = 0.0) -> None:
        """Restart the machine, which was off for a while."""
        self.boot_id = boot_id
        self.boot_time = 0.0
        self.wall_time += seconds_off
