from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.testing.blacklist import Blacklist
from mailweir.testing.compare import Difference, Rules, differences, in_order, normal
from mailweir.testing.matchers import ABSENT, MATCHERS, fault_of, matchers_in

CASE = Rules(whole=False, matching=True)

names = st.text("abc_$.", min_size=1, max_size=4)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))
entities = st.lists(
    st.builds(lambda id_, rest: {**rest, "_id": id_}, st.sampled_from("abcd"), st.dictionaries(names, values)),
    max_size=5,
)


@given(entities, st.randoms())
def test_what_comes_is_what_was_expected_in_any_order(found: list[Any], chance: Random) -> None:
    """An entity list equals itself however it is ordered, also after it was written as a file and read again."""
    shuffled = json.loads(json.dumps(found))
    chance.shuffle(shuffled)
    assert differences(found, shuffled, Rules()) == []
    assert in_order(found) == in_order(shuffled)


@given(entities, st.integers(0, 4), scalars)
def test_a_changed_property_is_the_only_difference(found: list[Any], place: int, value: Any) -> None:
    """Whatever is written into a property of its own is told, with the entity and the property, and nothing else."""
    distinct = list({one["_id"]: one for one in found}.values())
    if not distinct:
        return
    changed = json.loads(json.dumps(distinct))
    one = changed[place % len(changed)]
    one["new"] = value
    told = differences(distinct, changed, Rules())
    assert [(each.id, each.path) for each in told] == [(one["_id"], ("new",))]
    assert told[0].expected is ABSENT
    assert differences(distinct, changed, Rules(whole=False)) == []


@given(entities)
def test_one_entity_more_shifts_no_other(found: list[Any]) -> None:
    """An entity that nobody expects is one difference, unless further ones are welcome."""
    more = [*found, {"_id": "A", "x": 1}]
    assert differences(found, more, Rules()) == [Difference("A", (), ABSENT, {"_id": "A", "x": 1})]
    assert differences(found, more, Rules(extra=True)) == []
    assert differences(more, found, Rules(extra=True)) == [Difference("A", (), {"_id": "A", "x": 1}, ABSENT)]


@pytest.mark.parametrize(
    ("value", "compared"),
    [
        ({"_id": "a", "_updated": 1, "_deleted": False, "x": {"_y": 1, "z": 2}}, {"_id": "a", "x": {"z": 2}}),
        ({"_id": "a", "_deleted": True, "l": [{"_id": "b", "_hash": 1}]}, None),
        ({"n": 1.0, "m": 1.5, "t": True}, {"n": 1, "m": 1.5, "t": True}),
        (9007199254740993, 9007199254740993),
        (12345678901234567, 12345678901234568),
        (-12345678901234567, -12345678901234568),
        (10**400, 10**400),
    ],
)
def test_what_is_compared(value: Any, compared: Any) -> None:
    """Names of the engine are left out at every depth; numbers have one form, long ones that of eight bytes."""
    expected = {"_id": "a", "_deleted": True, "l": [{"_id": "b"}]} if compared is None else compared
    assert json.dumps(normal(value, Blacklist())) == json.dumps(expected)


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (["a"], {"c.d": 4, "l": [{"x": 1, "y": 2}]}),
        (["a.*"], {"a": {}, "c.d": 4, "l": [{"x": 1, "y": 2}]}),
        (["a.*.e"], {"a": {"b": {"f": 2}}, "c.d": 4, "l": [{"x": 1, "y": 2}]}),
        (["c\\.d", "l[].x"], {"a": {"b": {"e": 1, "f": 2}}, "l": [{"y": 2}]}),
        (["c.d"], {"a": {"b": {"e": 1, "f": 2}}, "c.d": 4, "l": [{"x": 1, "y": 2}]}),
        (["l.x", "a.?.f"], {"a": {"b": {"e": 1}}, "c.d": 4, "l": [{"y": 2}]}),
    ],
)
def test_properties_that_are_left_out(patterns: list[str], left: Any) -> None:
    """Patterns name properties by their paths, through objects and lists."""
    entity = {"a": {"b": {"e": 1, "f": 2}}, "c.d": 4, "l": [{"x": 1, "y": 2}]}
    assert normal(entity, Blacklist(patterns)) == left


