"""Lines of `.env` are read as python-dotenv reads them; what sets nothing is reported, and no value is shown."""

from __future__ import annotations

import io

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.dotenv_file import MOST_BLANKS, MOST_FAULTS, DotenvFile, read_dotenv, statements
from pipeline.config.tree import Lines
from pipeline.errors import Problem

MASKED = "********"


def read(text: str, *, secret: bool = False) -> DotenvFile:
    """The text as the file `.env`."""
    return read_dotenv(text.encode(), ".env", secret=secret)


def place(file: DotenvFile, problem: Problem) -> tuple[int, int]:
    """Line and column of a problem."""
    return Lines(file.document.text).place(problem.span.start)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("smtp-username=kari\n", {"smtp-username": "kari"}),
        ("a=\nb= # note\nc=''\n", {"a": "", "b": "", "c": ""}),
        ("export a=1\r\n'b c'=2\r\n", {"a": "1", "b c": "2"}),
        ('a="x\ny" # note\n', {"a": "x\ny"}),
        ("a='${HOME} $ENV(b)'\nb=$HOME\n", {"a": "${HOME} $ENV(b)", "b": "$HOME"}),
        ("\ufeffa=1\n", {"a": "1"}),
        ("# note\n\na=1#2\n", {"a": "1#2"}),
        ("alone\na=1\n", {"a": "1"}),
        ("a=1\na\n", {}),
    ],
)
def test_values(text: str, values: dict[str, str]) -> None:
    """Quotes, comments, `export` and line ends are those of python-dotenv; nothing is expanded; the last counts."""
    file = read(text)
    assert dict(file.values) == values
    assert not file.problems


@pytest.mark.parametrize(
    ("text", "line", "column", "label"),
    [
        ("a=1\n  smtp-user kari\n", 2, 3, "a `=` is missing after the name"),
        ("=1\n", 1, 1, "no name stands before the `=`"),
        ("\n\n\texport =1\n", 3, 2, "no name stands before the `=`"),
        ("'a=1\n", 1, 1, "the `'` before the name is never closed"),
        ("export 'a=1\n", 1, 1, "the `'` before the name is never closed"),
        ("a=1\nb='x\n", 2, 1, "the `'` before the value is never closed"),
        ('b="x\\"\n', 1, 1, 'the `"` before the value is never closed'),
        ("b='x' y\n", 1, 1, "something stands after the closing `'`"),
        ('a=1\r\n b = "x"y\r\n', 2, 2, 'something stands after the closing `"`'),
        ("x='1\n2'\nb='it's'\n", 3, 1, "something stands after the closing `'`"),
    ],
)
def test_faults(text: str, line: int, column: int, label: str) -> None:
    """A line that sets nothing is reported at its first character, with the reason and what to do."""
    for secret in (False, True):
        file = read(text, secret=secret)
        [problem] = file.problems
        assert (problem.code, problem.message, problem.label) == ("E314", "this line of `.env` cannot be read", label)
        assert place(file, problem) == (line, column)
        assert file.document.text[problem.span.start : problem.span.end] == MASKED
        assert problem.notes


def test_a_name_alone() -> None:
    """It is passed over in `.env`; among secrets it may be a line of a key that lacks its quotes."""
    text = "a=1\nalone\nb=2\n"
    assert not read(text).problems
    file = read(text, secret=True)
    [problem] = file.problems
    assert problem.label == "a `=` is missing after the name"
    assert place(file, problem) == (2, 1)


def test_what_may_stand_in_lines_that_cannot_be_read() -> None:
    """The names in a faulty line are known, so that they are not reported as unset too."""
    file = read("good=1\nsmtp-user kari\nother=2\n")
    assert "smtp-user" in file.unread
    assert "good" not in file.unread
    assert "other" not in file.unread


def test_names_that_may_be_shown() -> None:
    """Behind a line that sets nothing a name may be a piece of a key, and so may one with other characters."""
    key = "a=1\nKEY=-----BEGIN KEY-----\nMIIEvQIBADAN+gkq\nhkiG9w0BAQEF==\n"
    assert read(key).names == ("a", "KEY")
    assert read(key, secret=True).names == ("a", "KEY")
    assert "hkiG9w0BAQEF" not in repr(read(key)) + read(key).document.text
    odd = read("a/b+c=1\n'x\ny'=1\nd=2\nd=3\n")
    assert odd.names == ("d",)
    assert odd.document.text == f"{MASKED}\n{MASKED}\n{MASKED}\nd={MASKED}\nd={MASKED}\n"


