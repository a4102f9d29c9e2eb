"""A dataset as a source, with the datasets that are joined with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.clock import MachineClock
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.namespaces import Namespaces
from pipeline.dtl.parse import parse
from pipeline.dtl.program import Program
from pipeline.dtl.stored import Stored
from pipeline.entity import Entity
from pipeline.state.datasets import Change, Entry
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.versions import entity_hash, ordered_text
from sinks.mail import outbound
from sources.dataset_follow import FollowingSource, followed
from sources.dataset_read import DatasetSource, Subset
from tests.pipeline.dtl.rules import host

Rules = Mapping[str, Any]


class World:
    """Datasets of a state, and a pipe over `orders` that keeps what it makes."""

    def __init__(self, folder: Path) -> None:
        """Open it."""
        self._runner = asyncio.Runner()
        self._state = SqliteState.open(folder, MachineClock(), outbound.stranded)
        self._runner.run(self._state.__aenter__())
        self.reads = SqliteReads(folder)
        self.since: str | None = None

    def put(self, dataset: str, *entities: Entity, history: bool = True) -> None:
        """Write entities."""
        entries = [
            Entry(one["_id"], entity_hash(ordered_text(one)), one.get("_deleted") is True, one) for one in entities
        ]
        self._runner.run(self._state.datasets.put(Change(dataset, "p", entries, history=history)))

    def index(self, dataset: str, *paths: Sequence[str]) -> None:
        """Make indexes."""
        self._runner.run(self._state.datasets.prepare(dataset, "p", paths))

    def remove(self, dataset: str) -> None:
        """Remove a dataset."""
        self._runner.run(self._state.datasets.delete(dataset))

    def program(self, rules: Rules, namespaces: Namespaces | None = None) -> Program:
        """Rules over these datasets."""
        parsed = parse(rules, REGISTRY)
        assert parsed.faults == []
        around = host()
        around.datasets = Stored(self.reads)
        return Program(parsed.rules, around, namespaces)

    def source(self, *programs: Program, subset: Subset | None = None) -> Any:
        """The source, with what it follows."""
        return followed(DatasetSource(self.reads, "orders", subset), programs, self.reads)

    def new(self, *programs: Program, subset: Subset | None = None, most: int = 1000) -> list[str]:
        """What the source gives after the last time; so many steps are made before somebody kills it."""
        found: list[str] = []
        for entities, since in islice(self.source(*programs, subset=subset).read(self.since), most):
            found += [one["_id"] for one in entities]
            self.since = self.since if since is None else since
        return found

    def close(self) -> None:
        """Leave nothing open."""
        self.reads.close()
        self._runner.run(self._state.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Customers with orders."""
    found = World(tmp_path)
    found.put("customers", {"_id": "c1", "name": "Kari"}, {"_id": "c2", "name": "Ola"})
    found.put("orders", {"_id": "o1", "of": "c1"}, {"_id": "o2", "of": "c2"}, {"_id": "o3", "of": ["c1", "c2"]})
    yield found
    found.close()


def joined(**more: Any) -> Rules:
    """Orders with their customers."""
    spec = {"datasets": ["customers c"], "where": ["eq", "_S.of", "c._id"], **more}
    return {"default": [["add", "customers", ["hops", spec]]]}


def test_a_change_brings_those_that_are_joined_with_it(world: World) -> None:
    """And no others; once; what changed in both places comes once too."""
    program = world.program(joined())
    assert world.new(program) == ["o1", "o2", "o3"]
    assert world.new(program) == []
    world.put("customers", {"_id": "c2", "name": "Olaf"})
    assert world.new(program) == ["o2", "o3"]
    assert world.new(program) == []
    world.put("customers", {"_id": "c1", "name": "Karin"})
    world.put("orders", {"_id": "o3", "of": "c1"})
    assert world.new(program) == ["o1", "o3"]


def test_what_comes_and_goes_counts(world: World) -> None:
    """A customer that was not there, one that is deleted, and one that comes back."""
    program = world.program(joined())
    world.put("orders", {"_id": "o4", "of": "c4"})
    world.new(program)
    world.put("customers", {"_id": "c4", "name": "Eva"})
    assert world.new(program) == ["o4"]
    world.put("customers", {"_id": "c4", "_deleted": True})
    assert world.new(program) == ["o4"]
    world.put("customers", {"_id": "c4", "name": "Eva"}, {"_id": "c5"})
    assert world.new(program) == ["o4"]


