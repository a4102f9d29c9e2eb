"""Namespaces that come and go with entities."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.entity import NI
from pipeline.pipe import MetadataConfig, PipeConfig, namespaces_added, namespaces_removed
from pipeline.transforms.namespaces import AddNamespaces, RemoveNamespaces
from sinks.dataset import DatasetSinkConfig
from sinks.null import NullConfig
from sources.embedded import EmbeddedConfig
from sources.empty import EmptyConfig

ENTITY: dict[str, Any] = {
    "_id": "1",
    "name": "Kari",
    "lines": [{"n": 1, "x:m": 2}],
    "$ids": [{"a": 1}],
    "_deleted": True,
}


def test_names_get_the_namespaces_of_a_pipe() -> None:
    """At every depth; not those that have one, and none of the engine's."""
    (made,) = AddNamespaces("people", "crm")(ENTITY)
    assert made == {
        "_id": "people:1",
        "crm:name": "Kari",
        "crm:lines": [{"crm:n": 1, "x:m": 2}],
        "$ids": [{"a": 1}],
        "_deleted": True,
    }


def test_names_lose_their_namespaces() -> None:
    """At every depth; `_id` and identifiers lose theirs too."""
    source = {"_id": "crm:1:2", "crm:name": NI("acme:crm"), "a:lines": [{"b:n": NI("x"), "_id": "y"}], "d": "e:f"}
    (made,) = RemoveNamespaces()(source)
    assert made == {"_id": "1:2", "name": NI("crm"), "lines": [{"n": NI("x"), "_id": "y"}], "d": "e:f"}


def test_what_was_added_is_removed() -> None:
    """The one undoes the other."""
    entity = {"_id": "1", "name": "Kari", "lines": [{"n": 1}]}
    (added,) = AddNamespaces("people", "crm")(entity)
    assert RemoveNamespaces()(added) == [entity]


embedded = EmbeddedConfig(type="embedded", entities=())
empty = EmptyConfig(type="empty")


@pytest.mark.parametrize(
    ("properties", "added", "removed"),
    [
        ({"source": embedded}, None, False),
        ({"source": embedded, "namespaced_identifiers": True}, ("p", "p"), False),
        ({"source": empty, "namespaced_identifiers": True}, None, False),
        ({"source": empty, "add_namespaces": True}, ("p", "p"), False),
        ({"source": embedded, "namespaced_identifiers": True, "add_namespaces": False}, None, False),
        (
            {"source": empty, "add_namespaces": True, "namespaces": {"identity": "i", "property": "n"}},
            ("i", "n"),
            False,
        ),
        ({"source": empty, "sink": NullConfig(type="null"), "remove_namespaces": True}, None, True),
        ({"source": empty, "sink": DatasetSinkConfig(type="dataset"), "namespaced_identifiers": True}, None, False),
    ],
)
def test_a_pipe_says_what_is_added_and_removed(
    properties: dict[str, Any], added: tuple[str, str] | None, removed: bool
) -> None:
    """By itself, or where names have namespaces: what comes from outside has none, and what goes there gets none."""
    pipe = PipeConfig.model_construct(id="p", type="pipe", **properties)
    assert (namespaces_added(pipe), namespaces_removed(pipe)) == (added, removed)


def test_the_project_says_it_for_all_pipes() -> None:
    """A pipe that says nothing follows the metadata."""
    metadata = MetadataConfig.model_construct(id="node", type="metadata", namespaced_identifiers=True)
    pipe = PipeConfig.model_construct(id="p", type="pipe", source=embedded)
    assert namespaces_added(pipe, metadata) == ("p", "p")
    assert namespaces_added(pipe.model_copy(update={"namespaced_identifiers": False}), metadata) is None
