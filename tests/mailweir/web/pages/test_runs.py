"""Runs and schedules, in words and numbers."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import pytest

from mailweir.web.pages.runs import line_of, outcomes_of, report_of, running_report, stages_of
from mailweir.web.pages.schedules import next_times, words_of
from pipeline.cron import Cron
from pipeline.schedule import Plan
from pipeline.state.facts import Execution

NOW = 1_774_000_000.0
REPORT = {"read": 10, "filtered": 2, "sent": 5, "rejected": 1, "earlier": {"sent": 3}, "stopped": ""}


def test_stages_add_up() -> None:
    """Each stage says how many passed it of those that came, with words for who sees no bar."""
    assert [(one.done, one.of, one.words) for one in stages_of(REPORT)] == [
        (10, 10, "10 read"),
        (8, 10, "8 of 10 passed, 2 filtered out"),
        (6, 8, "6 of 8: 5 sent, 1 rejected"),
    ]
    running = running_report({"read": 10, "filtered": 2, "outcomes": {"sent": 5, "rejected": 1}})
    assert stages_of(running) == stages_of(REPORT)


def test_what_cannot_be_read_is_nothing() -> None:
    """A report of another version, or none, is shown with zeros."""
    for text in ("", "[]", "{", '{"read": "x", "sent": true}'):
        assert [one.done for one in stages_of(report_of(text))] == [0, 0, 0]
        assert outcomes_of(report_of(text)) == []


def test_outcomes_are_told_apart() -> None:
    """What earlier runs had left is counted beside."""
    assert outcomes_of(REPORT) == [("sent", 5, 3), ("rejected", 1, 0)]


@pytest.mark.parametrize(
    ("ended", "running", "report", "took", "result", "bad"),
    [
        (NOW, False, REPORT, 60.0, "8 sent, 1 rejected", True),
        (NOW, False, {"read": 3, "sent": 3}, 60.0, "3 sent", False),
        (None, True, None, None, "running", False),
        (None, False, None, None, "did not end", False),
    ],
)
def test_a_line_of_a_run(
    ended: float | None, running: bool, report: Any, took: float | None, result: str, bad: bool
) -> None:
    """How long it took, and what came of it."""
    one = Execution("7f", "p", NOW - 60, ended, "" if report is None else json.dumps(report))
    found = line_of(one, running=running)
    assert (found.took, found.result, found.bad) == (took, result, bad)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan("off"), "it does not run"),
        (Plan("manual"), "when somebody wants it"),
        (Plan(interval=90.0), "every 1 min 30 s"),
        (Plan(interval=0.0), "again and again"),
        (Plan(cron=Cron("30 6 * * *"), at_startup=True), "at the times of 30 6 * * * (UTC); when the service starts"),
        (Plan(interval=60.0, rescan_runs=5), "every 1 min; everything anew each 5 runs"),
    ],
)
def test_schedules_in_words(plan: Plan, words: str) -> None:
    """What a pump says, for people."""
    assert words_of(plan, receives=False) == words
    if plan.mode == "scheduled":
        assert words_of(plan, receives=True).startswith("when entities are handed in, and ")


def test_next_times() -> None:
    """Three of them, those of an expression by its clock; none where no clock says so."""
    daily = next_times(Plan(cron=Cron("30 6 * * *", UTC)), NOW + 10, NOW)
    assert daily[0] == NOW + 10
    assert daily[2] - daily[1] == 86_400
    assert next_times(Plan(interval=60.0), NOW + 10, NOW) == [NOW + 10, NOW + 70, NOW + 130]
    assert next_times(Plan(interval=0.0), NOW, NOW) == [NOW]
    assert next_times(Plan("manual"), None, NOW) == []
    assert next_times(Plan(), None, NOW) == []