def test_deleted_entities_of_the_source_do_not_come_back(world: World) -> None:
    """Nor do those that are outside of what the source gives."""
    program = world.program(joined())
    subset = Subset(["of"], ["c1"])
    world.new(program, subset=subset)
    world.put("orders", {"_id": "o1", "of": "c1", "_deleted": True})
    world.new(program, subset=subset)
    world.put("customers", {"_id": "c1", "name": "Karin"}, {"_id": "c2", "name": "Olaf"})
    assert world.new(program, subset=subset) == ["o3"]


def test_what_a_join_led_to_before_counts(world: World) -> None:
    """An address that moves from one customer to another is news for the orders of both."""
    spec = {"datasets": ["customers c", "addresses a"], "where": [["eq", "_S.of", "c._id"], ["eq", "c._id", "a.of"]]}
    program = world.program({"default": [["add", "addresses", ["hops", spec]]]})
    world.put("addresses", {"_id": "a1", "of": "c1"})
    world.put("orders", {"_id": "o5", "of": "c5"})
    world.new(program)
    world.put("addresses", {"_id": "a1", "of": "c2"})
    assert sorted(world.new(program)) == ["o1", "o2", "o3"]
    world.put("addresses", {"_id": "a1", "of": "c2", "_deleted": True})
    assert sorted(world.new(program)) == ["o2", "o3"]


def test_versions_that_were_cleared_away_may_concern_all(world: World) -> None:
    """Nobody knows what they were joined with; those that are found by their `_id` keep it."""
    spec = {"datasets": ["addresses a"], "where": ["eq", "_S.of", "a.of"]}
    program, by_id = world.program({"default": [["add", "addresses", ["hops", spec]]]}), world.program(joined())
    world.put("addresses", {"_id": "a1", "of": "c1"})
    world.new(program)
    world.put("addresses", {"_id": "a1", "of": "c2"}, history=False)
    assert world.new(program) == ["o1", "o2", "o3"]
    world.put("addresses", {"_id": "a1", "of": "c3"}, {"_id": "a1", "of": "c4"}, history=False)
    assert world.new(program) == ["o1", "o2", "o3"]
    world.new(by_id)
    world.put("customers", {"_id": "c1", "name": "K"}, history=False)
    assert world.new(by_id) == ["o1", "o3"]


def test_a_dataset_that_is_removed_may_concern_all(world: World) -> None:
    """Nobody knows what it had; one that comes later concerns those that it is joined with."""
    program = world.program(joined())
    world.new(program)
    world.remove("customers")
    assert world.new(program) == ["o1", "o2", "o3"]
    assert world.new(program) == []
    world.put("customers", {"_id": "c2", "name": "Ola"})
    assert world.new(program) == ["o2", "o3"]
    world.remove("customers")
    world.put("customers", {"_id": "c1", "name": "Kari"})
    assert world.new(program) == ["o1", "o2", "o3"]


def test_what_is_not_to_be_tracked_is_not(world: World) -> None:
    """`track-dependencies` is off: the source alone counts, and its position is its own."""
    program = world.program(joined(**{"track-dependencies": False}))
    world.new(program)
    world.put("customers", {"_id": "c1", "name": "Karin"})
    assert world.new(program) == []
    assert not isinstance(world.source(program), FollowingSource)
    assert isinstance(world.source(world.program(joined())), FollowingSource)


def test_a_subset_says_which_of_them_count(world: World) -> None:
    """One that enters or leaves it is news; what stays outside is none."""
    program = world.program(joined(subsets={"c": ["eq", "_S.kind", "big"]}))
    world.new(program)
    world.put("customers", {"_id": "c1", "name": "Karin"})
    assert world.new(program) == []
    world.put("customers", {"_id": "c1", "kind": "big"})
    assert world.new(program) == ["o1", "o3"]


@pytest.mark.parametrize(
    ("rules", "changed", "concerned"),
    [
        # What is computed of the source, or of what is met.
        ({"where": ["eq", ["upper", "_S.of"], ["upper", "c._id"]]}, "c1", ["o1", "o3"]),
        ({"where": ["eq", ["map", ["upper", "_."], "_S.of"], ["upper", "c._id"]]}, "c2", ["o2", "o3"]),
        # Whichever side stands first; more than one condition.
        ({"where": [["eq", "c._id", "_S.of"], ["neq", "c.name", "x"]]}, "c2", ["o2", "o3"]),
        # What cannot be traced back concerns all.
        ({"where": ["eq", "_T._id", "c.best"]}, "c1", ["o1", "o2", "o3"]),
        ({"where": ["eq", ["concat", "_S.of", ["uuid"]], "c._id"]}, "c1", ["o1", "o2", "o3"]),
    ],
)
def test_joins_are_traced_back(world: World, rules: Rules, changed: str, concerned: Sequence[str]) -> None:
    """By whatever they join; where that cannot be, all are concerned."""
    program = world.program(joined(**rules))
    world.new(program)
    world.put("customers", {"_id": changed, "name": "new", "best": "o1"})
    assert world.new(program) == concerned


