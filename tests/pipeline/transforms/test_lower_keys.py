"""Property names in lower case."""

from pipeline.transforms.lower_keys import LowerKeys


def test_names_become_lower_case_at_every_depth() -> None:
    """Values stay as they are, and so does the entity that came in."""
    entity = {"_id": "A", "Name": "Kari", "Address": {"ZIP": ["X", {"Code": 1}]}}
    assert LowerKeys()(entity) == [{"_id": "A", "name": "Kari", "address": {"zip": ["X", {"code": 1}]}}]
    assert entity["Address"] == {"ZIP": ["X", {"Code": 1}]}


def test_of_two_names_that_meet_the_last_one_wins() -> None:
    """The order of the entity decides."""
    assert LowerKeys()({"_id": "a", "X": 1, "x": 2}) == [{"_id": "a", "x": 2}]
