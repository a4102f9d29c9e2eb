"""Entities written in the configuration."""

from __future__ import annotations

import pytest

from pipeline.entity import Datetime, Entity
from sources.embedded import Embedded

entities: list[Entity] = [{"_id": "a"}, {"_id": "b"}]


def read(found: list[Entity], since: str | None = None) -> tuple[list[str], str | None, bool]:
    """The names of what comes, the position then, and whether it began at the start."""
    source = Embedded(found)
    names = []
    for batch, reached in source.read(since):
        names += [one["_id"] for one in batch]
        since = reached
    return names, since, source.afresh


def test_the_first_run_reads_all_and_the_next_what_was_added() -> None:
    """In whatever order the properties stand."""
    names, since, afresh = read(entities)
    assert (names, afresh) == (["a", "b"], True)
    assert read(entities, since) == ([], since, False)
    names, more, afresh = read([*entities, {"_id": "c", "n": 1, "m": 2}], since)
    assert (names, afresh) == (["c"], False)
    assert read([*entities, {"_id": "c", "m": 2, "n": 1}], more) == ([], more, False)


@pytest.mark.parametrize(
    "changed", [[{"_id": "a"}], [{"_id": "a", "n": 1}, {"_id": "b"}], [{"_id": "b"}, {"_id": "a"}]]
)
def test_entities_that_were_changed_are_read_again(changed: list[Entity]) -> None:
    """All of them, since the position says nothing of those that came before."""
    _, since, _ = read(entities)
    names, again, afresh = read(changed, since)
    assert (names, afresh) == ([one["_id"] for one in changed], True)
    assert read(changed, again) == ([], again, False)


@pytest.mark.parametrize("since", ["2", "x", "2.00", "-1.5", "9.abc", "."])
def test_a_position_of_something_else_is_none(since: str) -> None:
    """Then all is read."""
    assert read(entities, since)[0] == ["a", "b"]


def test_strings_that_stand_for_other_values_are_read() -> None:
    """As in every source of JSON; `_id` is a name."""
    ((batch, _),) = Embedded([{"_id": "~:a", "at": "~t1970-01-01T00:00:00Z"}]).read(None)
    assert batch == [{"_id": "~:a", "at": Datetime(0)}]
