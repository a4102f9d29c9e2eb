"""Cron expressions: which are ones, and where the others go wrong."""

from datetime import UTC, datetime

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cron import cron_fault

right = [
    "* * * * *",
    "*/5 * * * *",
    "0/15 9-17 * * 1-5",
    "30 6 ? * MON-FRI",
    "0 0 1,15 jan,jul *",
    "0 0 L * ?",
    "0 0 LW * *",
    "0 0 * * 5L",
    "0 0 * * 5#2",
    "0 0 31 4 MON",
    "0 12 * * 7 2027",
    "0 12 * * * 2027-2030,2035",
    "0 12 * * ? *",
    "  0   0\t* * *",
]
# The expression, the words, the characters that are marked, the help or its beginning.
wrong = [
    ("", "has 0 fields", "", 'write five: minute, hour, day, month, weekday: "30 6 * * 1-5"'),
    ("*", "has 1 field", "*", "write five"),
    ("0 0 * *", "has 4 fields", "0 0 * *", "write five"),
    ("0 0 0 1 1 ? 2027", "has 7 fields", "0 0 0 1 1 ? 2027", "write five"),
    ("60 * * * *", "has a minute that is none", "60", "a minute is 0 to 59"),
    ("*/0 * * * *", "has a minute that is none", "*/0", "a minute"),
    ("30-10 * * * *", "has a minute that is none", "30-10", "a minute"),
    ("? * * * *", "has a minute that is none", "?", "a minute"),
    ("0 24 * * *", "has an hour that is none", "24", "an hour is 0 to 23"),
    ("0 6am * * *", "has an hour that is none", "6am", "an hour"),
    ("0 0 0 * *", "has a day of the month that is none", "0", "a day is 1 to 31"),
    ("0 0 15W * *", "has a day of the month that is none", "15W", "a day"),
    ("0 0 * 13 *", "has a month that is none", "13", "a month is 1 to 12"),
    ("0 0 * * 8", "has a day of the week that is none", "8", "a day of the week is 0 to 7"),
    ("0 0 * * MONDAY", "has a day of the week that is none", "MONDAY", "a day of the week"),
    ("0 0 * * ²", "has a day of the week that is none", "²", "a day of the week"),
    ("0 0 30 2 *", "names a day that its months do not have", "30", "it would never run"),
    ("0 0 31 4,6 ?", "names a day that its months do not have", "31", "it would never run"),
    ("0 0 6 * * ?", "has a sixth field that is no year", "?", "seconds cannot be said"),
    ("0 0 6 * * MON", "has a sixth field that is no year", "MON", "seconds cannot be said"),
    ("0 6 * * * 27", "has a sixth field that is no year", "27", "write 2027"),
    ("0 6 * * * 2030-2027", "has a sixth field that is no year", "2030-2027", "write 2027"),
    ("@daily", "has a name in place of its fields", "@daily", 'write "0 0 * * *"'),
    ("@Weekly", "has a name in place of its fields", "@Weekly", 'write "0 0 * * 0"'),
    ("1," * 300, "has more than 400 characters", "1," * 300, "write a step"),
]


@pytest.mark.parametrize("text", right)
def test_what_can_come_is_taken(text: str) -> None:
    """Names, steps, the last day, `?` for any day, a year."""
    assert cron_fault(text) is None


@pytest.mark.parametrize(("text", "words", "marked", "help_"), wrong)
def test_what_cannot_come_says_which_field(text: str, words: str, marked: str, help_: str) -> None:
    """The first wrong field is marked, with what may stand there."""
    fault = cron_fault(text)
    assert fault is not None
    assert (fault.words, text[fault.start : fault.end]) == (words, marked)
    assert fault.help.startswith(help_)


_field = st.sampled_from(["*", "*/7", "1", "1-5", "0", "59", "31", "L", "5L", "5#2", "FEB", "SUN", "1,2,x", "?", "99"])


@given(st.lists(_field, min_size=5, max_size=5).map(" ".join) | st.text("0123456789*/-,L#? ", max_size=30))
def test_properties_of_expressions(text: str) -> None:
    """A fault marks a part of the text; an expression without one has a next time."""
    fault = cron_fault(text)
    if fault:
        assert 0 <= fault.start <= fault.end <= len(text)
        assert fault.words
        assert fault.help
    elif len(text.split()) == 5:
        now = datetime(2027, 3, 1, tzinfo=UTC)
        assert next(CronSim(text.replace("?", "*"), now)) > now
