"""What messages become."""

from __future__ import annotations

import pytest

from pipeline.entity import Entity
from sources.message_entities import Shape, entity_of_message
from sources.parts import Fault
from systems.brokers.messages import Message


def made(body: bytes | None, shape: Shape | None = None, key: str = "", **facts: object) -> Entity | Fault:
    """The entity of a message."""
    return entity_of_message(Message(body, "orders:1", key, facts), shape or Shape(), "broker/orders")


def test_names() -> None:
    """The properties that are named, else its own `_id`, else the key, else the place."""
    assert made(b'{"a": 1}') == {"_id": "orders:1", "a": 1}
    assert made(b'{"a": 1}', key="k") == {"_id": "k", "a": 1}
    assert made(b'{"a": 1, "_id": "x"}', key="k") == {"_id": "x", "a": 1}
    assert made(b'{"a": 1, "_id": 7}') == {"_id": "7", "a": 1}
    assert made(b'{"a": 1, "b": "c:d"}', Shape(("a", "b"))) == {"_id": "1:c%3Ad", "a": 1, "b": "c:d"}


def test_facts_and_fields() -> None:
    """What else is known is a property where it is wanted, or all there is."""
    assert made(b"{}", Shape(facts="m"), topic="t") == {"_id": "orders:1", "m": {"topic": "t"}}
    assert made(None, Shape(fields=True), fields={"a": "1"}) == {"_id": "orders:1", "a": "1"}


def test_no_body() -> None:
    """A key alone deletes, where that is the custom; otherwise it is no entity."""
    assert made(None, Shape(deletes=True), key="k") == {"_id": "k", "_deleted": True}
    found = made(None, key="k")
    assert isinstance(found, Fault)
    assert found.problem.code == "E218"


@pytest.mark.parametrize(
    ("body", "shape", "code", "column"),
    [
        (b"[1]", Shape(), "E218", 1),
        (b'"a"', Shape(), "E218", 1),
        (b'{"a": }', Shape(), "E108", 5),
        (b"", Shape(), "E114", 1),
        (b'{"a": "\xff"}', Shape(), "E112", 7),
        (b'{"a": 1}', Shape(("b",)), "E218", 1),
        (b'{"a": ""}', Shape(("a",)), "E218", 1),
        (b'{"a": true}', Shape(("a",)), "E218", 1),
        (b'{"_id": null}', Shape(), "E218", 1),
        (b'{"_id": ""}', Shape(), "E218", 1),
        (b"[" * 100_000, Shape(), "E113", 1),
    ],
)
def test_what_is_no_entity(body: bytes, shape: Shape, code: str, column: int) -> None:
    """It has a code, the place of the message, and the character in it."""
    found = made(body, shape)
    assert isinstance(found, Fault)
    assert found.problem.code == code
    assert found.problem.span.file == "broker/orders orders:1"
    if column > 1:
        assert found.problem.span.start == column
