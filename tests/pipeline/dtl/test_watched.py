"""Rules that tell what they reach."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline.dtl.errors import written
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.parse import parse
from pipeline.dtl.program import Program
from pipeline.dtl.watched import Spot, WatchedCompiler, spots
from tests.pipeline.dtl.rules import host


def watched(rules: Any, *entities: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What there is to reach, and what of it these entities reach."""
    blocks = parse(rules if isinstance(rules, dict) else {"default": rules}, REGISTRY).rules
    seen: set[Spot] = set()
    program = Program(blocks, host())
    plain = [copy.deepcopy(program(copy.deepcopy(one))) for one in entities]
    program.compiled_by(WatchedCompiler(blocks, None, seen.add))
    assert [program(one) for one in entities] == plain
    every = list(spots(blocks))
    assert len(set(every)) == len(every)
    assert seen <= set(every)
    return [_shown(one) for one in every], [_shown(one) for one in every if one in seen]


def _shown(spot: Spot) -> str:
    return f"{written(spot.place)} {spot.function} {spot.way}".rstrip()


def test_a_transform_is_reached_when_an_entity_comes_to_it() -> None:
    """What stands behind a filter that drops all is not; a comment is nothing to reach."""
    rules = [["comment", "x"], ["copy", "*"], ["filter", ["eq", "_S.a", 1]], ["add", "b", 2]]
    every = ["default[1] copy", "default[2] filter kept", "default[2] filter dropped", "default[3] add"]
    assert watched(rules) == (every, [])
    assert watched(rules, {"_id": "1", "a": 2}) == (every, [every[0], every[2]])
    assert watched(rules, {"_id": "1", "a": 2}, {"_id": "2", "a": 1}) == (every, every)


def test_a_filter_without_a_condition_is_one_thing() -> None:
    """It drops whatever comes, so there is nothing to keep."""
    assert watched([["filter"]], {"_id": "1"}) == (["default[0] filter"], ["default[0] filter"])
    every = ["default[0] discard kept", "default[0] discard dropped"]
    assert watched([["discard", "_S.a"]], {"_id": "1", "a": True}) == (every, every[:1])


@pytest.mark.parametrize(
    ("call", "ways"),
    [
        (["if", "_S.a", ["add", "x", 1]], ["if then", "if else"]),
        (["if", "_S.a", [["add", "x", 1], ["add", "y", 1]], ["add", "x", 2]], ["if then", "if else"]),
        (["case", "_S.a", ["add", "x", 1]], ["case then", "case else"]),
        (["case", "_S.a", ["add", "x", 1], "_S.b", ["add", "x", 2]], ["case then 1", "case then 2", "case else"]),
        (["case-eq", "_S.a", True, ["add", "x", 1], ["add", "x", 2]], ["case-eq then", "case-eq else"]),
    ],
)
def test_each_way_of_a_choice_counts(call: Any, ways: list[str]) -> None:
    """Also the one that is not written."""
    every, reached = watched([call], {"_id": "1", "a": True})
    assert [one for one in every if one.startswith("default[0] ")] == [f"default[0] {way}" for way in ways]
    assert [one for one in reached if one.startswith("default[0] ")] == [f"default[0] {ways[0]}"]
    _, reached = watched([call], {"_id": "1", "a": False, "b": False})
    assert [one for one in reached if one.startswith("default[0] ")] == [f"default[0] {ways[-1]}"]


def test_choices_of_values_count_wherever_they_stand() -> None:
    """In an argument, in each value of a list, and within each other."""
    rules = [["add", "x", ["map", ["if", ["gt", "_.", 1], ["if", "_S.a", 1, 2], 0], "_S.n"]]]
    every, reached = watched(rules, {"_id": "1", "a": True, "n": [2, 3]})
    inner, outer = "default[0][2][1][2] if", "default[0][2][1] if"
    assert sorted(every) == sorted(["default[0] add", *(f"{one} {way}" for one in (outer, inner) for way in _both)])
    assert sorted(reached) == sorted(["default[0] add", f"{outer} then", f"{inner} then"])


_both = ("then", "else")


def test_rules_that_are_applied_count() -> None:
    """Each has its own; one that nothing applies is never reached."""
    rules = {
        "default": [["add", "x", ["apply", "part", "_S.parts"]]],
        "part": [["add", "n", 1]],
        "other": [["add", "n", 2]],
    }
    _, reached = watched(rules, {"_id": "1", "parts": [{"_id": "a"}]})
    assert reached == ["default[0] add", "part[0] add"]
    assert watched(rules, {"_id": "1"})[1] == ["default[0] add"]


def test_choices_in_a_join_can_be_reached() -> None:
    """They are found in its conditions too."""
    join = {"datasets": ["d d"], "where": [["eq", "_S.a", "d.a"], ["eq", ["if", "_S.b", 1, 2], "d.b"]]}
    every, _ = watched([["add", "x", ["hops", join]]])
    assert [one.rpartition(" ")[2] for one in every if " if " in one] == ["then", "else"]
