"""Cron expressions: five fields and, if wanted, a year. What they mean is cronsim's; where they are wrong is said here.

`?` stands for `*` in the two fields for days, as in the expressions that Sesam users bring. Clocks that change are met
as Debian's cron does it: a fixed time that a day lacks comes at the end of the gap, one that a day has twice comes the
first time only, and what comes every hour or minute comes by the hours and minutes that pass. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

# The longest that makes sense, a list of every minute, has 170 characters.
LONGEST: Final = 400

_word: Final = re.compile(r"\S+")
_year: Final = re.compile(r"([12][0-9]{3})(?:-([12][0-9]{3}))?")
_days: Final = (2, 4)
_usual: Final = "`*`, a list `1,3`, a range `1-5`, a step `*/2`"
# What each field is called, and what may stand in it.
_fields: Final = (
    ("a minute", f"a minute is 0 to 59, {_usual}"),
    ("an hour", f"an hour is 0 to 23, {_usual}"),
    ("a day of the month", f"a day is 1 to 31, `L` for the last one, {_usual}"),
    ("a month", f"a month is 1 to 12 or JAN to DEC, {_usual}"),
    ("a day of the week", f"a day of the week is 0 to 7 (0 and 7: Sunday) or SUN to SAT, {_usual}"),
)
_names: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_any_time: Final = datetime(2000, 1, 1, tzinfo=UTC)
# Times before 1970 and after 9998 are those of a clock that was never set.
_first: Final = 0.0
_last: Final = datetime(9998, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Cron:
    """An expression without faults, read by the clocks of a zone."""

    text: str
    zone: tzinfo = UTC

    def after(self, moment: float) -> float | None:
        """The first time after a moment, both in seconds since 1970; None if there is none within 50 years."""
        from cronsim import CronSim  # noqa: PLC0415 - for those who have an expression

        words = self.text.split()
        fields = _as_cronsim(words)
        years = _years(words[len(_fields)]) if len(words) > len(_fields) else None
        moment = min(max(moment, _first), _last)
        start = datetime.fromtimestamp(moment, UTC).astimezone(self.zone)
        while True:
            for found in CronSim(fields, start):
                # A time that a day has twice is told as the first one, also to who asks in between.
                if found.timestamp() > moment and (years is None or found.year in years):
                    return found.timestamp()
                if years is not None and found.year not in years:
                    break
            else:
                return None
            # The end of the year before the next one that is wanted.
            later = min((year for year in years if year > found.year), default=None)
            if later is None:
                return None
            start = datetime(later - 1, 12, 31, 23, 59, 59, tzinfo=self.zone)


def zone_of(name: str) -> tzinfo | None:
    """A time zone by the name that the database of the system or the package `tzdata` has for it."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (OSError, LookupError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class CronFault:
    """What is wrong with the characters `start` to `end` of an expression, as a clause, and what to do."""

    words: str
    start: int
    end: int
    help: str


def cron_fault(text: str) -> CronFault | None:
    """The first fault of an expression; None if it has none."""
    words = list(_word.finditer(text))
    end = len(text)
    if len(text) > LONGEST:
        return CronFault(f"has more than {LONGEST} characters", 0, end, "write a step or a range in place of a list")
    if text.strip().lower() in _names:
        return CronFault("has a name in place of its fields", 0, end, f'write "{_names[text.strip().lower()]}"')
    if len(words) not in {5, 6}:
        count = f"has {len(words)} field{'' if len(words) == 1 else 's'}"
        return CronFault(count, 0, end, 'write five: minute, hour, day, month, weekday: "30 6 * * 1-5"')
    if len(words) == len(_fields) + 1 and not _is_year(words[-1][0]):
        how = (
            "seconds cannot be said: leave the first field out" if _could_be_day(words[-1][0]) else "write 2027, or `*`"
        )
        return CronFault("has a sixth field that is no year", *words[-1].span(), how)
    fields = _as_cronsim([word[0] for word in words]).split()
    for place, (field, word) in enumerate(zip(fields, words, strict=False)):
        alone = ["*"] * place + [field] + ["*"] * (len(_fields) - 1 - place)
        if not _right(alone):
            name, how = _fields[place]
            return CronFault(f"has {name} that is none", *word.span(), how)
    if not _right(fields):
        return CronFault("names a day that its months do not have", *words[2].span(), "it would never run")
    return None


def _as_cronsim(words: Sequence[str]) -> str:
    """The five fields as cronsim reads them."""
    first = words[: len(_fields)]
    return " ".join("*" if field == "?" and place in _days else field for place, field in enumerate(first))


def _years(text: str) -> frozenset[int] | None:
    """The years of a field that `_is_year`; None for all."""
    if text == "*":
        return None
    spans = [span for part in text.split(",") if (span := _year.fullmatch(part))]
    return frozenset(year for span in spans for year in range(int(span[1]), int(span[2] or span[1]) + 1))


def _is_year(text: str) -> bool:
    spans = [_year.fullmatch(part) for part in text.split(",")]
    return text == "*" or all(span and (not span[2] or span[1] <= span[2]) for span in spans)


def _could_be_day(text: str) -> bool:
    """Whether the last field could be a day of the week, as where a field for seconds comes first."""
    return _right(["*", "*", "*", "*", "*" if text == "?" else text])


def _right(fields: Sequence[str]) -> bool:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - for those who have an expression

    try:
        CronSim(" ".join(fields), _any_time)
    except CronSimError:
        return False
    return True
