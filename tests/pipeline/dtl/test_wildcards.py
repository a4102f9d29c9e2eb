"""Patterns with `*` and `?`."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dtl.wildcards import matcher

letters = st.text("ab", max_size=8)


@given(st.text("ab*?", max_size=12), letters)
def test_a_pattern_matches_as_the_standard_library_says(pattern: str, text: str) -> None:
    """`*` stands for any characters and `?` for one, over the whole text."""
    assert matcher(pattern)(text) is bool(re.match(fnmatch.translate(pattern), text))


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("[a]", "a", False),
        ("a.c", "abc", False),
        ("?", "\n", True),
        ("A", "a", False),
    ],
)
def test_edges_of_patterns(pattern: str, text: str, fits: bool) -> None:
    """No other character means anything but itself."""
    assert matcher(pattern)(text) is fits


def test_a_pattern_that_is_made_to_take_long_does_not() -> None:
    """Many stars, or many question marks between two of them, against a text that almost fits, end at once."""
    assert not matcher("*a" * 2_000 + "b")("a" * 20_000)
    assert not matcher("*" + "a?" * 2_000 + "b*")("a" * 20_000)
