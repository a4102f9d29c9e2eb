from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest

from pipeline.dtl.errors import DtlError
from pipeline.dtl.prefixes import prefixes_of
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated
from pipeline.entity import Entity, transit

REGISTRY = {
    "people": {
        "prefixes": {"p": "https://example.com/people/", "s": "https://example.com/schema#"},
        "prefix_includes": ["places"],
        "prefix_rules": {
            "id": "p",
            "properties": ["c", ["home", "code"], "s", ["t_*"], "q", ["home", "**", "n?"], "s", ["home", "**"]],
        },
    },
    "places": {"prefixes": {"c": "https://example.com/codes/"}, "quote_safe_characters": ""},
}


class People:
    """Datasets with a person or two."""

    def get(self, dataset: str, id: str) -> Entity | None:
        """The person with this `_id`."""
        return {("people", "1"): {"_id": "1", "name": "Kari"}, ("men", "1"): {"_id": "1", "name": "Ola"}}.get(
            (dataset, id)
        )

    def find(self, dataset: str, path: Any, values: Any) -> list[Entity]:
        """Nobody."""
        return []

    def all(self, dataset: str) -> Iterable[Entity]:
        """Nobody."""
        return ()

    def revision(self, dataset: str) -> int:
        """Never another one."""
        return 0

    def completeness(self, via: str, dataset: str) -> int | None:
        """Not known."""
        return None

    def previous(self, dataset: str, entity: Entity) -> Entity | None:
        """Not known."""
        return None


def value_of(expression: Any, source: Any = None) -> Any:
    """What an expression gives, as JSON, in a pipe that reads `people`."""
    host = Host(
        lambda: 0,
        lambda: UUID(int=1),
        People(),
        "people",
        prefixes=prefixes_of({"default": {"shop": "https://shop.example.com/"}}),
        rdf=REGISTRY,
    )
    return transit(evaluated(expression, source, None, host))


KARI = {"_id": "1", "name": "Kari", "_dataset": "people"}
OLA = {"_id": "1", "name": "Ola", "_dataset": "men"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["1"], KARI),
        (["2"], None),
        (["men", "1"], OLA),
        (["men", "~rsesam:people/1"], KARI),
        (["sesam:people/1"], KARI),
        ([["list", "1", "2", "~rsesam:men/1", "~rhttps://example.com/1", 5]], [KARI, OLA]),
        ([["list", "people", "men", 5], "1"], [KARI, OLA]),
        (["~rsesam:people"], None),
        ([None], None),
        ([["reference", "men", "1"]], OLA),
    ],
)
def test_entities_are_looked_up(arguments: list[Any], expected: Any) -> None:
    """By an address that names the dataset, or by an `_id`; the entity says where it was."""
    assert value_of(["lookup", *arguments]) == expected


def test_declared_prefixes_are_known() -> None:
    """`ni`, `ni-collapse` and `ni-expand` go by what the project declares."""
    assert value_of(["ni", "~rhttps://shop.example.com/1"]) == "~:shop:1"
    assert value_of(["ni-collapse", "https://shop.example.com/1"]) == "~:shop:1"
    assert value_of(["ni-expand", "~:shop:1"]) == "https://shop.example.com/1"


def test_names_become_addresses() -> None:
    """The first rule that fits the end of a property's path gives the prefix; what has one already is expanded."""
    entity = {
        "_id": "kari ås",
        "_dataset": "people",
        "name": "Kari",
        "t_a": "~rs:known",
        "home": {"code": 5, "no": 1, "street": [{"nn": 2}], "<s:hi>": None},
    }
    expected = {
        "_id": "<https://example.com/people/kari%20%C3%A5s>",
        "_dataset": "people",
        "<http://example.org/name>": "Kari",
        "<https://example.com/schema#t_a>": "~rhttps://example.com/schema#known",
        "<https://example.com/schema#home>": {
            "<https://example.com/codes/code>": 5,
            "<q:no>": 1,
            "<https://example.com/schema#street>": [{"<q:nn>": 2}],
            "<https://example.com/schema#hi>": None,
        },
    }
    assert value_of(["uri-expand", "_S."], entity) == expected


def test_the_registry_is_looked_up_by_a_key() -> None:
    """What FUNCTION gives goes before `_dataset`; what is not registered is left out."""
    entities = {"all": [{"_id": "1", "kind": "places", "_dataset": "people"}, {"_id": "2", "_dataset": "none"}, 5]}
    assert value_of(["uri-expand", "_.kind", "_S.all"], entities) == [
        {"_id": "<http://example.org/1>", "<http://example.org/kind>": "places", "_dataset": "people"}
    ]
    assert value_of(["uri-expand", "_S.all"], {"all": entities["all"][1]}) is None


@pytest.mark.parametrize("expression", [["curie", 5, "a"], ["reference", None, "a"]])
def test_arguments_that_cannot_be_are_told(expression: Any) -> None:
    """A prefix or a dataset that is no string."""
    with pytest.raises(DtlError, match="is a string"):
        value_of(expression)
