"""Rules at work."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dtl.errors import DtlError
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.namespaces import Namespaces
from pipeline.dtl.parse import parse
from pipeline.dtl.program import Program
from pipeline.dtl.registry import Function
from pipeline.dtl.signature import Signature
from pipeline.dtl.trial import RulesError, evaluated
from pipeline.entity import NI, URI, Datetime, transit
from tests.pipeline.dtl.rules import Memory, host, made, program

KARI = {"_id": "1", "name": "Kari", "tags": ["a", "b"], "home": {"city": "Oslo"}, "orders": [{"n": 1}, {"n": 2}]}


def test_the_target_begins_with_the_identity_of_its_source() -> None:
    """No rule needs to copy `_id`; what was deleted stays so; nothing else comes along."""
    assert made([], KARI) == [{"_id": "1"}]
    assert made([["copy", "name"]], {**KARI, "_deleted": True}) == [{"_id": "1", "_deleted": True, "name": "Kari"}]
    assert made([], {**KARI, "_deleted": "yes"}) == [{"_id": "1"}]
    assert made([["add", "_id", "_S.name"]], KARI) == [{"_id": "Kari"}]


def test_later_transforms_see_what_earlier_ones_made() -> None:
    """`_T` is the target as it is at that moment."""
    rules = [["add", "a", 1], ["add", "b", ["list", "_T.a", "_T.c"]], ["add", "c", 2], ["remove", "a"]]
    assert made(rules, KARI) == [{"_id": "1", "b": [1, None], "c": 2}]


def test_the_target_does_not_become_a_part_of_itself() -> None:
    """`_T.` is what the target holds when it is read."""
    (one,) = made([["add", "a", 1], ["add", "all", "_T."], ["add", "b", 2]], KARI)
    assert one == {"_id": "1", "a": 1, "all": {"_id": "1", "a": 1}, "b": 2}


@pytest.mark.parametrize(
    ("rules", "result"),
    [
        ([["filter", ["eq", "_S.name", "Ola"]], ["add", "a", 1]], [{"_id": "1", "_filtered": True}]),
        ([["add", "a", 1], ["filter", False]], [{"_id": "1", "a": 1, "_filtered": True}]),
        ([["discard", ["eq", "_S.name", "Ola"]], ["add", "a", 1]], []),
        ([["if", True, [["add", "a", 1], ["filter"]]], ["add", "b", 1]], [{"_id": "1", "a": 1, "_filtered": True}]),
        ([["create", {"_id": "x"}], ["discard"]], [{"_id": "x"}]),
        ([["create", {"_id": "x"}], ["filter"]], [{"_id": "x"}, {"_id": "1", "_filtered": True}]),
        ([["create", "_S.orders"]], "an entity needs an `_id`"),
    ],
)
def test_what_ends_a_rule(rules: list[Any], result: Any) -> None:
    """`filter` says so in the target, `discard` leaves none; what was created before stands."""
    if isinstance(result, str):
        with pytest.raises(DtlError, match=result):
            made(rules, KARI)
    else:
        assert made(rules, KARI) == result


def test_an_entity_needs_an_identity() -> None:
    """Without `_id` the run fails, unless that is allowed; one that is no string is none."""
    for rules in ([], [["add", "_id", 5]], [["add", "_id", None]]):
        with pytest.raises(DtlError, match="_id"):
            program(rules)({"name": "Kari"})
    assert program([], id_required=False)({"name": "Kari"}) == [{}]


def test_rules_are_applied_to_values() -> None:
    """Each value is the source of a rule, with a new target; `_P` is where it is applied, `_R` the outermost."""
    rules = {
        "default": [["add", "a", 1], ["add", "lines", ["apply", "line", "_S.orders"]]],
        "line": [
            ["add", "n", "_S.n"],
            ["add", "name", "_P._S.name"],
            ["add", "a", "_R._T.a"],
            ["add", "deeper", ["apply", "deeper", "_S.n"]],
        ],
        "deeper": [["add", "value", "_S."], ["add", "name", "_P._P._S.name"], ["add", "n", "_P._T.n"]],
    }
    first = {"value": 1, "name": "Kari", "n": 1}
    line = {"n": 1, "name": "Kari", "a": 1, "deeper": first}
    assert made(rules, {**KARI, "orders": {"n": 1}}) == [{"_id": "1", "a": 1, "lines": line}]
    (one,) = made(rules, KARI)
    assert [each["deeper"]["value"] for each in one["lines"]] == [1, 2]


def test_a_rule_that_applies_itself_ends() -> None:
    """On its children it goes as deep as they do; without end it fails at its place."""
    rules = {
        "default": [["add", "tree", ["apply", "node", "_S."]]],
        "node": [["copy", "name"], ["add-if", "children", ["is-not-empty", "_."], ["apply", "node", "_S.children"]]],
    }
    tree = {"_id": "1", "name": "a", "children": [{"name": "b"}, {"name": "c", "children": [{"name": "d"}]}]}
    assert made(rules, tree)[0]["tree"]["children"][1] == {"name": "c", "children": [{"name": "d"}]}
    endless = {"default": [["add", "a", ["apply", "again", "_S."]]], "again": [["add", "a", ["apply", "again", "_S."]]]}
    with pytest.raises(DtlError, match="100 times"):
        made(endless, KARI)


def test_the_source_is_never_changed() -> None:
    """Not by any transform, also where the target holds parts of it."""
    rules = [
        ["copy", "*"],
        ["merge-union", {"tags": ["c"], "home": {"city": "Bergen"}}],
        ["create-child", {"_id": "x"}],
        ["create-child", {"_id": "y"}],
        ["remove", "name"],
        ["add", "sorted", ["sorted-descending", "_S.tags"]],
        ["add", "more", ["insert", 0, "_S.tags", "z"]],
    ]
    before = copy.deepcopy(KARI)
    made(rules, KARI)
    assert before == KARI


def test_values_that_json_lacks_come_in_and_go_out() -> None:
    """Strings that stand for them are values in the rules, whether the entity or the rule has them."""
    rules = [["copy", "at"], ["add", "same", ["eq", "_S.at", "~t2027-03-28T01:30:00Z"]], ["add", "to", "~rhttp://x"]]
    (one,) = program(rules)({"_id": "1", "at": "~t2027-03-28T01:30:00Z"})
    assert one == {"_id": "1", "at": Datetime(1_806_197_400_000_000_000), "same": True, "to": URI("http://x")}
    assert transit(one)["at"] == "~t2027-03-28T01:30:00Z"


def test_names_in_namespaces() -> None:
    """With namespaces a new property gets that of the pipe, and a name without one is found in all of them."""
    rules = [
        ["add", "_id", "_S.no"],
        ["add", "name", "_S.name"],
        ["add", "ids", "_S.$ids"],
        ["add", "only", "_S.crm:name"],
        ["add", "::bare", "_S.:own"],
    ]
    source = {"_id": "crm:1", "no": "7", "crm:name": "Kari", "erp:name": ["K"], "shop:own": 1}
    (one,) = program(rules, namespaces=Namespaces("shop", "shop"))(source)
    assert one == {
        "_id": "shop:7",
        "shop:name": ["Kari", "K"],
        "shop:ids": [NI("shop:crm:1")],
        "shop:only": "Kari",
        "bare": 1,
    }


def test_what_a_version_says_of_itself_is_copied_by_name_only() -> None:
    """`copy *` takes all properties but those."""
    source = {"_id": "1", "_updated": 5, "_hash": "x", "_ts": 7, "a": 1, "_deleted": True}
    assert made([["copy", "*"]], source) == [{"_id": "1", "a": 1, "_deleted": True}]
    assert made([["copy", ["list", "*", "_ts"]]], source)[0]["_ts"] == 7


def test_is_changed_compares_with_the_version_before() -> None:
    """Null where none is known, true where one of them is deleted."""
    datasets = Memory({}, {"1": {"_id": "1", "name": "Karin", "tags": ["a", "b"]}, "2": {"_id": "2", "_deleted": True}})
    rules = [["add", "name", ["is-changed", "_.name"]], ["add", "tags", ["is-changed", "_.tags"]]]
    changed = program(rules, datasets, source="people")
    assert changed(KARI) == [{"_id": "1", "name": True, "tags": False}]
    assert changed({"_id": "2"}) == [{"_id": "2", "name": True, "tags": True}]
    assert changed({"_id": "3"}) == [{"_id": "3", "name": None, "tags": None}]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([["add", "a", ["range", 0, 2_000_000]]], r"default\[0\]\[2\]: `range`: more than 1,000,000 values"),
        ([["add", "a", 1], ["add", "b", ["map", ["range", 0, "_."], "_S.big"]]], r"default\[1\]\[2\]\[1\]: `range`"),
        ([["add", "a", ["ljust", 99_999_999, "x", "_S.name"]]], r'`ljust`: more than 16,000,000.*"Kari"'),
        ([["add", "a", ["tuples", "_S.many", "_S.many", "_S.many"]]], "`tuples`: more than"),
        ([["fail!", ["concat", "no ", "_S.name"]]], r"default\[0\]: `fail!`: no Kari"),
        ([["add", 5, 1]], "`add`: the name of a property is a string"),
        ([["add", "a", ["hops", {"datasets": ["x x"], "where": ["eq", "_S._id", "x._id"]}]]], "no datasets here"),
    ],
)
def test_what_fails_says_where(rules: list[Any], words: str) -> None:
    """The rule, the place in it, the function, why, and the value that it was given."""
    with pytest.raises(DtlError, match=words):
        made(rules, {**KARI, "big": [1, 3_000_000], "many": list(range(200))})


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
    st.sampled_from(
        ["~:a:b", "~rhttp://x", "~t2020-01-01T00:00:00Z", "~f1.5", "~bYQ==", "a*b", "_S.a", "%Y", "UTC", "day"]
    ),
)
entities = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("ab:", max_size=3), inner))
)
paths = st.sampled_from(["_S.", "_S.a", "_S.b", "_S.a.b", "_T.a", "_.", "_.a", "_R._S.a"])


def calls(functions: Mapping[str, Function], inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Calls of functions, most of them with as many arguments as they take."""

    def call(way: tuple[str, Signature]) -> st.SearchStrategy[Any]:
        name, signature = way
        most = signature.least + 2 if signature.most is None else signature.most
        return st.lists(inner, min_size=signature.least, max_size=most).map(lambda args: [name, *args])

    ways = [(one.name, signature) for one in functions.values() for signature in one.signatures]
    return st.sampled_from(ways).flatmap(call)


expressions = st.recursive(st.one_of(scalars, paths), lambda inner: calls(REGISTRY.expressions, inner), max_leaves=12)
transforms = calls(REGISTRY.transforms, expressions)


@given(st.lists(transforms, max_size=4), st.dictionaries(st.sampled_from(["a", "b", "_id"]), entities))
def test_nothing_but_a_located_fault_comes_of_any_rule(rules: list[Any], entity: dict[str, Any]) -> None:
    """Any rules over any entity: faults with places, or a located error, or entities that can be written as JSON."""
    parsed = parse({"default": rules}, REGISTRY)
    if parsed.faults:
        assert all(fault.code.startswith("E80") and fault.place[0] == "default" for fault in parsed.faults)
        return
    with suppress(DtlError):
        json.dumps(transit(list(Program(parsed.rules, host(Memory({})), id_required=False)(entity))))


@given(expressions, entities)
def test_nothing_but_a_located_fault_comes_of_any_expression(expression: Any, source: Any) -> None:
    """Any expression over any value of JSON: faults, a located error, or a value that can be written as JSON."""
    with suppress(DtlError, RulesError):
        json.dumps(transit(evaluated(expression, source, None, host(Memory({})))))
