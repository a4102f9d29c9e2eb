"""Codes that are chosen or left out."""

import pytest

from pipeline.config.selection import meant, names_codes, reported, right, selection_faults
from pipeline.config.settings import settings_of
from pipeline.config.text import read
from pipeline.errors import Problem, Span

KNOWN = ("E101", "E201", "E202", "W211", "E301", "W302")


@pytest.mark.parametrize(
    ("text", "right"),
    [("E201", True), ("E2", True), ("W", True), ("", False), ("E9", False), ("e2", False), ("E2011", False)],
)
def test_a_code_or_the_beginning_of_one_is_taken(text: str, right: bool) -> None:
    """A family is the beginning of its codes; what begins none is no code."""
    assert names_codes(text, KNOWN) is right


@pytest.mark.parametrize(
    ("text", "codes"), [("e201", ["E201"]), ("201", ["E201"]), ("E302", ["W302"]), ("E2O1", ["E201"]), ("x", [])]
)
def test_what_was_meant_is_offered(text: str, codes: list[str]) -> None:
    """The same number with another letter comes before what is only written alike."""
    assert meant(text, KNOWN)[: len(codes) or 1] == codes


def test_codes_of_the_settings_that_are_none_are_located() -> None:
    """Each is told where it stands, in the list or as a name, and chooses nothing."""
    text = '{"select": ["E2", "E9", 5], "ignore": {"e201": "why", "W302": "why", "": "all"}}'
    document = read(text.encode(), "mailweir.json")
    problems = list(selection_faults(document, KNOWN))
    told = [(problem.message, text[problem.span.start : problem.span.end]) for problem in problems]
    assert told == [
        ("`select` names no code", '"E9"'),
        ("`ignore` names no code", '"e201"'),
        ("`ignore` names no code", '""'),
    ]
    assert next(note.text for note in problems[1].notes) == "did you mean `E201`?"
    settings = right(settings_of(read(text.replace(", 5", "").encode(), "mailweir.json"))[0], KNOWN)
    assert (settings.select, settings.ignore) == (("E2",), {"W302": "why"})


@pytest.mark.parametrize("text", ["[]", "", '{"select": "E2", "ignore": ["E2"]}', '{"select": null}'])
def test_settings_of_another_shape_are_left_to_their_own_faults(text: str) -> None:
    """What is no list and no object has no codes in it."""
    assert list(selection_faults(read(text.encode(), "mailweir.json"), KNOWN)) == []


def test_a_wrong_choice_cannot_hide_itself() -> None:
    """Its own fault is told whatever is chosen; all others are chosen by the beginning of their code."""
    choice = Problem("E203", "", Span("a/mailweir.json", 0, 0), path=("select",))
    other = Problem("E203", "", Span("a.conf.json", 0, 0), path=("select",))
    assert [reported(problem, ("E3",), ("E2",)) for problem in (choice, other)] == [True, False]
    assert reported(other, (), ())
    assert reported(other, ("E2",), ("E3",))
    assert not reported(other, ("E2",), ("E203",))
