from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from mailweir.web.pages.window_picture import HEIGHT, WIDTH, picture, words_of
from mailweir.web.pages.window_series import SPANS, series_of
from pipeline.state.views import Discarded, Freeing, LimitChange

NOW = 1_800_000_000.0


@pytest.mark.parametrize("span", SPANS.values())
@pytest.mark.parametrize("limit", [0, 1, 7, 1000, 123_456])
def test_it_is_a_drawing_within_its_bounds(span: int, limit: int) -> None:
    """Whatever the span and the limit are, also where nothing was ever sent; without styles of its own."""
    taken = [Freeing(NOW - at, 1) for at in range(0, span, 900)]
    for some in (taken, []):
        series = series_of(NOW - span, NOW, some, 0, limit, [LimitChange(NOW - span / 2, limit + 1)], [])
        drawn = ET.fromstring(picture(series, "a", "b", "s"))
        assert not [one for one in drawn.iter() if "style" in one.attrib]
        for path in drawn.iter("path"):
            numbers = [float(one) for one in re.findall(r"[MHV](-?[\d.]+)", path.attrib["d"])]
            assert all(0 <= one <= max(WIDTH, HEIGHT) for one in numbers)
        texts = [one.text for one in drawn.iter("text")]
        assert f"max_per_hour {limit:,}" in texts
        assert 2 <= sum(one.attrib["class"] == "time" for one in drawn.iter("text")) <= 9


def test_marks_lead_to_what_was_discarded() -> None:
    """Each at its second, with how many there are; names of systems break nothing."""
    series = series_of(NOW - 3600, NOW, [], 0, 5, [], [Discarded(NOW - 1800, NOW - 1700, 12)])
    text = picture(series, '<&"', "words", 'a "b"&c')
    drawn = ET.fromstring(text)
    (mark,) = drawn.iter("a")
    assert mark.attrib["href"].startswith("/mail?state=discarded&q=system%3A")
    assert [one.text for one in mark.iter("title")] == ["12 discarded, 07:30:00 to 07:31:40"]
    assert drawn.attrib["aria-label"] == '<&": words'


def test_it_is_told_in_words() -> None:
    """Use, trend, what was discarded, and faults if there are any."""
    series = series_of(NOW - 3600, NOW, [Freeing(NOW - 100, 416)], 0, 1000, [], [Discarded(NOW, NOW, 188)])
    assert words_of(series, "1h") == "416 of 1,000 used, rising; 188 discarded in the last 1h"
    broken = series_of(NOW - 3600, NOW, [Freeing(NOW - 100, 4)], 0, 1, [], [])
    assert words_of(broken, "1h").endswith("; 1 times above the limit")
    assert 'class="fault"' in picture(broken, "a", "b", "s")
