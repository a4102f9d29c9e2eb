"""What the properties of `system:spool` say together. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.config.given import advice
from pipeline.errors import Label
from systems.forms import path_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


def faults(given: Given) -> Iterator[Problem]:
    """Every contradiction, over the properties that are right so far."""
    yield from path_faults(given, ("queue_path",))
    if given.get("verp") is True and given.get("xverp") is True:
        yield given.problem(
            "E209",
            "`verp` and `xverp` are both set",
            "xverp",
            at="key",
            label="the server would change return paths that are changed already",
            related=(Label(given.key("verp"), "each recipient has a return path of its own"),),
            notes=(advice("keep one of them: `verp` works with every server"),),
        )
    first, longest = given.get("retry_first", 300), given.get("retry_longest", 4000)
    if isinstance(first, int | float) and isinstance(longest, int | float) and first > longest:
        name = "retry_first" if given.has("retry_first") else "retry_longest"
        yield given.problem(
            "E203",
            f"the first wait of {first:g} s is longer than the longest of {longest:g} s",
            name,
            notes=(advice("waits grow from `retry_first` to `retry_longest`"),),
        )
