"""One wrong sign in a line: told once, and repaired where a single change is possible."""

from __future__ import annotations

import json

import pytest

from pipeline.config.edits import apply
from pipeline.config.faults import Faults
from pipeline.config.reader import Reader
from pipeline.config.signs import LARGEST, LONGEST_LINE, MOST_READ, MOST_SLIPS, untangled
from pipeline.config.text import read
from pipeline.config.tree import Document, Lines, Node, Object, plain, walk
from pipeline.errors import Problem

TEXT = """{
  "name": "Kari Moe",
  "empty": "",
  "list": ["one", "two", 3],
  "object": {"a": "b", "c": "d"},
  "list of objects": [
    {"x": "y", "z": "$ENV(z)"},
    {"x": "it's", "z": "say \\"hi\\""}
  ],
  "last": true
}
"""


def document(text: str) -> Document:
    """The text as it is read."""
    return read(text, "f")


def only(text: str) -> Problem:
    """The one problem of a text."""
    (problem,) = document(text).problems
    return problem


def place(text: str, problem: Problem) -> tuple[int, int]:
    """Line and column."""
    return Lines(text).place(problem.span.start)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "message"),
    [
        ('"Kari Moe"', '"Kari Moe', 2, "the closing quote of a string is missing"),
        ('"Kari Moe"', 'Kari Moe"', 2, "the opening quote of a string is missing"),
        ('"name"', '"name', 2, "the closing quote of the name `name` is missing"),
        ('"name"', 'name"', 2, "the opening quote of a string is missing"),
        ('"",', '",', 3, "the opening quote of a string is missing"),
        ('"b"', '"b', 5, "the closing quote of a string is missing"),
        ('"d"}', '"d}', 5, "the closing quote of a string is missing"),
        ('"object": {', '"object: {', 5, "the closing quote of the name `object` is missing"),
        ('"y"', 'y"', 7, "the opening quote of a string is missing"),
        ('"$ENV(z)"', '$ENV(z)"', 7, "the opening quote of a string is missing"),
        ('"$ENV(z)"', '"$ENV(z)', 7, "the closing quote of a string is missing"),
        ('hi\\""}', 'hi\\"}', 8, "the closing quote of a string is missing"),
    ],
)
def test_a_missing_quote_is_one_fault_and_is_repaired(right: str, wrong: str, line: int, message: str) -> None:
    """At its place, and the whole text is read as it was meant."""
    text = TEXT.replace(right, wrong, 1)
    problem = only(text)
    assert (problem.code, problem.message, place(text, problem)[0]) == ("E103", message, line)
    root = document(text).root
    assert root is not None
    assert plain(root) == json.loads(TEXT)
    assert json.loads(apply(text, problem.fix)) == json.loads(TEXT)


@pytest.mark.parametrize(
    ("right", "wrong", "code", "message"),
    [
        ('"Kari Moe"', '"Kari Moe""', "E103", "one quote too many"),
        ('"Kari Moe"', '""Kari Moe"', "E103", "one quote too many"),
        ('"name":', '"name"":', "E103", "one quote too many"),
        ('"y", "z"', '"y" "z"', "E102", "a comma is missing between two properties"),
        ('"name": ', '"name"= ', "E110", "`=` stands where a colon belongs"),
        ('"name": ', '"name"" ', "E110", "another sign stands in the place of a colon"),
        ('"name": ', '"name", ', "E110", "another sign stands in the place of a colon"),
        ('"list": [', '"list"; [', "E110", "`;` stands where a colon belongs"),
        ('"Kari Moe"', ';Kari Moe"', "E103", "the opening quote of a string is missing"),
        ('"Kari Moe"', '"Kari "Moe"', "E103", "one quote too many"),
    ],
)
def test_a_wrong_sign_is_one_fault_in_its_line(right: str, wrong: str, code: str, message: str) -> None:
    """All that follows in the line and below it is read as if it were right."""
    text = TEXT.replace(right, wrong, 1)
    problem = only(text)
    assert (problem.code, problem.message) == (code, message)
    root = document(text).root
    assert isinstance(root, Object)
    assert root.whole
    assert list(root.members)[2:] == list(json.loads(TEXT))[2:]
    assert not problem.fix or json.loads(apply(text, problem.fix)) == json.loads(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        '["x, 1, 2]',
        '["x, "y", 2]',
        '["x", "y, 2]',
        '{"a": "b"c"}',
        '{"a": ;b"}',
        '{"a": "say "hi""}',
        '{"a": "27""}',
        '{"a": 5"}',
        '{"a": "b], "c": 1}',
        '{"a": "b}, "c": 1}',
        '{"a": {b", "c": 1}',
        '{"a}: "b", "c": 1}',
    ],
)
def test_what_can_be_read_in_two_ways_is_not_repaired(text: str) -> None:
    """It is said, and nothing is known of the value."""
    (problem,) = document(text).problems
    assert problem.fix == ()


