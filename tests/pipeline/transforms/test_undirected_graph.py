"""Edges between the nodes that entities name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.entity import URI, Entity
from pipeline.errors import TransformError
from pipeline.transforms.undirected_graph import MOST_NODES, UndirectedGraph, UndirectedGraphConfig
from tests.checked import marks_of_transform

CONTEXT: Any = None


def edges(entity: Entity, nodes: tuple[str, ...] = ("_id", "same")) -> list[tuple[str, Any, Any]]:
    """The edges of an entity."""
    return [(one["_id"], one["from"], one["to"]) for one in UndirectedGraph(nodes, "from", "to")(entity)]


def test_each_node_has_an_edge_to_each_other_one() -> None:
    """In both directions, and with an `_id` made of both."""
    found = edges({"_id": "a", "same": ["b", "c"]})
    assert sorted(found) == [
        ("a.b", "a", "b"),
        ("a.c", "a", "c"),
        ("b.a", "b", "a"),
        ("b.c", "b", "c"),
        ("c.a", "c", "a"),
        ("c.b", "c", "b"),
    ]


@pytest.mark.parametrize(
    ("entity", "ids"),
    [
        ({"_id": "a"}, []),
        ({"_id": "a", "same": None}, []),
        ({"_id": "a", "same": ["a", "a"]}, []),
        ({"_id": "a", "same": "b"}, ["a.b", "b.a"]),
        ({"_id": "~:x", "same": "b"}, ["~:x.b", "b.~:x"]),
        ({"_id": "a", "same": "~rhttp://x/b"}, ["a.http://x/b", "http://x/b.a"]),
        ({"_id": "a", "same": URI("http://x/b")}, ["a.http://x/b", "http://x/b.a"]),
    ],
)
def test_texts_and_addresses_are_nodes_once(entity: Entity, ids: list[str]) -> None:
    """However often they are named; an address is called by its text."""
    assert [each for each, _, _ in edges(entity)] == ids


def test_an_address_stays_one_in_its_edges() -> None:
    """Only the `_id` is a text."""
    assert edges({"_id": "a", "same": "~rhttp://x/b"})[0][2] == "~rhttp://x/b"


def test_edges_of_a_deleted_entity_are_deleted() -> None:
    """Otherwise they would stay for ever."""
    found = UndirectedGraph(("_id", "same"), "from", "to")({"_id": "a", "same": "b", "_deleted": True})
    assert [one["_deleted"] for one in found] == [True, True]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1, "`same` holds a number"),
        (True, "`same` holds true or false"),
        ({"x": 1}, "`same` holds an object"),
        (["b", None], "`same` holds null"),
        (["b", ["c"]], "`same[1]` is a list within a list"),
        ("~:x:b", "`same` holds a NI"),
        ([str(number) for number in range(MOST_NODES)], "more than 1,000 make too many edges"),
    ],
)
def test_what_is_no_node_fails_the_entity(value: object, why: str) -> None:
    """With the property and what it holds."""
    with pytest.raises(TransformError, match=".*") as raised:
        edges({"_id": "a", "same": value})
    assert why in str(raised.value)


def test_names_of_properties_are_as_declared() -> None:
    """By default `_id` and `sameAs`, `from` and `to`."""
    built = UndirectedGraphConfig.model_validate({"type": "undirected_graph"}).build(CONTEXT)
    assert built({"_id": "a", "sameAs": "b"})[0] == {"_id": "a.b", "from": "a", "to": "b"}
    declared = {"type": "undirected_graph", "nodes": ["x"], "from": "s", "to": "t"}
    other = UndirectedGraphConfig.model_validate(declared).build(CONTEXT)
    assert other({"_id": "a", "x": ["b", "c"]})[0] == {"_id": "b.c", "s": "b", "t": "c"}


@pytest.mark.parametrize(
    ("declared", "marked"),
    [
        ({}, []),
        ({"nodes": []}, [("E203", "[]")]),
        ({"from": "_from"}, [("E203", '"_from"')]),
        ({"to": ""}, [("E203", '""')]),
        ({"to": "from"}, [("E209", '"from"')]),
        ({"from": "to"}, [("E209", '"to"')]),
        ({"nodes": ["a", 1]}, [("E202", "1")]),
    ],
)
def test_what_cannot_be_is_found_by_a_check(
    tmp_path: Path, declared: dict[str, Any], marked: list[tuple[str, str]]
) -> None:
    """At its place."""
    assert marks_of_transform(tmp_path, {"type": "undirected_graph", **declared}) == marked
