"""Receipts, and the report that they add up to."""

from __future__ import annotations

import json

from pipeline.receipt import MOST_SHOWN, Outcome, Receipt, Report


def test_each_thing_counts_once_whatever_is_told_of_it() -> None:
    """What was retrying and is sent counts as sent."""
    report = Report("welcome")
    report.take(Receipt("a", "k1", Outcome.RETRYING, "451 later"))
    report.take(Receipt("b", "k2", Outcome.SENT))
    report.take(Receipt("a", "k1", Outcome.SENT, before=Outcome.RETRYING))
    assert report.outcomes[Outcome.SENT] == report.total == 2
    assert report.shown[Outcome.RETRYING] == []


def test_what_earlier_runs_left_is_counted_apart() -> None:
    """The outcomes add up to what this run read."""
    report = Report("welcome", read=1)
    report.take(Receipt("old", "k1", Outcome.SENT, earlier=True))
    report.take(Receipt("new", "k2", Outcome.REJECTED, "no recipient"))
    assert (report.total, report.earlier[Outcome.SENT]) == (1, 1)
    assert json.loads(report.summary())["rejected"] == 1


def test_only_some_are_kept() -> None:
    """A million rejected mails do not fill the memory."""
    report = Report("welcome")
    for number in range(MOST_SHOWN * 3):
        report.take(Receipt(str(number), "k", Outcome.REJECTED))
    assert len(report.shown[Outcome.REJECTED]) == MOST_SHOWN
    assert report.outcomes[Outcome.REJECTED] == MOST_SHOWN * 3


def test_what_has_no_word_is_left_to_the_next_run() -> None:
    """Where a run ended in the middle the counts add up all the same; in one that goes on nothing is left yet."""
    report = Report("p", read=5, filtered=1)
    report.take(Receipt("a", "k", Outcome.SENT))
    assert report.left == 0
    report.stopped = "the disk is full"
    assert report.left == 3
