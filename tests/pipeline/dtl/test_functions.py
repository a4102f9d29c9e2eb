"""Every function does what its own examples say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.dtl.functions import REGISTRY, SUBJECTS
from pipeline.dtl.registry import Function, Shown
from pipeline.dtl.trial import evaluated, transformed
from pipeline.entity import transit
from tests.pipeline.dtl.rules import Memory, host

FUNCTIONS = [function for subject in SUBJECTS for function in subject.functions]
EXAMPLES = [
    pytest.param(function, example, id=f"{function.kind}-{function.name}-{number}")
    for function in FUNCTIONS
    for number, example in enumerate(function.examples)
]


@pytest.mark.parametrize(("function", "example"), EXAMPLES)
def test_examples_are_true(function: Function, example: Shown) -> None:
    """What the manual says that an example gives is what it gives, to the type of each value."""
    tried = evaluated if function.kind == "expression" else transformed
    before = {} if example.before is None else {example.before["_id"]: example.before}
    knows = replace(host(Memory(example.datasets, before), "people"), rdf=example.rdf)
    result = tried(example.expr, example.source, example.target, knows, rules=example.rules)
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
