"""Which entities go into one mail."""

from __future__ import annotations

import json
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entity import NI, URI, typed
from pipeline.state.facts import Gathered, Gathering, Part
from sinks.mail.digest import Digest, gathered, together, whole


def test_an_entity_waits_under_what_it_shares() -> None:
    """A text is its own name, and of other values the same value has the same one."""
    digest = Digest("to")
    one = gathered({"_id": "a", "to": "x@example.com"}, digest, "news", "r1")
    assert isinstance(one, Gathered)
    assert (one.pipe, one.gathering, one.entity_id, one.run) == ("news", "x@example.com", "a", "r1")
    names = {gathered({"_id": "a", "to": to}, digest, "p", "") for to in ({"a": 1, "b": 2}, {"b": 2, "a": 1})}
    assert len({each.gathering for each in names if isinstance(each, Gathered)}) == 1


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (NI("crm:42"), "~:crm:42"),
        (URI("https://example.com/"), "~rhttps://example.com/"),
        (typed("~t2026-01-02"), "~t2026-01-02"),
        (typed("~t2026-01-02T03:04:05Z"), "~t2026-01-02T03:04:05Z"),
        (b"ab", "~bYWI="),
        (Decimal("1.50"), "~f1.50"),
        (UUID(int=7), "~u00000000-0000-0000-0000-000000000007"),
        ([NI("a:b"), {"d": Decimal(2)}], '["~:a:b",{"d":"~f2"}]'),
        (7, "7"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_a_value_of_any_type_can_be_what_entities_share(value: object, name: str) -> None:
    """It is named as JSON has it, so what the state has read back is gathered under the same name."""
    one = gathered({"_id": "a", "to": value}, Digest("to"), "p", "")
    assert isinstance(one, Gathered)
    assert one.gathering == name
    again = gathered(json.loads(one.entity), Digest("to"), "p", "")
    assert isinstance(again, Gathered)
    assert (again.gathering, again.key) == (name, one.key)


def test_what_cannot_wait_is_told() -> None:
    """Without an `_id` or without the property there is nothing to wait under."""
    digest = Digest("to")
    assert gathered({"to": "x"}, digest, "p", "") == "the entity has no `_id`"
    assert gathered({"_id": "a"}, digest, "p", "") == "the entity has no `to` to gather by"
    assert gathered({"_id": "a", "to": ""}, digest, "p", "") == "the entity has no `to` to gather by"
    assert gathered({"_id": "a", "to": "x", "n": {1, 2}}, digest, "p", "") != ""


def test_the_version_of_an_entity_is_gathered_once() -> None:
    """The key is that of the entity with what it holds: a change makes another one."""
    digest = Digest("to")
    first, same, other = (
        gathered(entity, digest, "p", run)
        for entity, run in (
            ({"_id": "a", "to": "x", "n": 1}, "r1"),
            ({"n": 1, "to": "x", "_id": "a"}, "r2"),
            ({"_id": "a", "to": "x", "n": 2}, "r1"),
        )
    )
    assert isinstance(first, Gathered)
    assert isinstance(same, Gathered)
    assert isinstance(other, Gathered)
    assert first.key == same.key != other.key


def test_the_mail_is_made_of_the_last_entity_and_all() -> None:
    """Its `_id` is the gathering's name."""
    parts = (Part(1, "a", '{"_id": "a", "n": 1}', ""), Part(2, "b", '{"_id": "b", "n": 2}', ""))
    assert whole(Gathering("x@example.com", parts)) == {
        "_id": "x@example.com",
        "n": 2,
        "entities": [{"_id": "a", "n": 1}, {"_id": "b", "n": 2}],
    }


@given(st.lists(st.sampled_from(["x", "y", ""]), max_size=30), st.integers(1, 5))
def test_every_entity_is_in_one_mail_or_refused(values: list[str], most: int) -> None:
    """No mail holds more than it may."""
    entities = [{"_id": str(at), "to": value} for at, value in enumerate(values)]
    wholes, wrong = together(entities, Digest("to", most=most))
    held = [each["_id"] for one in wholes for each in one["entities"]]
    assert sorted([*held, *(str(entity["_id"]) for entity, _ in wrong)]) == sorted(str(at) for at in range(len(values)))
    assert all(1 <= len(one["entities"]) <= most for one in wholes)
    assert all({each["to"] for each in one["entities"]} == {one["_id"]} for one in wholes)
