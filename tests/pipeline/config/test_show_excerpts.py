"""Source lines with marks: what is below what, and what is left of a long line."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.excerpt import Source
from pipeline.config.glyphs import columns, visible
from pipeline.config.show import concise, render
from pipeline.errors import Decoded, Edit, Label, Problem, Span

FILE = "a.json"


def drawn(text: str, start: int, end: int, width: int = 88) -> tuple[str, str]:
    """The first source line that is shown, and the line of carets below it, without the gutter."""
    lines = render([Problem("E201", "m", Span(FILE, start, end))], {FILE: text}, width=width).split("\n")
    first, carets = lines[3], lines[4]
    return first.partition("|")[2][1:], carets.partition("|")[2][1:]


def excerpt(problem: Problem, texts: dict[str, str]) -> list[str]:
    """What stands between the place and the last bar."""
    return render([problem], texts).split("\n")[3:-1]


@pytest.mark.parametrize(
    ("text", "start", "end", "line", "carets"),
    [
        ('\t"a": 1', 1, 4, '    "a": 1', "    ^^^"),
        ("a\tb", 1, 2, "a    b", " ^^^^"),
        ("漢字 x", 1, 2, "漢字 x", "  ^^"),
        ("漢字 x", 3, 4, "漢字 x", "     ^"),
        ("e\u0301x", 2, 3, "e\u0301x", " ^"),
        ("e\u0301x", 0, 2, "e\u0301x", "^"),
        ("xe\u0301y", 2, 3, "xe\u0301y", " ^"),
        ("\u0301", 0, 1, "\u0301", "^"),
        ("\x00\x1b\x7f x", 4, 5, "␀␛␡ x", "    ^"),
        ("\x85\u202e\u2028\ufeff x", 5, 6, "\ufffd\ufffd\ufffd\ufffd x", "     ^"),
        ("\udcff\ud800 x", 3, 4, "\ufffd\ufffd x", "   ^"),
        ("\u1112\u1161\u11ab!", 3, 4, "\u1112\u1161\u11ab!", "  ^"),
        ("🙂!", 1, 2, "🙂!", "  ^"),
        ("a\u200db!", 3, 4, "a\u200db!", "  ^"),
        ("\xa0x", 1, 2, "\xa0x", " ^"),
    ],
)
def test_carets_stand_below_what_they_mark(text: str, start: int, end: int, line: str, carets: str) -> None:
    """Tabs, wide and combining characters, and characters that cannot be shown keep the carets in their columns."""
    assert drawn(text, start, end) == (line, carets)


def test_columns_in_the_place_count_characters() -> None:
    """A tab and a wide character are one column for an editor."""
    assert concise([Problem("E201", "m", Span(FILE, 2, 3))], {FILE: "\t漢x"}) == "a.json:1:3: E201 m"


@pytest.mark.parametrize(
    ("text", "start", "end", "line", "carets"),
    [
        ("abc", 3, 4, "abc", "   ^"),
        ("abc\nd", 3, 4, "abc", "   ^"),
        ("abc\r\nd", 4, 5, "abc", "   ^"),
        ("abc\nd", 1, 1, "abc", " ^"),
        ("abc\ndef", 1, 6, "abc", " ^^"),
        ("abc\ndef", 5, 99, "def", " ^^"),
        ("abc", 99, 120, "abc", "   ^"),
        ("abc", -5, 2, "abc", "^^"),
        ("abc", 2, 1, "abc", "  ^"),
        ("abc\n", 4, 4, "", "^"),
        ("\n\nabc", 0, 5, "", "^"),
    ],
)
def test_a_place_is_drawn_on_the_line_it_begins_in(text: str, start: int, end: int, line: str, carets: str) -> None:
    """A place over several lines is cut to its first; one that is empty or after the end has one caret."""
    assert drawn(text, start, end) == (line, carets)


@given(
    st.text(alphabet='abc{}:", ', max_size=80).flatmap(
        lambda line: st.tuples(st.just(line), st.integers(0, len(line)), st.integers(0, len(line)))
    )
)
def test_in_a_short_ascii_line_carets_have_the_place_of_the_span(drawing: tuple[str, int, int]) -> None:
    """Whatever plain line fits, column and caret are the same number."""
    line, first, second = drawing
    start, end = sorted((first, second))
    text = f"x\n{line}y\n"
    shown, carets = drawn(text, 2 + start, 2 + end)
    assert shown == f"{line}y"
    assert carets == " " * start + "^" * max(1, end - start)


def test_a_long_line_is_cut_round_the_place() -> None:
    """As many columns as the width are shown, 40 of them before the place, with dots where more follows."""
    text = "".join(chr(97 + n % 26) for n in range(300))
    line, carets = drawn(text, 100, 105)
    assert line == f"…{text[60:148]}…"
    assert carets == " " * 41 + "^^^^^"


@pytest.mark.parametrize(("start", "window"), [(0, (0, 88)), (10, (0, 88)), (299, (212, 300)), (290, (212, 300))])
def test_a_cut_near_an_end_shows_as_much_as_fits(start: int, window: tuple[int, int]) -> None:
    """What is not needed on one side of the place is given to the other."""
    text = "".join(chr(97 + n % 26) for n in range(300))
    low, high = window
    line, carets = drawn(text, start, start + 1)
    assert line == ("…" if low else "") + text[low:high] + ("…" if high < 300 else "")
    assert carets == " " * (start - low + bool(low)) + "^"


def test_a_line_that_fits_is_not_cut() -> None:
    """A line of exactly the width is whole; one column more is too long."""
    assert drawn("a" * 88, 87, 88)[0] == "a" * 88
    assert drawn("a" * 89, 0, 1)[0] == "a" * 88 + "…"


def test_a_span_longer_than_the_line_shown_is_marked_to_its_end() -> None:
    """The carets end where the text ends."""
    line, carets = drawn("x" * 10 + "y" * 500, 10, 510)
    assert (line, carets) == ("x" * 10 + "y" * 78 + "…", " " * 10 + "^" * 78)


@given(
    st.text(alphabet=st.sampled_from("abc\t漢\u0301\x00\U0001f642\ud800"), min_size=1, max_size=400).flatmap(
        lambda line: st.tuples(st.just(line), st.integers(0, len(line) - 1), st.integers(24, 100))
    )
)
def test_cutting_keeps_the_place_visible(drawing: tuple[str, int, int]) -> None:
    """The character that is marked is shown above its caret, and the line has the columns that were allowed."""
    text, start, width = drawing
    line, carets = drawn(text, start, start + 1, width)
    source = Source(text)
    row = source.row(1, width, start)
    assert row.text.rstrip() == line
    assert row.first <= start < row.last
    assert columns(line) <= width + 2
    shown = visible(text[start])
    if columns(shown):
        indent = len(carets) - len(carets.lstrip())
        before = next(n for n in range(len(row.text) + 1) if columns(row.text[:n]) == indent)
        rest = row.text[before:].lstrip("".join({c for c in row.text if not columns(c)}))
        assert rest.startswith(shown)
        assert len(carets) - indent == columns(shown)


def test_places_far_apart_in_one_line_are_each_shown() -> None:
    """A second place that the cut hides has an excerpt of its own."""
    text = "a" * 500 + "HERE" + "b" * 500 + "THERE" + "c" * 500
    problem = Problem("E111", "m", Span(FILE, 1004, 1009), "again", related=(Label(Span(FILE, 500, 504), "first"),))
    lines = excerpt(problem, {FILE: text})
    assert [line[:4] for line in lines] == ["1 | ", "  | ", "1 | ", "  | "]
    assert "HERE" in lines[0]
    assert lines[1].endswith("---- first")
    assert "THERE" in lines[2]
    assert lines[3].endswith("^^^^^ again")


def test_marks_of_one_line_stand_rightmost_first() -> None:
    """Each mark has a line of its own, so that labels never run into each other; one given twice is drawn once."""
    problem = Problem(
        "E501",
        "m",
        Span(FILE, 4, 5),
        "mid",
        also=(Label(Span(FILE, 0, 1), "left"), Label(Span(FILE, 8, 9), "right"), Label(Span(FILE, 0, 1), "left")),
        related=(Label(Span(FILE, 4, 5), "same"),),
    )
    assert excerpt(problem, {FILE: "a   b   c"}) == [
        "1 | a   b   c",
        "  |         ^ right",
        "  |     ^ mid",
        "  |     - same",
        "  | ^ left",
    ]


def test_several_places_in_another_file_are_one_excerpt() -> None:
    """The file is named once, at the first of them, and its lines are in order with dots between."""
    problem = Problem(
        "E208",
        "m",
        Span(FILE, 0, 1),
        related=(
            Label(Span("b.json", 4, 5), "late"),
            Label(Span("b.json", 0, 1), "early"),
            Label(Span("c.json", 9, 9), "unknown"),
        ),
    )
    assert excerpt(problem, {FILE: "x", "b.json": "a\nb\nc"}) == [
        "1 | x",
        "  | ^",
        " ::: b.json:3:1",
        "  |",
        "1 | a",
        "  | - early",
        "...",
        "3 | c",
        "  | - late",
        " ::: c.json:1:1",
        "  |",
        "1 |",
        "  | - unknown",
    ]


def test_adjacent_lines_have_nothing_between_them() -> None:
    """Dots stand only for lines that are left out."""
    problem = Problem("E206", "m", Span(FILE, 0, 1), related=(Label(Span(FILE, 2, 3)),))
    assert excerpt(problem, {FILE: "a\nb"}) == ["1 | a", "  | ^", "2 | b", "  | -"]


def test_a_decoded_text_has_its_own_lines() -> None:
    """Two lines before the place and one after it are shown, cut like any line."""
    decoded = Decoded("the template itself", "1\n2\n\n" + "x" * 100 + "\n5\n6", 7, 8)
    lines = excerpt(Problem("E401", "m", Span(FILE, 0, 1), "here", decoded=decoded), {FILE: "abc"})
    assert lines == [
        "1 | abc",
        "  | ^ here",
        "  |",
        " ::: the template itself, line 4, column 3",
        "  |",
        "2 | 2",
        "3 |",
        "4 | " + "x" * 88 + "…",
        "  |   ^ here",
        "5 | 5",
    ]


TEXTS = st.text(alphabet=st.sampled_from("ab\"':{},\t\r\n漢\u0301\x00\x1b\ud800\u202e"), max_size=60)
OFFSETS = st.integers(-3, 70)
SPANS = st.builds(Span, st.sampled_from(["a.json", "b.json", "unknown.json"]), OFFSETS, OFFSETS)
WORDS = st.text(alphabet="ab \n\x1b漢`", max_size=12)
PROBLEMS = st.builds(
    Problem,
    st.sampled_from(["E101", "E201", "W302"]),
    WORDS,
    SPANS,
    WORDS,
    also=st.lists(st.builds(Label, SPANS, WORDS), max_size=3).map(tuple),
    related=st.lists(st.builds(Label, SPANS, WORDS), max_size=3).map(tuple),
    decoded=st.none() | st.builds(Decoded, WORDS, TEXTS, OFFSETS, OFFSETS),
    fix=st.lists(st.builds(Edit, SPANS, TEXTS), max_size=4).map(tuple),
)
MASKS = st.lists(st.tuples(OFFSETS, OFFSETS), max_size=3)


@given(st.lists(PROBLEMS, max_size=3), st.tuples(TEXTS, TEXTS), MASKS, st.integers(-1, 50), st.booleans())
def test_every_problem_can_be_shown(
    problems: list[Problem], files: tuple[str, str], masks: list[tuple[int, int]], width: int, color: bool
) -> None:
    """No span in no text raises, no line ends with a blank, and what comes out can be encoded and moves no cursor."""
    texts = dict(zip(("a.json", "b.json"), files, strict=True))
    shown = render(problems, texts, width=width, color=color, masks={"a.json": masks})
    bare = re.sub("\x1b\\[[0-9;]*m", "", shown)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", bare)
    assert "\n\n" not in bare.replace("\n\nerror", "").replace("\n\nwarning", "")
    if not color:
        assert all(line == line.rstrip() for line in bare.split("\n"))
    shown.encode()
    concise(problems, texts, masks={"a.json": masks}).encode()


@given(st.text(max_size=50))
def test_what_is_shown_of_any_text_is_one_line_without_controls(text: str) -> None:
    """No character of any text is a control, a line break or half a character once it is visible."""
    shown = visible(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert len(shown.splitlines()) <= 1
    assert columns(shown) >= 0


def test_thousands_of_marks_on_one_line() -> None:
    """Each is shown once below a row that holds it; with steps in the square of their number this would not end."""
    text = "ab" * 30_000
    labels = tuple(Label(Span(FILE, start, start + 1), "x") for start in range(2, 60_000, 2))
    lines = render([Problem("E601", "m", Span(FILE, 0, 1), "x", related=labels)], {FILE: text}).split("\n")
    assert sum(line.endswith(" x") for line in lines) == 30_000
