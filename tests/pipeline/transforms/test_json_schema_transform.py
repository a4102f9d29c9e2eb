"""Entities against a JSON Schema."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.entity import NI, Datetime, Entity
from pipeline.errors import TransformError
from pipeline.transforms.json_schema import ChecksSchema, JsonSchemaConfig
from tests.checked import marks_of_transform

CONTEXT: Any = None
PERSON = {
    "type": "object",
    "properties": {
        "_id": {"type": "string"},
        "name": {"type": "string", "pattern": "^[A-Z]"},
        "born": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "tags": {"items": {"type": "integer"}},
        "spent": {"type": "number", "maximum": 10},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def built(schema: dict[str, Any] | None = None, **properties: Any) -> ChecksSchema:
    """The transform with a schema."""
    declared = {"type": "json_schema", "schema": PERSON if schema is None else schema, **properties}
    return JsonSchemaConfig.model_validate(declared).build(CONTEXT)


def errors(entity: Entity) -> list[str]:
    """What is wrong with an entity."""
    (made,) = built()({"_id": "1", **entity})
    assert made["valid"] is ("errors" not in made)
    found: list[str] = made.get("errors", [])
    return found


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ({"name": "Kari"}, []),
        ({"name": "Kari", "_updated": 7, "_hash": "x"}, []),
        ({"name": "Kari", "born": "~t1980-01-23", "at": Datetime(0), "spent": Decimal("9.99")}, []),
        ({}, ['"name" is a required property']),
        ({"name": "kari"}, ['name: "kari" does not match']),
        ({"name": "Kari", "tags": [1, "x"]}, ['tags[1]: "x" is not of type "integer"']),
        ({"name": "Kari", "born": "yesterday"}, ['born: "yesterday" is not a "date"']),
        ({"name": "Kari", "spent": "~f10.01"}, ["spent: "]),
        ({"name": NI("crm:1"), "more": 1}, ["Additional properties are not allowed", 'name: "crm:1" does not match']),
    ],
)
def test_an_entity_says_whether_it_is_as_the_schema_wants_it(entity: Entity, words: list[str]) -> None:
    """And where it is not, property by property."""
    found = sorted(errors(entity))
    assert len(found) == len(words)
    assert all(each.startswith(start) for each, start in zip(found, words, strict=True)), found


def test_nothing_else_of_the_entity_changes() -> None:
    """The one that came in stays as it is, and what an earlier check said is gone."""
    entity = {"_id": "1", "name": "Kari", "errors": ["old"], "born": "~t1980-01-23"}
    (made,) = built({"required": ["name"]})(entity)
    assert made == {"_id": "1", "name": "Kari", "born": "~t1980-01-23", "valid": True}
    assert entity["errors"] == ["old"]
    (other,) = built({"required": ["x"]}, key_valid="ok", key_errors="why")(entity)
    assert (other["ok"], other["why"], other["errors"]) == (False, ['"x" is a required property'], ["old"])


def test_a_deleted_entity_goes_on_as_it_is() -> None:
    """It has nothing that could be checked."""
    assert list(built()({"_id": "1", "_deleted": True})) == [{"_id": "1", "_deleted": True}]


def test_what_is_told_has_bounds() -> None:
    """However large an entity is, and however much of it is wrong."""
    (made,) = built({"items": {}, "properties": {"a": {"items": {"type": "string"}}}})({"_id": "1", "a": [1] * 1000})
    assert len(made["errors"]) == 100
    (made,) = built({"properties": {"a": {"type": "integer"}}})({"_id": "1", "a": "x" * 100_000})
    assert len(made["errors"][0]) < 400


@pytest.mark.parametrize("value", ["half \ud800 a character", [[]]])
def test_what_cannot_be_asked_fails_the_entity(value: Any) -> None:
    """And no other."""
    if isinstance(value, list):
        for _ in range(100_000):
            value = [value]
    with pytest.raises(TransformError, match="the schema cannot be asked of this entity"):
        built({"properties": {"a": {"items": {"type": "integer"}, "pattern": "x"}}})({"_id": "1", "a": value})


@pytest.mark.parametrize(
    ("declared", "marked"),
    [
        ({"schema": PERSON}, []),
        ({"schema": {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}}, []),
        ({"schema": {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object"}}, []),
        ({}, [("E204", "{")]),
        ({"schema": {"type": "strin"}}, [("E203", '"strin"')]),
        ({"schema": {"properties": {"a": {"pattern": "("}}}}, [("E203", '"("')]),
        ({"schema": {"allOf": [{}, {"required": "name"}]}}, [("E203", '"name"')]),
        ({"schema": {"$ref": "https://example.com/x.json"}}, [("E203", '"https://example.com/x.json"')]),
        ({"schema": {"allOf": [{"$ref": "#"}, {"items": {"$ref": "other.json#/a"}}]}}, [("E203", '"other.json#/a"')]),
        ({"schema": {"$ref": "#/$defs/none"}}, [("E203", "…")]),
        ({"schema": {}, "key_valid": "_valid"}, [("E203", '"_valid"')]),
        ({"schema": {}, "key_valid": "errors"}, [("E209", '"errors"')]),
    ],
)
def test_what_cannot_be_is_found_by_a_check(
    tmp_path: Path, declared: dict[str, Any], marked: list[tuple[str, str]]
) -> None:
    """At its place in the schema; nothing is fetched from anywhere."""
    made = [
        (code, "…" if "$ref" in at else at)
        for code, at in marks_of_transform(tmp_path, {"type": "json_schema", **declared})
    ]
    assert made == marked