def test_faults_in_several_lines_are_told_together() -> None:
    """Each slip by itself, with the other faults of the text between them, in order."""
    text = TEXT.replace('"Kari Moe"', '"Kari Moe').replace('"b"', 'b"').replace("true", "True").replace('"y"', '"y')
    problems = document(text).problems
    assert [(problem.code, *place(text, problem)) for problem in problems] == [
        ("E103", 2, 19),
        ("E103", 5, 19),
        ("E103", 7, 12),
        ("E108", 10, 11),
    ]
    mended = apply(text, [edit for problem in problems for edit in problem.fix])
    assert json.loads(mended) == json.loads(TEXT)


def test_places_are_those_of_the_text_as_it_is() -> None:
    """A quote that is only thought of takes no room."""
    text = TEXT.replace('"Kari Moe"', 'Kari Moe"').replace('"y"', '"y')
    found = document(text)
    assert found.root is not None
    texts = [text[node.start : node.end] for node in walk(found.root)]
    assert {'Kari Moe"', '"one"', '"y', "3", '{"a": "b", "c": "d"}', "true"} <= set(texts)
    assert isinstance(found.root, Object)
    assert [text[m.key.start : m.key.end] for m in found.root.members.values()] == [
        f'"{name}"' for name in json.loads(TEXT)
    ]


def test_a_word_of_a_secret_is_in_no_message() -> None:
    """Wherever the quote is missing."""
    for value in ('"hunter2', 'hunter2"', '"hun"ter2"', '"hunter2""', ';hunter2"', '"hunter2, hunter2'):
        for problem in document(f'{{"smtp_password": {value},\n"b": 1}}').problems:
            texts = [problem.message, problem.label, *(note.text for note in problem.notes)]
            assert not any("hunter" in text or "ter2" in text for text in texts), value


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace('"Kari Moe"', '"Kari Moe').replace("true", f'"{"x" * LARGEST}"'),
        TEXT.replace('"Kari Moe"', f'"{"x" * LONGEST_LINE}'),
    ],
    ids=["large", "wide"],
)
def test_in_a_large_text_or_a_long_line_nothing_is_tried(text: str) -> None:
    """The string is told as one that is never closed."""
    assert [problem.code for problem in document(text).problems] == ["E106"]


def test_so_many_slips_are_found_in_one_text() -> None:
    """After these the reader's own guesses stand."""
    lines = [f'"k{number}": "v,' for number in range(MOST_SLIPS + 2)]
    problems = document("{" + "\n".join(lines) + '\n"end": 1}').problems
    assert [problem.code for problem in problems].count("E103") == MOST_SLIPS
    assert problems[-1].code == "E106"


def test_trials_read_a_bounded_number_of_characters() -> None:
    """However many lines have something wrong that no single sign mends."""
    row = '    {"_id": "c", "name": "Kari Moe"'
    text = '{\n  "rows": [\n' + f"{row}}},\n" * 500 + f"{row},\n" * 3 + f"{row}}}\n  ]\n}}\n"
    sizes: list[int] = []

    def counted(text: str) -> tuple[Node | None, list[Problem]]:
        sizes.append(len(text))
        faults = Faults("f", 100)
        return Reader(text, faults, depth=64, values=100_000).document(), faults.in_order()

    untangled(text, "f", counted)
    assert len(sizes) > 1
    assert sum(sizes[1:]) <= MOST_READ
