from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.dtl.times import MONTHS, PARTS, between, by_clock, later, on_clock, read, read_iso, written, zone
from pipeline.entity import EARLIEST, LATEST, SECOND, Datetime, datetime_of

ZONES = ["UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Monrovia"]
TIMES = st.integers(EARLIEST, LATEST).map(Datetime)
# Offsets of today's zones are whole minutes since 1972.
LATELY = st.integers(3 * 365 * 86_400, 4_000_000_000).map(lambda second: Datetime(second * SECOND))


def at(text: str) -> Datetime:
    """A time that is written as in JSON."""
    found = datetime_of(text)
    assert found is not None
    return found


@given(LATELY, st.sampled_from(ZONES))
def test_what_was_written_with_its_offset_is_read_again(moment: Datetime, name: str) -> None:
    """The same time comes back, by the clock of each zone."""
    where = zone(name)
    text = written("%Y-%m-%d %H:%M:%S%z", moment, where)
    assert text is not None
    assert read("%Y-%m-%d %H:%M:%S%z", text, UTC) == moment
    assert text == moment.moment.astimezone(ZoneInfo(name)).strftime("%Y-%m-%d %H:%M:%S%z")


@given(LATELY, st.sampled_from(ZONES))
def test_clocks_show_the_time_that_they_are_read_as(moment: Datetime, name: str) -> None:
    """Where a clock shows a time once, it is that time; where twice, the one in standard time."""
    where = zone(name)
    wall = on_clock(moment, where)
    assert wall is not None
    found = by_clock(wall, where)
    assert found is not None
    assert found == moment or on_clock(found, where) == wall


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Europe/Oslo", "2026-10-25 02:30", "2026-10-25T01:30:00Z"),  # twice
        ("Europe/Oslo", "2026-03-29 02:30", "2026-03-29T01:30:00Z"),  # never
        ("Europe/Oslo", "2026-07-01 00:00", "2026-06-30T22:00:00Z"),
        ("Europe/Dublin", "2026-10-25 01:30", "2026-10-25T01:30:00Z"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01T06:30:00Z"),
        ("UTC", "0001-01-01 00:00", "0001-01-01T00:00:00Z"),
        ("Europe/Oslo", "0001-01-01 00:00", None),
    ],
)
def test_clocks_that_are_put_forward_and_back(name: str, text: str, expected: str | None) -> None:
    """Standard time counts where a clock shows a time twice or never."""
    found = read("%Y-%m-%d %H:%M", text, zone(name))
    assert found == (None if expected is None else at(expected))


FORMATS = [
    "%d.%m.%Y",
    "%e/%m-%y",
    "%Y%m%dT%H%M%S",
    "%I:%M:%S %p, %d %m %Y",
    "%H.%M %Y-%m-%d %f",
    "%Y-%m-%dT%H:%M%z",
    "%%%Y",
]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), st.sampled_from(FORMATS))  # noqa: DTZ001 - UTC
def test_formats_are_those_of_the_standard_library(moment: datetime, form: str) -> None:
    """What both know is written and read in the same way."""
    theirs = form.replace("%e", "%-d")
    text = moment.replace(tzinfo=UTC).strftime(theirs)
    assert written(form, Datetime.of(moment), UTC) == text
    expected = datetime.strptime(text, form.replace("%e", "%d"))  # noqa: DTZ007 - as above
    assert read(form, text, UTC) == Datetime.of(expected)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%d.%m.%Y", "29.02.2025"),
        ("%d.%m.%Y", "00.01.2025"),
        ("%d.%m.%Y", "1.1.25"),
        ("%d.%m.%Y", "01.01.2025 "),
        ("%H:%M", "24:00"),
        ("%H:%M:%S", "23:59:60"),
        ("%I", "13"),
        ("%I", "0"),
        ("%f", "1234567890"),
        ("%Y%z", "2025+2500"),
        ("%Y", "\N{ARABIC-INDIC DIGIT TWO}025"),
        ("%d" * 20, "1" * 41),
        ("", "a"),
    ],
)
def test_texts_that_tell_no_time(form: str, text: str) -> None:
    """A day or an hour that there is not, and what is too much or too little."""
    assert read(form, text, UTC) is None


