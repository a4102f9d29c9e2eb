"""Entities as they are handed in: all of it right, or nothing, and the place of what is wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.web.received import entities_of, entries
from mailweir.web.route import RefusedError

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read(body: object, *, decimals: bool = True, whole: bool = True) -> list[dict[str, Any]]:
    """The entities of a body."""
    return entities_of(body if isinstance(body, bytes) else json.dumps(body).encode(), decimals=decimals, whole=whole)


def test_one_or_several() -> None:
    """A single object is one entity, and a list may be empty."""
    assert read({"_id": "a"}) == [{"_id": "a"}]
    assert read([{"_id": "a"}, {"_id": "b"}]) == [{"_id": "a"}, {"_id": "b"}]
    assert read([]) == []


@pytest.mark.parametrize(
    ("text", "decimals", "whole", "value"),
    [
        ("1.50", True, True, "~f1.50"),
        ("1.0", True, True, 1),
        ("1e3", True, True, 1000),
        ("1.0", True, False, "~f1.0"),
        ("1.5", False, True, 1.5),
        ("0.1000000000000000055511151231257827", True, True, "~f0.1000000000000000055511151231257827"),
        ("1e999999", True, True, "~f1e999999"),
        ("12345678901234567890123", True, True, 12345678901234567890123),
    ],
)
def test_numbers(text: str, decimals: bool, whole: bool, value: object) -> None:
    """Numbers keep their digits, as a whole number where they are one, and none takes memory without end."""
    assert read(f'{{"_id": "a", "n": {text}}}'.encode(), decimals=decimals, whole=whole)[0]["n"] == value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"_id": "a"', "body:1:"),
        (b'[{"_id": "a"},\n {"name": "b"}]', "body:2:2: E218 this entity has no `_id`"),
        (b'[{"_id": "a"},\n {"_id": 7}]', "body:2:10: E218 the `_id` of this entity is"),
        (b'{"_id": ""}', "body:1:9: E218"),
        (b"[1, 2]", "body:1:2: E218"),
        (b'"text"', "body:1:1: E218"),
        (b'{"_id": "a"} {"_id": "b"}', "a request is one entity, or a list of entities"),
        (b"", "a request is one entity, or a list of entities"),
        (b'{"_id": "\xff"}', "body:1:10: E112"),
        (b'{"_id": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "body:1:"),
        (b"[" * 100_000, "body:1:"),
        (b'{"_id": "a", "n": NaN}', "body:1:19:"),
    ],
)
def test_faults_have_a_place(body: bytes, said: str) -> None:
    """What is wrong is told with line and column, whatever comes."""
    with pytest.raises(RefusedError) as refused:
        read(body)
    assert refused.value.status == 400
    assert refused.value.detail.startswith(said), refused.value.detail


@given(st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode()))
def test_properties_of_any_body(body: bytes) -> None:
    """Whatever is posted is entities with an `_id` each, or refused; nothing else comes of it."""
    found: list[dict[str, Any]] = []
    with suppress(RefusedError):
        found = read(body)
    assert all(isinstance(one["_id"], str) and one["_id"] for one in found)
    assert len(entries(found)) == len(found)


def test_what_is_kept() -> None:
    """Reserved names but `_id` and `_deleted` are not taken from others, and a delete is one."""
    (one,) = entries(read({"_id": "a", "_updated": 5, "_deleted": True, "_hash": "x", "n": 1}))
    assert (one.id, one.deleted, one.entity) == ("a", True, {"_id": "a", "_deleted": True, "n": 1})
    (other,) = entries(read({"_id": "a", "_deleted": "yes"}))
    assert (other.deleted, other.entity) == (False, {"_id": "a"})
