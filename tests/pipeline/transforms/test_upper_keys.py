"""Property names in upper case."""

from typing import Any

from pipeline.transforms.upper_keys import UpperKeysConfig

CONTEXT: Any = None


def test_names_become_upper_case_and_those_of_the_engine_stay() -> None:
    """An entity without its `_id` would be none."""
    entity = {"_id": "a", "_deleted": True, "$ids": ["b"], "name": "Kari", "address": {"zip": 1}}
    built = UpperKeysConfig.model_validate({"type": "upper_keys"}).build(CONTEXT)
    assert built(entity) == [{"_id": "a", "_deleted": True, "$ids": ["b"], "NAME": "Kari", "ADDRESS": {"zip": 1}}]
    deep = UpperKeysConfig.model_validate({"type": "upper_keys", "recurse": True}).build(CONTEXT)
    assert deep(entity)[0]["ADDRESS"] == {"ZIP": 1}
