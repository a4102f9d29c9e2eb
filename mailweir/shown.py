"""How lists show mail: addresses shortened, how long, when, who is left, what a server said. No I/O.

Times are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

# As many digits of an id as two messages hardly share.
SHORT: Final = 8
_units: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def address(text: str, *, full: bool) -> str:
    """`k…@example.com`, and of a telephone number `+47…66`, unless it is wanted in full."""
    name, at, host = text.rpartition("@")
    if full or not text:
        return text
    if not at and text[:1] == "+":
        return f"{text[:3]}…{text[-2:]}"
    return f"{name[:1]}…@{host}" if at else text


def whom(left: Sequence[str], total: int, *, full: bool) -> str:
    """For whom a mail still is, of so many: an address, or how many there are."""
    if len(left) == 1:
        one = address(left[0], full=full)
        return one if total == 1 else f"{one} of {total}"
    return f"{len(left)} of {total}" if len(left) < total else f"{len(left)} recipients"


def ago(seconds: float) -> str:
    """How long, in one unit: `3 h`."""
    whole = max(0, int(seconds))
    size, unit = next(((size, unit) for size, unit in _units if whole >= size), (1, "s"))
    return f"{whole // size} {unit}"


def wait(seconds: float) -> str:
    """How long, in two units, for who waits: `6 min 12 s`."""
    whole = max(0, int(seconds))
    parts = []
    for size, unit in _units:
        if whole >= size:
            parts.append(f"{whole // size} {unit}")
            whole %= size
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def moment(seconds: float) -> str:
    """A time as RFC 3339 has it, in UTC."""
    return f"{_EPOCH + timedelta(seconds=int(seconds)):%Y-%m-%dT%H:%M:%SZ}"


def time_of(seconds: float, now: float, zone: tzinfo) -> str:
    """A time of today by the clock, another one with its day."""
    at, today = ((_EPOCH + timedelta(seconds=int(each))).astimezone(zone) for each in (seconds, now))
    return f"{at:%H:%M:%S}" if at.date() == today.date() else f"{at:%Y-%m-%d %H:%M:%S}"


def said(code: int | None, enhanced: str | None, text: str | None) -> str:
    """What a server said, on one line."""
    return " ".join(str(part) for part in (code, enhanced, text) if part)
