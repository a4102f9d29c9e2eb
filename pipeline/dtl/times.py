"""Points of time as texts and by the clocks of zones. No I/O; the rules of the zones are those of this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from pipeline.dtl.limits import bounded
from pipeline.entity import DAY, SECOND, Datetime

# More than any format needs; each character of it costs time for each value.
_MOST_FORMAT: Final = 1_000

# Possessive: what a token takes it keeps, so that no text takes more time than its length.
_PATTERNS: Final[Mapping[str, str]] = {
    **dict.fromkeys("deHImMS", "([0-9]{1,2}+)"),
    "f": "([0-9]{1,9}+)",
    "p": "([aApP][mM])",
    "y": "([0-9]{2})",
    "Y": "([0-9]{4})",
    "z": "(Z|[+-][0-9]{2}:?+[0-9]{2})",
    "%": "%",
}
_WRITTEN: Final[Mapping[str, str]] = {
    "d": "{0.day:02}",
    "e": "{0.day}",
    "H": "{0.hour:02}",
    "I": "{1:02}",
    "m": "{0.month:02}",
    "M": "{0.minute:02}",
    "p": "{2}",
    "S": "{0.second:02}",
    "f": "{0.microsecond:06}",
    "y": "{3:02}",
    "Y": "{0.year:04}",
    "z": "{4}",
    "%": "%",
}
_token: Final = re.compile(r"%(.?)", re.DOTALL)
_iso: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """The time zone of this name; ValueError if there is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not there, no name of a file in there, a folder
        raise ValueError(f"`{name}` is no time zone") from None


class _Read(NamedTuple):
    """A format, ready to read."""

    pattern: re.Pattern[str]
    fields: tuple[str, ...]


@lru_cache(maxsize=256)
def _reader(form: str) -> _Read:
    fields: list[str] = []

    def pattern(sign: str) -> str:
        if sign != "%":
            fields.append(sign)
        return _PATTERNS[sign]

    text = _translated(form, pattern, re.escape)
    if "z" in fields[:-1] or ("z" in fields and not form.endswith("%z")):
        raise ValueError("`%z` stands at the end of a format")
    return _Read(re.compile(text), tuple(fields))


@lru_cache(maxsize=256)
def _writer(form: str) -> Callable[..., str]:
    return _translated(form, _WRITTEN.__getitem__, lambda text: text.replace("{", "{{").replace("}", "}}")).format


def _translated(form: str, of_token: Callable[[str], str], of_text: Callable[[str], str]) -> str:
    bounded(len(form), _MOST_FORMAT, "characters of a format")
    parts, at = [], 0
    for found in _token.finditer(form):
        if found[1] not in _PATTERNS:
            raise ValueError(f"`{found[0]}` is nothing that a format can have")
        parts += [of_text(form[at : found.start()]), of_token(found[1])]
        at = found.end()
    return "".join([*parts, of_text(form[at:])])


def read(form: str, text: str, where: tzinfo) -> Datetime | None:
    """The time that a text tells in a format, by the clock of a zone; None if it does not, or not within our years."""
    pattern, names = _reader(form)
    found = pattern.fullmatch(text)
    if found is None:
        return None
    fields = dict(zip(names, found.groups(), strict=True))
    # What is not told is that of the first moment of 1900, as everywhere that formats are read.
    year = int(fields.get("Y", 1900))
    if "y" in fields:
        short = int(fields["y"])
        year = short + (2000 if short < 69 else 1900)  # POSIX
    hour = int(fields.get("H", 0))
    if "I" in fields:
        hour = int(fields["I"])
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if fields.get("p", "").lower() == "pm" else 0)
    day = fields.get("d") or fields.get("e") or "1"
    wall = _wall((year, int(fields.get("m", 1)), int(day)), (hour, int(fields.get("M", 0)), int(fields.get("S", 0))))
    if wall is None:
        return None
    return _moment(wall + _part(fields.get("f")), fields.get("z"), where)


def read_iso(text: str) -> Datetime | None:
    """The time that a text tells as ISO 8601 says, in UTC unless it names an offset; None if it does not."""
    found = _iso.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, part, offset = found.groups()
    wall = _wall((int(year), int(month), int(day)), (int(hour or 0), int(minute or 0), int(second or 0)))
    return None if wall is None else _moment(wall + _part(part), offset, UTC)


def _part(digits: str | None) -> int:
    return int(digits.ljust(9, "0")) if digits else 0


