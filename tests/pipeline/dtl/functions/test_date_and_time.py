from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from pipeline.dtl.errors import DtlError
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated
from pipeline.entity import transit, typed


def value_of(expression: Any) -> Any:
    """What an expression gives, as JSON."""
    return transit(evaluated(typed(expression), None, None, Host(lambda: 0, lambda: UUID(int=1))))


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (["datetime-parse", "Mars/Base", "%Y", "2026"], "`Mars/Base` is no time zone"),
        (["datetime-parse", "%B", "May"], "`%B` is nothing that a format can have"),
        (["datetime-parse", "%z%Y", "2026"], "`%z` stands at the end of a format"),
        (["datetime-parse", 5, "2026"], "FORMAT is a string"),
        (["datetime-format", 5, "%Y", "~t2026-01-01"], "a time zone is a string"),
        (["datetime-plus", "days", 1, "~t2026-01-01"], "the part is one of `year`, `month`, `week`"),
        (["datetime-plus", "day", 1.0, "~t2026-01-01"], "NUMBER is a whole number"),
        (["datetime-diff", None, "~t2026-01-01", "~t2026-01-01"], "the part is one of"),
    ],
)
def test_arguments_that_cannot_be_are_told(expression: Any, told: str) -> None:
    """A zone, a format or a part that there is not."""
    with pytest.raises(DtlError) as caught:
        value_of(expression)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (["datetime-format", "Asia/Tokyo", "%Y", ["list", "~t9999-12-31T23:00:00Z", "~t2026-01-01"]], ["2026"]),
        (["datetime-shift", "Asia/Tokyo", "UTC", "~t0001-01-01T00:00:00Z"], None),
        (["datetime-shift", "UTC", "Asia/Tokyo", "~t9999-12-31T23:59:59.999999999Z"], None),
        (["datetime", ["list", -(10**30), 10**30, True, 1.5, "~t2026-01-01"]], ["~t2026-01-01T00:00:00Z"]),
        (["datetime-format", "{%Y} {0}", "~t2026-01-01"], "{2026} {0}"),
    ],
)
def test_times_at_the_edges(expression: Any, expected: Any) -> None:
    """What leaves the years 1 to 9999 is left out; braces in a format are text."""
    assert value_of(expression) == expected
