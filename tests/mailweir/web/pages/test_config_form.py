"""Texts through a field of a form: nothing but what was typed changes."""

from __future__ import annotations

import pytest

from mailweir.web.pages.config_form import as_edited, as_posted, can_be_edited


def browser(field: str) -> str:
    """What a browser posts of what stands in a field: it drops the first end of line, and writes all as CR LF."""
    return field.removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text", ['{"a": 1}', '{\n\t"a": 1\n}\n\n', '\n\n{"å": "😀"}', '{\r\n  "a": 1\r\n}\r\n', "", "\ufeff{}\n"]
)
def test_what_was_not_changed_comes_back_byte_for_byte(text: str) -> None:
    """With its ends of lines, blank lines at both ends, and the mark at its beginning, which a page does not show."""
    before = text.encode()
    assert can_be_edited(text.removeprefix("\ufeff"))
    assert as_posted(browser(as_edited(text.removeprefix("\ufeff"))), before) == before


@pytest.mark.parametrize("text", ["a\rb", "a\r\nb\n", "a\u202eb", "a\x00", "a\u200bb"])
def test_what_a_page_would_change_is_not_edited(text: str) -> None:
    """Mixed ends of lines, and signs that nobody sees."""
    assert not can_be_edited(text)
