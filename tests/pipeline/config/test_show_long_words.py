"""Words that are longer than any name may be."""

from pipeline.config.show import concise, render
from pipeline.errors import Label, Note, Problem, Span
from pipeline.scrub import Scrubber

LONG = "a" * 500 + "b" * 500
SHORT = "a" * 60 + "…" + "b" * 30
FILE = "x.conf.json"


def test_a_long_name_is_shown_with_its_ends() -> None:
    """In the message, the path, the labels and the notes; the file's own name and shorter names stay whole."""
    problem = Problem(
        "E304",
        f"no system {LONG}",
        Span(FILE, 0, 1),
        f"it is {LONG}",
        (LONG, "sink"),
        related=(Label(Span(FILE, 2, 3), LONG),),
        notes=(Note("note", f"one\n{LONG}"), Note("help", "c" * 128)),
    )
    full, line = render([problem], {FILE: "x y"}), concise([problem], {FILE: "x y"})
    assert full.count(SHORT) == 5
    assert line == f"{FILE}:1:1: E304 no system {SHORT}"
    assert "a" * 61 not in full
    assert "c" * 128 in full


def test_no_part_of_a_secret_is_left_by_the_cut() -> None:
    """A secret is looked for in the whole word, before its middle is gone."""
    scrubber = Scrubber()
    scrubber.add(LONG)
    problem = Problem("E304", f"no system {LONG}", Span(FILE, 0, 1), LONG, (LONG,), notes=(Note("help", LONG),))
    for text in (
        render([problem], {FILE: "x"}, scrubber=scrubber),
        concise([problem], {FILE: "x"}, scrubber=scrubber),
    ):
        assert "aaa" not in text
        assert "bbb" not in text
