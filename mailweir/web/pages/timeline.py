"""Mail over time: what was sent, discarded, and neither, in bars of a span each that lead to the mails. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from mailweir.shown import moment
from pipeline.state.facts import MessageState
from pipeline.state.views import Freeing, Settled

# What is shown at a time, by its word: seconds, and those of one bar.
SPANS: Final = {"1h": (3600, 60), "24h": (24 * 3600, 1800), "7d": (7 * 24 * 3600, 4 * 3600)}
USUAL: Final = "24h"
WIDTH: Final = 900
HEIGHT: Final = 150
_left, _right, _top, _bottom = 56, 10, 10, 24
# Between the parts of a bar, and between bars: neighbours differ in more than their colour.
_GAP: Final = 1.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Drawn from the bottom up, and what `/mail` calls them. Dead and rejected are one part.
PARTS: Final = (("sent", "sent"), ("discarded", "discarded"), ("bad", "dead"))


class Bar(NamedTuple):
    """A span of time, and what became of mail in it."""

    begin: float
    end: float
    sent: int = 0
    discarded: int = 0
    bad: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.sent + self.discarded + self.bad


def begin_of(span: str, now: float) -> float:
    """Where the first bar begins: bars stand on whole minutes and hours, so that they do not wander."""
    seconds, width = SPANS[span]
    return float((int(now) // width + 1) * width - seconds)


def bars_of(span: str, now: float, taken: Iterable[Freeing], settled: Iterable[Settled]) -> list[Bar]:
    """All bars of a span: of what servers took, and of what came to another end."""
    seconds, width = SPANS[span]
    begin = begin_of(span, now)
    counts = [[0, 0, 0] for _ in range(seconds // width)]
    for at, places in taken:
        _add(counts, (at - begin) / width, 0, places)
    for one in settled:
        _add(counts, (one.at - begin) / width, 1 if one.state is MessageState.DISCARDED else 2, one.many)
    return [Bar(begin + width * number, begin + width * (number + 1), *each) for number, each in enumerate(counts)]


def _add(counts: list[list[int]], place: float, part: int, many: int) -> None:
    # What was stamped a second ahead belongs to the last bar.
    if place >= 0:
        counts[min(int(place), len(counts) - 1)][part] += many


def words_of(bars: Sequence[Bar], span: str) -> str:
    """The picture in words."""
    sent, discarded, bad = (sum(getattr(one, name) for one in bars) for name, _ in PARTS)
    return f"In the last {span}: {sent:,} sent, {discarded:,} discarded, {bad:,} dead or rejected"


def address(bar: Bar, state: str) -> str:
    """The mails behind a part of a bar."""
    asked = f"since:{moment(bar.begin)} until:{moment(bar.end)}"
    return "/mail?" + urlencode({"state": state, "q": asked})


def picture(bars: Sequence[Bar], words: str, *, leads: bool) -> str:
    """As SVG; colours are those of the page. With `leads`, each part leads to its mails."""
    return "\n".join(_lines(bars, words, leads=leads))


def _lines(bars: Sequence[Bar], words: str, *, leads: bool) -> Iterator[str]:
    highest = max(1, *(one.total for one in bars))
    bottom, width = HEIGHT - _bottom, (WIDTH - _left - _right) / len(bars)
    yield f'<svg class="timeline" viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label={quoteattr(words)}>'
    yield (
        '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect class="discarded" width="3" height="5"/></pattern></defs>'
    )
    yield f'<path class="axis" d="M{_left} {_top}V{bottom}H{WIDTH - _right}"/>'
    yield f'<text class="value" x="{_left - 6}" y="{_top + 8}">{highest:,}</text>'
    yield f'<text class="value" x="{_left - 6}" y="{bottom}">0</text>'
    for number, bar in enumerate(bars):
        x, y = _left + number * width, float(bottom)
        for name, state in PARTS:
            many: int = getattr(bar, name)
            if not many:
                continue
            # What is there is seen, however little it is.
            height = max(2.0, (bottom - _top) * many / highest)
            y -= height
            told = f"{many:,} {'dead or rejected' if name == 'bad' else name}, {_clock(bar.begin)} to {_clock(bar.end)}"
            shape = (
                f'<rect class="{name}" x="{x + _GAP / 2:.1f}" y="{max(0.0, y):.1f}"'
                f' width="{max(1.0, width - _GAP):.1f}" height="{max(1.0, height - _GAP):.1f}"/>'
            )
            yield (
                f"<a href={quoteattr(address(bar, state))} aria-label={quoteattr(told)}>{shape}<title>{escape(told)}"
                "</title></a>"
                if leads
                else f"<g>{shape}<title>{escape(told)}</title></g>"
            )
    for number in range(0, len(bars), max(1, len(bars) // 6)):
        at = bars[number].begin
        text = f"{_EPOCH + timedelta(seconds=int(at)):%m-%d}" if len(bars) == 42 else _clock(at)
        yield f'<text class="time" x="{_left + number * width:.1f}" y="{HEIGHT - 6}">{text}</text>'
    yield "</svg>"


def _clock(at: float) -> str:
    return f"{_EPOCH + timedelta(seconds=int(at)):%H:%M}"
