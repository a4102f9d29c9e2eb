"""Numbers with signs between their thousands, as people write them: `1,000` and `1_000`. No I/O."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pipeline.config.faults import Faults

# The number before a comma, and what may follow it. Longer ones are no numbers that a person writes.
LONGEST: Final = 60
_before: Final = re.compile(r"(?<![\w.])-?[0-9]++,\Z")
_behind: Final = re.compile(r"[0-9]++(?:,[0-9]++)*+(?=[ \t]*+(?:[,}\r\n]|\Z))")
_thousands: Final = re.compile(r"-?[1-9][0-9]{0,2}(?:,[0-9]{3})+")
_underscores: Final = re.compile(r"(-?)(?:0|[1-9][0-9]*+)(?:_[0-9]++)++")


class Whole(NamedTuple):
    """A number from `start` to `end`; without a `value` it could mean several things."""

    start: int
    end: int
    value: int | None


def with_commas(text: str, at: int, faults: Faults) -> Whole | None:
    """The number that went on behind the comma before `at`, where a property's name belongs; reported."""
    earliest = max(0, at - LONGEST)
    before = _before.search(text, earliest, at)
    behind = _behind.match(text, at, at + LONGEST)
    if before is None or behind is None:
        return None
    start, end = before.start(), behind.end()
    written = text[start:end]
    if not _thousands.fullmatch(written):
        help_ = "write the digits alone; before a fraction stands a point"
        faults.add("E108", "a number has no comma in it", (start, end), "not a JSON number", help=help_)
        return Whole(start, end, None)
    digits = written.replace(",", "")
    _tell(faults, "comma", start, written, ",")
    return Whole(start, end, int(digits))


def with_underscores(token: str, start: int, faults: Faults) -> int | None:
    """The value of `1_000`, reported; None for what is no such number."""
    if len(token) > LONGEST or not _underscores.fullmatch(token):
        return None
    _tell(faults, "`_`", start, token, "_")
    return int(token.replace("_", ""))


def _tell(faults: Faults, what: str, start: int, written: str, sign: str) -> None:
    fix = [(start + at, start + at + 1, "") for at, character in enumerate(written) if character == sign]
    place = start, start + len(written)
    faults.add("E108", f"a number has no {what} in it", place, "write the digits alone", fix=fix)
