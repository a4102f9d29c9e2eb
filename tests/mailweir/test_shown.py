"""How lists show mail."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest

from mailweir.shown import address, ago, moment, said, time_of, wait, whom

# 2026-01-02 03:04:05 in UTC.
NOW = 1_767_323_045.9


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("kari@example.org", "k…@example.org"),
        ("@example.org", "…@example.org"),
        ('"a@b"@example.org', '"…@example.org'),
        ("kari", "kari"),
        ("", ""),
    ],
)
def test_addresses_are_shortened(text: str, short: str) -> None:
    """What has no `@` is shown as it is, and all of it if it is wanted."""
    assert address(text, full=False) == short
    assert address(text, full=True) == text


@pytest.mark.parametrize(
    ("left", "total", "words"),
    [
        (["ann@example.com"], 1, "a…@example.com"),
        (["ann@example.com"], 3, "a…@example.com of 3"),
        (["ann@example.com", "bo@example.com"], 3, "2 of 3"),
        (["ann@example.com", "bo@example.com"], 2, "2 recipients"),
    ],
)
def test_for_whom_it_still_is(left: list[str], total: int, words: str) -> None:
    """One by name, several by number."""
    assert whom(left, total, full=False) == words


@pytest.mark.parametrize(
    ("seconds", "one", "two"),
    [
        (-5, "0 s", "0 s"),
        (0.9, "0 s", "0 s"),
        (59.9, "59 s", "59 s"),
        (60, "1 min", "1 min"),
        (372, "6 min", "6 min 12 s"),
        (3600, "1 h", "1 h"),
        (3605, "1 h", "1 h"),
        (7290, "2 h", "2 h 1 min"),
        (200_000, "2 d", "2 d 7 h"),
    ],
)
def test_how_long(seconds: float, one: str, two: str) -> None:
    """Rounded down, in one unit, and in two that follow each other for who waits."""
    assert ago(seconds) == one
    assert wait(seconds) == two


def test_when() -> None:
    """For programs in UTC; for people by the clock where they are, with the day if it is not today."""
    assert moment(NOW) == "2026-01-02T03:04:05Z"
    assert time_of(NOW, NOW, UTC) == "03:04:05"
    assert time_of(NOW - 86_400, NOW, UTC) == "2026-01-01 03:04:05"
    west = timezone(timedelta(hours=-4))
    assert time_of(NOW, NOW, west) == "23:04:05"
    assert time_of(NOW, NOW + 3600, west) == "2026-01-01 23:04:05"


def test_what_was_said() -> None:
    """On one line, without what is missing."""
    assert said(550, "5.1.1", "no such user") == "550 5.1.1 no such user"
    assert said(None, "", "timed out") == "timed out"
    assert said(None, None, None) == ""