@pytest.mark.parametrize("secret", [False, True])
def test_a_name_that_is_set_more_than_once(secret: bool) -> None:
    """The last one counts, and is told with the places of the others; no value is."""
    file = read("a=c4nary\nb=1\n  export a='c4\nnary'\na=3\nb=2\n", secret=secret)
    assert dict(file.values) == {"a": "3", "b": "2"}
    assert [(problem.code, problem.message) for problem in file.problems] == [
        ("W318", "`a` is set 3 times in `.env`"),
        ("W318", "`b` is set twice in `.env`"),
    ]
    assert [place(file, problem) for problem in file.problems] == [(5, 1), (6, 1)]
    lines = Lines(file.document.text)
    assert [lines.place(label.span.start) for label in file.problems[0].related] == [(1, 1), (3, 10)]
    assert [lines.place(file.at[name].start) for name in ("a", "b")] == [(5, 1), (6, 1)]
    assert "c4" not in repr(file) + file.document.text


def test_a_name_alone_sets_nothing() -> None:
    """It stands for a variable of the process, and may be a piece of a value: it is no second place."""
    assert not read("a=1\na\n").problems
    assert not read("a\na=1\na=2\n").problems


def test_many_faults_are_cut() -> None:
    """A file of another kind does not fill the screen."""
    assert len(read("a b\n" * 1000).problems) == MOST_FAULTS


def test_a_run_of_blanks_is_refused() -> None:
    """It would take the parser minutes; the place is told and nothing of the file is used."""
    assert not read(f"a=x{' ' * MOST_BLANKS}y\n").problems
    file = read(f"a=1\nb=c4nary{' ' * 50_000}y\n")
    [problem] = file.problems
    assert problem.message == "`.env` has more than 1000 blanks in a row"
    assert place(file, problem)[0] == 2
    assert not file.values
    assert "b" in file.unread
    assert "c4nary" not in file.document.text


def test_the_shown_text_has_no_value_and_no_comment() -> None:
    """Names, lines and columns stay; values and comments are masked, and all that follows a fault."""
    text = (
        "# c4nary\nexport a = 'c4nary' # c4nary\n\n  b=c4nary\nc=\nd='c4nary\nc4nary'\ne=1\nc4nary c4nary\nf=c4nary\n"
    )
    shown = read(text).document.text
    assert shown == (
        f"# {MASKED}\nexport a={MASKED}\n\n  b={MASKED}\nc=\nd={MASKED}\n\ne={MASKED}\n{MASKED}\n{MASKED}\n"
    )


def test_bytes_that_are_no_utf_8() -> None:
    """Whoever reads the file says so."""
    with pytest.raises(UnicodeDecodeError):
        read_dotenv(b"a=\xff", ".env")


pieces = st.sampled_from(
    ["a", "B", "c4nary", "=", "'", '"', "\\", "\n", "\r\n", "\r", " ", "\t", "#", "export ", "é", "\ufeff", "\x85", "$"]
)


@given(st.lists(pieces, max_size=40).map("".join))
def test_any_text_is_read_as_python_dotenv_reads_it(text: str) -> None:
    """The values are those of the library, statements joined are the text, and every fault has a place in a line."""
    body = text.lstrip("\ufeff")
    assert "".join(statement.text for statement in statements(body)) == body
    for secret in (False, True):
        file = read(text, secret=secret)
        expected = dotenv_values(stream=io.StringIO(body, newline=""), interpolate=False)
        assert dict(file.values) == {key: value for key, value in expected.items() if value is not None}
        assert file.document.text.count("\n") == body.count("\n")
        for problem in file.problems:
            assert problem.label
            assert problem.span.start <= problem.span.end <= len(file.document.text)
            line, _ = place(file, problem)
            assert body.split("\n")[line - 1].strip()


@given(st.lists(st.tuples(st.sampled_from(["a", "b-c", "# x", "export d"]), st.sampled_from("'\"x \n=")), max_size=8))
def test_no_value_is_shown_whatever_is_wrong(lines: list[tuple[str, str]]) -> None:
    """A value does not occur in the text to show, in problems, or when the result is printed."""
    text = "".join(f"{name}={mark}c4nary{mark}\n" for name, mark in lines)
    for secret in (False, True):
        file = read(text, secret=secret)
        assert "c4nary" not in file.document.text + repr(file)