@pytest.mark.parametrize("form", ["%B", "%", "%z%Y", "%z.", "%Z", "%Y" * 501])
def test_formats_that_cannot_be(form: str) -> None:
    """They are told, also when a text would not be read by them."""
    with pytest.raises(ValueError, match="format"):
        read(form, "2026", UTC)


@pytest.mark.parametrize("name", ["", "Europe", "Mars/Base", "../../etc/passwd", "/etc/localtime", "\0", "a" * 5000])
def test_zones_that_are_none(name: str) -> None:
    """Nothing outside of the database of zones is looked at."""
    with pytest.raises(ValueError, match="no time zone"):
        zone(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", "2026-03-01T00:00:00Z"),
        ("2026-03-01T10:30", "2026-03-01T10:30:00Z"),
        ("2026-03-01 10:30:15.123456789+0130", "2026-03-01T09:00:15.123456789Z"),
        ("2026-03-01T10:30:15-05:00", "2026-03-01T15:30:15Z"),
        ("2026-03-01T25:00", None),
        ("2026-13-01", None),
        ("2026-03-01Z", None),
        ("0001-01-01T00:00+01:00", None),
        ("1.3.2026", None),
    ],
)
def test_iso_8601(text: str, expected: str | None) -> None:
    """Days and times, with an offset or in UTC."""
    found = read_iso(text)
    assert found == (None if expected is None else at(expected))


@given(TIMES, st.sampled_from([*PARTS, *MONTHS]), st.integers(-40, 40))
def test_so_much_later_is_so_much_between(moment: Datetime, part: str, number: int) -> None:
    """What is added lies between, except for days that a month lacks."""
    assume(moment.moment.day <= 28)
    found = later(moment, part, number)
    assume(found is not None)
    assert between(found, moment, part) == number  # type: ignore[arg-type]  # assumed
    assert between(moment, found, part) == -number  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end", "part", "expected"),
    [
        ("2026-02-28", "2026-01-31", "month", 0),
        ("2026-03-31", "2026-02-28", "month", 1),
        ("2028-02-28", "2024-02-29", "year", 3),
        ("2026-01-31", "2026-02-28", "month", 0),
        ("2026-01-08", "2026-01-16", "week", -1),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001999Z", "microsecond", -1),
    ],
)
def test_only_whole_parts_count(start: str, end: str, part: str, expected: int) -> None:
    """What is begun is left out on both sides of zero."""
    assert between(at(start), at(end), part) == expected


@given(TIMES, st.integers(-3000, 3000))
def test_days_of_the_standard_library(moment: Datetime, number: int) -> None:
    """Days later are the standard library's; a month ends on its last day, and nothing is outside of our years."""
    try:
        expected: Any = Datetime(moment.ns + number * 86_400 * SECOND)
        assert expected.moment == moment.moment + timedelta(days=number)
    except ValueError:
        expected = None
    assert later(moment, "day", number) == expected


@pytest.mark.parametrize(
    ("text", "part", "number", "expected"),
    [
        ("2024-02-29", "year", 1, "2025-02-28T00:00:00Z"),
        ("2026-01-31", "month", 13, "2027-02-28T00:00:00Z"),
        ("2026-01-31", "month", -1, "2025-12-31T00:00:00Z"),
        ("9999-12-01", "month", 0, "9999-12-01T00:00:00Z"),
        ("9999-12-01", "month", 1, None),
        ("0001-01-01", "nanosecond", -1, None),
    ],
)
def test_months_end_on_their_last_day(text: str, part: str, number: int, expected: str | None) -> None:
    """And years too; what leaves the years 1 to 9999 is none."""
    assert later(at(text), part, number) == (None if expected is None else at(expected))
