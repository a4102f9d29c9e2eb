"""The project's own entities are followed to the sinks that they reach, and no further than is certain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

import pytest

from pipeline.component import SinkConfig
from pipeline.config.given import Given
from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.registry import Entry, Registry
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.entity import Entity
from pipeline.errors import Problem


class TellingConfig(SinkConfig):
    """A sink that tells which entities reach it."""

    type: Literal["telling"]
    """`telling`."""
    told: ClassVar[list[list[str]]] = []

    @classmethod
    def tried(cls, given: Given, entities: Sequence[Entity]) -> Iterable[Problem]:
        """Keep their names."""
        cls.told.append([entity["_id"] for entity in entities])
        return ()


def reaching(*pipes: dict[str, Any]) -> list[list[str]]:
    """The `_id`s of the entities that reach each telling sink."""
    known = installed().types
    sinks = {**known["sink"], "telling": Entry("telling", "mailweir", lambda: TellingConfig)}
    TellingConfig.told.clear()
    parts = [{"type": "pipe", **pipe} for pipe in pipes]
    document = read(json.dumps(parts), "a.conf.json")
    compile_project([document], Registry({**known, "sink": sinks}), Lookup(take_env=False, take_secrets=False))
    return list(TellingConfig.told)


def embedded(*ids: str) -> dict[str, Any]:
    """A source that holds entities."""
    return {"type": "embedded", "entities": [{"_id": each} for each in ids]}


def dataset(name: str, **more: Any) -> dict[str, Any]:
    """A source that reads a dataset."""
    return {"type": "dataset", "dataset": name, **more}


TELLING = {"type": "telling"}


def test_entities_of_the_source_reach_the_sink() -> None:
    """As they are written."""
    assert reaching({"_id": "a", "source": embedded("1", "2"), "sink": TELLING}) == [["1", "2"]]


def test_entities_go_through_datasets() -> None:
    """From pipe to pipe, also under another name, and several datasets as one."""
    assert reaching(
        {"_id": "a", "source": embedded("1")},
        {"_id": "b", "source": dataset("a"), "sink": {"type": "dataset", "dataset": "c"}},
        {"_id": "d", "source": embedded("2")},
        {"_id": "e", "source": {"type": "union_datasets", "datasets": ["c", "d"]}, "sink": TELLING},
    ) == [["1", "2"]]


@pytest.mark.parametrize(
    "pipes",
    [
        [{"_id": "a", "source": embedded("1"), "transform": {"type": "lower_keys"}, "sink": TELLING}],
        [{"_id": "a", "source": embedded("1"), "transform": [{"type": "nope"}], "sink": TELLING}],
        [{"_id": "a", "source": {"type": "empty"}, "sink": TELLING}],
        [{"_id": "a", "source": embedded(), "sink": TELLING}],
        [{"_id": "a", "source": {"type": "embedded", "entities": [1]}, "sink": TELLING}],
        [{"_id": "a", "source": {"type": "embedded", "entities": "$ENV(x)"}, "sink": TELLING}],
        [{"_id": "a", "source": dataset("nowhere"), "sink": TELLING}],
        [{"_id": "a", "source": dataset("b"), "sink": TELLING}, {"_id": "b", "source": dataset("b")}],
        [
            {"_id": "a", "source": embedded("1")},
            {"_id": "b", "source": dataset("a", subset=["eq", 1, 1]), "sink": TELLING},
        ],
        [
            {"_id": "a", "source": embedded("1"), "sink": {"type": "dataset", "dataset": "x"}},
            {"_id": "b", "source": embedded("2"), "sink": {"type": "dataset", "dataset": "x"}},
            {"_id": "c", "source": dataset("x"), "sink": TELLING},
        ],
        [
            {"_id": "a", "source": embedded("1"), "transform": {"type": "lower_keys"}},
            {"_id": "b", "source": {"type": "union_datasets", "datasets": ["a"]}, "sink": TELLING},
        ],
    ],
)
def test_where_nothing_is_certain_nothing_is_tried(pipes: list[dict[str, Any]]) -> None:
    """Transforms, unknown values, parts of datasets, two writers and circles end the way."""
    assert reaching(*pipes) == []


def test_a_long_row_of_pipes_ends_in_words() -> None:
    """Whatever its length, no stack is filled."""
    row = [{"_id": f"p{number}", "source": dataset(f"p{number - 1}")} for number in range(1, 3000)]
    assert (
        reaching(
            {"_id": "p0", "source": embedded("1")}, *row, {"_id": "e", "source": dataset("p2999"), "sink": TELLING}
        )
        == []
    )
