"""References in values: what they become, where they are told, and how many there may be."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pipeline.config.lookup import Place
from pipeline.config.references import MOST_REFERENCES
from pipeline.config.resolve import LONGEST_TEXT, MOST_UNSET, Lookup, Resolver
from pipeline.config.text import read
from pipeline.errors import Problem


def resolved(text: str, values: Mapping[str, object] | None = None) -> tuple[object, list[Problem], Resolver]:
    """The value of a JSON text, what is wrong with it, and who found that."""
    document = read(text.encode(), "a.json")
    resolver = Resolver(document, Lookup((Place("here", "here", values or {}, tuple(values or ())),)))
    assert document.root is not None
    return resolver.value(document.root), resolver.problems, resolver


@pytest.mark.parametrize(
    ("value", "text"),
    [(25, "25"), (1.5, "1.5"), (True, "true"), (None, "null"), ("é", "é"), ("$ENV(a)", "$ENV(a)")],
)
def test_within_a_string_a_value_is_written_as_in_json(value: object, text: str) -> None:
    """Text is itself, and is not looked through again."""
    assert resolved('"x $ENV(a) y"', {"a": value})[0] == f"x {text} y"
    assert resolved('"$ENV(a)"', {"a": value})[0] == value


def test_a_name_that_stands_often_is_looked_up_and_told_once() -> None:
    """The first place in a string is told; each string has its own."""
    _, problems, resolver = resolved('["$ENV(a) $ENV(b) $ENV(a)", "$ENV(a)"]', {"b": 1})
    assert [(problem.code, problem.span.start) for problem in problems] == [("E301", 2), ("E301", 29)]
    assert [(use.name, use.span.start) for use in resolver.uses] == [("a", 2), ("b", 10), ("a", 29)]
    value, problems, _ = resolved('"$ENV(b)$ENV(b)"', {"b": 1})
    assert (value, problems) == ("11", [])


def test_escapes_before_a_reference_do_not_shift_its_place() -> None:
    """Each reference is found behind all the escapes of its string."""
    text = r'"\u0041\n$ENV(a)\t\"$ENV(b)\\$ENV(c)"'
    _, problems, resolver = resolved(text)
    assert [text[use.span.start : use.span.end] for use in resolver.uses] == ["$ENV(a)", "$ENV(b)", "$ENV(c)"]
    assert [text[problem.span.start : problem.span.end] for problem in problems] == ["$ENV(a)", "$ENV(b)", "$ENV(c)"]


def test_hundred_thousands_of_references_in_one_string() -> None:
    """The string is read once for all of them: with steps in the square of their number this would take hours."""
    count = MOST_REFERENCES
    value, problems, resolver = resolved(f'"{"$ENV(a)" * count}"', {"a": "x"})
    assert (value, problems, len(resolver.uses)) == ("x" * count, [], 1)
    names = "".join(f"$ENV(a{number})" for number in range(50_000))
    _, problems, _ = resolved(f'"{names}"')
    assert len(problems) == MOST_UNSET + 1


def test_more_references_than_a_file_may_have() -> None:
    """It is told once, and what follows is not known."""
    strings = ",".join([f'"{"$ENV(a)" * 60_000}"'] * 3)
    value, problems, _ = resolved(f"[{strings}]", {"a": "x"})
    assert [(problem.code, problem.span.start) for problem in problems] == [("E113", 420_004)]
    assert isinstance(value, list)
    assert value[0] == "x" * 60_000


def test_a_text_that_grows_past_all_bounds() -> None:
    """A long variable named often is refused before the text is made."""
    _, problems, _ = resolved(f'"{"$ENV(a)" * 1000}"', {"a": "x" * (LONGEST_TEXT // 500)})
    assert [problem.code for problem in problems] == ["E113"]


def test_unset_names_are_told_up_to_a_thousand() -> None:
    """A file of another kind does not fill the memory; names that are near are looked for at first only."""
    known = {f"known-{number}": 1 for number in range(1000)}
    strings = ",".join(f'"$ENV(unknwn-{number})"' for number in range(2 * MOST_UNSET))
    _, problems, _ = resolved(f"[{strings}]", known)
    assert [problem.code for problem in problems] == ["E301"] * MOST_UNSET + ["E113"]
    assert any("did you mean" in note.text for note in problems[0].notes)
    assert not any("did you mean" in note.text for note in problems[MOST_UNSET - 1].notes)
