"""Rules as declared: what they name."""

import json

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.transforms.dtl import DtlConfig


def test_datasets_in_joins_are_named_without_their_alias() -> None:
    """At any depth, also in `apply-hops`, and only where a join has them; so is one that is looked into by name."""
    rules = {
        "default": [
            ["add", "a", ["hops", {"datasets": ["customers c", "orders o"], "where": []}]],
            ["if", ["is-null", "_S.a"], [["add", "b", ["apply-hops", "other", {"datasets": ["items"], "where": []}]]]],
            ["add", "c", ["list", "hops", {"datasets": ["not a join"]}]],
            ["add", "d", ["hops", {"datasets": "wrong"}, {"datasets": [5, ""]}]],
            ["add", "e", ["list", ["lookup-entity", "moods", "_S.mood"], ["lookup-entity", "_S.where", "_S.mood"]]],
        ]
    }
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, "transform": {"type": "dtl", "rules": rules}}
    document = read(json.dumps(pipe), "p.conf.json")
    component = compile_project([document], installed(), Lookup()).components[0]
    dtl = next(child for name, child in component.children if name == "transform")
    found = [
        (reference.name, document.text[reference.start : reference.end])
        for reference in DtlConfig.references(dtl.given)
    ]
    assert found == [
        ("customers", '"customers c"'),
        ("orders", '"orders o"'),
        ("items", '"items"'),
        ("moods", '"moods"'),
    ]


@pytest.mark.parametrize(
    ("names", "codes"), [(["transforms"], []), (["rules"], []), (["rules", "transforms"], ["E209"]), ([], ["E204"])]
)
def test_the_old_name_of_the_rules_is_read(names: list[str], codes: list[str]) -> None:
    """`transforms` was what `rules` is; both at once exclude each other, and one there must be."""
    rules: dict[str, list[object]] = {"default": []}
    transform = {"type": "dtl", **dict.fromkeys(names, rules)}
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, "transform": transform}
    problems = compile_project([read(json.dumps(pipe), "p.conf.json")], installed(), Lookup()).problems
    assert [problem.code for problem in problems] == codes


def test_a_condition_that_the_environment_chooses_is_left_alone() -> None:
    """It is the same for all entities, and another one elsewhere; the same without a reference is told."""
    rules = {"default": [["filter", ["eq", "$ENV(stage)", "test"]], ["filter", ["eq", "a", "test"]]]}
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, "transform": {"type": "dtl", "rules": rules}}
    document = read(json.dumps(pipe), "p.conf.json")
    problems = compile_project([document], installed(), Lookup()).problems
    found = [one.span for one in problems if one.code == "W808"]
    assert [document.text[span.start : span.end] for span in found] == ['["eq", "a", "test"]']
