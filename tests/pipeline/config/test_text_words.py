"""The words of the problems that the reference shows, as they are printed there."""

from __future__ import annotations

import pytest

from pipeline.config.text import apply, read
from pipeline.config.tree import Lines
from pipeline.errors import Problem

SYSTEM = """{
  "_id": "our-smtp-server",
  "type": "system:smtp",
  "smtp_server": "mail.example.com",
  "smtp_port": 587,
  "use_tls": true,
  "smtp_username": "$ENV(username-variable)",
  %s
  %s
}
"""


def shown(problem: Problem, text: str) -> tuple[str, str, int, int, str, str]:
    """What is printed of a problem: code, message, line, column, the text under the caret, the label."""
    line, column = Lines(text).place(problem.span.start)
    under = text[problem.span.start : problem.span.end]
    return problem.code, problem.message, line, column, under, problem.label


def notes(problem: Problem) -> list[tuple[str, str]]:
    """The notes as kind and text."""
    return [(note.kind, note.text) for note in problem.notes]


def test_trailing_comma() -> None:
    """Example 7 of the reference."""
    text = SYSTEM % ('"smtp_password": "$SECRET(smtp-password)",', '"max_per_hour": 1000,')
    (problem,) = read(text, "f").problems
    assert shown(problem, text) == (
        "E101", "trailing comma at the end of the object", 9, 23, ",", "remove this comma",
    )  # fmt: skip
    assert notes(problem) == [("note", "JSON allows no comma before the closing `}`")]
    assert apply(text, problem.fix) == text.replace("1000,", "1000")


def test_trailing_comma_in_a_list() -> None:
    """The same words with the list's name and bracket."""
    (problem,) = read("[1, 2,]", "f").problems
    assert problem.message == "trailing comma at the end of the list"
    assert notes(problem) == [("note", "JSON allows no comma before the closing `]`")]


def test_bare_reference_and_missing_comma() -> None:
    """Example A of the reference: two faults on one line, both reported and both repaired."""
    text = SYSTEM % ('"smtp_password": $SECRET(password-variable)', '"max_per_hour": 1000')
    bare, comma = read(text, "f").problems
    assert shown(bare, text) == (
        "E104", "`$SECRET(password-variable)` must be inside quotes", 8, 20, "$SECRET(password-variable)",
        "a bare reference is not JSON",
    )  # fmt: skip
    assert notes(bare) == [
        (
            "note",
            (
                "the quotes do not turn it into a string: a value that is one whole reference keeps the type of"
                " what it refers to"
            ),
        )
    ]
    assert shown(comma, text) == (
        "E102", "a comma is missing between two properties", 8, 46, "\n", "a `,` belongs here",
    )  # fmt: skip
    assert notes(comma) == []
    reference = "$SECRET(password-variable)"
    assert apply(text, bare.fix) == text.replace(reference, f'"{reference}"')
    assert apply(text, comma.fix) == text.replace(reference, f"{reference},")
    assert apply(text, [*bare.fix, *comma.fix]) == text.replace(reference, f'"{reference}",')


def test_missing_comma_in_a_list() -> None:
    """Items, not properties."""
    (problem,) = read("[1 2]", "f").problems
    assert problem.message == "a comma is missing between two items"


def test_key_given_twice() -> None:
    """Example D of the reference."""
    text = SYSTEM % ('"smtp_password": "$SECRET(smtp-password)",', '"smtp_port": 25')
    (problem,) = read(text, "f").problems
    assert shown(problem, text) == (
        "E111", "property `smtp_port` is given twice in one object", 9, 3, '"smtp_port"', "given again here",
    )  # fmt: skip
    (first,) = problem.related
    assert (Lines(text).place(first.span.start), first.text) == ((5, 3), "first given here")
    assert notes(problem) == [("note", "JSON readers keep the last one and drop the first without a word")]
    assert problem.fix == ()


def test_a_key_given_three_times_names_the_first_each_time() -> None:
    """The first one is the one that a reader takes for valid."""
    problems = read('{"a": 1, "a": 2, "a": 3}', "f").problems
    assert [problem.related[0].span.start for problem in problems] == [1, 1]


def test_object_never_closed() -> None:
    """The sample of `transform` in the reference."""
    text = '{"_id": "c1"'
    (problem,) = read(text, "<stdin>").problems
    assert shown(problem, text) == ("E106", "this object is never closed", 1, 1, "{", "opened here")
    assert problem.span.file == "<stdin>"