def test_deleted_entities_that_nobody_expects() -> None:
    """They count as none, unless the test says so; one that is expected is compared."""
    gone = {"_id": "a", "_deleted": True}
    assert differences([], [gone], Rules()) == []
    assert len(differences([], [gone], Rules(ignore_deletes=False))) == 1
    assert differences([gone], [gone], Rules()) == []
    assert differences([{"_id": "a"}], [gone], Rules()) == [Difference("a", ("_deleted",), ABSENT, True)]


def test_another_identity() -> None:
    """Entities may be told from each other by other properties than `_id`."""
    one, other = [{"_id": "1", "name": "a", "x": 1}], [{"_id": "2", "name": "a", "x": 2}]
    rules = Rules(sort_by=("name",), blacklist=Blacklist(["_id"]))
    assert [each.path for each in differences(one, other, rules)] == [("x",)]


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ({"$contains": "c3"}, "entity c3 is gone", True),
        ({"$contains": "b\nc"}, ["a", "b", "c"], True),
        ({"$contains": {"x": 1}}, [{"x": 1.0}], True),
        ({"$contains": "z"}, ["a"], False),
        ({"$matches": "^W.*e$"}, "Welcome", True),
        ({"$matches": "^W"}, 3, False),
        ({"$any": True}, None, True),
        ({"$absent": True}, None, False),
        ({"$approx": 0.3}, 0.1 + 0.2, True),
        ({"$approx": 1}, True, False),
        ({"$one_of": ["a", 1]}, 1.0, True),
        ({"$one_of": [True]}, 1, False),
        ({"$file": "big.txt"}, ["one", "two"], True),
        ({"a": {"$any": True}}, {"a": 1, "b": 2}, True),
        (1, True, False),
        (1, 1.0, True),
        ("1", 1, False),
    ],
)
def test_matchers(expected: Any, actual: Any, same: bool) -> None:
    """Each matcher stands for the values that it says, and for no others."""
    rules = Rules(whole=False, matching=True, files={"big.txt": "one\ntwo\n"})
    told = differences([{"_id": "a", "v": expected}], [{"_id": "a", "v": actual}], rules)
    assert (told == []) is same


def test_a_property_that_must_not_be_there() -> None:
    """`$absent` meets what is not there, and `$any` does not."""
    entity = {"_id": "a"}
    assert differences([{"_id": "a", "x": {"$absent": True}}], [entity], CASE) == []
    assert len(differences([{"_id": "a", "x": {"$any": True}}], [entity], CASE)) == 1


def test_entities_without_a_name_take_what_fits() -> None:
    """What a case expects may leave `_id` out."""
    came = [{"_id": "a", "x": 1}, {"_id": "b", "x": 2}]
    assert differences([{"x": 2}, {"_id": "a"}], came, CASE) == []
    assert [each.path for each in differences([{"x": 3}, {"_id": "a"}], came, CASE)] == [("x",)]


def test_data_is_no_matcher_in_a_file() -> None:
    """A file of expected entities is compared as it stands."""
    entity = {"_id": "a", "x": {"$any": True}}
    assert differences([entity], [entity], Rules()) == []
    assert len(differences([entity], [{"_id": "a", "x": 1}], Rules())) == 1


@given(st.sampled_from(MATCHERS), values)
def test_a_matcher_with_anything(name: str, argument: Any) -> None:
    """Whatever is given to a matcher is used or told to be wrong; nothing breaks."""
    if fault_of(name, argument) == "":
        differences([{"_id": "a", "v": {name: argument}}], [{"_id": "a", "v": "text"}], CASE)


def test_where_matchers_stand() -> None:
    """They are found at every depth, with the way to them."""
    found = list(matchers_in([{"a": [{"$contain": 1}]}, {"$any": True, "b": 1}]))
    assert found == [((0, "a", 0), "$contain", 1)]
    assert fault_of("$contain", 1) == "there is no matcher `$contain`: did you mean `$contains`?"
    assert fault_of("$matches", "(").startswith("`$matches` takes a regular expression: ")
