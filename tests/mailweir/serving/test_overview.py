"""How a service and its pipes are told."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import pytest

from mailweir.serving.overview import LATE, SILENT, Overview, facts, heads, last_seen, pipe_row, result_of, tail
from mailweir.serving.pauses import Pause
from mailweir.serving.presence import Found
from pipeline.schedule import Record
from pipeline.state.facts import Execution, MessageState
from pipeline.state.views import Usage

NOW = 1_774_000_000.0
STANDING = {"mode": "scheduled", "next": NOW + 60, "system": "office", "running": None, "fault": ""}


def found(alive: bool = True, **pipe: Any) -> Found:
    """A service with one pipe."""
    about: dict[str, Any] = {"pid": 7, "host": "mail-1", "profile": "prod", "started": NOW - 7200, "beat": NOW - 1}
    config = {"hash": "5d1e0000", "at": NOW - 3600, "problem": pipe.pop("problem", "")}
    for name in ("beat", "state", "stopping", "roles"):
        if name in pipe:
            about[name] = pipe.pop(name)
    return Found(alive, {**about, "config": config, "pipes": {"welcome": {**STANDING, **pipe}}})


def overview(*services: Found, **more: Any) -> Overview:
    """With one pipe."""
    return Overview(NOW, services or (found(),), more.pop("pipes", {"welcome": "scheduled"}), **more)


def run(**report: Any) -> Execution:
    """One that came to its end a minute ago."""
    return Execution("7f3a", "welcome", NOW - 120, NOW - 60, json.dumps({"read": 3, **report}))


def test_all_is_well() -> None:
    """A line for the service, one for the pipe, the outbox and the window."""
    usage = Usage("office", 1000, 416, 0, 0, 584, None, None)
    told = overview(latest={"welcome": run(sent=296)}, outbox={MessageState.QUEUED: 3}, usage=[usage])
    (head,) = heads(told, UTC)
    assert head == "serve is up 2 h on mail-1 (process 7)   config 5d1e… loaded 08:46:40   profile prod"
    assert pipe_row(told, "welcome", UTC) == ("welcome", "09:44:40 (2 min)", "296 sent", "09:47:40")
    assert tail(told) == ["Outbox 3 queued", "office 416 of 1,000 in the last hour"]
    assert told.worries() == []


@pytest.mark.parametrize(
    ("pipe", "more", "row"),
    [
        ({"next": NOW - 1}, {}, ("welcome", "", "", "now")),
        ({"next": None}, {"pipes": {"welcome": "manual"}}, ("welcome", "", "", "manual")),
        (
            {"running": {"since": NOW - 5, "read": 1200, "outcomes": {}}},
            {},
            ("welcome", "since 09:46:35", "running: 1,200 read", ""),
        ),
        (
            {},
            {"pauses": {("pipe", "welcome"): Pause("kari", NOW - 7200, "the moon")}},
            ("welcome", "paused by kari 2 h", "the moon", ""),
        ),
        (
            {},
            {"pauses": {("system", "office"): Pause("kari", NOW - 60, "x", NOW + 20)}},
            ("welcome", "paused by kari 1 min until 09:47:00", "x", ""),
        ),
        (
            {},
            {"latest": {"welcome": run(written=2)}, "records": {"welcome": Record(started=NOW - 30)}},
            ("welcome", "09:46:10 (30 s)", "nothing new; before: 2 written", "09:47:40"),
        ),
    ],
)
def test_rows(pipe: dict[str, Any], more: dict[str, Any], row: tuple[str, ...]) -> None:
    """What runs, what is paused, and what is next."""
    assert pipe_row(overview(found(**pipe), **more), "welcome", UTC) == row


@pytest.mark.parametrize(
    ("service", "more", "worry"),
    [
        (found(beat=NOW - SILENT - 1), {}, "has not been heard of"),
        (found(state="the disk is full"), {}, "the state cannot be used: the disk is full"),
        (found(problem="1 error"), {}, "the files are not what is served: 1 error"),
        (found(next=NOW - LATE - 1), {}, "welcome is late: it was due 1 min ago"),
        (found(fault="no system"), {}, "welcome could not run: no system"),
        (found(), {"records": {"welcome": Record(failures=3)}}, "welcome failed 3 times in a row"),
        (found(), {"failures": {"welcome": (0, 2)}}, "welcome has 2 dead letters"),
        (found(), {"outbox": {MessageState.DEAD: 2}}, "dead mail: 2"),
    ],
)
def test_worries(service: Found, more: dict[str, Any], worry: str) -> None:
    """What a person should look at is told, in one line, and to programs too."""
    told = overview(service, **more)
    (found_one,) = told.worries()
    assert worry in found_one
    assert facts(told)["worries"] == [found_one]


def test_paused_is_not_late() -> None:
    """Nobody waits for what is paused, or runs."""
    pause = {("pipe", "welcome"): Pause("kari", NOW - 7200, "the moon")}
    assert overview(found(next=NOW - 1000), pauses=pause).worries() == []
    running = {"since": NOW - 5, "read": 1, "outcomes": {}}
    assert overview(found(next=NOW - 1000, running=running)).worries() == []


def test_nothing_runs() -> None:
    """What is known of the last service."""
    assert last_seen(overview(found(alive=False, stopping=True)), UTC) == "it was last heard of 09:46:39 and stopped"
    assert "did not stop by itself" in last_seen(overview(found(alive=False)), UTC)
    assert last_seen(Overview(NOW, (), {}), UTC) == "none ever ran here"
    assert heads(overview(found(alive=False)), UTC) == []


def test_the_one_that_runs_it_tells() -> None:
    """Of two services the one in which the pipe runs."""
    running = {"since": NOW - 5, "read": 1, "outcomes": {}}
    assert "running" in pipe_row(overview(found(), found(running=running)), "welcome", UTC)[2]


@pytest.mark.parametrize(
    ("execution", "words"),
    [
        (run(sent=2, rejected=1, earlier={"sent": 1}), "3 sent, 1 rejected"),
        (run(), "3 read"),
        (run(written=1, stopped="no"), "1 written, stopped: no"),
        (Execution("r", "welcome", 1.0), "did not end"),
        (Execution("r", "welcome", 1.0, 2.0, "{"), ""),
        (Execution("r", "welcome", 1.0, 2.0, "[]"), ""),
    ],
)
def test_results(execution: Execution, words: str) -> None:
    """What came of a run; of one that cannot be read nothing is told."""
    assert result_of(execution) == words


def test_a_service_with_a_part_of_it_says_so() -> None:
    """Who does all has no word for it; who does a part is known by it."""
    assert "only" not in heads(overview(found(roles=["scheduler", "sender", "web"])), UTC)[0]
    assert heads(overview(found(roles=["scheduler", "web"])), UTC)[0].count(", scheduler and web only)") == 1
