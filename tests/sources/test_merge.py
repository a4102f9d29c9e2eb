"""The source `merge`, on a real state."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clock import MachineClock
from pipeline.entity import NI, Entity
from pipeline.run import StoppedError
from pipeline.state.datasets import Change, Entry
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.values import value_key, values_at
from pipeline.state.versions import entity_hash, ordered_text
from sinks.mail import outbound
from sources.merge_entity import Identity, Strategy, merged
from sources.merge_rules import host_of, rules_of
from sources.merge_source import Merge, Merging

Write = tuple[str, Sequence[Entity]]


def write(folder: Path, *datasets: Write, history: bool = True, index: Sequence[str] = ()) -> None:
    """Put entities into datasets, one after the other."""

    async def put() -> None:
        async with SqliteState.open(folder, MachineClock(), outbound.stranded) as state:
            for name, entities in datasets:
                await state.datasets.prepare(name, name, [(path,) for path in index])
                entries = [
                    Entry(one["_id"], entity_hash(ordered_text(one)), "_deleted" in one, one) for one in entities
                ]
                await state.datasets.put(Change(name, name, entries, history=history))

    asyncio.run(put())


def merge(
    folder: Path,
    datasets: Sequence[str],
    equality: Sequence[object] = (),
    *,
    sets: Sequence[object] = (),
    identity: Identity = "composite",
    strategy: Strategy = "default",
    most: int = 50_000,
    **more: Any,
) -> Merge:
    """The source over the datasets of a folder."""
    rules = rules_of(datasets, equality, sets)
    assert not rules.faults
    return Merge(SqliteReads(folder), Merging(rules, identity, strategy, most, host_of(0), str), **more)


def read(source: Merge, since: str | None = None) -> tuple[list[Entity], str | None]:
    """All that it gives, and the position that is reached."""
    found: list[Entity] = []
    for entities, reached in source.read(since):
        found += entities
        since = reached
    return found, since


def names(found: Sequence[Entity]) -> list[str]:
    """The names of entities, with a minus before deleted ones."""
    return [("-" if one.get("_deleted") else "") + one["_id"] for one in found]


PEOPLE: list[Entity] = [
    {"_id": "c1", "email": "ann@example.com", "name": "Ann"},
    {"_id": "c2", "email": "bo@example.com"},
]
USERS: list[Entity] = [{"_id": "u1", "login": "ANN@example.com", "no": 7}, {"_id": "u2", "login": "cy@example.com"}]
CARDS: list[Entity] = [{"_id": "k1", "user": 7, "name": "A. Lee"}, {"_id": "k2", "user": 8}]
DATASETS = ["people p", "users u", "cards k"]
EQUALITY = [["eq", "p.email", ["lower", "u.login"]], ["eq", "u.no", "k.user"]]


def all_of_them(folder: Path) -> None:
    """Three datasets."""
    write(folder, ("people", PEOPLE), ("users", USERS), ("cards", CARDS))
    write(folder, ("cards", [{"_id": "k2", "user": 8, "_deleted": True}]))


def test_what_is_the_same_is_one(tmp_path: Path) -> None:
    """Over any number of steps; what is deleted stands alone, and so does what is like no other."""
    all_of_them(tmp_path)
    source = merge(tmp_path, DATASETS, EQUALITY)
    found, since = read(source)
    assert found == [
        {
            "_id": "0|c1|1|u1|2|k1",
            "$ids": ["c1", "u1", "k1"],
            "email": "ann@example.com",
            "name": ["Ann", "A. Lee"],
            "login": "ANN@example.com",
            "no": 7,
            "user": 7,
        },
        {"_id": "0|c2", "$ids": ["c2"], "email": "bo@example.com"},
        {"_id": "1|u2", "$ids": ["u2"], "login": "cy@example.com"},
        {"_id": "2|k2", "$ids": ["k2"], "user": 8, "_deleted": True},
    ]
    assert source.afresh
    assert read(source, since) == ([], since)
    assert not source.afresh


def test_what_is_no_more_is_deleted(tmp_path: Path) -> None:
    """An `_id` whose entities have become others says that it was replaced; then they come as what they are now."""
    all_of_them(tmp_path)
    source = merge(tmp_path, DATASETS, EQUALITY)
    since = read(source)[1]
    write(tmp_path, ("users", [{"_id": "u1", "login": "bo@example.com", "no": 7}]))
    found, since = read(source, since)
    assert names(found) == ["-0|c1|1|u1|2|k1", "-0|c2", "0|c1", "0|c2|1|u1|2|k1"]
    assert found[0] == {"_id": "0|c1|1|u1|2|k1", "_deleted": True, "$replaced": True}
    write(tmp_path, ("users", [{"_id": "u1", "_deleted": True}]))
    found, since = read(source, since)
    assert names(found) == ["-0|c2|1|u1|2|k1", "-1|u1", "0|c2", "2|k1"]
    assert "$replaced" not in found[1]
    write(tmp_path, ("cards", [{"_id": "k1", "user": 9}]))
    assert names(read(source, since)[0]) == ["2|k1"]


def test_the_first_gives_its_name(tmp_path: Path) -> None:
    """Then what follows it comes and goes, and the name stays."""
    all_of_them(tmp_path)
    source = merge(tmp_path, DATASETS, EQUALITY, identity="first")
    found, since = read(source)
    assert names(found) == ["c1", "c2", "u2", "-k2"]
    write(tmp_path, ("users", [{"_id": "u1", "login": "?", "no": 7}]))
    assert names(read(source, since)[0]) == ["c1", "u1"]


def test_each_member_of_a_set_is_compared_with_each(tmp_path: Path) -> None:
    """Also where one of them is missing in between."""
    sets = [["a.x", "b.x", "c.x"]]
    write(tmp_path, ("a", [{"_id": "1", "x": [5, None]}]), ("b", [{"_id": "2"}]), ("c", [{"_id": "3", "x": 5.0}]))
    assert names(read(merge(tmp_path, ["a a", "b b", "c c"], sets=sets))[0]) == ["0|1|2|3", "1|2"]
    assert names(read(merge(tmp_path, ["a a", "b b", "c c"]))[0]) == ["0|1", "1|2", "2|3"]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("default", {"x": 1, "y": [2, 1, 2], "z": [3, 3], "n": None, "e": []}),
        ("compact", {"x": 1, "y": [2, 1], "z": 3, "n": None}),
        ("list", {"$merged": [{"_id": "a", "x": 1, "n": None}, {"_id": "b", "y": [2, 1]}, {"_id": "c", "y": 2}]}),
    ],
)
def test_strategies_combine_properties(strategy: Strategy, expected: Mapping[str, Any]) -> None:
    """`default` keeps every value, `compact` each once, `list` the entities."""
    found: list[Entity] = [
        {"_id": "a", "_ts": 1, "x": 1, "n": None},
        {"_id": "b", "y": [2, 1]},
        {"_id": "c", "y": 2} | ({} if strategy == "list" else {"z": [3, 3], "e": []}),
    ]
    made = merged("a", found, strategy, str)
    assert {name: value for name, value in made.items() if name not in {"_id", "$ids"}} == expected


def test_what_was_merged_before_keeps_its_names() -> None:
    """`$ids` are those of the entities that it began with, each once."""
    found = merged("m", [{"_id": "0|a", "$ids": [NI("n:a"), "b"]}, {"_id": "b"}], "default", str)
    assert found["$ids"] == [NI("n:a"), "b"]


def test_too_many_are_not_merged(tmp_path: Path) -> None:
    """The run stops and says which; nothing of it is told."""
    write(tmp_path, ("a", [{"_id": f"{n}", "x": 1} for n in range(6)]), ("b", [{"_id": "b", "x": 1}]))
    assert len(read(merge(tmp_path, ["a a", "b b"], [["eq", "a.x", "b.x"]], most=7))[0]) == 1
    with pytest.raises(StoppedError, match="more than 6 entities are the same, among them `.` of `[ab]`: `max_merged`"):
        read(merge(tmp_path, ["a a", "b b"], [["eq", "a.x", "b.x"]], most=6))


def test_without_replaced_versions_all_is_read_again(tmp_path: Path) -> None:
    """What was told is not known then, so that what is no more is found by not being met."""
    write(tmp_path, ("a", [{"_id": "1", "x": 1}]), ("b", [{"_id": "2", "x": 1}, {"_id": "3"}]), history=False)
    source = merge(tmp_path, ["a a", "b b"], [["eq", "a.x", "b.x"]])
    since = read(source)[1]
    write(tmp_path, ("a", [{"_id": "1", "x": 2}]), history=False)
    assert names(read(source, since)[0]) == ["0|1", "1|2", "1|3"]
    assert source.afresh


def test_empty_datasets_can_be_a_fault(tmp_path: Path) -> None:
    """If none of them has anything."""
    assert read(merge(tmp_path, ["a a"])) == ([], "-")
    with pytest.raises(StoppedError, match="the datasets `a` are empty"):
        read(merge(tmp_path, ["a a"], fails=True))


def test_a_long_row_is_one_region_in_any_page(tmp_path: Path) -> None:
    """Entities that are the same over two thousand steps become one, read on whatever page they are."""
    many = 2000
    write(
        tmp_path,
        ("a", [{"_id": f"{n:04}", "x": [n, n + 1]} for n in range(0, many, 2)]),
        ("b", [{"_id": f"{n:04}", "x": [n, n + 1]} for n in range(1, many, 2)]),
        index=["x"],
    )
    found, _ = read(merge(tmp_path, ["a a", "b b"], [["eq", "a.x", "b.x"]]))
    (one,) = found
    assert len(one["$ids"]) == many


# Any changes, any interruptions: what a sink has in the end is what the datasets say.

_values = st.lists(st.integers(0, 1), max_size=1)
_entity = st.tuples(st.sampled_from("abc"), st.sampled_from("12"), st.one_of(st.none(), _values), _values)
_steps = st.tuples(st.sampled_from([1, 2, 3, 99]), st.lists(_entity, max_size=4), st.lists(_entity, max_size=5))
_RULES = [["eq", "a.x", "b.x"], ["eq", "b.y", ["distinct", "c.y"]], ["eq", "c.x", "c.y"]]


class Whole:
    """What a sink keeps."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.has: dict[str, Entity] = {}

    def take(self, found: Sequence[Entity]) -> None:
        """Each `_id` once, as it came last."""
        for one in found:
            if one.get("_deleted") is True:
                self.has.pop(one["_id"], None)
            else:
                self.has[one["_id"]] = one


