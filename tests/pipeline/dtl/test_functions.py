"""Every function does what its own examples say."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from pipeline.dtl.functions import REGISTRY, SUBJECTS
from pipeline.dtl.registry import Function, Shown
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated, transformed
from pipeline.entity import Entity, transit

FUNCTIONS = [function for subject in SUBJECTS for function in subject.functions]
EXAMPLES = [
    pytest.param(function, example, id=f"{function.kind}-{function.name}-{number}")
    for function in FUNCTIONS
    for number, example in enumerate(function.examples)
]


class NoDatasets:
    """Datasets in which there is nothing."""

    def get(self, dataset: str, id: str) -> Entity | None:
        """Nothing."""
        return None

    def find(self, dataset: str, path: Any, values: Any) -> list[Entity]:
        """Nothing."""
        return []

    def all(self, dataset: str) -> list[Entity]:
        """Nothing."""
        return []

    def revision(self, dataset: str) -> int:
        """Never another one."""
        return 0

    def completeness(self, via: str, dataset: str) -> int | None:
        """Not known."""
        return None

    def previous(self, dataset: str, entity: Entity) -> Entity | None:
        """Not known."""
        return None


def host() -> Host:
    """A moment that stands still, and UUIDs that are counted."""
    return Host(lambda: 1_767_268_800_000_000_000, lambda: UUID(int=1), NoDatasets())


@pytest.mark.parametrize(("function", "example"), EXAMPLES)
def test_examples_are_true(function: Function, example: Shown) -> None:
    """What the manual says that an example gives is what it gives, to the type of each value."""
    tried = evaluated if function.kind == "expression" else transformed
    result = tried(example.expr, example.source, example.target, host(), rules=example.rules)
    assert json.dumps(transit(result)) == json.dumps(example.result)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: f"{function.kind}-{function.name}")
def test_every_function_is_documented(function: Function) -> None:
    """A sentence, three examples at least, and one of them calls the function."""
    assert function.doc.endswith("."), function.doc
    assert len(function.examples) >= 3
    assert any(function.name in json.dumps(example.expr) for example in function.examples)
    assert function.signatures


def test_a_name_is_declared_once_for_each_kind() -> None:
    """No function hides another one."""
    assert len(REGISTRY.expressions) + len(REGISTRY.transforms) == len(FUNCTIONS)
