"""`mailweir run` is killed, really, and what arrives is held against what is on record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.reliability import Campaign, Found, carried_out, judge
from pipeline.state.facts import MessageState
from pipeline.state.views import Row
from sinks.mail.delivery import Standing, result_of

SMALL = Campaign("two processes, a limit that is reached", 400, 10, processes=2, limit=300, wait=False)


def test_kills_lose_nothing_and_pass_no_limit(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Two processes at once, killed ten times: nothing is lost, copies are explained, and the limit is used up."""
    found = carried_out(SMALL, tmp_path)
    assert found.faults == [], str(found)
    assert found.states[MessageState.DISCARDED] == 100
    record_property("count", (f"entities through {SMALL.kills} kills of whole runs", SMALL.entities))


def row(number: int, state: MessageState = MessageState.SENT, doubts: int = 0) -> Row:
    """A message to one."""
    kept = result_of((Standing(state, None, doubts=doubts),))
    name, to = f"c-{number}", (f"c-{number}@example.com",)
    return Row(number, name, "p", "s", "r", name, to, "", state, 0.0, 0.0, None, 1, kept, "", None)


def took(*numbers: int, at: float = 0.0) -> list[tuple[str, float, str]]:
    """What the server wrote."""
    return [("took", at, f"c-{number}") for number in numbers]


@pytest.mark.parametrize(
    ("rows", "log", "fault"),
    [
        ([row(0), row(1)], took(0, 1), None),
        ([row(0, doubts=1), row(1)], took(0, 0, 1), None),
        ([row(0), row(1)], took(0), "mail is lost"),
        ([row(0)], took(0), "mail is lost"),
        ([row(0), row(1), row(1)], took(0, 1), "an entity is on record twice"),
        ([row(0), row(1)], took(0, 1, 1), "copies have no explanation"),
        ([row(0), row(1, MessageState.REJECTED)], took(0, 1), "copies have no explanation"),
        ([row(0), row(1)], took(0, 1, 2), "the server has messages that are not on record"),
        ([row(0, doubts=4), row(1)], took(0, 0, 0, 0, 0, 1), "somebody got more than 4 copies"),
        ([row(0, doubts=2), row(1)], took(0, 0, 0, 1), "the limit was passed"),
        ([row(0), row(1, MessageState.IN_DOUBT, 1)], took(0), "not all was sent"),
        (
            [row(0), row(1, MessageState.DISCARDED)],
            took(0),
            "mail was discarded, and not as many permits were used as there are",
        ),
    ],
)
def test_broken_promises_are_seen(rows: list[Row], log: list[tuple[str, float, str]], fault: str | None) -> None:
    """Each of them, from the record and the log of the server."""
    found = Found(Campaign("", 2, 0, limit=3))
    judge(found, rows, log)
    assert found.faults == [] if fault is None else fault in found.faults
