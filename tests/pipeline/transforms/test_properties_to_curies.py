"""Names of properties with namespaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnusableError
from pipeline.transforms.properties_to_curies import PropertiesToCuriesConfig
from tests.checked import marks_of_transform

RULES = ["n", ["address", "number"], "_", ["address"], "p", ["p_*"], "a", ["address", "**"], "x", ["**"]]
ENTITY = {
    "_id": "no/1",
    "_deleted": False,
    "name": "Kari",
    "p_age": 40,
    "post/box": 7,
    "address": {"number": 3, "street": "Å", "p_x": [{"y": 1}], "<z:kept>": 1},
}


class Place:
    """What a transform may ask for: the metadata of a project."""

    pipe = "people"

    def __init__(self, **metadata: object) -> None:
        """Take it by names."""
        self._metadata = metadata

    def metadata(self, name: str) -> object:
        """What stands under a name."""
        return self._metadata.get(name)


def shaped(declared: dict[str, Any], **metadata: object) -> dict[str, Any]:
    """What becomes of the entity."""
    place: Any = Place(**metadata)
    config = PropertiesToCuriesConfig.model_validate({"type": "properties_to_curies", **declared})
    (made,) = config.build(place)(ENTITY)
    return made


SHAPED = {
    "_id": "<x:no/1>",
    "_deleted": False,
    "<x:name>": "Kari",
    "<p:p_age>": 40,
    "<x:post/box>": 7,
    "<_:address>": {"<n:number>": 3, "<a:street>": "Å", "<p:p_x>": [{"<a:y>": 1}], "<z:kept>": 1},
}


def test_the_first_pattern_that_fits_names_the_namespace() -> None:
    """At every depth; names of the engine and those that have a namespace stay."""
    assert shaped({"id": "x", "properties": RULES}) == SHAPED
    assert "name" in ENTITY


def test_rules_can_stand_in_the_registry() -> None:
    """By the name of their entry, with the characters that it leaves as they are."""
    entry = {"prefix_rules": {"id": "x", "properties": RULES}, "prefixes": {"x": "http://x.example/"}}
    assert shaped({"rule": "people"}, rdf={"people": entry}) == SHAPED
    strict = shaped({"rule": "people"}, rdf={"people": {**entry, "quote_safe_characters": ""}})
    assert (strict["_id"], strict["<x:post%2Fbox>"]) == ("<x:no%2F1>", 7)
    own = shaped(
        {"rule": "people", "quote_safe_characters": "/"}, rdf={"people": {**entry, "quote_safe_characters": ""}}
    )
    assert own == SHAPED


@pytest.mark.parametrize("metadata", [{}, {"rdf": {"other": {}}}, {"rdf": "none"}])
def test_a_rule_that_is_not_registered_stops_the_pipe_before_it_runs(metadata: dict[str, Any]) -> None:
    """With its name."""
    with pytest.raises(UnusableError, match="pipe `people`: the registry `rdf` of the metadata has no `people`"):
        shaped({"rule": "people"}, **metadata)


@pytest.mark.parametrize(
    ("declared", "marked"),
    [
        ({"rule": "people"}, []),
        ({"id": "x", "properties": RULES}, []),
        ({}, [("E204", '"properties_to_curies"')]),
        ({"id": "x"}, [("E204", '"id"')]),
        ({"properties": RULES}, [("E204", '"properties"')]),
        ({"id": "x", "properties": ["x"]}, [("E203", '["x"]')]),
        ({"id": "x", "properties": ["x", "**"]}, [("E203", '["x", "**"]')]),
        ({"id": "x", "properties": [["**"], "x"]}, [("E203", '[["**"], "x"]')]),
    ],
)
def test_what_cannot_be_is_found_by_a_check(
    tmp_path: Path, declared: dict[str, Any], marked: list[tuple[str, str]]
) -> None:
    """At its place."""
    assert marks_of_transform(tmp_path, {"type": "properties_to_curies", **declared}) == marked