def test_rules_that_are_applied_are_traced_back_too(world: World) -> None:
    """To what they are applied to: entities that were joined, parts of the source, and what stands above."""
    world.put("lines", {"_id": "l1", "order": "o1", "item": "i1"}, {"_id": "l2", "order": "o2", "item": "i2"})
    world.put("items", {"_id": "i1"}, {"_id": "i2"}, {"_id": "i3"})
    world.put("orders", {"_id": "o4", "parts": [{"item": "i1"}, {"item": "i3"}]})
    world.put("stock", {"_id": "s1", "order": "o1"})

    def hops(dataset: str, known: str, sought: str) -> Any:
        return {"datasets": [f"{dataset} x"], "where": ["eq", known, f"x.{sought}"]}

    program = world.program(
        {
            "default": [
                ["add", "lines", ["apply-hops", "line", hops("lines", "_S._id", "order")]],
                ["add", "parts", ["apply", "line", "_S.parts"]],
            ],
            "line": [
                ["add", "item", ["hops", hops("items", "_S.item", "_id")]],
                ["add", "customer", ["hops", hops("customers", "_R._S.of", "_id")]],
                ["add", "stock", ["hops", hops("stock", "_P._S._id", "order")]],
                ["add", "again", ["lookup-entity", "moods", "_S.mood"]],
            ],
        }
    )
    world.new(program)
    world.put("items", {"_id": "i1", "n": 1})
    assert sorted(world.new(program)) == ["o1", "o4"]
    world.put("items", {"_id": "i2", "n": 1})
    assert world.new(program) == ["o2"]
    world.put("lines", {"_id": "l1", "order": "o3"})
    assert sorted(world.new(program)) == ["o1", "o3"]
    world.put("customers", {"_id": "c1", "n": 1})
    assert sorted(world.new(program)) == ["o1", "o3"]
    world.put("stock", {"_id": "s1", "order": "o2"})
    assert sorted(world.new(program)) == ["o1", "o2"]
    world.put("orders", {"_id": "o2", "of": "c2", "parts": {"mood": "m1"}})
    world.new(program)
    world.put("moods", {"_id": "m1"}, {"_id": "m2"})
    assert world.new(program) == ["o2"]


def test_a_join_that_recurs_is_traced_back_through_all_levels(world: World) -> None:
    """A part of a part of an order; circles come to an end."""
    spec = {"datasets": ["parts p"], "where": ["eq", "_S.parts", "p._id"], "recurse": True}
    program = world.program({"default": [["add", "parts", ["hops", spec]]]})
    world.put("parts", {"_id": "p1", "parts": ["p2"]}, {"_id": "p2", "parts": ["p3", "p1"]}, {"_id": "p3"})
    world.put("orders", {"_id": "o1", "parts": "p1"}, {"_id": "o2", "parts": "p9"})
    world.new(program)
    world.put("parts", {"_id": "p3", "n": 1})
    assert world.new(program) == ["o1"]
    world.put("parts", {"_id": "p9", "n": 1})
    assert world.new(program) == ["o2"]


def test_a_rule_that_applies_itself_comes_to_an_end(world: World) -> None:
    """What it joins at any depth concerns all."""
    program = world.program(
        {
            "default": [["add", "a", ["apply", "tree", "_S.tree"]]],
            "tree": [
                ["add", "c", ["hops", {"datasets": ["customers c"], "where": ["eq", "_S.of", "c._id"]}]],
                ["add", "below", ["apply", "tree", "_S.tree"]],
            ],
        }
    )
    world.put("orders", {"_id": "o4", "tree": {"tree": {"of": "c1"}}})
    world.new(program)
    world.put("customers", {"_id": "c1", "name": "K"})
    assert "o4" in world.new(program)


def test_what_other_transforms_made_is_not_traced_back(world: World) -> None:
    """A change in what the second one joins concerns all; none of them counts as gone."""
    first, second = world.program({"default": [["copy", "*"]]}), world.program(joined())
    world.new(first, second)
    world.put("customers", {"_id": "c1", "name": "K"})
    source = world.source(first, second)
    assert [one["_id"] for entities, _ in source.read(world.since) for one in entities] == ["o1", "o2", "o3"]
    assert not source.afresh


