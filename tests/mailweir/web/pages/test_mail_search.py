from __future__ import annotations

import pytest

from mailweir.web.pages.mail_search import MOST, SearchError, search_of
from pipeline.state.views import Filter

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Filter()),
        ("   ", Filter()),
        ("to:kari", Filter(address="kari")),
        ('pipe:a since:2d "Back again"', Filter(pipe="a", changed_from=NOW - 2 * 86_400, subject="Back again")),
        ("Welcome  back", Filter(subject="Welcome back")),
        ('"to:kari"', Filter(subject="to:kari")),
        ("System:a run:b ENTITY:c", Filter(system="a", run="b", entity_id="c")),
        ('entity:"two words"', Filter(entity_id="two words")),
        ("id:7F3A…", Filter(name="7f3a")),
        ("since:1970-01-02 until:1970-01-02T00:00:10Z", Filter(changed_from=86_400.0, changed_until=86_410.0)),
    ],
)  # fmt: skip
def test_words_say_what_is_wanted(text: str, wanted: Filter) -> None:
    """Each word is a condition, and the rest is a part of the subject."""
    assert search_of(text, NOW).wanted == wanted


@pytest.mark.parametrize(
    ("text", "at", "part"),
    [
        ("hello pip:x", 6, "Did you mean `pipe:`?"),
        ("https://example.com", 0, 'In quotes it is a text: `"https:…"`'),
        ("to:", 0, "nothing stands behind `to:`"),
        ("to:a to:b", 5, "`to:` is there twice"),
        ('pipe:a "b', 7, "this quote does not end"),
        ("since:soon", 0, "2d, 3h"),
        ("id:zz", 0, "no beginning of an id"),
        ("x" * (MOST + 1), MOST, "500 characters"),
    ],
)
def test_what_cannot_be_looked_for_is_told_at_its_place(text: str, at: int, part: str) -> None:
    """With its column, and what to write."""
    with pytest.raises(SearchError) as told:
        search_of(text, NOW)
    assert (told.value.at, part in str(told.value)) == (at, True)


def test_what_needs_the_right_to_see_contents_is_known() -> None:
    """Looking for addresses and subjects tells of them."""
    assert search_of("to:kari hello", NOW).content == ("to", "text")
    assert search_of("pipe:a id:7f since:1h", NOW).content == ()
