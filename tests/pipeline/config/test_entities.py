"""Entities in a configuration: each has an `_id`, and none has that of another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config.entities import MOST_TOLD
from pipeline.config.installed import installed
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read

registry = installed()


def project(entities: object, **properties: Any) -> Project:
    """A pipe that holds these entities, in a file of its own."""
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "embedded", "entities": entities}, **properties}
    document = read(json.dumps(pipe).encode(), "a.conf.json")
    return compile_project([document], registry, Lookup(take_env=False, take_secrets=False))


def found(entities: object, **properties: Any) -> list[tuple[str, str]]:
    """Code and underlined text of every problem."""
    checked = project(entities, **properties)
    text = checked.texts["a.conf.json"]
    return [(problem.code, text[problem.span.start : problem.span.end]) for problem in checked.problems]


@pytest.mark.parametrize(
    ("entities", "expected"),
    [
        ([], []),
        ([{"_id": "1"}, {"_id": "2"}], []),
        ([{"_id": "1"}, {"_id": "1"}], [("W216", '"1"')]),
        ([{"_id": "1"}, {"_id": "2"}, {"_id": "1"}, {"_id": "1"}], [("W216", '"1"')] * 2),
        ([{"name": "x"}], [("W217", "{")]),
        ([{"_id": ""}], [("W217", '""')]),
        ([{"_id": 5}], [("W217", "5")]),
        ([{"_id": None}], [("W217", "null")]),
        ([{"_id": "$ENV(a)"}, {"_id": "$ENV(a)"}], []),
        ("$ENV(entities)", []),
        ([5], [("E202", "5")]),
    ],
)
def test_entities_are_checked(entities: object, expected: list[tuple[str, str]]) -> None:
    """What is missing is told at the entity, what is wrong or used again at the `_id`."""
    assert found(entities) == expected


def test_the_first_place_is_shown() -> None:
    """Whoever reads of the second wants to see the first."""
    checked = project([{"_id": "x"}, {"_id": "x"}])
    (problem,) = checked.problems
    (label,) = problem.related
    assert checked.texts["a.conf.json"].index('"x"') == label.span.start
    assert problem.path == ("p", "source", "entities")


def test_a_transform_may_give_the_id() -> None:
    """Then nothing is missing; an `_id` that two have is told all the same."""
    rules = {"type": "dtl", "rules": {"default": [["add", "_id", "_S.name"]]}}
    assert found([{"name": "x"}, {"_id": "1"}, {"_id": "1"}], transform=rules) == [("W216", '"1"')]
    assert found([{"name": "x"}], transform=[]) == [("W217", "{")]


def test_entities_for_a_test_are_checked() -> None:
    """Also in an alternative, by condition of the source or of its properties."""
    prod = {"type": "empty"}
    test = {"type": "embedded", "entities": [{"_id": "1"}, {"_id": "1"}]}
    source: dict[str, Any] = {"type": "conditional", "condition": "prod", "alternatives": {"prod": prod, "test": test}}
    assert found([], source=source) == [("W216", '"1"')]
    source = {"$conditional_properties": {"condition": "prod", "alternatives": {"prod": prod, "test": test}}}
    assert found([], source=source) == [("W216", '"1"')]


def test_many_of_a_kind_are_cut() -> None:
    """The last that is told says how many there are beyond it."""
    checked = project([{"_id": "x" * 1000}] * 1000 + [{}] * 500)
    assert len(checked.problems) == 2 * MOST_TOLD
    assert all(len(problem.message) < 200 for problem in checked.problems)
    more = [note.text for problem in checked.problems for note in problem.notes if "more" in note.text]
    assert more == [
        f"{999 - MOST_TOLD} more entities of this list are like it",
        "480 more entities of this list are like it",
    ]


def test_an_element_is_named() -> None:
    """Of a list of hundreds the message says which."""
    (problem,) = project([{"_id": "1"}, {"_id": "2"}, 5]).problems
    assert problem.message == "`entities[2]` must be an object, not a number"
