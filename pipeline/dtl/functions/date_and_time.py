"""Functions of dates and times. No I/O; the time comes from the host."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any, Final

from pipeline.dtl.casts import cast, type_test
from pipeline.dtl.registry import DROP, Making, Run, Subject, shows
from pipeline.dtl.times import between, by_clock, known_part, later, on_clock, read, read_iso, written, zone
from pipeline.dtl.tree import Call
from pipeline.dtl.values import TIMES, first
from pipeline.entity import Date, Datetime

date_and_time: Final = Subject(
    "date-and-time",
    "Date and time",
    "A time is a point in UTC, to the nanosecond, in the years 1 to 9999; what would be outside of them is left out. "
    "The parts of a time are `year`, `month`, `week`, `day`, `hour`, `minute`, `second`, `millisecond`, `microsecond` "
    "and `nanosecond`. A format has these tokens:\n\n"
    "| token | stands for |\n"
    "|---|---|\n"
    "| `%Y` | year, four digits |\n"
    "| `%y` | the last two digits of a year: 69 to 99 are read as 1969 to 1999, 00 to 68 as 2000 to 2068 |\n"
    "| `%m` | month, two digits |\n"
    "| `%d` | day of the month, two digits |\n"
    "| `%e` | day of the month, one or two digits |\n"
    "| `%H` | hour, 00 to 23 |\n"
    "| `%I` | hour, 01 to 12 |\n"
    "| `%p` | AM or PM |\n"
    "| `%M` | minute |\n"
    "| `%S` | second |\n"
    "| `%f` | fraction of a second: read up to nine digits, written with six |\n"
    "| `%z` | offset from UTC, `+0200`; also read as `+02:00`. Only at the end of a format that reads |\n"
    "| `%%` | `%` |\n\n"
    "Where a clock shows the same time twice in a year, or skips it, a time without an offset is in standard time.",
)


@cast(
    date_and_time,
    "datetime",
    "The time that each string tells as ISO 8601 says, or each whole number as nanoseconds since 1970.",
    shows(["datetime", "_S.at"], "~t2026-03-01T09:30:00Z", {"at": "2026-03-01T10:30:00+01:00"}),
    shows(
        ["datetime", ["list", 1_500_000_000, "1.3.2026", "2026-03-01"]],
        ["~t1970-01-01T00:00:01.5Z", "~t2026-03-01T00:00:00Z"],
    ),
    shows(["datetime", ["string", "_."], ["list", "soon"]], ["soon"]),
    shows(["datetime", None], None),
)
def _datetime(value: Any) -> Any:
    kind = type(value)
    if kind is Datetime:
        return value
    if kind is str:
        found = read_iso(value)
        return DROP if found is None else found
    if kind is int or kind is Date:
        try:
            return Datetime(value if kind is int else value.ns)
        except ValueError:
            return DROP
    return DROP


def _zone(name: Any) -> tzinfo:
    if name is None:
        return UTC
    if type(name) is not str:
        raise ValueError("a time zone is a string")
    return zone(name)


def _format(form: Any) -> str:
    if type(form) is not str:
        raise ValueError("FORMAT is a string")
    return form


@date_and_time.each(
    "datetime-parse",
    "[ZONE] FORMAT VALUES",
    str,
    "The time that each string tells in FORMAT, by the clock of ZONE, or else in UTC. What does not is left out.",
    shows(["datetime-parse", "%d.%m.%Y %H:%M", "_S.at"], "~t2026-03-01T10:30:00Z", {"at": "01.03.2026 10:30"}),
    shows(
        ["datetime-parse", "Europe/Oslo", "%e/%m-%y", ["list", "1/07-26", "32/07-26", 5]], ["~t2026-06-30T22:00:00Z"]
    ),
    shows(["datetime-parse", "%I:%M %p%z", "12:30 am+0100"], "~t1899-12-31T23:30:00Z"),
    shows(["datetime-parse", "%Y", None], None),
)
def _parse(name: Any, form: Any, text: str) -> Any:
    found = read(_format(form), text, _zone(name))
    return DROP if found is None else found


@date_and_time.each(
    "datetime-format",
    "[ZONE] FORMAT VALUES",
    TIMES,
    "Each time as a string in FORMAT, as the clock of ZONE shows it, or else in UTC.",
    shows(["datetime-format", "%d.%m.%Y", "_S.at"], "01.03.2026", {"at": "~t2026-03-01T23:30:00Z"}),
    shows(
        ["datetime-format", "Europe/Oslo", "%Y-%m-%dT%H:%M:%S%z", ["list", "~t2026-07-01", "2026-07-01"]],
        ["2026-07-01T02:00:00+0200"],
    ),
    shows(["datetime-format", "%e %I %p %y %f %%", "~t2026-03-01T00:00:00.123456789Z"], "1 12 AM 26 123456 %"),
    shows(["datetime-format", "%Y", None], None),
)
def _written(name: Any, form: Any, moment: Datetime) -> Any:
    found = written(_format(form), moment, _zone(name))
    return DROP if found is None else found


@date_and_time.each(
    "datetime-shift",
    "FROM TO VALUES",
    TIMES,
    "Each time as the clock of the zone TO shows it when that of the zone FROM shows what it is in UTC. Times by local "
    "clocks that were read as UTC are put right with TO as `UTC`.",
    shows(
        ["datetime-shift", "Europe/Oslo", "UTC", "_S.at"], "~t2026-07-01T08:30:00Z", {"at": "~t2026-07-01T10:30:00Z"}
    ),
    shows(["datetime-shift", "UTC", "Asia/Tokyo", ["list", "~t2026-07-01T00:00:00Z", 5]], ["~t2026-07-01T09:00:00Z"]),
    shows(["datetime-shift", "UTC", "UTC", None], None),
)
def _shift(start: Any, end: Any, moment: Datetime) -> Any:
    then = by_clock(moment.ns, _zone(start))
    wall = None if then is None else on_clock(then, _zone(end))
    return DROP if wall is None else Datetime(wall)


@date_and_time.each(
    "datetime-plus",
    "PART NUMBER VALUES",
    TIMES,
    "Each time NUMBER parts later, or earlier if it is below zero. Where the month that comes out is too short, its "
    "last day.",
    shows(["datetime-plus", "month", 1, "_S.at"], "~t2026-02-28T10:30:00Z", {"at": "~t2026-01-31T10:30:00Z"}),
    shows(["datetime-plus", "day", -1, ["list", "~t2026-03-01T00:00:00Z", "2026-03-01"]], ["~t2026-02-28T00:00:00Z"]),
    shows(["datetime-plus", "year", 9999, "~t2026-03-01T00:00:00Z"], None),
    shows(["datetime-plus", "day", 1, None], None),
)
def _plus(part: Any, number: Any, moment: Datetime) -> Any:
    if type(number) is not int:
        raise ValueError("NUMBER is a whole number")
    found = later(moment, known_part(part), number)
    return DROP if found is None else found


@date_and_time.values(
    "datetime-diff",
    "PART START END",
    "How many whole parts START is later than END, of the first values; below zero, if it is earlier.",
    shows(["datetime-diff", "day", "_S.due", "_S.paid"], -2, {"due": "~t2026-03-01", "paid": "~t2026-03-03T12:00:00Z"}),
    shows(["datetime-diff", "month", ["list", "~t2026-03-30T00:00:00Z"], "~t2026-01-31T00:00:00Z"], 1),
    shows(["datetime-diff", "day", "~t2026-03-01T00:00:00Z", None], None),
)
def _diff(part: Any, start: Any, end: Any) -> int | None:
    start, end, part = first(start), first(end), known_part(first(part))
    return between(start, end, part) if type(start) in TIMES and type(end) in TIMES else None


@date_and_time.special(
    "now",
    "",
    "The time at which it is evaluated: another one each time, also when an entity is read anew.",
    shows(["is-datetime", ["now"]], True),
    shows(["list", ["now"]], ["~t2026-01-01T12:00:00Z"]),
    shows(["gt", ["now"], "~t2026-01-01T00:00:00Z"], True),
    pure=False,
)
def _now(making: Making, call: Call) -> Run:
    return lambda scope: Datetime(scope.host.now())


type_test(
    date_and_time,
    "is-datetime",
    TIMES,
    "Whether the first value is a time or a day.",
    shows(["is-datetime", "_S.at"], True, {"at": "~t2026-03-01T10:30:00Z"}),
    shows(["is-datetime", ["list", "2026-03-01"]], False),
    shows(["is-datetime", None], False),
)
