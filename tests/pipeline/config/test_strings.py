"""Strings: where their characters stand, and how wrong ones are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.text import raw_offset, read
from pipeline.config.tree import Array, Scalar


def string(text: str, value: str) -> Scalar:
    """The node of a text that is one string, which must have the value."""
    node = read(text, "f").root
    assert isinstance(node, Scalar)
    assert node.value == value
    return node


@pytest.mark.parametrize(
    ("text", "value", "offsets"),
    [
        ('"abc"', "abc", [1, 2, 3, 4]),
        ('""', "", [1]),
        (r'"a\nb"', "a\nb", [1, 2, 4, 5]),
        (r'"\u00e5\"x"', 'å"x', [1, 7, 9, 10]),
        (r'"\ud83d\ude00x"', "\U0001f600x", [1, 13, 14]),
        (r'"\uD83D\uDE00\\n"', "\U0001f600\\n", [1, 13, 15, 16]),
        ('"\U0001f600å\\t"', "\U0001f600å\t", [1, 2, 3, 5]),
        ("'it\\'s \"x\"'", 'it\'s "x"', [1, 2, 3, 5, 6, 7, 8, 9, 10]),
        (r'"\'\d"', r"'\d", [1, 3, 4, 5]),
        ('"a\n\tb"', "a\n\tb", [1, 2, 3, 4, 5]),
        (r'"\ud800x\u0000"', "\ufffdx\ufffd", [1, 7, 8, 14]),
        ("“ab”", "ab", [1, 2, 3]),
        ("$ENV(x)", "$ENV(x)", [0, 1, 2, 3, 4, 5, 6, 7]),
        ('ab"', "ab", [0, 1, 2]),
    ],
)
def test_a_character_of_a_string_is_found_in_the_text(text: str, value: str, offsets: list[int]) -> None:
    """Through escapes and pairs, in any quotes or none; the length gives the closing quote."""
    node = string(text, value)
    assert [raw_offset(text, node, index) for index in range(len(value) + 1)] == offsets


def test_an_index_past_the_end_gives_the_end() -> None:
    """A caret is never put behind the string."""
    text = '["ab", 1]'
    root = read(text, "f").root
    assert isinstance(root, Array)
    node = root.items[0]
    assert isinstance(node, Scalar)
    assert raw_offset(text, node, 99) == 4


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.booleans(),
    st.text(" \n", max_size=3),
)
@settings(deadline=None)
def test_what_stands_at_an_offset_decodes_to_the_character(value: str, ascii_only: bool, before: str) -> None:
    """For every character of every string, however it is escaped."""
    text = before + json.dumps(value, ensure_ascii=ascii_only)
    node = string(text, value)
    places = [raw_offset(text, node, index) for index in range(len(value) + 1)]
    assert text[places[-1]] == '"'
    assert places[-1] == len(text) - 1
    for index, character in enumerate(value):
        assert json.loads(f'"{text[places[index] : places[index + 1]]}"') == character


@given(st.text("ab'\"\\\n\t\x01nud8 \u00e5\U0001f600", max_size=12))
@settings(deadline=None, max_examples=500)
def test_offsets_agree_with_the_value_after_recovery(content: str) -> None:
    """Whatever is wrong inside a string, its value has one place for each character, in order."""
    text = f"['{content}']"
    root = read(text, "f").root
    assert isinstance(root, Array)
    for node in root.items:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            places = [raw_offset(text, node, index) for index in range(len(node.value) + 1)]
            assert places == sorted(set(places))
            assert node.start <= places[0] <= places[-1] <= node.end
            for index, character in enumerate(node.value):
                raw = text[places[index] : places[index + 1]]
                assert raw[0] in (character, "\\") or character == "\ufffd"


@pytest.mark.parametrize(
    ("text", "multi_line"),
    [
        ('{"a": "x\ny", "b": 1}', True),
        ('{"a": "x\ny"}', True),
        ('["x\ny"\n]', True),
        ('"x\ny"', True),
        ('{"x\ny": 1}', True),
        ('{"a": "x\n "b": 1}', False),
        ('["x\n "b"]', False),
        ('{"a": "x\n', False),
    ],
)
def test_a_line_break_either_belongs_to_the_string_or_shows_that_it_is_not_closed(text: str, multi_line: bool) -> None:
    """What follows the next quote decides."""
    assert [problem.code for problem in read(text, "f").problems] == (["E109"] if multi_line else ["E106"])


def test_places_of_one_kind_in_one_string_are_one_fault() -> None:
    """Ten raw line breaks are one slip; the kinds are told apart, in the order of the text."""
    problems = read('["a\\d\n\n\tb\\e\\ud800\\\'"]', "f").problems
    assert [(problem.code, problem.span.start) for problem in problems] == [
        ("E109", 3), ("E109", 5), ("E112", 11), ("E109", 17),
    ]  # fmt: skip
    assert [label.span.start for label in problems[0].also] == [9]
    assert [label.span.start for label in problems[1].also] == [6, 7]
    assert [edit.text for edit in problems[1].fix] == ["\\n", "\\n", "\\t"]
    assert [edit.text for edit in problems[3].fix] == ["'"]


def test_inner_quotes_are_all_marked_and_not_repaired() -> None:
    """Whether they belong to the text, only its writer knows."""
    (problem,) = read('{"a": "<p class="x" id="y">", "b": 1}', "f").problems
    assert [problem.span.start, *(label.span.start for label in problem.also)] == [16, 18, 23, 25]
    assert problem.fix == ()


def test_a_string_with_very_many_faults_is_reported_without_edits() -> None:
    """Ten thousand edits are more than anyone can review, and millions would not fit in memory."""
    (problem,) = read('["' + "a\n" * 20_000 + '"]', "f").problems
    assert (problem.code, problem.fix) == ("E109", ())
    assert len(problem.also) < 50
    few = read("[" + ", ".join('"' + "a\n" * 4000 + '"' for _ in range(4)) + "]", "f").problems
    assert [len(problem.fix) for problem in few] == [4000, 4000, 0, 0]