WORDS = [
    ("['a']", "E103", "a string must be inside double quotes", "single quotes are not JSON", ""),
    ("[\u201ca\u201d]", "E103", "a string must be inside double quotes", "typographic quotes are not JSON", ""),
    ("{a: 1}", "E103", "a property name must be inside double quotes", "no quotes", ""),
    ("[1] // x", "E105", "a comment is not JSON", "JSON has no comments",
     "put the words in a property named `comment`, or remove them"),
    ('["a', "E106", "this string is never closed", "opened here", ""),
    ("[1 /* x", "E106", "this comment is never closed", "opened here", ""),
    ('{"a": [1}', "E106", "this list is never closed", "opened here", ""),
    ("[1}", "E106", "this list is closed by `}`", "a `]` belongs here", ""),
    ("{} {}", "E107", "text after the end of the document", "the document ends before this",
     "put several components into one list: `[{…}, {…}]`"),
    ('"a": 1', "E107", "text after the end of the document", "the document ends before this",
     "put the properties between `{` and `}`"),
    ("[True]", "E108", "`True` is not a value", "write `true`", ""),
    ("[hello]", "E108", "text must be inside double quotes", "not JSON", 'write text inside double quotes: `"…"`'),
    ("[1e999]", "E108", "this number is too large", "larger than any number that can be kept", ""),
    ("[\u2026]", "E108", "the character U+2026 (HORIZONTAL ELLIPSIS) is not a value", "not JSON",
     'write text inside double quotes: `"…"`'),
    ('{"a": }', "E108", "property `a` has no value", "a value belongs here", ""),
    ('["a\nb"]', "E109", "a line break inside a string", "write `\\n`",
     "a JSON string stands on one line; line breaks and tabs are written `\\n` and `\\t`"),
    ('["a\x01b"]', "E109", "a control character inside a string", "write `\\u0001`",
     "a JSON string stands on one line; line breaks and tabs are written `\\n` and `\\t`"),
    (r'["\d"]', "E109", "a backslash escape that JSON does not know", "no escape begins like this",
     r"write `\\` for a backslash that belongs to the text"),
    ('{"a" 1}', "E110", "a colon is missing after property `a`", "a `:` belongs here", ""),
    ('{"a" = 1}', "E110", "`=` stands where a colon belongs", "write `:`", ""),
    (b'["\xe5"]', "E112", "the file is not UTF-8", "the byte 0xE5 is not UTF-8 here", "save the file as UTF-8"),
    (r'["\ud800"]', "E112", "an escape that is only half of a character", "the other half is missing",
     r"a character beyond U+FFFF takes two escapes, such as `\ud83d\ude00`"),
    ("1" * 4301, "E113", "a number of too many digits", "", "the limit is 4300 digits"),
    ("", "E114", "the document is empty", "", "a file holds one component, `{…}`, or a list of them, `[…]`"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "message", "label", "note"), WORDS, ids=[repr(case[0])[:40] for case in WORDS]
)
def test_each_fault_says_what_is_wrong_and_what_to_do(
    text: str | bytes, code: str, message: str, label: str, note: str
) -> None:
    """The head line, the words at the caret, and the note or help."""
    (problem,) = read(text, "f").problems
    assert (problem.code, problem.message, problem.label) == (code, message, label)
    assert [text for _, text in notes(problem)] == ([note] if note else [])


def test_where_a_closer_ended_something_else_is_shown() -> None:
    """The closer that was taken for the outer bracket is named beside the opener."""
    (problem,) = read('{"a": [1}', "f").problems
    assert [(label.span.start, label.text) for label in problem.related] == [(8, "this closes the object around it")]
    (problem,) = read("[1}", "f").problems
    assert [(label.span.start, label.text) for label in problem.related] == [(0, "opened here")]


def test_names_in_messages_are_short_and_on_one_line() -> None:
    """A property name can hold anything, a message cannot."""
    (problem,) = read(f'{{"{"x" * 100}\\n": }}', "f").problems
    assert problem.message == f"property `{'x' * 59}…` has no value"
    (problem,) = read('{"a\\nb": }', "f").problems
    assert problem.message == "property `a\ufffdb` has no value"
