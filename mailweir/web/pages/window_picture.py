"""The picture of a sliding window: a line of steps below the line of its limit, and marks where mail was discarded.

No I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil, log10
from typing import Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from mailweir.shown import moment
from mailweir.web.pages.window_series import Series, Step, thinned

WIDTH: Final = 900
HEIGHT: Final = 260
_left, _right, _top, _bottom = 56.0, 26.0, 34.0, 26.0
_COLUMNS: Final = int(WIDTH - _left - _right)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds between marks of the time axis: the first that gives no more than eight.
_TICKS: Final = (600, 1800, 3600, 2 * 3600, 4 * 3600, 6 * 3600, 12 * 3600, 86_400)
_MOST_TICKS: Final = 8
_MARK: Final = 9.0


def picture(series: Series, name: str, words: str, system: str) -> str:
    """As SVG. `words` say what there is to see; colours and strokes are those of the page."""
    return "\n".join(_lines(series, name, words, system))


def _lines(series: Series, name: str, words: str, system: str) -> Iterator[str]:
    scale = _Scale(series)
    yield (
        f'<svg class="window" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label={_attribute(f"{name}: {words}")}'
        ' preserveAspectRatio="xMidYMid meet">'
    )
    yield (
        '<defs><pattern id="discarded" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect class="discarded" width="2.5" height="5"/></pattern></defs>'
    )
    yield from _axes(series, scale)
    area = _path(series.used, series, scale)
    yield f'<path class="area" d="{area}V{scale.y(0)}H{scale.x(series.begin)}Z"/>'
    yield f'<path class="used" d="{area}"/>'
    yield f'<path class="limit" d="{_path(series.limits, series, scale)}"/>'
    last = series.limits[-1].value
    yield f'<text class="limit-name" x="{WIDTH - _right}" y="{scale.y(last) - 5:.1f}">max_per_hour {last:,}</text>'
    # Above the limit, and above its name.
    marks = max(2.0, scale.y(max(one.value for one in series.limits)) - _MARK - 18)
    for one in series.discarded:
        left, right = scale.x(one.first), scale.x(one.last)
        told = f"{one.many:,} discarded, {_clock(one.first)} to {_clock(one.last)}"
        # A search goes up to a second, and the last of them is to be in it.
        asked = f"system:{_quoted(system)} since:{moment(one.first)} until:{moment(one.last + 1)}"
        address = "/mail?" + urlencode({"state": "discarded", "q": asked})
        yield (
            f'<a href={_attribute(address)}><rect class="mark" x="{left:.1f}" y="{marks:.1f}"'
            f' width="{max(3.0, right - left):.1f}" height="{_MARK}" fill="url(#discarded)"/>'
            f"<title>{escape(told)}</title></a>"
        )
    for step in series.broken:
        yield (
            f'<path class="fault" d="M{scale.x(step.at):.1f} {scale.y(step.value):.1f}m-4 -4l8 8m0 -8l-8 8">'
            f"<title>above the limit: {step.value:,} at {_clock(step.at)}</title></path>"
        )
    yield "</svg>"


def _axes(series: Series, scale: _Scale) -> Iterator[str]:
    bottom = scale.y(0)
    yield f'<path class="axis" d="M{_left} {_top - 10}V{bottom}H{WIDTH - _right}"/>'
    for value in scale.marks:
        y = scale.y(value)
        yield f'<text class="value" x="{_left - 6}" y="{y + 4:.1f}">{value:,}</text>'
        if value:
            yield f'<path class="grid" d="M{_left} {y:.1f}H{WIDTH - _right}"/>'
    span = series.end - series.begin
    size = next((one for one in _TICKS if span / one <= _MOST_TICKS), _TICKS[-1])
    at = ceil(series.begin / size) * size
    while at <= series.end:
        x = scale.x(at)
        text = _day(at) if size >= 86_400 else _clock(at)[:5]
        yield f'<path class="axis" d="M{x:.1f} {bottom}v4"/>'
        yield f'<text class="time" x="{x:.1f}" y="{bottom + 17}">{text}</text>'
        at += size


class _Scale:
    """Where values and times are."""

    def __init__(self, series: Series) -> None:
        self._begin = series.begin
        self._span = max(1.0, series.end - series.begin)
        highest = max(1, series.highest)
        size = _round_number(highest / 4)
        self.marks = range(0, highest + size, size)
        self._highest = max(highest, self.marks[-1] if self.marks[-1] - highest < size / 2 else highest)
        self.marks = range(0, self._highest + 1, size)

    def x(self, at: float) -> float:
        return _left + (WIDTH - _left - _right) * min(1.0, max(0.0, (at - self._begin) / self._span))

    def y(self, value: int) -> float:
        return _top + (HEIGHT - _top - _bottom) * (1 - value / self._highest)


def _round_number(least: float) -> int:
    """1, 2, 5, 10, 20, 50 and so on: the first that is not less."""
    power = 10 ** max(0, int(log10(max(1.0, least))))
    return int(next(power * one for one in (1, 2, 5, 10) if power * one >= least))


def _path(steps: Sequence[Step], series: Series, scale: _Scale) -> str:
    """Steps: what holds from a time on goes on level until the next."""
    corners = list(thinned(steps, series.begin, series.end, _COLUMNS))
    first = corners[0]
    parts = [f"M{scale.x(first.at):.1f} {scale.y(first.value):.1f}"]
    for before, after in pairwise(corners):
        parts.append(f"H{scale.x(after.at):.1f}")
        if after.value != before.value:
            parts.append(f"V{scale.y(after.value):.1f}")
    parts.append(f"H{scale.x(series.end):.1f}")
    return "".join(parts)


def words_of(series: Series, span: str) -> str:
    """The picture in words."""
    limit = series.limits[-1].value
    told = f"{series.now:,} of {limit:,} used, {series.trend}; {series.thrown:,} discarded in the last {span}"
    if series.broken:
        told += f"; {len(series.broken):,} times above the limit"
    return told


def _clock(at: float) -> str:
    return f"{_EPOCH + timedelta(seconds=int(at)):%H:%M:%S}"


def _day(at: float) -> str:
    return f"{_EPOCH + timedelta(seconds=int(at)):%m-%d}"


def _quoted(text: str) -> str:
    return f'"{text}"' if any(one in text for one in ' "') else text


def _attribute(text: str) -> str:
    return quoteattr(text)
