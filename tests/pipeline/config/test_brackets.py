"""Brackets that do not fit: what they are taken for, what is repaired, and where the eye is led."""

from __future__ import annotations

import json

import pytest

from pipeline.config.brackets import Brackets
from pipeline.config.edits import apply
from pipeline.config.text import read
from pipeline.config.tree import Lines, plain
from pipeline.errors import Problem

PIPE = {
    "_id": "a",
    "source": {"type": "embedded", "entities": [{"_id": "1", "tags": ["x", "y"]}]},
    "transform": {"rules": {"default": [["filter", ["matches", "*@*", "_S.mail"]], ["copy", "*"]]}},
    "sink": {"type": "null"},
}
TEXT = """{
  "_id": "a",
  "source": {
    "type": "embedded",
    "entities": [{"_id": "1", "tags": ["x", "y"]}]
  },
  "transform": {
    "rules": {
      "default": [
        ["filter", ["matches", "*@*", "_S.mail"]],
        ["copy", "*"]
      ]
    }
  },
  "sink": {"type": "null"}
}
"""


def value(text: str) -> object:
    """What is read, whatever is wrong."""
    root = read(text, "f").root
    assert root is not None
    return plain(root)


def only(text: str) -> Problem:
    """The one problem of a text."""
    (problem,) = read(text, "f").problems
    return problem


def labels(text: str) -> list[tuple[int, str]]:
    """The lines that explain the one problem, with what is said there."""
    lines = Lines(text)
    return [(lines.place(label.span.start)[0], label.text) for label in only(text).related]


def test_the_text_that_is_damaged_is_right() -> None:
    """Its two forms hold the same."""
    assert value(TEXT) == PIPE
    assert json.loads(TEXT) == PIPE


@pytest.mark.parametrize(
    ("right", "wrong", "repaired"),
    [
        ('"_S.mail"]],', '"_S.mail"}],', True),
        ('"_S.mail"]],', '"_S.mail"}]],', False),
        ('"_S.mail"]],', '"_S.mail"]}],', False),
        ('"_S.mail"]],', '"_S.mail"]],}', False),
        ('"y"]}]', '"y"]]]', True),
        ('"y"]}]', '"y"}}]', True),
        ('"y"]}]', '"y"]]}]', False),
        ("      ]\n", "      }\n", True),
        ("      ]\n    }\n", "      ]\n    ]\n", True),
        ("      ]\n    }\n", "      ]\n    ]}\n", False),
        ('["copy", "*"]', '["copy", "*"}', True),
        ('["copy", "*"]', '["copy", "*"}]', False),
        ('{"type": "null"}', '{"type": "null"]', True),
        ('{"type": "null"}', '{"type": "null"}]', False),
    ],
)
def test_a_wrong_bracket_is_one_fault_at_its_place(right: str, wrong: str, repaired: bool) -> None:
    """Instead of the right one, or too many: everything else is read, and only a bracket in its place is rewritten."""
    text = TEXT.replace(right, wrong, 1)
    problem = only(text)
    assert problem.code == "E106"
    line = text[: text.index(wrong)].count("\n")
    assert Lines(text).place(problem.span.start)[0] in (line + 1, line + 2)
    assert value(text) == PIPE
    assert problem.related
    assert bool(problem.fix) == repaired
    assert apply(text, problem.fix) == (TEXT if repaired else text)


@pytest.mark.parametrize(
    ("right", "wrong", "codes"),
    [
        ('"_id": "a",', '"_id": "a"},', ["E107"]),
        ('["x", "y"]}]\n  },', '["x", "y"]}]\n  }},', ["E107"]),
        ('"sink": {', '"sink": ', ["E108"]),
        ('"source": {\n    "type"', '"source": "type"', ["E108"]),
        ('"*"]\n', '"*"\n', ["E106"]),
        ('"null"}', '"null"', ["E106"]),
        ("    }\n  },", "    }\n  ,", ["E106"]),
        (']],\n        ["copy"', ']\n        ["copy"', ["E106", "E102"]),
    ],
)
def test_a_bracket_too_many_or_too_few_is_told_and_left(right: str, wrong: str, codes: list[str]) -> None:
    """Where it belongs only the writer knows; what was read is what stands in the text."""
    text = TEXT.replace(right, wrong, 1)
    assert text != TEXT
    found = read(text, "f").problems
    assert [problem.code for problem in found] == codes
    assert not any(edit.text in "[]{}" and edit.text for problem in found for edit in problem.fix)


def test_an_early_end_does_not_hide_what_follows() -> None:
    """The bracket that ends the document is named, and the rest is read as a part of it."""
    text = TEXT.replace('"_id": "a",', '"_id": "a"},')
    assert value(text) == PIPE
    assert only(text).message == "this `}` ends the document too early"


