"""Files with both sides of a merge in them."""

import pytest

from pipeline.config.text import read
from pipeline.config.tree import plain

SIDES = """{
  "_id": "a",
<<<<<<< HEAD
  "port": 25
=======
  "port": 587
>>>>>>> feature
}
"""
THREE = """[
<<<<<<< HEAD
  1,
||||||| merged common ancestors
  2,
=======
  3,
>>>>>>> feature
  4
]
"""


@pytest.mark.parametrize(("text", "value"), [(SIDES, {"_id": "a", "port": 25}), (THREE, [1, 4])])
def test_a_conflict_is_one_fault_and_the_first_side_is_read(text: str, value: object) -> None:
    """The other lines of the merge are named with it, and nothing follows from them."""
    for ending in (text, text.replace("\n", "\r\n")):
        document = read(ending, "a.conf.json")
        (problem,) = document.problems
        assert (problem.code, problem.message) == ("E116", "a merge conflict is not resolved")
        assert ending[problem.span.start : problem.span.end] == "<<<<<<< HEAD"
        assert ending[problem.related[-1].span.start : problem.related[-1].span.end] == ">>>>>>> feature"
        assert document.root is not None
        assert plain(document.root) == value


def test_places_are_those_of_the_whole_text() -> None:
    """A fault after a conflict stands where it stands."""
    text = SIDES.replace("25", '"25",') + "x"
    places = {problem.code: text[problem.span.start :] for problem in read(text, "a.conf.json").problems}
    assert places["E107"] == "x"
    assert places["E101"].startswith(",\n=======")


def test_each_conflict_is_told() -> None:
    """Also one of which a line is left."""
    text = "[\n<<<<<<< a\n1,\n=======\n2,\n>>>>>>> b\n<<<<<<< a\n3,\n>>>>>>> b\n4,\n<<<<<<< c\n5\n]\n>>>>>>> d\n"
    document = read(text, "a.conf.json")
    assert [problem.code for problem in document.problems] == ["E116"] * 3
    assert document.root is not None
    assert plain(document.root) == [1, 3, 4, 5]


@pytest.mark.parametrize(
    "text",
    ['{"a": "<<<<<<< HEAD"}', '{"a": "x\\n=======\\n>>>>>>> y"}', "<<<<<<<< 8", "[1]\n=======\n", "{}\n<<<<<<<x"],
)
def test_what_only_looks_like_it_is_none(text: str) -> None:
    """Signs in strings, lines under headings, and other numbers of signs."""
    assert all(problem.code != "E116" for problem in read(text, "a.conf.json").problems)


def test_many_conflicts_take_no_longer_than_their_text() -> None:
    """Lines without an end are passed once."""
    text = "[\n" + "<<<<<<< a\n" * 50_000
    problems = read(text, "a.conf.json").problems
    assert problems[0].code == "E116"
    assert problems[-1].code == "E113"