def expected(now: Mapping[tuple[int, str], Entity]) -> dict[str, Entity]:
    """What is the same, found by comparing each with each."""
    groups = [{node} for node, one in now.items() if "_deleted" not in one]
    rules = [(0, "x", 1, "x"), (1, "y", 2, "y"), (2, "x", 2, "y")]

    def keys(node: tuple[int, str], name: str) -> set[bytes | None]:
        return set(map(value_key, values_at(now[node], [name])))

    def same(one: tuple[int, str], other: tuple[int, str]) -> bool:
        return any(
            one[0] == left and other[0] == right and keys(one, name) & keys(other, named)
            for left, name, right, named in rules
        )

    joined = True
    while joined:
        joined = False
        for one, other in product(groups, groups):
            if one is not other and any(same(left, right) for left, right in product(one, other)):
                one.update(other)
                groups.remove(other)
                joined = True
                break
    found = {}
    for group in groups:
        row = sorted(group)
        id_ = "|".join(f"{place}|{name}" for place, name in row)
        found[id_] = merged(id_, [now[node] for node in row], "default", str)
    return found


async def put(state: SqliteState, now: dict[tuple[int, str], Entity], step: Sequence[Any]) -> None:
    """Change entities, one after the other."""
    for dataset, id_, x, y in step:
        entity: Entity = {"_id": id_, "_deleted": True} if x is None else {"_id": id_, "x": x, "y": y}
        entry = Entry(id_, entity_hash(ordered_text(entity)), x is None, entity)
        await state.datasets.put(Change(dataset, dataset, [entry]))
        now["abc".index(dataset), id_] = entity


async def sunk(folder: Path, steps: Sequence[Any]) -> tuple[Whole, dict[tuple[int, str], Entity]]:
    """What a sink has after all of it, and what the datasets have."""
    source = merge(folder, ["a a", "b b", "c c"], _RULES)
    now: dict[tuple[int, str], Entity] = {}
    sink, since = Whole(), None
    async with SqliteState.open(folder, MachineClock(), outbound.stranded) as state:
        for name in "abc":
            await state.datasets.prepare(name, name, [("x",)])
        for stops, meanwhile, before in [*steps, (99, [], [])]:
            await put(state, now, before)
            for number, (found, reached) in enumerate(source.read(since)):
                if number == stops:
                    break
                sink.take(found)
                since = reached or since
                if number == 0:
                    await put(state, now, meanwhile)
    return sink, now


@settings(max_examples=60, deadline=None)
@given(st.lists(_steps, min_size=1, max_size=4))
def test_any_changes_end_as_if_all_was_read_at_once(steps: Sequence[Any]) -> None:
    """Changes before and while it is read, readings that stop anywhere, then one to the end: nothing is too much."""
    with TemporaryDirectory() as name:
        sink, now = asyncio.run(sunk(Path(name), steps))
    assert sink.has == expected(now)
