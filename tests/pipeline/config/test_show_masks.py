"""Masked values: no character of one comes out, in no format, and the carets still fit."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.excerpt import Source
from pipeline.config.formats import as_json, github, junit, sarif
from pipeline.config.glyphs import columns
from pipeline.config.show import concise, render
from pipeline.errors import Decoded, Edit, Label, Note, Problem, Span
from pipeline.scrub import Scrubber

FILE = "a.json"
CANARY = "Kanarie7d1f"
LINE = f'  "password": "{CANARY}", "use_tsl": true'
SECRET = (14, 27)


def every_format(problems: list[Problem], texts: dict[str, str], masks: dict[str, list[tuple[int, int]]]) -> str:
    """All that is ever said of the problems."""
    said = [
        render(problems, texts, masks=masks),
        render(problems, texts, masks=masks, width=30, color=True, limit=1),
        concise(problems, texts, masks=masks),
        json.dumps(as_json(problems, texts, masks=masks), ensure_ascii=False),
        github(problems, texts, masks=masks),
        junit(problems, texts, masks=masks, files=list(texts)),
        json.dumps(sarif(problems, texts, masks=masks, version="1"), ensure_ascii=False),
    ]
    return "\n".join(said)


def shown(problem: Problem, text: str = LINE, secret: tuple[int, int] = SECRET) -> list[str]:
    """The lines of the full format, below the place."""
    return render([problem], {FILE: text}, masks={FILE: [secret]}).split("\n")[2:]


def known(*secrets: str) -> Scrubber:
    """A scrubber that knows these."""
    scrubber = Scrubber()
    for secret in secrets:
        scrubber.add(secret)
    return scrubber


def test_the_secret_is_where_the_tests_say() -> None:
    """The span of the example is the quoted canary."""
    assert LINE[slice(*SECRET)] == f'"{CANARY}"'


@pytest.mark.parametrize(
    ("start", "end", "carets"),
    [
        (14, 27, " " * 14 + "^" * 10),
        (15, 26, " " * 14 + "^" * 10),
        (20, 21, " " * 14 + "^" * 10),
        (20, 20, " " * 14 + "^" * 10),
        (2, 27, "  " + "^" * 22),
        (29, 38, " " * 26 + "^" * 9),
        (27, 27, " " * 24 + "^"),
        (27, 28, " " * 24 + "^"),
        (13, 14, " " * 13 + "^"),
    ],
)
def test_carets_are_placed_after_masking(start: int, end: int, carets: str) -> None:
    """A place in a secret is the whole mask; one beside it is moved by what the mask is longer or shorter."""
    assert shown(Problem("E201", "m", Span(FILE, start, end)))[1:3] == [
        '1 |   "password": "********", "use_tsl": true',
        f"  | {carets}",
    ]


@pytest.mark.parametrize(
    ("start", "end", "region"),
    [
        (14, 27, (1, 15, 1, 25)),
        (20, 22, (1, 15, 1, 25)),
        (20, 20, (1, 15, 1, 15)),
        (2, 27, (1, 3, 1, 25)),
        (2, 20, (1, 3, 1, 25)),
        (2, 28, (1, 3, 1, 29)),
        (20, 38, (1, 15, 1, 39)),
        (27, 27, (1, 28, 1, 28)),
        (2, 14, (1, 3, 1, 15)),
    ],
)
def test_a_place_tells_no_length(start: int, end: int, region: tuple[int, int, int, int]) -> None:
    """What begins or ends in a secret has the place of its mask; all else has its true place."""
    assert Source(LINE, [SECRET]).region(start, end) == region


def test_secrets_of_all_lengths_look_alike() -> None:
    """The full format and the annotation of a password are the same for every password."""

    def said(password: str) -> str:
        text = f'{{"password": "{password}"}}'
        span = Span(FILE, 13, 15 + len(password))
        problem = Problem("W302", "m", span, "shown here as ******** only")
        masks = {FILE: [(span.start, span.end)]}
        return every_format([problem], {FILE: text}, masks)

    assert said("") == said("x") == said("a much longer one " * 20) == said("zeile\\nzeile") == said("漢字")


def test_a_mask_over_several_lines_is_shown_on_each() -> None:
    """The lines of a key that was pasted with its line breaks are all masked."""
    text = f'"key": "-----BEGIN\n{CANARY}\n-----END",\n"b": 1'
    end = text.index(",")
    assert shown(
        Problem("E109", "m", Span(FILE, 18, 19), related=(Label(Span(FILE, end, end + 1)),)), text, (7, end)
    ) == [
        "  |",
        '1 | "key": "********"',
        "  |        ^^^^^^^^^^",
        "...",
        '3 | "********",',
        "  |           -",
        "  |",
    ]


@pytest.mark.parametrize(
    ("edits", "line"),
    [
        ([(14, 27, f"'{CANARY}'")], '  "password": "********", "use_tsl": true'),
        ([(14, 15, "'"), (26, 27, "'")], '  "password": "********", "use_tsl": true'),
        ([(14, 14, '"'), (27, 27, '"')], '  "password": "********", "use_tsl": true'),
        ([(20, 21, "")], '  "password": "********", "use_tsl": true'),
        ([(14, 29, "1, ")], '  "password": "********""use_tsl": true'),
        ([(27, 27, ",")], '  "password": "********",, "use_tsl": true'),
        ([(14, 27, "")], '  "password": , "use_tsl": true'),
        ([(30, 37, "use_tls")], '  "password": "********", "use_tls": true'),
        ([(30, 37, CANARY)], '  "password": "********", "********": true'),
        ([(2, 12, '"pass\\nword"')], '  "pass\\nword": "********", "use_tsl": true'),
    ],
)
def test_a_repair_is_masked(edits: list[tuple[int, int, str]], line: str) -> None:
    """What a repair writes in the place of a secret is a mask; quotes put round it become those of the mask."""
    fix = tuple(Edit(Span(FILE, start, end), text) for start, end, text in edits)
    lines = shown(Problem("E103", "m", Span(FILE, 0, 1), fix=fix))
    assert lines[-1] == f"1 + {line}"
    assert CANARY not in "".join(lines)


def test_programs_get_no_repair_that_holds_a_mask() -> None:
    """A mask written into a file would destroy the secret, so the whole repair is left out; people still see it."""
    value = Edit(Span(FILE, *SECRET), f"'{CANARY}'")
    key = Edit(Span(FILE, 29, 38), '"use_tls"')
    problem = Problem("E103", "m", Span(FILE, 0, 1), fix=(key, value))
    masks = {FILE: [SECRET]}
    report = json.dumps(
        [as_json([problem], {FILE: LINE}, masks=masks), sarif([problem], {FILE: LINE}, masks=masks, version="1")]
    )
    assert '"fix": []' in report
    assert "fixes" not in report
    assert "= fix:" in render([problem], {FILE: LINE}, masks=masks)


@pytest.mark.parametrize(
    ("text", "secret", "decoded", "lines"),
    [
        (LINE, (14, 27), f"a {CANARY} b", ['1 | a "********" b', "  | ^"]),
        (LINE, (15, 26), f"{CANARY}{CANARY}", ['1 | "********"', "  | ^^^^^^^^^^"]),
        (r'"p": "a\"ca\n\u0041ry"', (5, 22), '1\n"a"ca\nAry"', ["1 | 1", "  | ^", '2 | "********']),
        ('"p": "a"bcd"', (5, 12), 'xa"bcd', ["1 | x********", "  | ^"]),
        ('"p": "x"', (5, 8), "axb", ["1 | a********b", "  | ^"]),
        ('"p": "x"\n\n"q": "axb"', (5, 8), "axb", ["1 | axb", "  | ^"]),
    ],
)
def test_a_decoded_text_is_masked(text: str, secret: tuple[int, int], decoded: str, lines: list[str]) -> None:
    """A secret is found in the decoded text without its escapes; a short one of another line is a coincidence."""
    problem = Problem("E401", "m", Span(FILE, len(text), len(text)), decoded=Decoded("t", decoded, 0, 1))
    assert shown(problem, text, secret)[-1 - len(lines) : -1] == lines


def test_the_decoded_text_of_a_secret_is_a_mask() -> None:
    """When the string itself is secret nothing of its decoded text is shown, not even how many lines it has before."""
    problem = Problem("E401", "m", Span(FILE, 20, 21), decoded=Decoded("t", "one\ntwo\nthree", 5, 6))
    assert shown(problem)[4:] == [
        " ::: t, line 1, column 1",
        "  |",
        '1 | "********"',
        "  | ^^^^^^^^^^",
        '2 | "********"',
        "  |",
    ]


def test_a_long_line_is_cut_round_a_mask() -> None:
    """A mask is shown whole or not at all, and has as many columns whatever it hides."""
    text = "a" * 200 + ":" + CANARY * 50 + "," + "b" * 200
    secret = (201, 201 + len(CANARY) * 50)
    assert shown(Problem("E201", "m", Span(FILE, 300, 301)), text, secret)[1:3] == [
        f'1 | …{"a" * 39}:"********",{"b" * 37}…',
        f"  | {' ' * 41}{'^' * 10}",
    ]
    beside = Problem("E201", "m", Span(FILE, secret[1] + 50, secret[1] + 51))
    assert shown(beside, text, secret)[1] == f"1 | …{'b' * 88}…"


@pytest.mark.parametrize(
    ("text", "secret", "shown_as"),
    [
        ('{"password": "Kanarie"}', '"Kanarie"', '"********"'),
        ("{password: Kanarie}", "Kanarie", '"********"'),
        ('{"a": "Kanarie"}', "Kanarie", "********"),
        ('{"url": "smtp://me:Kanarie@host"}', "me:Kanarie", "********"),
        ('{"a": "xKanariey"}', "Kanarie", "********"),
        ("Kanarie", "Kanarie", '"********"'),
    ],
)
def test_a_whole_value_is_masked_with_quotes(text: str, secret: str, shown_as: str) -> None:
    """A value stays a value, and a part of one stays a part."""
    start = text.index(secret)
    lines = shown(Problem("E201", "m", Span(FILE, 0, 1)), text, (start, start + len(secret)))
    assert lines[1] == f"1 | {text.replace(secret, shown_as)}"


@pytest.mark.parametrize(
    ("text", "wrong", "line", "carets"),
    [
        (
            f'{{"helo": "{CANARY}", "use_tsl": 1}}',
            '"use_tsl"',
            '{"helo": "********", "use_tsl": 1}',
            " " * 21 + "^" * 9,
        ),
        (
            f'{{"helo": "{CANARY}{CANARY}", "x": 1}}',
            '"x"',
            '{"helo": "********", "x": 1}',
            " " * 21 + "^^^",
        ),
        ('{"helo": "it", "use_tsl": 1}', '"use_tsl"', '{"helo": "********", "use_tsl": 1}', " " * 21 + "^" * 9),
        (
            f'{{"helo": "it{CANARY}it", "x": 1}}',
            '"x"',
            '{"helo": "********", "x": 1}',
            " " * 21 + "^^^",
        ),
    ],
)
def test_what_is_scrubbed_from_a_line_moves_no_caret(text: str, wrong: str, line: str, carets: str) -> None:
    """A known secret that stands somewhere by accident, before the place, is gone before the caret is placed."""
    scrubber = known(CANARY, "it")
    start = text.index(wrong)
    problem = Problem("E201", "m", Span(FILE, start, start + len(wrong)))
    said = render([problem], {FILE: text}, scrubber=scrubber)
    assert said.split("\n")[3:5] == [f"1 | {line}", f"  | {carets}"]
    assert scrubber.scrub(said) == said


def test_a_known_secret_within_a_value_is_masked_without_quotes() -> None:
    """Wherever it stands in a text, and in what a repair makes of the line."""
    text = f'{{"a": "x {CANARY} y", "b": 1}}'
    fix = (Edit(Span(FILE, text.index('"b"'), text.index('"b"') + 3), '"c"'),)
    said = render([Problem("E201", "m", Span(FILE, 0, 1), fix=fix)], {FILE: text}, scrubber=known(CANARY))
    lines = [line[4:] for line in said.split("\n") if line.startswith("1 ")]
    assert lines == [f'{{"a": "x ******** y", "{name}": 1}}' for name in ("b", "b", "c")]


def test_a_known_secret_is_masked_before_a_line_is_cut() -> None:
    """A line that is cut within a secret shows no half of it: the scrubber would not know a half again."""
    text = "x" * 70 + CANARY + "y" * 200
    for at in range(60, 90):
        said = render([Problem("E201", "m", Span(FILE, at, at + 1))], {FILE: text}, width=60, scrubber=known(CANARY))
        for start in range(len(CANARY) - 3):
            assert CANARY[start : start + 4] not in said


def test_a_word_that_a_cut_makes_is_masked_with_its_place() -> None:
    """Where a line is cut a short secret can come to stand alone; then too the caret stays below its place."""
    scrubber = known("ab")
    text = "zab " * 60 + '"x"' + " abz" * 60
    moved = 0
    for width in range(30, 60):
        start = text.index('"x"')
        said = render(
            [Problem("E201", "m", Span(FILE, start, start + 3))], {FILE: text}, width=width, scrubber=scrubber
        )
        line, carets = said.split("\n")[3:5]
        assert line[carets.index("^") :][:3] == '"x"'
        assert scrubber.scrub(said) == said
        moved += "********" in line
    assert moved


def test_line_numbers_that_are_secrets_move_no_caret() -> None:
    """Even a password of two digits leaves the caret where it belongs."""
    text = "\n" * 11 + '"use_tsl"'
    scrubber = known("12")
    said = scrubber.scrub(render([Problem("E201", "m", Span(FILE, 11, 20))], {FILE: text}, scrubber=scrubber))
    assert said.split("\n")[3:5] == ['******** | "use_tsl"', "         | ^^^^^^^^^"]


@given(
    st.lists(st.sampled_from(["it", CANARY, "x", " ", '"', ",", "\t", "漢", "http://", ":", "@"]), max_size=40),
    st.integers(0, 60),
    st.integers(24, 90),
)
def test_scrubbing_moves_no_caret(parts: list[str], index: int, width: int) -> None:
    """Whatever secrets stand in a line and wherever it is cut, the caret stays below the character that is meant."""
    before, after = "".join(parts[:index]), "".join(parts[index:])
    text = f"{before}\u03a9{after}"
    scrubber = known(CANARY, "it")
    place = Span(FILE, len(before), len(before) + 1)
    said = render([Problem("E201", "m", place)], {FILE: text}, width=width, scrubber=scrubber)
    line, carets = said.split("\n")[3:5]
    assert scrubber.scrub(line) == line
    if "\u03a9" in line:
        left = line[: line.index("\u03a9")]
        assert columns(left) == carets.index("^")
    for start in range(len(CANARY) - 3):
        assert CANARY[start : start + 4] not in said


FILLING = st.text(alphabet=st.sampled_from("xyz\"':{},\\\t\n 漢"), max_size=30)
OFFSETS = st.integers(-2, 120)
WORDS = st.text(alphabet="qwr `", max_size=8)


@st.composite
def masked_texts(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    """A text with the canary in it, once or more, and the masks that cover it, with its quotes or without."""
    text = draw(FILLING)
    masks = []
    for _ in range(draw(st.integers(1, 3))):
        quote = draw(st.sampled_from(["", '"', "'"]))
        masks.append((len(text), len(text) + len(CANARY) + 2 * len(quote)))
        text += f"{quote}{CANARY}{quote}" + draw(FILLING)
    return text, masks


@st.composite
def problems_of_masked(draw: st.DrawFn) -> Problem:
    """A problem anywhere, with a repair and a decoded text that may repeat the secret."""
    spans = st.builds(Span, st.sampled_from([FILE, "b.json"]), OFFSETS, OFFSETS)
    repeating = st.tuples(FILLING, st.sampled_from(["", CANARY]), FILLING).map("".join)
    return Problem(
        draw(st.sampled_from(["E103", "E201", "W302"])),
        draw(WORDS),
        Span(FILE, draw(OFFSETS), draw(OFFSETS)),
        draw(WORDS),
        also=tuple(draw(st.lists(st.builds(Label, spans, WORDS), max_size=2))),
        related=tuple(draw(st.lists(st.builds(Label, spans, WORDS), max_size=2))),
        decoded=draw(st.none() | st.builds(Decoded, WORDS, repeating, OFFSETS, OFFSETS)),
        notes=tuple(draw(st.lists(st.builds(Note, st.just("help"), WORDS), max_size=1))),
        fix=tuple(
            draw(st.lists(st.builds(Edit, st.builds(Span, st.just(FILE), OFFSETS, OFFSETS), repeating), max_size=3))
        ),
    )


@given(masked_texts(), st.lists(problems_of_masked(), min_size=1, max_size=3))
def test_no_format_tells_a_masked_value(text: tuple[str, list[tuple[int, int]]], problems: list[Problem]) -> None:
    """Wherever places, repairs and decoded texts lie, no part of the canary that could be known again comes out."""
    source, masks = text
    said = every_format([*problems], {FILE: source, "b.json": "{}"}, {FILE: masks})
    for start in range(len(CANARY) - 3):
        assert CANARY[start : start + 4] not in said
