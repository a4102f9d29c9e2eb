"""Dates and times in a template: read from what entities have, written as people of a country write them. No I/O.

The zones come from the database of the system or the package `tzdata`, through the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from pipeline.config.near import near
from pipeline.entity import Date, Datetime
from pipeline.template.limits import Failed
from pipeline.template.locales import LOCALES, Locale

_ISO: Final = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2})?)(?:\.(?P<part>\d{1,9}))?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_DIRECTIVE: Final = re.compile(r"%(-?)(.?)", re.DOTALL)
# 2400-01-01: whole numbers count nanoseconds since 1970, and what lies beyond was meant in another unit.
_LAST: Final = 13_569_465_600_000_000_000


def moment(value: Any) -> datetime | date:
    """A date or time from a date or time, ISO 8601 text (also with `~t` before it), or nanoseconds since 1970."""
    if isinstance(value, date):
        return value
    if isinstance(value, Datetime):
        return value.moment.date() if isinstance(value, Date) else value.moment
    if isinstance(value, str):
        found = _ISO.fullmatch(value.strip().removeprefix("~t"))
        if found is None:
            raise Failed("this text is no time in the form 2026-11-21T13:30:00Z")
        try:
            day = date.fromisoformat(found["date"])
            if found["time"] is None:
                return day
            parts = time.fromisoformat(found["time"]).replace(microsecond=int((found["part"] or "0").ljust(6, "0")[:6]))
            zone = datetime.fromisoformat(f"2000-01-01T00:00:00{found['zone'] or 'Z'}").tzinfo
        except ValueError:
            raise Failed("this text looks like a time, but there is no such day or hour") from None
        return datetime.combine(day, parts, zone)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if not -_LAST < value < _LAST:
            raise Failed("this number is no time: whole numbers count nanoseconds since 1970")
        seconds, rest = divmod(int(value), 1_000_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    raise Failed("this is no time")


def in_zone(when: datetime | date, zone: str) -> datetime | date:
    """The same moment as clocks in a zone show it. A day is the same day everywhere; a time without zone is UTC."""
    try:
        clock = UTC if zone == "UTC" else ZoneInfo(zone)
    except (OSError, LookupError, ValueError):
        raise Failed(f"there is no time zone `{zone[:40]}`", "write one such as `Europe/Oslo`") from None
    if not isinstance(when, datetime):
        return when
    try:
        return (when.replace(tzinfo=UTC) if when.tzinfo is None else when).astimezone(clock)
    except OverflowError:
        raise Failed("this time lies outside of the calendar in that zone") from None


def locale_of(name: str) -> Locale:
    """The customs of a language or country: `nb`, `en-GB`, `de_CH`."""
    wanted = str(name).replace("_", "-")
    found = LOCALES.get(wanted) or LOCALES.get(wanted.split("-")[0])
    if found is None:
        close = near(wanted, list(LOCALES))
        known = ", ".join(f"`{each}`" for each in LOCALES)
        raise Failed(
            f"there is no locale `{wanted[:40]}`", f"did you mean `{close[0]}`?" if close else f"known are {known}"
        )
    return found


def formatted(when: datetime | date, pattern: str, locale: str = "en") -> str:
    """A date or time by `strftime` directives, with the names of months and days of a locale."""
    words = locale_of(locale)

    def one(found: re.Match[str]) -> str:
        bare, letter = found.groups()
        if letter == "%":
            return "%"
        write = _WRITE.get(letter)
        if write is None:
            raise Failed(f"`{found[0]}` is no part of a time", "write for example `%d.%m.%Y`")
        if letter in _HOURS and not isinstance(when, datetime):
            raise Failed(f"a date has no hours for `{found[0]}`")
        text = write(when, words)  # type: ignore[arg-type]
        return text.lstrip("0 ") or "0" if bare else text

    return _DIRECTIVE.sub(one, pattern)


def _offset(when: datetime) -> str:
    return when.strftime("%z") or "+0000"


_HOURS: Final = frozenset("HIMSfpzZ")
_WRITE: Final[Mapping[str, Callable[[datetime, Locale], str]]] = {
    "Y": lambda when, _: f"{when.year:04}",
    "y": lambda when, _: f"{when.year % 100:02}",
    "m": lambda when, _: f"{when.month:02}",
    "d": lambda when, _: f"{when.day:02}",
    "e": lambda when, _: f"{when.day:2}",
    "j": lambda when, _: f"{when.timetuple().tm_yday:03}",
    "H": lambda when, _: f"{when.hour:02}",
    "I": lambda when, _: f"{when.hour % 12 or 12:02}",
    "M": lambda when, _: f"{when.minute:02}",
    "S": lambda when, _: f"{when.second:02}",
    "f": lambda when, _: f"{when.microsecond:06}",
    "p": lambda when, _: "AM" if when.hour < 12 else "PM",
    "z": lambda when, _: _offset(when),
    "Z": lambda when, _: when.tzname() or "UTC",
    "A": lambda when, words: words.days[when.weekday()],
    "a": lambda when, words: words.short_days[when.weekday()],
    "B": lambda when, words: words.months[when.month - 1],
    "b": lambda when, words: words.short_months[when.month - 1],
    "u": lambda when, _: str(when.isoweekday()),
    "w": lambda when, _: str(when.isoweekday() % 7),
    "V": lambda when, _: f"{when.isocalendar().week:02}",
    "G": lambda when, _: f"{when.isocalendar().year:04}",
}
