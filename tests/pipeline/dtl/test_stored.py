"""Datasets of the state, as rules ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipeline.clock import MachineClock
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.parse import parse
from pipeline.dtl.program import Program
from pipeline.dtl.stored import Stored
from pipeline.entity import Entity
from pipeline.state.datasets import Change, Entry
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.versions import entity_hash, ordered_text
from sinks.mail import outbound
from tests.pipeline.dtl.rules import host

ORDERS: list[Entity] = [
    {"_id": "o2", "of": ["1", "2"], "n": 1},
    {"_id": "o1", "of": "1", "n": 1.0},
    {"_id": "o3", "of": None, "n": True},
    {"_id": "o4", "of": "1", "_deleted": True},
]


def entry(entity: Entity) -> Entry:
    """An entity on its way."""
    return Entry(entity["_id"], entity_hash(ordered_text(entity)), entity.get("_deleted") is True, entity)


class Kept:
    """A state with datasets, and what reads them."""

    def __init__(self, folder: Path) -> None:
        """Open it."""
        self._runner = asyncio.Runner()
        self._state = SqliteState.open(folder, MachineClock(), outbound.stranded)
        self._runner.run(self._state.__aenter__())
        self.reads = SqliteReads(folder)

    def put(self, dataset: str, entities: Sequence[Entity], indexes: Sequence[Sequence[str]] = ()) -> None:
        """Write entities."""
        self._runner.run(self._state.datasets.prepare(dataset, "p", indexes))
        self._runner.run(self._state.datasets.put(Change(dataset, "p", [entry(one) for one in entities])))

    def close(self) -> None:
        """Leave nothing open."""
        self.reads.close()
        self._runner.run(self._state.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """A state of its own."""
    found = Kept(tmp_path)
    yield found
    found.close()


@pytest.mark.parametrize("indexes", [(), (("of",), ("n",))])
def test_entities_are_found_with_and_without_an_index(kept: Kept, indexes: Sequence[Sequence[str]]) -> None:
    """By value, in the order of `_id`; deleted ones are not there; numbers are the same by what they count."""
    kept.put("orders", ORDERS, indexes)
    stored = Stored(kept.reads)
    assert [one["_id"] for one in stored.find("orders", ["of"], ["1", 5])] == ["o1", "o2"]
    assert [one["_id"] for one in stored.find("orders", ["n"], [1])] == ["o1", "o2"]
    assert stored.find("none", ["of"], ["1"]) == []
    assert {one["_id"] for one in stored.all("orders")} == {"o1", "o2", "o3"}
    assert list(stored.all("none")) == []
    assert stored.get("orders", "o4") is None
    assert stored.get("none", "o1") is None
    assert stored.get("orders", "o1") is not None


def test_versions_are_told_apart(kept: Kept) -> None:
    """A change is another revision, and the version before it is known."""
    stored = Stored(kept.reads)
    assert stored.revision("orders") == 0
    kept.put("orders", ORDERS)
    first = stored.revision("orders")
    kept.put("orders", [{"_id": "o1", "of": "2"}])
    assert stored.revision("orders") > first > 0
    newer = stored.get("orders", "o1")
    assert newer is not None
    before = stored.previous("orders", newer)
    assert before is not None
    assert before["of"] == "1"
    assert stored.previous("orders", before) is None
    assert stored.previous("none", newer) is None
    assert stored.completeness("orders", "orders") is None


def test_rules_say_which_indexes_they_need() -> None:
    """The paths that are sought, in joins at any depth; not `_id`, and nothing that is computed."""
    rules = {
        "default": [
            [
                "if",
                True,
                [["add", "a", ["apply-hops", "b", {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.of"]}]]],
            ],
            [
                "add",
                "c",
                ["hops", {"datasets": ["x x", "y y"], "where": [["eq", "_S.a", "x._id"], ["eq", "x.b", "y.c.d"]]}],
            ],
            ["add", "e", ["count", ["hops", {"datasets": ["z z"], "where": ["eq", "_S.a", ["lower", "z.b"]]}]]],
        ],
        "b": [["add", "n", ["map", ["upper", "_."], "_S.of"]]],
    }
    program = Program(parse(rules, REGISTRY).rules, host())
    assert program.lookups == [("orders", ("of",)), ("y", ("c", "d"))]


def test_what_was_found_once_is_not_taken_for_granted(kept: Kept) -> None:
    """A dataset, and an index of it, that come after a look are seen by the next one."""
    stored = Stored(kept.reads)
    kept.put("people", [{"_id": "1"}])
    assert stored.find("orders", ["of"], ["1"]) == []
    kept.put("orders", ORDERS[:1])
    assert [one["_id"] for one in stored.find("orders", ["of"], ["1"])] == ["o2"]
    kept.put("orders", ORDERS[1:], [("of",)])
    assert [one["_id"] for one in stored.find("orders", ["of"], ["1"])] == ["o1", "o2"]
