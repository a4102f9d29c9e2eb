"""Joins of datasets."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.parse import parse
from tests.pipeline.dtl.rules import Memory, made, program

PEOPLE: list[dict[str, Any]] = [
    {"_id": "ann", "children": ["bea", "carl"], "hobbies": ["chess"], "sex": "f"},
    {"_id": "bea", "children": ["dora", "ann"], "hobbies": ["golf", "chess"], "sex": "f"},
    {"_id": "carl", "children": ["finn"], "hobbies": ["golf"], "sex": "m"},
    {"_id": "dora", "children": None, "hobbies": ["rowing"], "sex": "f"},
    {"_id": "finn", "sex": "m", "_deleted": True},
]
HOBBIES: list[dict[str, Any]] = [{"_id": name, "name": name.title()} for name in ("chess", "golf", "rowing")]
ORDERS: list[dict[str, Any]] = [
    {"_id": "o2", "customer": "ann", "lines": [{"ean": 1}, {"ean": 2}], "shop": "a", "n": 5},
    {"_id": "o1", "customer": ["ann", "bea"], "lines": [{"ean": 2}], "shop": "b", "n": 7},
    {"_id": "o3", "customer": "bea", "lines": [], "shop": "a", "n": 9},
]
PRODUCTS: list[dict[str, Any]] = [{"_id": "p1", "ean": 1}, {"_id": "p2", "ean": 2.0}, {"_id": "p3", "ean": None}]


def datasets() -> Memory:
    """People with their hobbies and orders."""
    return Memory({"people": PEOPLE, "hobbies": HOBBIES, "orders": ORDERS, "products": PRODUCTS})


def joined(*specifications: dict[str, Any], source: dict[str, Any] | None = None, memory: Memory | None = None) -> Any:
    """What `hops` gives, with `_id`s in place of entities."""
    (one,) = made([["add", "found", ["hops", *specifications]]], source or PEOPLE[0], memory or datasets())
    return [each["_id"] if isinstance(each, dict) and "_id" in each else each for each in one["found"]]


ORDERS_OF: dict[str, Any] = {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.customer"]}


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({}, ["o1", "o2"]),
        ({"where": ["eq", "o.customer", "_S._id"]}, ["o1", "o2"]),
        ({"where": [["eq", "_S._id", "o.customer"], ["eq", "o.shop", "a"]]}, ["o2"]),
        ({"where": ["and", ["eq", "_S._id", "o.customer"], ["gt", "o.n", 6]]}, ["o1"]),
        ({"where": [["eq", "_S._id", "o.customer"], ["eq", "_S.sex", "m"]]}, []),
        ({"where": ["eq", "_S.none", "o.customer"]}, []),
        ({"where": ["eq", ["list", None, "_S._id"], "o.customer"]}, ["o1", "o2"]),
        ({"where": ["eq", ["concat", "o", "1"], "o._id"]}, "nothing in `where` leads to `o`"),
        ({"return": "o.n"}, [7, 5]),
        ({"return": ["dict", "n", "o.n"]}, [{"n": 7}, {"n": 5}]),
        ({"subsets": {"o": ["eq", "_S.shop", "b"]}}, ["o1"]),
        ({"datasets": ["none o"]}, []),
    ],
)
def test_entities_are_joined(change: dict[str, Any], result: Any) -> None:
    """Values in common join, other conditions choose; null joins nothing; the order is that of `_id`."""
    spec = {**ORDERS_OF, **change}
    if isinstance(result, str):
        faults = parse({"default": [["add", "a", ["hops", spec]]]}, REGISTRY).faults
        assert [fault.message for fault in faults] == [result]
    else:
        assert joined(spec) == result


def test_a_join_goes_through_several_datasets() -> None:
    """From order to product by the values of a list; numbers join by what they count; each entity comes once."""
    both = [["eq", "p.ean", "o.lines.ean"], ["eq", "_S._id", "o.customer"]]
    spec = {"datasets": ["orders o", "products p"], "where": both}
    assert joined(spec) == ["p2", "p1"]
    assert joined({**spec, "return": "o"}) == ["o1", "o2"]
    assert joined({**spec, "return": "o, p"}) == ["o1", "p2", "o2", "p1"]


def test_what_is_computed_joins_too() -> None:
    """An expression on either side; that of the dataset is evaluated once for each entity, not for each join."""
    memory = datasets()
    spec = {"datasets": ["hobbies h"], "where": ["eq", "_S.hobbies", ["lower", "h.name"]]}
    rules = program([["add", "found", ["hops", spec]]], memory)
    assert [[one["_id"] for one in rules(person)[0]["found"]] for person in PEOPLE[:3]] == [
        ["chess"],
        ["chess", "golf"],
        ["golf"],
    ]
    assert memory.asked.count("all") == 1


def test_no_dataset_is_read_whole_for_an_entity() -> None:
    """A path is looked up, `_id` is got."""
    memory = datasets()
    joined(ORDERS_OF, memory=memory)
    joined({"datasets": ["hobbies h"], "where": ["eq", "_S.hobbies", "h._id"]}, memory=memory)
    assert memory.asked == ["find", "get"]


def test_a_join_may_be_repeated_on_what_it_found() -> None:
    """Circles end, depth is counted, and what it started with is there unless it is excluded."""
    children = {"datasets": ["people p"], "where": ["eq", "_S.children", "p._id"], "recurse": True}
    assert joined(children) == ["ann", "bea", "carl", "dora"]
    assert joined({**children, "exclude_root": True}) == ["bea", "carl", "dora"]
    assert joined({**children, "max_depth": 1}) == ["ann", "bea", "carl"]
    assert joined({**children, "max_depth": None}) == ["ann", "bea", "carl", "dora"]
    hobbies = {"datasets": ["hobbies h"], "where": ["eq", "_S.hobbies", "h._id"], "return": "h.name"}
    assert joined({**children, "max_depth": 1}, hobbies) == ["Chess", "Chess", "Golf", "Golf"]


def test_rules_are_applied_to_what_is_joined() -> None:
    """`apply-hops`, in whose rule `_P` is the entity that was joined."""
    rules = {
        "default": [["add", "orders", ["apply-hops", "order", ORDERS_OF]]],
        "order": [["copy", "_id"], ["add", "of", "_P._S.sex"]],
    }
    assert made(rules, PEOPLE[0], datasets())[0]["orders"] == [{"_id": "o1", "of": "f"}, {"_id": "o2", "of": "f"}]


def test_single_entities_are_looked_up() -> None:
    """By `_id`; a deleted one is not there."""
    rules = [["add", "a", ["lookup-entity", "hobbies", "golf"]], ["add", "b", ["lookup-entity", "people", "finn"]]]
    assert made(rules, PEOPLE[0], datasets()) == [{"_id": "ann", "a": {"_id": "golf", "name": "Golf"}, "b": None}]
    rules = [["add", "a", ["completeness", "orders", "orders"]], ["add", "b", ["completeness", "orders", "people"]]]
    assert made(rules, PEOPLE[0], datasets()) == [{"_id": "ann", "a": "~t2026-01-01T12:00:00Z", "b": None}]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (5, "a join is an object with `datasets` and `where`"),
        ({"where": []}, "`datasets` is a list of texts like `orders o`: a dataset and its alias"),
        ({"datasets": ["orders"], "where": []}, "a dataset in a join has a name and an alias"),
        ({"datasets": ["a o", "b o"], "where": []}, "the alias `o` is given twice"),
        ({**ORDERS_OF, "wher": []}, "a join has no `wher`"),
        ({**ORDERS_OF, "max_depth": "x"}, "`max_depth` is a whole number from 1 on, or null for no end"),
        ({**ORDERS_OF, "max_depth": 0}, "`max_depth` is a whole number from 1 on, or null for no end"),
        ({**ORDERS_OF, "recurse": "yes"}, "`recurse` is true or false"),
        (
            {**ORDERS_OF, "recurse": True, "return": "o.name"},
            "what `return` says cannot be joined again: put a join without `recurse` behind this one",
        ),
        ({**ORDERS_OF, "subsets": {"o": ["eq", 1]}}, "`eq` takes 2 arguments, not 1"),
        (
            {**ORDERS_OF, "subsets": {"x": ["eq", "_S.a", 1]}},
            'a subset is ["eq", "_S.name", value] under the alias of a dataset',
        ),
        ({**ORDERS_OF, "where": ["eq", "_S._id", "o.customer", 1]}, "`eq` takes 2 arguments, not 3"),
        ({"datasets": ["a x", "b y"], "where": ["eq", "_S._id", "x._id"]}, "nothing in `where` leads to `y`"),
    ],
)
def test_what_cannot_be_joined_is_told(spec: Any, message: str) -> None:
    """One fault, in words that say what belongs there."""
    faults = parse({"default": [["add", "a", ["hops", spec]]]}, REGISTRY).faults
    assert [fault.message for fault in faults] == [message]
