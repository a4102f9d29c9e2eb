"""Rules end, whatever they are and whatever an entity has in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from pipeline.dtl.errors import DtlError
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated, transformed

MANY = ["range", 0, 1_000_000]
TWICE = ["list", "_T.a", "_T.a"]


def host() -> Host:
    """A moment that stands still."""
    return Host(lambda: 0, lambda: UUID(int=1))


@pytest.mark.parametrize(
    ("expression", "source", "function", "why"),
    [
        (["map", ["map", "_.", MANY], MANY], {}, "map", "looked at"),
        (["count", ["map", ["count", ["range", 0, ["plus", 0, "_."]]], MANY]], {}, "range", "looked at"),
        (["filter", ["any", ["gte", "_.", 0], MANY], MANY], {}, "any", "looked at"),
        (["filter", ["coalesce", ["gte", "_.", 0], MANY], MANY], {}, "coalesce", "looked at"),
        (["sorted", ["filter", True, MANY], MANY], {}, "filter", "looked at"),
        (["map", "_.", ["map", MANY, ["range", 0, 200]]], {}, "map", "128 MB"),
        (["count", ["map", ["ljust", 1_000_000, " ", ["string", "_."]], ["range", 0, 1000]]], {}, "map", "128 MB"),
        (["json", ["map", "_S.text", ["range", 0, 1000]]], {"text": "x" * 1_000_000}, "map", "128 MB"),
        (["json", ["map", "_S.list", ["range", 0, 1000]]], {"list": [[0] * 900] * 900}, "map", "128 MB"),
    ],
)
def test_loops_within_loops_end(expression: Any, source: Any, function: str, why: str) -> None:
    """What looks at too many values, or makes too much of them, fails at the call that does."""
    with pytest.raises(DtlError) as raised:
        evaluated(expression, source, None, host())
    assert (raised.value.function, why in raised.value.why) == (function, True), raised.value


@pytest.mark.parametrize(
    "step",
    [
        ["add", "a", TWICE],
        ["add", ["list", "a"], TWICE],
        ["merge", ["dict", "a", TWICE]],
        ["add", "a", ["map", "_R._T.a", ["range", 0, 2]]],
        ["if", True, ["add", "a", ["list", "_T.", "_T."]]],
    ],
)
def test_a_target_that_doubles_ends(step: list[Any]) -> None:
    """What is in a target twice is written twice, and so counted twice, however little room it takes before."""
    rules = [["add", "a", "x"], *[step, ["add", "b", "_T.a"]] * 60]
    with pytest.raises(DtlError, match="128 MB"):
        transformed(rules, {}, None, host())


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ([["add", "text", "_P._S.text"]], {"text": "x" * 200_000}),
        ([["add", "text", ["concat", "_R._S.text", "y"]]], {"text": "x" * 200_000}),
        ([["add", "text", ["ljust", 200_000, " ", "_S.n"]]], {}),
        ([["add", "a", ["list", "_S.n"]], *[["add", "a", ["list", "_T.a", "_T.a"]]] * 14], {}),
    ],
)
def test_rules_that_are_applied_to_many_values_end(rule: list[Any], source: Any) -> None:
    """What each of the values gets is counted over all of them."""
    values = ["map", ["dict", "n", ["string", "_."]], ["range", 0, 5_000]]
    with pytest.raises(DtlError, match="128 MB") as raised:
        transformed([["add", "all", ["apply", "each", values]]], source, None, host(), rules={"each": rule})
    assert raised.value.place[0] == "each"


def test_what_is_long_may_be_handed_on() -> None:
    """A great text and a great list are copied, cut and written as JSON; only what is new is counted."""
    source = {"text": "x" * 10_000_000, "list": list(range(400_000))}
    steps = [["add", f"p{number}", "_S.text"] for number in range(30)]
    more = [
        ["add", "list", ["map", ["plus", 1, "_."], "_S.list"]],
        ["add", "json", ["json", ["dict", "list", "_T.list"]]],
    ]
    found = transformed([*steps, *more], source, None, host())
    assert found["p29"] == source["text"]
    assert found["list"][-1] == 400_000
    assert found["json"].endswith("400000]}")


def test_each_entity_is_counted_for_itself() -> None:
    """What one entity took is not counted for the next, and what constants took not for any."""
    most = ["count", ["filter", True, MANY]]
    loops = [["add", f"n{number}", most] for number in range(8)]
    for _ in range(2):
        assert transformed(loops, {}, None, host())["n7"] == 1_000_000
