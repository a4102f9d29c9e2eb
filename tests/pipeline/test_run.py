"""The flow of a pipe: portions, positions, transforms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entity import Entity
from pipeline.run import FlowError, Portion, Wanted, portions
from sources.embedded import Embedded


class Pages:
    """A source that gives its pages, each with its number as position."""

    def __init__(self, *pages: Sequence[Entity]) -> None:
        """The pages."""
        self.pages = pages

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Those after `since`."""
        for number, page in enumerate(self.pages[int(since or 0) :], int(since or 0) + 1):
            yield page, str(number)


def named(count: int) -> list[Entity]:
    """So many entities."""
    return [{"_id": str(number)} for number in range(count)]


def twice(entity: Entity) -> Sequence[Entity]:
    """Each entity two times."""
    return [entity, {**entity, "copy": True}]


def odd(entity: Entity) -> Sequence[Entity]:
    """Filters even ones."""
    return [{**entity, "_filtered": int(entity["_id"]) % 2 == 0}]


@given(st.lists(st.integers(0, 20), max_size=6), st.integers(1, 7))
def test_everything_flows_in_order_and_the_position_comes_with_the_last(sizes: list[int], batch: int) -> None:
    """However pages are cut, each entity comes once, and a position never before what lies in front of it."""
    pages = [named(size) for size in sizes]
    found = list(portions(Pages(*pages), (), None, batch=batch))
    assert [one for portion in found for one in portion.entities] == [one for page in pages for one in page]
    seen = 0
    for portion in found:
        assert len(portion.entities) <= batch
        seen += len(portion.entities)
        if portion.since is not None:
            assert seen == sum(sizes[: int(portion.since)])
    assert [portion.since for portion in found if portion.since] == [str(one) for one in range(1, len(sizes) + 1)]


def test_reading_goes_on_where_it_was() -> None:
    """What lies before the position is not read again."""
    assert [portion.entities for portion in portions(Embedded(named(3)), (), "2")] == [[{"_id": "2"}]]
    assert list(portions(Embedded(named(3)), (), "3")) == []


def test_transforms_follow_each_other_and_filtered_entities_are_counted() -> None:
    """What one transform makes the next one gets; what is filtered reaches no sink."""
    (portion,) = portions(Pages(named(3)), (odd,), None)
    assert portion == Portion([{"_id": "1", "_filtered": False}], "1", read=3, filtered=2)
    (portion,) = portions(Pages(named(2)), (twice, twice), None)
    assert (len(portion.entities), portion.read, portion.filtered) == (8, 2, 0)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [(Wanted(most=2), ["0", "1"]), (Wanted(id="3"), ["3"]), (Wanted("3", 0), []), (Wanted(id="none"), [])],
)
def test_part_of_a_source_moves_no_position(wanted: Wanted, ids: list[str]) -> None:
    """Who reads only some entities has not read up to there."""
    found = list(portions(Pages(named(3), named(5)), (), None, wanted))
    assert [one["_id"] for portion in found for one in portion.entities] == ids
    assert all(portion.since is None for portion in found)


def test_a_transform_that_fails_names_the_entity() -> None:
    """The flow stops there, and says where."""

    def broken(entity: Entity) -> Sequence[Entity]:
        return [{**entity, "n": 1 // int(entity["_id"])}]

    with pytest.raises(FlowError, match="ZeroDivisionError") as raised:
        list(portions(Pages(named(2)), (broken,), None))
    assert raised.value.entity_id == "0"
