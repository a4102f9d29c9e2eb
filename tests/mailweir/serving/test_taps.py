"""Looking into a flow: real sockets, runs and kills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailweir.serving.taps import MOST_BYTES, Tap, Taps
from sources.embedded import Embedded

PEOPLE = [{"_id": "a", "n": 1}, {"_id": "b", "n": 2}]


def test_what_passes_is_seen(tmp_path: Path) -> None:
    """By every tap of its pipe and stage, and by no other one; without one nothing happens."""
    taps = Taps(tmp_path)
    taps.show("p", "sink", PEOPLE)
    with Tap(tmp_path, "p", "sink") as one, Tap(tmp_path, "p", "sink") as two, Tap(tmp_path, "p", "source") as other:
        taps.show("p", "sink", PEOPLE)
        for tap in (one, two):
            seen = tap.wait(30)
            assert seen == (PEOPLE, 0)
        assert other.wait(0) is None
        taps.show("q", "source", PEOPLE)
        taps.show("p", "source", PEOPLE[:1])
        assert other.wait(30) == (PEOPLE[:1], 0)
    assert list((tmp_path / "taps").iterdir()) == []
    taps.show("p", "sink", PEOPLE)


def test_a_source_is_seen(tmp_path: Path) -> None:
    """As it gives its entities; what else it has is still there."""
    source: Any = Taps(tmp_path).tapped("p", Embedded(PEOPLE))
    with Tap(tmp_path, "p", "source") as tap:
        given = [one for batch, _ in source.read(None) for one in batch]
        assert given == PEOPLE
        assert tap.wait(30) == (PEOPLE, 0)
    with pytest.raises(AttributeError):
        source.nothing  # noqa: B018 - asked for


def drained(tap: Tap) -> tuple[list[Any], int]:
    """All that has come, and how many did not."""
    found: list[Any] = []
    missed = 0
    while (seen := tap.wait(0)) is not None:
        found += seen.entities
        missed += seen.missed
    return found, missed


def test_many_come_in_packets(tmp_path: Path) -> None:
    """All of a portion, in order, more than one packet has; what is too large for any is counted."""
    many = [{"_id": str(at), "text": "x" * 1000} for at in range(50)]
    large = {"_id": "large", "text": "x" * MOST_BYTES}
    with Tap(tmp_path, "p", "sink") as tap:
        Taps(tmp_path).show("p", "sink", [*many[:10], large, *many[10:]])
        assert drained(tap) == (many, 1)


def test_who_does_not_keep_up_misses_some(tmp_path: Path) -> None:
    """A run goes on, and tells how many with the next that come through."""
    taps = Taps(tmp_path)
    portion = [{"_id": str(at), "text": "x" * 9000} for at in range(50)]
    with Tap(tmp_path, "p", "sink") as tap:
        for _ in range(3):
            taps.show("p", "sink", portion)
        shown, missed = drained(tap)
        taps.show("p", "sink", [{"_id": "more"}])
        more, told = drained(tap)
        assert more == [{"_id": "more"}]
        assert len(shown) + missed + told == 150
        assert told > 0


def test_those_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    """A tap whose process was killed is taken away by the first run that meets it."""
    tap = Tap(tmp_path, "p", "sink")
    tap.__enter__()
    tap._socket.close()
    Taps(tmp_path).show("p", "sink", PEOPLE)
    assert list((tmp_path / "taps").iterdir()) == []


def test_deep_folders(tmp_path: Path) -> None:
    """A path longer than a socket may have is no hindrance."""
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    with Tap(deep, "p", "sink") as tap:
        Taps(deep).show("p", "sink", PEOPLE)
        assert tap.wait(30) == (PEOPLE, 0)
