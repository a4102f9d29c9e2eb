"""Mail over time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.web.pages.timeline import SPANS, address, bars_of, begin_of, picture, words_of
from pipeline.state.facts import MessageState
from pipeline.state.views import Freeing, Settled

NOW = 1_774_000_123.0


@pytest.mark.parametrize("span", SPANS)
def test_bars_cover_the_span(span: str) -> None:
    """They follow each other without a gap, end after now, and stand still from one second to the next."""
    bars = bars_of(span, NOW, [], [])
    seconds, width = SPANS[span]
    assert len(bars) == seconds // width
    assert bars[0].begin == begin_of(span, NOW)
    assert all(one.end == other.begin for one, other in pairwise(bars))
    assert bars[-1].begin <= NOW < bars[-1].end
    assert bars[0].begin % width == 0


@given(
    st.sampled_from(list(SPANS)),
    st.lists(st.tuples(st.floats(-2, 8 * 86_400), st.integers(1, 9))),
    st.lists(st.tuples(st.floats(0, 8 * 86_400), st.sampled_from(["discarded", "rejected", "dead"]))),
)
def test_everything_is_counted_once(
    span: str, taken: list[tuple[float, int]], settled: list[tuple[float, str]]
) -> None:
    """What happened since the first bar is in one bar, what was before in none."""
    begin = begin_of(span, NOW)
    given_ = [Freeing(NOW - ago, places) for ago, places in taken]
    ends = [Settled(NOW - ago, MessageState(word), 1) for ago, word in settled]
    bars = bars_of(span, NOW, given_, ends)
    assert sum(one.sent for one in bars) == sum(one.places for one in given_ if one.at >= begin)
    assert sum(one.discarded + one.bad for one in bars) == sum(one.at >= begin for one in ends)


def test_parts_lead_to_their_mails() -> None:
    """Each part of a bar is a link with a name; a part of nothing is not there, and the smallest can be seen."""
    taken = [Freeing(NOW, 1000)]
    bars = bars_of("1h", NOW, taken, [Settled(NOW, MessageState.DEAD, 1), Settled(NOW, MessageState.REJECTED, 1)])
    words = words_of(bars, "1h")
    assert words == "In the last 1h: 1,000 sent, 0 discarded, 2 dead or rejected"
    drawn = ET.fromstring(picture(bars, words, leads=True))
    links = list(drawn.iter("a"))
    assert [one.get("aria-label", "").partition(",")[0] for one in links] == ["1", "2 dead or rejected"]
    assert links[1].get("href") == address(bars[-1], "dead")
    assert all(float(one.find("rect").get("height", "0")) >= 1 for one in links)  # type: ignore[union-attr]
    assert not list(ET.fromstring(picture(bars, words, leads=False)).iter("a"))


def test_without_mail() -> None:
    """An empty picture is one too."""
    bars = bars_of("24h", NOW, [], [])
    assert "0 sent" in picture(bars, words_of(bars, "24h"), leads=True)
