"""What makes two messages the same."""

from __future__ import annotations

import json
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pipeline.state.keys import entity_text, entity_version, message_key, name_of

TO = ("ann@example.com", "bo@example.com")


def test_the_key_is_stable() -> None:
    """It is on disks: the same message has the same key in every later version."""
    assert message_key("welcome", "c-1", "v1", TO) == "b19be66a93eaacd75c23764495d9f7fc"


def test_every_part_makes_another_message() -> None:
    """Pipe, entity, version and recipients each count."""
    keys = {
        message_key("welcome", "c-1", "v1", TO),
        message_key("digest", "c-1", "v1", TO),
        message_key("welcome", "c-2", "v1", TO),
        message_key("welcome", "c-1", "v2", TO),
        message_key("welcome", "c-1", "v1", TO[:1]),
    }
    assert len(keys) == 5


def test_how_recipients_are_written_makes_no_other_message() -> None:
    """Their order does not count, nor one that is named twice."""
    assert message_key("p", "e", "v", TO) == message_key("p", "e", "v", (*reversed(TO), TO[0]))


@given(st.lists(st.text(), min_size=2, max_size=4), st.integers(0, 3))
def test_no_part_runs_into_the_next(parts: list[str], cut: int) -> None:
    """Texts that are the same when written one behind the other are still other messages."""
    first, second, *rest = parts
    moved = first + second[:cut]
    if moved != first:
        assert message_key(first, second, "", rest) != message_key(moved, second[cut:], "", rest)


def test_a_version_is_what_an_entity_holds() -> None:
    """The order of properties and the engine's own marks do not count; a value does, and that it was deleted."""
    entity = {"_id": "c-1", "name": "Ann", "tags": [1, 2]}
    version = entity_version(entity)
    assert version == entity_version(
        {"tags": [1, 2], "name": "Ann", "_id": "c-1", "_updated": 7, "_ts": 1, "_hash": "x"}
    )
    assert version != entity_version(entity | {"name": "Bo"})
    assert version != entity_version(entity | {"tags": [2, 1]})
    assert version != entity_version(entity | {"_deleted": True})


def test_the_version_is_stable() -> None:
    """It is on disks too."""
    assert (
        entity_version({"_id": "c-1", "name": "Åse", "many": [1, 2.5, None, True]})
        == "851e053c4f8ee5ec18e6d192a93c6975"
    )


texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
)


@given(st.dictionaries(texts, values))
def test_an_entity_reads_back_from_its_text(entity: dict[str, object]) -> None:
    """Every number and character of it, and in whatever order its names came in."""
    text = entity_text(entity)
    assert json.loads(text) == entity
    assert entity_text(dict(reversed(entity.items()))) == text


def test_what_is_no_json_and_half_characters_have_a_text() -> None:
    """It is JSON in ASCII then, with the text that stands for the value, or its type."""
    assert entity_text({"b": "\ud800", "a": Decimal("1.50")}) == '{"a":"~f1.50","b":"\\ud800"}'
    assert entity_text({"a": (1, b"x")}) == '{"a":[1,"~beA=="]}'
    assert entity_text({"a": 1j}) == '{"a":{"complex":"1j"}}'


def test_values_of_other_types_make_other_versions() -> None:
    """Also where they read the same and JSON has no form for them."""
    values = ["1.5", 1.5, Decimal("1.5"), ["1.5"], b"1.5", "b'1.5'", UUID(int=1), str(UUID(int=1))]
    assert len({entity_version({"_id": "c-1", "value": value}) for value in values}) == len(values)


def test_a_generation_has_a_name_of_its_own() -> None:
    """What is sent once more on purpose is told apart in logs."""
    assert name_of("ab", 0) == "ab"
    assert name_of("ab", 2) == "ab.2"
