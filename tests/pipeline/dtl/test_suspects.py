"""Rules that can be read and cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.dtl.errors import DtlError, written
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.parse import parse
from pipeline.dtl.suspects import suspects
from tests.pipeline.dtl.rules import program


def found(rules: dict[str, Any] | list[Any]) -> list[tuple[str, str, str]]:
    """What is told: code, place and words."""
    parsed = parse(rules if isinstance(rules, dict) else {"default": rules}, REGISTRY)
    assert parsed.faults == []
    return [(one.code, written(one.place), one.message) for one in suspects(parsed.rules)]


@pytest.mark.parametrize(
    ("rule", "place", "always"),
    [
        (["filter", "S.active"], "default[0][1]", "true"),
        (["discard", ["list"]], "default[0][1]", "false"),
        (["if", ["eq", 1, 2], ["copy", "*"]], "default[0][1]", "false"),
        (["case", ["is-null", "_S.a"], ["copy", "a"], ["is-null", None], ["copy", "b"]], "default[0][3]", "true"),
        (["add", "a", ["if", ["not", False], 1, 2]], "default[0][2][1]", "true"),
        (["add", "a", ["map", ["if", 5, "_."], "_S.a"]], "default[0][2][1][1]", "true"),
        (["add-if", "a", "x", "_S.a"], "default[0][2]", "true"),
    ],
)
def test_a_condition_that_looks_at_nothing_is_told(rule: list[Any], place: str, always: str) -> None:
    """At any depth, with what it always is."""
    assert found([rule]) == [("W808", place, f"this condition is always {always}")]


@pytest.mark.parametrize(
    "rule",
    [
        ["filter"],
        ["filter", "_S.active"],
        ["filter", ["gt", ["now"], "_S.until"]],
        ["filter", ["eq", ["uuid"], "a"]],
        ["case", ["is-null", "_S.a"], ["copy", "a"], True, ["copy", "b"]],
        ["add", "a", ["case", "_S.a", 1, True, 2]],
        ["if", ["and", True, "_S.a"], ["copy", "*"]],
        ["add", "a", ["filter", ["eq", "_.", 1], "_S.list"]],
    ],
)
def test_other_conditions_are_left_alone(rule: list[Any]) -> None:
    """Those that look at something, or at the time; and the `true` that is the `else` of a `case`."""
    assert found([rule]) == []


def test_a_path_that_lost_its_first_character_can_be_mended() -> None:
    """What is told has the path that was meant."""
    (fault,) = suspects(parse({"default": [["filter", "S.active"]]}, REGISTRY).rules)
    assert fault.instead == "_S.active"
    assert fault.notes[0].text == '"S.active" is a text; did you mean the path "_S.active"?'


APPLY = ["add", "x", ["apply", "a", "_S."]]
ENDLESS = [
    ({"default": [APPLY], "a": [["add", "y", ["apply", "a", "_S."]]]}, "a[0][2][1]", "`a` applies itself"),
    ({"default": [["add", "x", ["apply", "default", "_S."]]]}, "default[0][2][1]", "`default` applies itself"),
    (
        {
            "default": [["add", "x", ["list", ["apply", "a", "_S."]]]],
            "a": [["copy", "*"], ["merge", ["apply", "b", "_S."]]],
            "b": [["add", "z", ["apply", "a", {"n": 1}]]],
        },
        "b[0][2][1]",
        "`a` applies itself to the same value through `b`",
    ),
]


@pytest.mark.parametrize(("rules", "place", "words"), ENDLESS)
def test_a_rule_that_cannot_come_to_its_end_is_told(rules: dict[str, Any], place: str, words: str) -> None:
    """Where the circle closes, once; an entity fails with it indeed."""
    (told,) = found(rules)
    assert told[:2] == ("E806", place)
    assert told[2].startswith(words)
    assert told[2].endswith("without end")
    with pytest.raises(DtlError, match="applied within each other 100 times"):
        program(rules)({"_id": "1"})


@pytest.mark.parametrize(
    "rule",
    [
        [["add", "y", ["apply", "a", "_S.children"]]],
        [["filter", "_S.more"], ["add", "y", ["apply", "a", "_S."]]],
        [["if", "_S.more", ["add", "y", ["apply", "a", "_S."]]]],
        [["add", "y", ["if", "_S.more", ["apply", "a", "_S."]]]],
        [["add", "y", ["map", ["apply", "a", "_."], "_S.list"]]],
        [["add", "y", ["apply", "a", ["list"]]]],
    ],
)
def test_a_rule_that_may_come_to_its_end_is_left_alone(rule: list[Any]) -> None:
    """It goes on with a part, or something may stop it."""
    assert found({"default": [APPLY], "a": rule}) == []
    assert program({"default": [APPLY], "a": rule})({"_id": "1"})