def test_a_missing_opener_makes_an_object() -> None:
    """Where the brackets come out even with it, the properties are read as those of the object."""
    text = TEXT.replace('"sink": {', '"sink": ')
    assert value(text) == PIPE
    assert only(text).message == "the opening `{` of `sink` is missing"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"a": {"b", "c"]}', {"a": ["b", "c"]}),
        ('{"a": {["b"], ["c"]]}', {"a": [["b"], ["c"]]}),
        ('{"a": {{"b": 1}]}', {"a": [{"b": 1}]}),
        ('{"a": ["b": 1, "c": [2]}}', {"a": {"b": 1, "c": [2]}}),
        ('["a": 1}', {"a": 1}),
    ],
)
def test_a_list_that_begins_as_an_object_is_a_list(text: str, meant: object) -> None:
    """And the other way round: what is in it and its end tell so, and its beginning is repaired."""
    problem = only(text)
    assert (problem.code, problem.label) in {("E106", "a `[` belongs here"), ("E106", "a `{` belongs here")}
    assert value(text) == meant
    assert json.loads(apply(text, problem.fix)) == meant


@pytest.mark.parametrize("text", ['["a": 1]', '{"a", "b"}', '{["a"]}', '[{"a", "b"}]'])
def test_what_begins_and_ends_alike_keeps_its_brackets(text: str) -> None:
    """Whatever is in it."""
    problems = read(text, "f").problems
    assert problems
    assert not any(edit.text in "[]{}" for problem in problems for edit in problem.fix)


def test_a_comma_that_went_with_a_bracket_is_not_told() -> None:
    """One that is missing elsewhere is."""
    text = '{\n  "a": {\n    "b": 1\n  "c": {\n    "d": 1\n    "e": 2\n  }\n}\n'
    problems = read(text, "f").problems
    assert [(problem.code, Lines(text).place(problem.span.start)[0]) for problem in problems] == [
        ("E106", 2),
        ("E102", 5),
    ]


def test_indentation_leads_to_a_bracket_that_is_too_many() -> None:
    """The last one is only where it shows; the repair that removes it would be wrong, so there is none."""
    text = '{\n  "a": {\n    "b": {}},\n    "c": 1\n  }\n}\n'
    problem = only(text)
    assert (problem.code, Lines(text).place(problem.span.start), problem.fix) == ("E107", (6, 1), ())
    assert labels(text) == [(2, "because this begins at another indentation"), (3, "perhaps this is one too many")]


def test_indentation_leads_to_what_is_not_closed() -> None:
    """The inner object is where it is wrong, the outermost one where it shows."""
    text = TEXT.replace("    }\n  },\n", "    },\n")
    problem = only(text)
    assert (problem.message, Lines(text).place(problem.span.start)[0]) == ("this object is never closed", 7)
    assert labels(text) == [
        (15, "this closes it, at another indentation"),
        (1, "so that this is left open"),
    ]


@pytest.mark.parametrize("text", ['{"a": 1}}]', "[[1]]]", '{\n  "a": {"b": 1}, "c": 2\n}}', '{\n  "a": 1\n}\n}\n'])
def test_brackets_that_are_certainly_too_many_are_removed(text: str) -> None:
    """On one line where no other can be meant, or where the brackets before agree with the indentation."""
    problem = only(text)
    assert problem.code == "E107"
    assert read(apply(text, problem.fix), "f").problems == []


@pytest.mark.parametrize(
    "text", ['{"a": {"b": 1}, "c": 2}}', '{"a": {"b": 1},\n "c": 2}}', '{\n "a": {\n  "b": 1},\n "c": 2\n}\n}']
)
def test_brackets_that_may_be_others_are_left(text: str) -> None:
    """Removing the last one would say that the ones before are right."""
    problem = only(text)
    assert (problem.code, problem.fix) == ("E107", ())


def test_a_long_text_is_judged_within_bounds() -> None:
    """After so many characters of looking ahead nothing is sure any more, and nothing is looked at."""
    text = "[" + '{"a": [1}, ' * 40 + '"' + "x" * 900_000 + '"]'
    problems = read(text, "f").problems
    assert [bool(problem.fix) for problem in problems][:2] == [False, False]
    assert all(problem.code == "E106" for problem in problems)


@pytest.mark.parametrize(
    ("text", "neat"),
    [
        ("{}", True),
        ("{\n}", True),
        (" {\n}", False),
        ('{\n "a": 1}', False),
        ('{"a": 1,\n "b": 2}', True),
        ('{"a": 1,\n "b": 2\n }', False),
        ("\t{\n\t}", True),
        ("\t{\n  }", False),
        (" " * 2000 + "{\n}", True),
        ("{" + "\n" * 2000 + "}", True),
        ("{\r}", True),
    ],
)
def test_indentation_says_whether_two_brackets_belong_together(text: str, neat: bool) -> None:
    """On one line, or far from the begin of a line, it says nothing."""
    assert Brackets(text).neat(text.index("{"), text.index("}")) is neat
