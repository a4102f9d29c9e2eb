from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dtl.errors import DtlError
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated
from pipeline.entity import transit

# With a tag a text may stand for a value of another type.
TEXTS = st.text(alphabet=st.characters(exclude_characters="~"))


def value_of(expression: Any, source: Any = None) -> Any:
    """What an expression gives."""
    return transit(evaluated(expression, source, None, Host(lambda: 0, lambda: UUID(int=1))))


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (["ljust", 16_000_001, " ", "a"], "more than 16,000,000 characters"),
        (["rjust", 9_000_000, " ", ["list", "a", "b"]], "more than 16,000,000 characters"),
        (["replace", "a", ["rjust", 1_000_000, "b", ""], "aaaaaaaaaaaaaaaaa"], "more than 16,000,000 characters"),
        (["replace", ["dict", "a", ["rjust", 9_000_000, "b", ""]], "aa"], "more than 16,000,000 characters"),
        (["join", ["rjust", 9_000_000, "b", ""], ["list", "a", "b", "c"]], "more than 16,000,000 characters"),
        (["split", "", ["rjust", 1_000_001, "b", ""]], "more than 1,000,000 parts"),
        (["split", "b", ["rjust", 1_000_001, "b", ""]], "more than 1,000,000 parts"),
        (["split", 5, "a"], "SEPARATOR is a string"),
        (["substring", "1", "abc"], "START is a whole number"),
        (["strip", 5, "a"], "CHARACTERS is a string"),
        (["matches", None, "a"], "PATTERN is a string"),
        (["replace", "a", None, "a"], "OLD and NEW are strings"),
        (["replace", {"a": 1}, "a"], "REPLACEMENTS is a dict of strings"),
    ],
)
def test_what_cannot_be_is_told(expression: Any, told: str) -> None:
    """What grows too much, and an argument that is nothing to work with, end with the function and the reason."""
    with pytest.raises(DtlError) as caught:
        value_of(expression)
    assert told in str(caught.value)
    assert caught.value.function == expression[0]


@given(TEXTS, TEXTS.filter(bool))
def test_join_is_the_inverse_of_split(text: str, separator: str) -> None:
    """Parts with the separator between them are the text again."""
    parts = ["split", ["literal", separator], ["literal", text]]
    assert value_of(["join", ["literal", separator], parts]) == text


@given(st.text(alphabet="ab*?"), st.dictionaries(st.text(alphabet="ab", min_size=1, max_size=3), TEXTS))
def test_a_dict_replaces_at_once(text: str, replacements: dict[str, str]) -> None:
    """At each place the longest name counts, and what was put in is not looked at again."""
    expected, at = "", 0
    while at < len(text):
        names = [name for name in replacements if text.startswith(name, at)]
        name = max(names, key=len, default="")
        expected += replacements[name] if name else text[at]
        at += len(name) or 1
    assert value_of(["replace", ["literal", replacements], ["literal", text]]) == expected


def test_strings_of_values_that_json_lacks() -> None:
    """Inside of dicts and lists they stand as their text; decimals are numbers, to the last digit."""
    source = {"all": {"d": "~f0.10", "b": "~bw6U=", "u": "~u9f598f65-eea5-4906-a8f5-82f6d8e69726", "n": [None, True]}}
    assert value_of(["string", "_S.all"], source) == (
        '{"b": "w6U=", "d": 0.10, "n": [null, true], "u": "9f598f65-eea5-4906-a8f5-82f6d8e69726"}'
    )


def test_bytes_that_are_no_text_are_no_string() -> None:
    """They are left out, as what is unfit."""
    assert value_of(["string", "~b/w=="]) is None
