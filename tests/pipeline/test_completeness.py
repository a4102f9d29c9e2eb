"""Up to which time datasets are complete."""

from __future__ import annotations

from pipeline.completeness import counting, known_of, known_text, passed_on


def test_what_comes_from_outside_is_complete_now() -> None:
    """So is what is made of datasets none of which counts."""
    assert passed_on(["people"], [], {}, 9) == {"people": {"people": 9}}
    assert passed_on(["people"], ["people"], {"people": {"people": 5}}, 9) == {"people": {"people": 9}}


def test_a_dataset_is_as_complete_as_the_least_complete_that_it_is_made_of() -> None:
    """And it knows that of each; of one upstream on two ways the earlier time."""
    known = {"a": {"a": 5, "x": 4}, "b": {"b": 7, "x": 6}}
    assert passed_on(["c"], ["a", "b"], known, 9) == {"c": {"a": 5, "b": 7, "x": 4, "c": 5}}


def test_where_one_is_not_known_nothing_is_said() -> None:
    """What is known of the others is passed on all the same."""
    assert passed_on(["c"], ["a", "b"], {"a": {"a": 5}}, 9) == {"c": {"a": 5}}


def test_a_pipe_says_which_count() -> None:
    """Some, or all but some."""
    assert counting(["a", "b"], None, ()) == ["a", "b"]
    assert counting(["a", "b"], None, ("b",)) == ["a"]
    assert counting(["a", "b"], ("c", "d"), ("d",)) == ["c"]


def test_notes_are_read_as_they_are_written() -> None:
    """What is none of ours says nothing."""
    assert known_of(known_text({"b": 2, "a": 1})) == {"a": 1, "b": 2}
    assert [known_of(text) for text in (None, "", "[]", '{"a": "1"}')] == [{}, {}, {}, {}]
