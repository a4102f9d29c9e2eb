from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.testing.compare import Rules, differences
from mailweir.testing.difference import view


def shown(expected: list[Any], actual: list[Any], **more: Any) -> list[str]:
    """The lines for two lists of entities."""
    return list(view(differences(expected, actual, Rules()), **more))


def test_one_property() -> None:
    """The entity, the property, and both values; nothing of the rest."""
    one, other = {"_id": "c3", "name": "Per Dahl", "x": 1}, {"_id": "c3", "name": "Per Dahle", "x": 1}
    assert shown([one, {"_id": "c1"}], [{"_id": "c1"}, other]) == [
        "  _id c3",
        "      name",
        '    -   "Per Dahl"',
        '    +   "Per Dahle"',
    ]


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("kari@example.com", ["kari@example.com"], "expected is a string, actual is a list"),
        (["a", "b"], "a\nb", "expected is a list, actual is a string"),
        ("1", 1, "expected is a string, actual is a number"),
    ],
)
def test_a_value_of_another_type(one: Any, other: Any, what: str) -> None:
    """Both are shown as they are written, and what they are is said."""
    lines = shown([{"_id": "c1", "to": one}], [{"_id": "c1", "to": other}])
    written = [json.dumps(one), json.dumps(other)]
    assert lines == ["  _id c1", "      to", f"    -   {written[0]}", f"    +   {written[1]}", f"        ({what})"]


def test_lines_of_a_body() -> None:
    """Only the lines that differ, with one around them; what cannot be seen is shown and named."""
    one = {"_id": "c1", "text": ["Hello Kari,", "", "a", "b", "c", "Bye"]}
    other = {"_id": "c1", "text": ["Hello Kari, ", "", "a", "b", "c", "Bye"]}
    assert shown([one], [other]) == [
        "  _id c1",
        "      text",
        "    -   Hello Kari,",
        "    +   Hello Kari,·",
        "    ?              +",
        "",
        "        (they differ in white space only)",
    ]


def test_a_case_has_one_line_for_each_place() -> None:
    """Marks below a line say where it is another; a value that is no text has none."""
    one = {"_id": "c1", "text": ["Hello Kari Moe,", "", "You joined."], "x": {"y": [{"z": 1}]}}
    other = {"_id": "c1", "text": ["Hello Kari Moe ,", "", "You joined."], "x": {"y": [{"z": 2}]}}
    assert shown([one], [other], short=True) == [
        "  c1.text",
        "    - Hello Kari Moe,",
        "    + Hello Kari Moe ,",
        "    ?               +",
        "",
        "      (they differ in white space only)",
        "  c1.x.y[0].z",
        "    - 1",
        "    + 2",
    ]


@pytest.mark.parametrize(
    ("expected", "actual", "marks"),
    [
        ("one two", "one 2wo", ["?     ^", "?     ^"]),
        ("one two three", "one three", ["?    ----"]),
        ("nothing", "in common", []),
        ("x" * 300 + "1" + "y" * 300, "x" * 300 + "2" + "y" * 300, [f"? {' ' * 21}^"] * 2),
    ],
)
def test_marks_below_lines(expected: str, actual: str, marks: list[str]) -> None:
    """What is gone, has come, or is another; of a long line the part around it; nothing where they are unlike."""
    lines = shown([{"_id": "a", "v": [expected]}], [{"_id": "a", "v": [actual]}], short=True)
    assert [line.strip() for line in lines if "?" in line] == marks
    assert max(map(len, lines)) < 100


@pytest.mark.parametrize(
    ("expected", "actual", "told"),
    [
        ("a b", "a\xa0b", "(they differ in white space only: U+00A0 NO-BREAK SPACE)"),
        ("\xe9", "e\u0301", "(they look the same: one is composed of other characters, NFC against NFD)"),
        ("1", 1, "(expected is a string, actual is a number)"),
        ("a\tb", "a\tc", '+   "a→c"'),
        ("a", "a\x1b", '+   "a\\u001b"'),
        ({"k": 1}, None, "+   null"),
    ],
)
def test_what_cannot_be_seen(expected: Any, actual: Any, told: str) -> None:
    """Differences in characters that look alike are named, and no character acts on a terminal."""
    lines = shown([{"_id": "a", "v": expected}], [{"_id": "a", "v": actual}])
    assert told in [line.strip() for line in lines]


def test_a_long_value_is_cut_to_what_differs() -> None:
    """Twenty characters on both sides are enough to find the place."""
    lines = shown([{"_id": "a", "v": "x" * 500 + "1" + "y" * 500}], [{"_id": "a", "v": "x" * 500 + "2" + "y" * 500}])
    assert lines[2:] == [f'    {sign}   "…{"x" * 20}{digit}{"y" * 20}…"' for sign, digit in (("-", 1), ("+", 2))]


def test_five_hundred_entities_with_one_change() -> None:
    """Fewer than fifteen lines."""
    found = [{"_id": str(number), "a": 1, "b": {"c": [1, 2, 3]}} for number in range(500)]
    changed = [one if one["_id"] != "77" else {**one, "b": {"c": [1, 2, 4]}} for one in found]
    lines = shown(found, changed)
    assert lines[:2] == ["  _id 77", "      b.c"]
    assert len(lines) < 15


def test_many_entities() -> None:
    """Twenty of them, and how many more; all on demand."""
    found = [{"_id": f"{number:03}"} for number in range(200)]
    assert shown(found, [])[-1] == "  … 180 more, `--full`"
    assert sum("_id" in line and "missing" in line for line in shown(found, [], full=True)) == 200


@given(st.lists(st.tuples(st.text(), st.text()), max_size=4), st.booleans())
def test_any_texts(pairs: list[tuple[str, str]], full: bool) -> None:
    """Whatever the texts are, each that differs is shown, in characters that can be printed."""
    expected = [{"_id": str(place), "v": one} for place, (one, _) in enumerate(pairs)]
    actual = [{"_id": str(place), "v": other} for place, (_, other) in enumerate(pairs)]
    lines = shown(expected, actual, full=full)
    assert sum(line.startswith("  _id ") for line in lines) == sum(one != other for one, other in pairs)
    assert all(line.isprintable() for line in lines)