def test_names_in_namespaces_are_found(world: World) -> None:
    """In any of them, or in the one that is meant; what an entity is called counts as its `$ids`."""
    spaces = Namespaces("shop", "shop")
    world.put("customers", {"_id": "crm:1", "crm:key": "k1", "crm:of": "~:shop:o9"})
    world.put("orders", {"_id": "o8", "web:key": "k1"}, {"_id": "o9", "shop:key": "k2"})
    rules = {
        "default": [
            ["add", "a", ["hops", {"datasets": ["customers c"], "where": ["eq", "_S.key", "c.key"]}]],
            ["add", "b", ["hops", {"datasets": ["customers c"], "where": ["eq", "_S.$ids", "c.crm:of"]}]],
        ]
    }
    program = world.program(rules, spaces)
    source = world.source(program)
    assert source.lookups == [("orders", ("*:key",))]
    assert program.lookups == [("customers", ("*:key",)), ("customers", ("crm:of",))]
    world.index("orders", ["*:key"])
    world.index("customers", ["*:key"])
    world.new(program)
    world.put("customers", {"_id": "crm:1", "crm:key": "k1", "crm:of": "~:shop:o9", "n": 1})
    assert sorted(world.new(program)) == ["o8", "o9"]
    found = program({"_id": "o8", "web:key": "k1"})[0]["shop:a"]
    assert [one["_id"] for one in found] == ["crm:1"]


def test_a_position_without_what_is_followed_is_from_now_on(world: World) -> None:
    """As it is where rules join something for the first time: it is stored at once."""
    program = world.program(joined())
    world.new(world.program({"default": [["copy", "*"]]}))
    assert world.since is not None
    assert " " not in world.since
    assert world.new(program) == []
    world.put("customers", {"_id": "c1", "name": "K"})
    assert world.new(program) == ["o1", "o3"]


def test_a_run_that_was_killed_goes_on(world: World) -> None:
    """Wherever that was, nothing is left out: what was given and not stored comes again."""
    program = world.program(joined())
    world.new(program)
    world.put("customers", {"_id": "c1", "name": "K"}, {"_id": "c2", "name": "O"})
    before = world.since
    assert world.new(program, most=1) == ["o1", "o2", "o3"]
    assert world.since == before
    assert world.new(program) == ["o1", "o2", "o3"]
    assert world.new(program) == []


IDS = st.sampled_from(["1", "2", "3"])
KEYS = st.one_of(st.none(), IDS, st.lists(IDS, max_size=2))
CHANGE = st.tuples(
    st.sampled_from(["orders", "customers", "addresses"]), IDS, st.one_of(st.none(), st.tuples(KEYS, KEYS))
)
CONDITIONS = st.sampled_from(
    [
        ["eq", "_S.a", "c._id"],
        ["eq", "_S.a", "c.b"],
        ["eq", ["lower", "_S.b"], "c.a"],
        ["and", ["eq", "_S.a", "c.a"], ["eq", "c.b", "_S.b"]],
        ["eq", "_T._id", "c.a"],
    ]
)
FURTHER = st.sampled_from([["eq", "c.a", "a.a"], ["eq", "a._id", ["lower", "c.b"]], ["eq", "_S.b", "a.b"]])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    CONDITIONS,
    FURTHER,
    st.booleans(),
    st.booleans(),
    st.lists(st.lists(CHANGE, min_size=1, max_size=4), min_size=2, max_size=6),
)
def test_what_is_kept_is_what_would_be_made_anew(
    condition: Any, further: Any, recurse: bool, indexed: bool, rounds: Sequence[Sequence[Any]]
) -> None:
    """Whatever changes, in whatever order: each entity is as rules make it of all that there is now."""
    spec: Entity = {"datasets": ["customers c", "addresses a"], "where": [condition, further]}
    if recurse:
        spec = {"datasets": ["customers c"], "where": [condition], "recurse": True}
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            program = world.program({"default": [["add", "found", ["hops", spec]]]})
            if indexed:
                for name, path in world.source(program).lookups:
                    world.index(name, path)
            kept: dict[str, Any] = {}
            for changes in rounds:
                for dataset, id_, values in changes:
                    state = {"_deleted": True} if values is None else {"a": values[0], "b": values[1]}
                    world.put(dataset, {"_id": id_, **state})
                for entities, since in world.source(program).read(world.since):
                    kept.update((one["_id"], _found(program, one)) for one in entities)
                    world.since = world.since if since is None else since
                anew = {
                    one["_id"]: _found(program, one)
                    for entities, _ in DatasetSource(world.reads, "orders").read(None)
                    for one in entities
                }
                assert {id_: one for id_, one in kept.items() if one is not None} == {
                    id_: one for id_, one in anew.items() if one is not None
                }
        finally:
            world.close()


def _found(program: Program, entity: Entity) -> Any:
    """What it is joined with, without the entity itself; None for one that is deleted."""
    (made,) = program(entity)
    return None if made.get("_deleted") else [one for one in made["found"] if one["_id"] != entity["_id"] or "a" in one]
