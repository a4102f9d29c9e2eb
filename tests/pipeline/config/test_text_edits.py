"""Edits change their places only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.edits import compatible
from pipeline.config.text import apply, encode, read
from pipeline.errors import Edit, Problem, Span


def edit(start: int, end: int, text: str) -> Edit:
    """An edit of one file."""
    return Edit(Span("f", start, end), text)


@pytest.mark.parametrize(
    ("edits", "result"),
    [
        ([], "abcdef"),
        ([edit(1, 2, "X")], "aXcdef"),
        ([edit(4, 5, "Y"), edit(1, 2, "X")], "aXcdYf"),
        ([edit(2, 2, "1"), edit(2, 2, "2")], "ab12cdef"),
        ([edit(1, 2, "X"), edit(2, 2, "+"), edit(2, 3, "")], "aX+def"),
        ([edit(1, 4, "X"), edit(3, 5, "Y")], "aXef"),
        ([edit(0, 0, "<"), edit(6, 6, ">")], "<abcdef>"),
    ],
)
def test_edits_count_in_the_text_as_it_was(edits: list[Edit], result: str) -> None:
    """In any order; insertions at one place keep theirs; the later of two that overlap is left out."""
    assert apply("abcdef", edits) == result


def problem(*edits: Edit) -> Problem:
    """A fault with a repair."""
    return Problem("E000", "x", Span("f", 0, 0), fix=edits)


def test_repairs_are_made_whole_or_not_at_all() -> None:
    """Of two that touch the first is made; beside another one, or at its edge, is no touch."""
    quotes = problem(edit(0, 1, '"'), edit(5, 6, '"'))
    inside, edge, across = problem(edit(3, 4, "x")), problem(edit(6, 6, ",")), problem(edit(5, 7, ""), edit(9, 9, "y"))
    same, nothing = problem(edit(3, 4, "z")), problem()
    insertions = problem(edit(8, 8, "1")), problem(edit(8, 8, "2"))
    around = problem(edit(7, 9, ""))
    found = compatible([quotes, inside, nothing, edge, across, same, *insertions, around])
    assert found == [quotes, inside, edge, *insertions]


def test_a_missing_quote_is_not_written_beside_its_word() -> None:
    """The word that is written there has its own quotes; commas and other quotes may stand beside it."""
    word, before, after = problem(edit(3, 6, '"word"')), problem(edit(3, 3, '"')), problem(edit(6, 6, '"'))
    comma = problem(edit(6, 6, ","))
    assert compatible([word, before, after, comma]) == [word, comma]
    assert compatible([before, after, comma, word]) == [before, after, comma]
    assert compatible([problem(edit(9, 9, '"')), word, problem(edit(0, 0, '"'))])[1] == word


@given(st.binary(max_size=60), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_unchanged_text_gives_the_bytes_that_were_read(data: bytes, mark: bytes) -> None:
    """Bytes that are no UTF-8 and the byte order mark included."""
    document = read(mark + data, "f")
    assert encode(document, document.text) == mark + data


def test_a_fix_keeps_every_other_byte() -> None:
    """Line ends, blanks, the byte order mark and a byte that is no UTF-8 stay as they are."""
    data = b'\xef\xbb\xbf{\r\n\t"a" : "\xe5" ,\r\n}\r\n\r\n'
    document = read(data, "f")
    mended = apply(document.text, [change for problem in document.problems for change in problem.fix])
    assert encode(document, mended) == data.replace(b'" ,', b'" ')
