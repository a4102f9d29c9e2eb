"""The flow of a pipe: portions, positions, transforms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entity import Entity
from pipeline.errors import TransformError
from pipeline.failing import Streak
from pipeline.run import FlowError, Mark, Portion, StoppedError, Wanted, marked, portions, seldom


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
    pages = [[one] for one in named(3)]
    assert [portion.entities for portion in portions(Pages(*pages), (), "2")] == [[{"_id": "2"}]]
    assert list(portions(Pages(*pages), (), "3")) == []


def test_transforms_follow_each_other_and_filtered_entities_are_counted() -> None:
    """What one transform makes the next one gets; what is filtered reaches no sink."""
    (portion,) = portions(Pages(named(3)), (odd,), None)
    out = [{"_id": "0", "_filtered": True}, {"_id": "2", "_filtered": True}]
    assert portion == Portion([{"_id": "1", "_filtered": False}], "1", read=3, filtered=2, source=named(3), dropped=out)


def test_what_was_filtered_out_meets_no_further_transform() -> None:
    """The next one would make something of it again; so it is also when an entity behind it fails."""

    def named_again(entity: Entity) -> list[Entity]:
        if entity["_id"] == "5":
            raise ValueError
        return [{"_id": entity["_id"]}]

    for many in (3, 6):
        (portion,) = portions(Pages(named(many)), (odd, named_again), None, streak=Streak(0))
        assert [one["_id"] for one in portion.entities] == ["1", "3"][: many // 2]
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


def broken(entity: Entity) -> Sequence[Entity]:
    """Fails for entities whose number is a multiple of three."""
    return [{**entity, "n": 1 // (int(entity["_id"]) % 3)}]


def test_a_transform_that_fails_names_the_entity() -> None:
    """Who looks at one entity learns of the first that fails, after those before it; no position was told."""
    flow = portions(Pages(named(9)[1:]), (broken,), None)
    portion = next(flow)
    assert [one["_id"] for one in portion.entities] == ["1", "2"]
    assert (portion.since, portion.read, portion.filtered, portion.failed) == (None, 3, 0, ())
    with pytest.raises(FlowError, match="ZeroDivisionError") as raised:
        next(flow)
    assert raised.value.entity_id == "3"


def test_neighbours_of_an_entity_that_fails() -> None:
    """They go on with their position; who fails goes no further, also if a part of it did."""

    def late(entity: Entity) -> Sequence[Entity]:
        return broken(entity) if "copy" in entity else [entity]

    (portion,) = portions(Pages(named(7)), (twice, late), None, streak=Streak(0))
    assert [one["_id"] for one in portion.entities] == [str(at // 2) for at in range(14) if at // 2 % 3]
    assert [one.entity["_id"] for one in portion.failed] == ["0", "3", "6"]
    assert portion.failed[0].text == "function failed: ZeroDivisionError: integer division or modulo by zero"
    assert (portion.since, portion.read, portion.filtered) == ("1", 7, 0)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 4), st.integers(1, 9))
def test_so_many_in_a_row_end_the_flow(fail: list[bool], most: int, batch: int) -> None:
    """However it is cut, all before the row flows, what failed before it is told of, and no position behind it is."""

    def failing(entity: Entity) -> Sequence[Entity]:
        if fail[int(entity["_id"])]:
            raise TransformError("no")
        return [entity]

    found: list[Portion] = []
    everyone = named(len(fail))
    pages = [everyone[at : at + batch] for at in range(0, len(fail), batch)]
    row: Sequence[Entity] = ()
    try:
        found.extend(portions(Pages(*pages), (failing,), None, streak=Streak(most)))
    except FlowError as error:
        row = [one.entity for one in error.failed]
    stop = next((at for at in range(len(fail)) if at >= most - 1 and all(fail[at - most + 1 : at + 1])), None)
    seen = fail if stop is None else fail[: stop + 1]
    assert sum(portion.read for portion in found) == len(seen)
    assert [int(one["_id"]) for portion in found for one in portion.entities] == [
        at for at, failed in enumerate(seen) if not failed
    ]
    told = [int(one.entity["_id"]) for portion in found for one in portion.failed] + [int(one["_id"]) for one in row]
    assert told == [at for at, failed in enumerate(seen) if failed]
    assert bool(row) == (stop is not None)
    positions = [int(portion.since) for portion in found if portion.since]
    assert all(position * batch <= (len(fail) + batch if stop is None else stop) for position in positions)


def test_a_reading_in_which_some_failed_deletes_nothing() -> None:
    """What they would have become is not known to be gone."""
    whole = list(marked(Pages(named(3)), portions(Pages(named(3)), (), None), None, elsewhere=False))
    assert [portion.mark for portion in whole if portion.mark] == [Mark.START, Mark.END]
    flow = portions(Pages(named(3)), (broken,), None, streak=Streak(0))
    cut = list(marked(Pages(named(3)), flow, None, elsewhere=False))
    assert [portion.mark for portion in cut if portion.mark] == [Mark.START, Mark.ELSEWHERE]


def test_positions_may_be_told_seldom() -> None:
    """Every so many, the first, and always the last: before the end is marked, and where the reading breaks off."""

    def told(interval: int, *, breaks: bool = False) -> list[str | None]:
        def found() -> Iterator[Portion]:
            yield Portion((), None, 0, 0, Mark.START)
            for at in range(8):
                yield Portion(named(1), str(at), 1, 0)
            if breaks:
                raise StoppedError("no more")
            yield Portion((), None, 0, 0, Mark.END)

        got: list[str | None] = []
        try:
            got.extend("END" if one.mark is Mark.END else one.since for one in seldom(found(), interval))
        except StoppedError:
            assert breaks
        return [one for one in got if one is not None]

    assert told(1) == [*map(str, range(8)), "END"]
    assert told(3) == ["0", "3", "6", "7", "END"]
    assert told(100) == ["0", "7", "END"]
    assert told(3, breaks=True) == ["0", "3", "6", "7"]
