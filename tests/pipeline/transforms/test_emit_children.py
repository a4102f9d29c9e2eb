"""The children of an entity instead of the entity."""

import pytest

from pipeline.entity import Entity
from pipeline.transforms.emit_children import EmitChildren


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ({"_id": "a", "$children": [{"_id": "b"}, {"_id": "c", "x": 1}]}, [{"_id": "b"}, {"_id": "c", "x": 1}]),
        ({"_id": "a", "$children": {"_id": "b"}}, [{"_id": "b"}]),
        ({"_id": "a", "$children": [{"x": 1}, {"_id": 5}, "b", None]}, []),
        ({"_id": "a"}, []),
    ],
)
def test_only_children_that_are_entities_go_on(entity: Entity, expected: list[Entity]) -> None:
    """The parent stays behind, and so does what has no `_id`."""
    assert list(EmitChildren()(entity)) == expected
