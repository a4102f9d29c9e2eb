"""Numbers with signs between their thousands."""

import pytest

from pipeline.config.text import apply, read
from pipeline.config.tree import plain


def told(text: str) -> list[tuple[str, str]]:
    """Message and marked text of every problem."""
    problems = read(text, "a.conf.json").problems
    return [(problem.message, text[problem.span.start : problem.span.end]) for problem in problems]


COMMA = "a number has no comma in it"
UNDERSCORE = "a number has no `_` in it"


@pytest.mark.parametrize(
    ("text", "message", "marked", "repaired", "value"),
    [
        ('{"a": 1,000, "b": 2}', COMMA, "1,000", '{"a": 1000, "b": 2}', {"a": 1000, "b": 2}),
        ('{"a": -12,345,678}', COMMA, "-12,345,678", '{"a": -12345678}', {"a": -12345678}),
        ('{"b": 2, "a": 1,000\n}', COMMA, "1,000", '{"b": 2, "a": 1000\n}', {"b": 2, "a": 1000}),
        ('{"a": 1_000}', UNDERSCORE, "1_000", '{"a": 1000}', {"a": 1000}),
        ("[1_0_0, 2]", UNDERSCORE, "1_0_0", "[100, 2]", [100, 2]),
    ],
)
def test_a_number_is_read_as_it_was_meant(text: str, message: str, marked: str, repaired: str, value: object) -> None:
    """One fault with its repair, and the value goes on as the whole number."""
    document = read(text, "a.conf.json")
    assert told(text) == [(message, marked)]
    assert document.root is not None
    assert plain(document.root) == value
    after = apply(text, [edit for problem in document.problems for edit in problem.fix])
    assert after == repaired
    assert read(after, "a.conf.json").problems == []


@pytest.mark.parametrize("text", ['{"a": 1,5}', '{"a": 1,00}', '{"a": 1000,000}', '{"a": 0,500}', '{"a": 1,000,00}'])
def test_what_could_mean_several_things_is_not_repaired(text: str) -> None:
    """A comma before anything but three digits may stand for a point."""
    (problem,) = read(text, "a.conf.json").problems
    assert (problem.message, problem.fix) == (COMMA, ())
    assert [note.text for note in problem.notes] == ["write the digits alone; before a fraction stands a point"]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, 000}',
        "{5,000: 1}",
        '{"a": true, 1,000}',
        '{"a": 1,000: 2}',
        '{"a": x1,000}',
        '{"a": 1.5,000}',
        "[1,000]",
    ],
)
def test_other_faults_keep_their_own_words(text: str) -> None:
    """Digits behind a comma are a part of a number only where they can be, and no text makes the reader fail."""
    problems = read(text, "a.conf.json").problems
    assert problems
    assert all(not problem.fix for problem in problems if problem.message == COMMA and "5" in text)


def test_a_value_is_not_repeated_in_words() -> None:
    """It may be a password that lost its quotes."""
    for text in ('{"smtp_password": 4,711}', '{"smtp_password": 4_711}', '{"smtp_password": 4,71}'):
        (problem,) = read(text, "a.conf.json").problems
        words = problem.message + problem.label + "".join(note.text for note in problem.notes)
        assert not any(digit in words for digit in "471")
