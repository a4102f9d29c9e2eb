"""What each transform of rules does."""

from __future__ import annotations

from typing import Any

from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.parse import parse
from pipeline.dtl.program import Program, Trigger
from pipeline.dtl.trace import MOST_TOLD, traced
from pipeline.entity import Entity
from tests.pipeline.dtl.rules import Memory, host, program


def told(made: Program, entity: Entity) -> list[str]:
    """The lines, and that the entity becomes what it becomes without them."""
    lines, entities, failure = traced(made, entity)
    if failure is None:
        assert list(entities) == list(made(entity))
    return [f"{'  ' * one.level}{one.where} {one.name} {one.what}".rstrip() for one in lines]


def test_rules_that_are_applied_tell_what_they_did() -> None:
    """Below the transform that applies them, for each value; what an `if` does stands below it too."""
    orders = Memory({"orders": [{"_id": "a", "of": "1", "n": 5}, {"_id": "b", "of": "1", "n": 0}]})
    join = {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.of"]}
    rules = {
        "default": [
            ["add", "orders", ["apply-hops", "order", join]],
            ["if", ["gt", ["count", "_T.orders"], 0], [["add", "a", 1], ["add", "b", 2]]],
        ],
        "order": [["filter", ["gt", "_S.n", 0]], ["copy", "n"]],
    }
    assert told(program(rules, orders), {"_id": "1"}) == [
        'default[0] add orders = [{"n":5}]',
        '  order of {"_id":"a","of":"1","n":5}',
        "  order[0] filter kept",
        "  order[1] copy n = 5",
        '  order of {"_id":"b","of":"1","n":0}',
        "  order[0] filter filtered out",
        "default[1] if a, b",
        "  default[1][2][0] add a = 1",
        "  default[1][2][1] add b = 2",
    ]


def test_what_fails_says_so_at_every_level() -> None:
    """From the transform that fails up to the one that applied its rule; the fault is handed on."""
    rules = {"default": [["add", "a", ["apply", "b", "_S."]]], "b": [["add", "x", ["range", 0, "_S.n"]]]}
    made = program(rules)
    entity: Entity = {"_id": "1", "n": 9_999_999}
    assert told(made, entity) == [
        "default[0] add failed",
        '  b of {"_id":"1","n":9999999}',
        "  b[0] add failed",
    ]
    assert "more than 1,000,000 values" in str(traced(made, entity)[2])


def test_what_ends_a_rule_is_told() -> None:
    """Nothing comes behind it."""
    rules: list[Any] = [["copy", "*"], ["if", "_S.a", ["discard", False]], ["add", "b", 1]]
    discard = [["copy", "*"], ["if", "_S.a", ["discard", ["eq", "_S.a", 0]]], ["add", "b", 1]]
    assert told(program(rules), {"_id": "1", "a": 1})[1:] == [
        "default[1] if discarded",
        "  default[1][2] discard discarded",
    ]
    assert told(program(discard), {"_id": "1", "a": 0})[1:] == [
        "default[1] if",
        "  default[1][2] discard kept",
        "default[2] add b = 1",
    ]


def test_what_is_not_meant_is_told() -> None:
    """The entity goes on as it is."""
    rules = parse({"default": [["add", "b", 1]]}, REGISTRY).rules
    made = Program(rules, host(), trigger=Trigger("kind", "a"))
    assert told(made, {"_id": "1", "kind": "b"}) == ["trigger_on dtl not meant"]
    assert told(made, {"_id": "1", "kind": "a"}) == ["default[0] add b = 1"]


def test_nobody_reads_more_than_some_lines() -> None:
    """How many there are more is told."""
    made = program({"default": [["add", "a", ["apply", "b", "_S.list"]]], "b": [["add", "x", "_S."]]})
    lines = told(made, {"_id": "1", "list": list(range(1000))})
    assert len(lines) <= MOST_TOLD + 2
    assert lines[-1].endswith(" more")
