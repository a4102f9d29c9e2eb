"""Faults as values."""

import pytest

from pipeline.config.show import render
from pipeline.errors import Problem, SourceError, Span


def fault(text: str, start: int, line: int, column: int) -> SourceError:
    """A fault in a piece of a text."""
    return SourceError(Problem("E108", "wrong", Span("in.json", start, start + 1)), text, line, column)


@pytest.mark.parametrize(
    ("text", "start", "line", "column", "place"),
    [
        ("abc", 0, 1, 1, "1:1"),
        ("abc", 2, 7, 1, "7:3"),
        ("abc", 2, 7, 10, "7:12"),
        ("a\nbc", 3, 7, 10, "8:2"),
    ],
)
def test_the_place_of_a_fault_in_a_piece_is_that_in_the_whole(
    text: str, start: int, line: int, column: int, place: str
) -> None:
    """The text of the error and the excerpt have the same place."""
    error = fault(text, start, line, column)
    assert str(error) == f"in.json:{place}: E108 wrong"
    problem, texts = error.shown()
    assert f"in.json:{place}\n" in render([problem], texts)


def test_far_behind_in_a_text_there_is_no_excerpt() -> None:
    """What would have to be filled up with too much has its place in words."""
    problem, texts = fault("abc", 2, 1_000_001, 1).shown()
    assert (problem.message, texts) == ("in.json:1000001:3: E108 wrong", {})
