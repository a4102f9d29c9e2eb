from __future__ import annotations

from typing import Any

import pytest

from mailweir.testing.moments import GivenError, moments, seconds_of, time_of

NOW = time_of("2026-01-01T12:00:00Z") or 0


def times(items: list[Any], step: float = 0.0) -> list[tuple[float, list[str]]]:
    """When which entities come."""
    return [(moment.at, [one["_id"] for one in moment.entities]) for moment in moments(items, NOW, step)]


def test_entities_come_at_once_or_step_by_step() -> None:
    """Without a step all come at the beginning; with one each comes so much later than the one before."""
    items = [{"_id": "a"}, {"_id": "b"}]
    assert times(items) == [(0.0, ["a", "b"])]
    assert times(items, 1.0) == [(0.0, ["a"]), (1.0, ["b"])]


def test_repeated_entities_and_later_ones() -> None:
    """`{n}` counts from 1; what comes at a time comes then, and nothing may come without an entity."""
    items: list[Any] = [
        {"repeat": 2, "step": "10s", "entity": {"_id": "c{n}"}},
        {"at": "+61m", "entity": {"_id": "d"}},
        {"at": "2026-01-01T14:00:00Z"},
    ]
    assert times(items) == [(0.0, ["c1"]), (10.0, ["c2"]), (3660.0, ["d"]), (7200.0, [])]


def test_an_entity_is_no_script() -> None:
    """What has an `_id` is an entity, whatever its properties are called."""
    assert times([{"_id": "a", "at": "noon", "repeat": "x"}]) == [(0.0, ["a"])]


@pytest.mark.parametrize(
    ("items", "path"),
    [
        ([1], (0,)),
        ([{"at": "noon"}], (0, "at")),
        ([{"at": "+2m"}, {"at": "+1m"}], (1, "at")),
        ([{"repeat": 0, "entity": {}}], (0, "repeat")),
        ([{"repeat": True, "entity": {}}], (0, "repeat")),
        ([{"repeat": 2, "step": 3, "entity": {}}], (0, "step")),
        ([{"at": "+1m", "entity": []}], (0, "entity")),
        ([{"repeat": 2}], (0,)),
    ],
)
def test_what_cannot_be_read(items: list[Any], path: tuple[Any, ...]) -> None:
    """The fault names the place."""
    with pytest.raises(GivenError) as caught:
        moments(items, NOW)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("+61m", 3660), ("1h30m", 5400), ("500ms", 0.5), ("1.5d", 129600), ("", None), ("5", None)],
)
def test_spans_of_time(text: str, seconds: float | None) -> None:
    """Numbers with units, in a row."""
    assert seconds_of(text) == seconds
