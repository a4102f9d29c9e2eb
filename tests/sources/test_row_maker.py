"""What makes entities of rows."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sources.row_maker import MOST_WRITTEN, maker

names = st.lists(st.text(st.characters(codec=None, categories=["L", "N", "P", "S", "C", "Z"]), max_size=8), unique=True)


@given(names)
def test_each_name_has_its_field_whatever_it_is(found: Sequence[str]) -> None:
    """Quotes, backslashes, line breaks, brackets and halves of characters are parts of the name."""
    width = len(found) + 1
    properties = [(name, (at * 7 + 3) % width) for at, name in enumerate(found)]
    assert maker(width, properties)(*range(width)) == dict(properties)


def test_rows_of_many_columns_are_made_too() -> None:
    """As those of few are."""
    for width in (1, MOST_WRITTEN, MOST_WRITTEN + 1, 20_000):
        properties = [("_id", 0), ("last", width - 1)]
        assert maker(width, properties)(*range(width)) == {"_id": 0, "last": width - 1}
