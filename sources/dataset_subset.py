"""A part of a dataset, as it is written: the entities that have a value at a path. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.config.given import advice

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

_SOURCE: Final = "_S."


def subset_fault(given: Given) -> Iterator[Problem]:
    """E203 for a subset that cannot be read."""
    expression = given.get("subset")
    if isinstance(expression, list | tuple) and subset_parts(expression) is None:
        yield given.problem(
            "E203",
            "`subset` compares one property with a value",
            "subset",
            label="not of that form",
            notes=(advice('write `["eq", "_S.country", "NO"]`'),),
        )


def subset_parts(expression: Sequence[object]) -> tuple[list[str], list[object]] | None:
    """The path and the values of `["eq", "_S.path", value]`, whichever of the two comes first."""
    if len(expression) != 3 or expression[0] != "eq":
        return None
    one, other = expression[1:]
    if not _is_path(one):
        one, other = other, one
    if not _is_path(one) or _is_path(other) or isinstance(other, dict):
        return None
    # A list with names of functions would be a call.
    values = list(other) if isinstance(other, list | tuple) else [other]
    if any(isinstance(value, list | tuple | dict) for value in values) or (values is not other and not values):
        return None
    return str(one).removeprefix(_SOURCE).split("."), values


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_SOURCE) and len(value) > len(_SOURCE)
