"""Differences that a person takes one by one, and what stands in the file then. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from mailweir.testing.compare import Difference, id_of, in_order


class Change(NamedTuple):
    """What differs in one entity, or in a text as a whole."""

    id: str
    found: Sequence[Difference]


def changes(found: Sequence[Difference]) -> list[Change]:
    """The differences of a test, entity by entity."""
    return [Change(id_, list(some)) for id_, some in groupby(found, key=lambda one: one.id)]


def accepted(expected: Any, written: Any, ids: Collection[str], sort_by: Sequence[str]) -> Any:
    """What is expected from now on: of these entities what came, of all others what was expected."""
    if isinstance(written, str):
        return written if ids else expected
    kept = [one for one in expected if id_of(one) not in ids]
    return in_order([*kept, *(one for one in written if id_of(one) in ids)], sort_by)
