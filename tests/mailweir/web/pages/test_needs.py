"""What a person has to look at."""

from __future__ import annotations

from typing import Any

from mailweir.serving.overview import Overview
from mailweir.serving.pauses import Pause
from mailweir.serving.presence import Found
from mailweir.web.pages.needs import needs_of
from pipeline.schedule import Record
from pipeline.state.facts import MessageState
from pipeline.state.views import Discards, Usage

NOW = 1_774_000_000.0


def overview(beat: float = NOW, state: str = "", **more: Any) -> Overview:
    """A service with one pipe."""
    pipes = {"mails": {"next": NOW + 60, "system": "relay", **more.pop("standing", {})}}
    facts = {"pid": 7, "beat": beat, "state": state, "config": {}, "pipes": pipes}
    return Overview(NOW, [Found(True, facts)], {"mails": "scheduled"}, **more)


def test_nothing() -> None:
    """When all is well, there is nothing to do."""
    assert needs_of(overview(outbox={MessageState.QUEUED: 3}), {"relay": Discards(0, None)}) == []


def test_each_thing_once() -> None:
    """What is wrong is told with where to look, and what is paused with a way to resume it."""
    usage = [Usage("relay", 100, 100, 0, 0, 0, NOW + 300, None)]
    told = overview(
        NOW - 60,
        "the disk is full",
        standing={"fault": "no such file"},
        outbox={MessageState.DEAD: 2, MessageState.IN_DOUBT: 1},
        failures={"mails": (0, 1)},
        usage=usage,
    )
    found = needs_of(told, {"relay": Discards(23, NOW - 600)})
    assert [one.state for one in found] == ["failing", "failing", "discarded", "dead", "in_doubt", "failing", "dead"]
    discarded = found[2]
    assert discarded.text == (
        "23 mails were discarded in the last hour at the limit of relay, the first 10 min ago;"
        " the next place is free in 5 min"
    )
    assert discarded.links[0][1] == "/mail?state=discarded&q=system%3Arelay+since%3A1h"
    assert found[3].links == (("Look", "/mail?state=dead"),)
    assert "1 dead letter:" in found[-1].text


def test_failing_and_late() -> None:
    """A pipe that failed or is late is told, and while it is paused it is only paused."""
    late: dict[str, Any] = {"standing": {"next": NOW - 3600}, "records": {"mails": Record(started=NOW - 9, failures=3)}}
    assert [one.text for one in needs_of(overview(**late), {})] == [
        "mails is late: it was due 1 h ago",
        "mails failed 3 times in a row",
    ]
    (paused,) = needs_of(overview(**late, pauses={("pipe", "mails"): Pause("kari", NOW - 90, "the moon")}), {})
    assert paused.text == "mails is paused by kari for 1 min: the moon"
    assert paused.act == ("/pipes/mails/resume", "Resume")
