"""How problems are laid out: order, gutter, repairs, notes, colour."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.show import concise, did_you_mean, ordered, render, summary
from pipeline.errors import Edit, Label, Note, Problem, Span

FILE = "pipes/a.conf.json"
TEXT = '{\n  "one": 1,\n  "two": 2,\n  "three": 3\n}\n'


def at(part: str, text: str = TEXT, file: str = FILE) -> Span:
    """The place of the first such part."""
    start = text.index(part)
    return Span(file, start, start + len(part))


def plain(text: str) -> str:
    """The text without colours."""
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def fixed(text: str, *edits: tuple[int, int, str]) -> list[str]:
    """The lines of the repair that is shown."""
    fix = tuple(Edit(Span(FILE, start, end), new) for start, end, new in edits)
    shown = render([Problem("E201", "m", Span(FILE, 0, 0), fix=fix)], {FILE: text})
    head = "fix: `mailweir check --fix` writes this:\n"
    return shown.partition(head)[2].split("\n") if head in shown else []


def test_problems_stand_by_file_and_line() -> None:
    """Files come by name and lines by number, errors and warnings together, whatever order they are given in."""
    problems = [
        Problem("E201", "c", at("two")),
        Problem("W302", "b", at("one")),
        Problem("E201", "d", Span("z.json", 0, 1)),
        Problem("E201", "a", Span("b.json", 0, 1)),
    ]
    shown = render(problems, {FILE: TEXT, "b.json": "{}", "z.json": "{}"})
    assert re.findall(r"^\w+\[\w+\]: (\w)$", shown, re.MULTILINE) == ["a", "b", "c", "d"]


def test_faults_of_the_json_come_first_in_their_file() -> None:
    """A fault of syntax may be the cause of others of its file, so it is told before them."""
    late = Problem("E102", "syntax", at("three"))
    early = Problem("E201", "shape", at("one"))
    other = Problem("E201", "other", Span("a.json", 0, 0))
    assert ordered([early, late, other]) == [other, late, early]


def test_a_blank_line_stands_between_two_problems() -> None:
    """Two problems are told apart by one blank line, and nothing follows the last."""
    shown = render([Problem("E201", "a", at("one")), Problem("E201", "b", at("two"))], {FILE: TEXT})
    assert shown.count("\n\n") == 1
    assert not shown.endswith("\n")


def test_nothing_is_shown_of_nothing() -> None:
    """Without problems there is no text."""
    assert render([], {}) == ""
    assert concise([], {}) == ""


@pytest.mark.parametrize(("limit", "shown", "rest"), [(20, 20, 34), (54, 54, 0), (0, 0, 54), (None, 54, 0)])
def test_more_than_the_limit_are_counted(limit: int | None, shown: int, rest: int) -> None:
    """Past the limit only the number of problems is told, and how to see them."""
    text = render([Problem("E201", f"m{n}", at("one")) for n in range(54)], {FILE: TEXT}, limit=limit)
    assert text.count("error[E201]") == shown
    assert (f"… {rest} more, `--format concise` shows all" in text) == bool(rest)


def test_the_gutter_is_as_wide_as_the_largest_number_of_a_repair() -> None:
    """A repair that reaches line 10 moves the excerpt of line 9 by one column."""
    text = "\n" * 8 + "nine"
    problem = Problem("E201", "m", Span(FILE, 8, 12), fix=(Edit(Span(FILE, 12, 12), "\nten"),))
    assert render([problem], {FILE: text}) == (
        "error[E201]: m\n"
        "  --> pipes/a.conf.json:9:1\n"
        "   |\n"
        " 9 | nine\n"
        "   | ^^^^\n"
        "   |\n"
        "   = fix: `mailweir check --fix` writes this:\n"
        "10 + ten"
    )


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([(5, 8, "eins")], ['2 -   "one": 1,', '2 +   "eins": 1,']),
        ([(2, 2, '  "zero": 0,\n')], ['2 +   "zero": 0,']),
        ([(2, 14, "")], ['2 -   "one": 1,']),
        ([(2, 26, "")], ['2 -   "one": 1,', '3 -   "two": 2,']),
        ([(5, 8, "uno"), (11, 12, "0")], ['2 -   "one": 1,', '2 +   "uno": 0,']),
        (
            [(2, 2, '  "zero": 0,\n'), (29, 34, "drei")],
            ['2 +   "zero": 0,', '4 -   "three": 3', '5 +   "drei": 3'],
        ),
        ([(5, 8, "one")], []),
        ([(5, 8, "uno"), (6, 7, "lost")], ['2 -   "one": 1,', '2 +   "uno": 1,']),
        ([(11, 11, "2"), (11, 11, "3")], ['2 -   "one": 1,', '2 +   "one": 231,']),
        ([(13, 14, " ")], ['2 -   "one": 1,', '3 -   "two": 2,', '2 +   "one": 1,   "two": 2,']),
        ([(900, 999, "end")], ["6 -", "6 + end"]),
    ],
)
def test_a_repair_shows_the_lines_that_change(edits: list[tuple[int, int, str]], expected: list[str]) -> None:
    """Lines that go carry their old number, lines that come the new one; what stays the same is not shown."""
    shown = fixed(TEXT, *edits)
    assert shown == expected


def test_a_repair_in_another_file_names_it() -> None:
    """The lines of another file stand below its name."""
    fix = (Edit(at("one"), "uno"), Edit(Span("b.json", 0, 2), "[]"))
    shown = render([Problem("E201", "m", at("one"), fix=fix)], {FILE: TEXT, "b.json": "{}\n"})
    assert shown.endswith('2 +   "uno": 1,\n ::: b.json\n1 - {}\n1 + []')


def test_a_repair_of_very_many_lines_is_cut() -> None:
    """Nobody reads hundreds of changed lines below one fault: the rest is dots."""
    text = "x\n" * 500
    shown = fixed(text, *((n * 2, n * 2 + 1, "y") for n in range(500)))
    assert len(shown) == 41
    assert shown[-1] == "..."


def test_a_repair_of_a_text_that_is_not_known_is_not_shown() -> None:
    """Without the text there are no lines to show, and no head above them."""
    problem = Problem("E201", "m", Span("gone.json", 3, 4), fix=(Edit(Span("gone.json", 3, 4), ""),))
    assert render([problem], {}) == "error[E201]: m\n --> gone.json:1:1\n  |"


def test_an_empty_text_has_an_excerpt_only_for_a_label() -> None:
    """A file that could not be read shows no empty line; an empty file with something to say at it does."""
    where = "error[E115]: m\n --> e.json:1:1\n  |"
    assert render([Problem("E115", "m", Span("e.json", 0, 0))], {"e.json": ""}) == where
    labelled = render([Problem("E115", "m", Span("e.json", 0, 0), "a value belongs here")], {"e.json": ""})
    assert labelled == f"{where}\n1 |\n  | ^ a value belongs here\n  |"


def test_the_frame_of_a_fault_at_run_time() -> None:
    """A fault of an entity has the frame of a fault of the file; blanks inside a note are kept."""
    text = '    "recipients_property": "email",\n'
    problem = Problem(
        "E502",
        "no valid recipient for entity `c-1188`",
        at('"recipients_property"', text),
        "reads `email`",
        path=("welcome-mail", "sink", "recipients_property"),
        notes=(Note("note", 'the entity has  "email": "n/a"'),),
    )
    assert render([problem], {FILE: text}) == (
        "error[E502]: no valid recipient for entity `c-1188`\n"
        " --> pipes/a.conf.json:1:5 (welcome-mail → sink → recipients_property)\n"
        "  |\n"
        '1 |     "recipients_property": "email",\n'
        "  |     ^^^^^^^^^^^^^^^^^^^^^ reads `email`\n"
        "  |\n"
        '  = note: the entity has  "email": "n/a"'
    )


@given(st.text(alphabet="ab -`(\n漢é", max_size=300), st.integers(30, 120))
def test_a_note_fits_the_width(text: str, width: int) -> None:
    """No line of a note is wider than the terminal unless it is one word, and no word is lost."""
    shown = render([Problem("E201", "m", at("one"), notes=(Note("help", text),))], {FILE: TEXT}, width=width)
    lines = shown.partition("  = help:")[2].split("\n")
    room = width - 10
    for line in (lines[0].removeprefix(" "), *(line.removeprefix(" " * 10) for line in lines[1:])):
        columns = sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in line)
        assert columns <= room or " " not in line.strip()
    assert " ".join(lines).split() == text.split()


def test_blanks_at_the_end_of_a_line_of_a_note_are_dropped() -> None:
    """A note that breaks where several blanks stand neither begins nor ends a line with them."""
    note = Note("note", f"{'a' * 77}   {'b' * 100} c")
    shown = render([Problem("E201", "m", at("one"), notes=(note,))], {FILE: TEXT})
    assert shown.endswith(f"  = note: {'a' * 77}\n          {'b' * 100}\n          c")


def test_a_narrow_terminal_is_taken_as_a_little_wider() -> None:
    """No width makes a text that cannot be read or does not come."""
    problem = Problem("E201", "m", at("three"), notes=(Note("help", "some words to be read"),))
    assert render([problem], {FILE: TEXT}, width=-5) == render([problem], {FILE: TEXT}, width=24)


def test_colour_adds_nothing_but_colour() -> None:
    """Without its colours a coloured text is the plain one; errors are red, warnings yellow, the gutter blue."""
    related = (Label(at("two"), "related"), Label(Span("b.json", 0, 2), "there"))
    problems = [
        Problem("E201", "m", at("one"), "l", related=related, fix=(Edit(at("1"), "2"),)),
        Problem("W302", "m", at("three"), "l", also=(Label(at("one")),), notes=(Note("help", "a\nb"),)),
    ]
    texts = {FILE: TEXT, "b.json": "{}"}
    coloured = render(problems, texts, color=True)
    assert plain(coloured) == render(problems, texts)
    for part in (
        "\x1b[1;31merror[E201]\x1b[0m: m",
        "\x1b[1;33mwarning[W302]\x1b[0m: m",
        "\x1b[34m2 |\x1b[0m",
        "\x1b[1;31m^^^ l\x1b[0m",
        "\x1b[1;33m^^^^^ l\x1b[0m",
        "\x1b[34m--- related\x1b[0m",
        "\x1b[31m2 -\x1b[0m",
        "\x1b[32m2 +\x1b[0m",
        "\x1b[34m...\x1b[0m",
    ):
        assert part in coloured


def test_without_colour_no_escape_comes_out() -> None:
    """An escape in a name, a message, a label or a note moves no cursor and opens no link."""
    evil = "\x1b]8;;http://x\x07\x1b[2J\r\x9b"
    problem = Problem(
        "E201",
        evil,
        Span(evil, 0, 1),
        evil,
        path=(evil,),
        related=(Label(at("one"), evil),),
        notes=(Note("note", evil),),
    )
    shown = render([problem], {FILE: TEXT, evil: evil}) + concise([problem], {evil: evil})
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
    assert "\u241b]8;;http://x\u2407\u241b[2J\u240d\ufffd" in shown


def test_concise_is_one_line_a_problem() -> None:
    """The place, the code, the message, and what may have been meant; other help is left out."""
    key = Span("systems/our-smtp-server.conf.json", 6, 18)
    texts = {key.file: '{\n\n\n  "smtp_sever": "mail.example.com"\n}\n'}
    problems = [
        Problem(
            "E201",
            "unknown property `smtp_sever` in system:smtp",
            key,
            notes=(Note("help", "write it right"), Note("help", "did you mean `smtp_server`? it is set")),
        ),
        Problem("W302", "two\nlines", key, notes=(Note("note", "did you mean this? no"), Note("help", "move it"))),
    ]
    assert concise(problems, texts) == (
        "systems/our-smtp-server.conf.json:4:3: E201 unknown property `smtp_sever` in system:smtp"
        " (did you mean `smtp_server`?)\n"
        "systems/our-smtp-server.conf.json:4:3: W302 two\u240alines"
    )


def test_only_a_question_is_taken_as_one() -> None:
    """`did you mean` is found at the start of a help, up to its question mark."""
    assert (
        did_you_mean(Problem("E1", "m", at("one"), notes=(Note("help", "did you mean 587?"),))) == "did you mean 587?"
    )
    assert did_you_mean(Problem("E1", "m", at("one"), notes=(Note("help", "or did you mean 587?"),))) == ""


@pytest.mark.parametrize(
    ("codes", "files", "expected"),
    [
        ("", 9, "0 errors, 0 warnings in 9 files."),
        ("E", 1, "1 error, 0 warnings in 1 file."),
        ("EWEW", 0, "2 errors, 2 warnings in 0 files."),
        ("Wf", 2, "0 errors, 2 warnings in 2 files. 1 fixable with `mailweir check --fix`."),
    ],
)
def test_the_summary_counts(codes: str, files: int, expected: str) -> None:
    """Errors, warnings and files are counted in words that fit the number; repairs only when there are any."""
    fix = (Edit(Span(FILE, 0, 0), ","),)
    problems = [
        Problem("W302" if code in "Wf" else "E201", "m", Span(FILE, 0, 0), fix=fix if code == "f" else ())
        for code in codes
    ]
    assert summary(problems, files) == expected
