"""Property names in lower case."""

from typing import Any

import pytest

from pipeline.transforms.lower_keys import LowerKeysConfig, Renamed, lower

CONTEXT: Any = None
ENTITY = {"_id": "A", "Name": "Kari", "Address": {"ZIP": ["X", {"Code": 1}]}}


def test_only_names_of_the_entity_itself_change() -> None:
    """Values stay as they are, and so does the entity that came in."""
    built = LowerKeysConfig.model_validate({"type": "lower_keys"}).build(CONTEXT)
    assert built(ENTITY) == [{"_id": "A", "name": "Kari", "address": {"ZIP": ["X", {"Code": 1}]}}]
    assert ENTITY["Address"] == {"ZIP": ["X", {"Code": 1}]}


def test_names_change_at_every_depth_with_recurse() -> None:
    """Through objects and lists."""
    built = LowerKeysConfig.model_validate({"type": "lower_keys", "recurse": True}).build(CONTEXT)
    assert built(ENTITY) == [{"_id": "A", "name": "Kari", "address": {"zip": ["X", {"code": 1}]}}]


@pytest.mark.parametrize("recurse", [False, True])
def test_of_two_names_that_meet_the_last_one_wins(recurse: bool) -> None:
    """The order of the entity decides."""
    assert Renamed(lower, recurse=recurse)({"_id": "a", "X": 1, "x": 2}) == [{"_id": "a", "x": 2}]