def _wall(day: tuple[int, int, int], clock: tuple[int, int, int]) -> int | None:
    """Nanoseconds since 1970 by a clock on the wall; None if no clock can show it."""
    hour, minute, second = clock
    if hour > 23 or minute > 59 or second > 59:
        return None
    try:
        days = date(*day).toordinal() - _FIRST
    except ValueError:
        return None
    return days * DAY + ((hour * 60 + minute) * 60 + second) * SECOND


_FIRST: Final = date(1970, 1, 1).toordinal()


def _moment(wall: int, offset: str | None, where: tzinfo) -> Datetime | None:
    if offset is None:
        return by_clock(wall, where)
    if offset == "Z":
        return _time(wall)
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 23 or minutes > 59:
        return None
    seconds = (hours * 60 + minutes) * 60
    return _time(wall + (seconds if offset[0] == "-" else -seconds) * SECOND)


def _time(ns: int) -> Datetime | None:
    try:
        return Datetime(ns)
    except ValueError:
        return None


def by_clock(wall: int, where: tzinfo) -> Datetime | None:
    """The time at which the clock of a zone shows this. Standard time counts, where it shows it twice or never."""
    if where is UTC:
        return _time(wall)
    shown = Datetime(wall).moment.replace(tzinfo=where)
    offsets = [shown.utcoffset(), shown.replace(fold=1).utcoffset()]
    return _time(wall - min(int(one.total_seconds()) for one in offsets if one is not None) * SECOND)


def on_clock(moment: Datetime, where: tzinfo) -> int | None:
    """What the clock of a zone shows then, as nanoseconds since 1970; None if it is outside of our years."""
    shown = _shown(moment, where)
    offset = None if shown is None else shown.utcoffset()
    return None if offset is None else moment.ns + int(offset.total_seconds()) * SECOND


def _shown(moment: Datetime, where: tzinfo) -> datetime | None:
    try:
        return moment.moment.astimezone(where)
    except OverflowError:
        return None


def written(form: str, moment: Datetime, where: tzinfo) -> str | None:
    """A time in a format, as the clock of a zone shows it; None if that is outside of our years."""
    shown = _shown(moment, where)
    if shown is None:
        return None
    noon = "AM" if shown.hour < 12 else "PM"
    return _writer(form)(shown, (shown.hour + 11) % 12 + 1, noon, shown.year % 100, f"{shown:%z}"[:5])


PARTS: Final[Mapping[str, int]] = {
    "week": 7 * DAY,
    "day": DAY,
    "hour": 3600 * SECOND,
    "minute": 60 * SECOND,
    "second": SECOND,
    "millisecond": 1_000_000,
    "microsecond": 1_000,
    "nanosecond": 1,
}
"""Parts of time that are always of one length, in nanoseconds."""
MONTHS: Final[Mapping[str, int]] = {"year": 12, "month": 1}
"""Those that are not, in months."""


def known_part(part: Any) -> str:
    """The name of a part of time; ValueError for anything else."""
    if type(part) is str and (part in PARTS or part in MONTHS):
        return part
    raise ValueError("the part is one of " + ", ".join(f"`{name}`" for name in (*MONTHS, *PARTS)))


def later(moment: Datetime, part: str, number: int) -> Datetime | None:
    """The time so many parts later; the last day of a month that is too short. None outside of our years."""
    if part in PARTS:
        return _time(moment.ns + number * PARTS[part])
    shown = moment.moment
    year, month = divmod(shown.year * 12 + shown.month - 1 + number * MONTHS[part], 12)
    if not 1 <= year <= 9999:
        return None
    # The day before the first of the next month is the last of this one.
    last = 31 if month == 11 else (date(year, month + 2, 1) - date(year, month + 1, 1)).days
    days = date(year, month + 1, min(shown.day, last)).toordinal() - _FIRST
    return Datetime(days * DAY + moment.ns % DAY)


def between(start: Datetime, end: Datetime, part: str) -> int:
    """How many whole parts there are from `end` to `start`; negative where `start` is earlier."""
    if start < end:
        return -between(end, start, part)
    if part in PARTS:
        return (start.ns - end.ns) // PARTS[part]
    last, first = start.moment, end.moment
    months = (last.year - first.year) * 12 + last.month - first.month
    if (last.day, start.ns % DAY) < (first.day, end.ns % DAY):
        months -= 1
    return months // MONTHS[part]
