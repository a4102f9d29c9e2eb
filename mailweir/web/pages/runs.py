"""Runs as pages show them: what is on record of one that ended, and how far one is. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mailweir.serving.overview import result_of
from pipeline.receipt import Outcome

if TYPE_CHECKING:
    from pipeline.state.facts import Execution


class Stage(NamedTuple):
    """A stage of a run: how many passed it of those that came to it."""

    name: str
    done: int
    of: int
    words: str


class Line(NamedTuple):
    """A run in a list. `took` is None while it runs, or where it did not end."""

    run: str
    pipe: str
    started: float
    took: float | None
    result: str
    bad: bool


def line_of(one: Execution, *, running: bool) -> Line:
    """A run in a list."""
    took = None if one.ended is None else one.ended - one.started
    told = "running" if running and one.ended is None else result_of(one)
    report = report_of(one.report)
    bad = bool(report.get("stopped")) or any(report.get(word) for word in ("dead", "rejected", "in_doubt"))
    return Line(one.run, one.pipe, one.started, took, told, bad)


def report_of(text: str) -> dict[str, Any]:
    """What is on record of its counts."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def stages_of(report: Mapping[str, Any]) -> list[Stage]:
    """Source, transforms, sink: of a report on record, or of what a service says of a run that goes on."""
    read, filtered = _number(report.get("read")), _number(report.get("filtered"))
    outcomes = {word.value: many for word in Outcome if (many := _number(report.get(word.value)))}
    came, total = max(0, read - filtered), sum(outcomes.values())
    told = ", ".join(f"{many:,} {word.replace('_', ' ')}" for word, many in outcomes.items())
    return [
        Stage("source", read, read, f"{read:,} read"),
        Stage(
            "transforms",
            came,
            read,
            f"{came:,} of {read:,} passed" + (f", {filtered:,} filtered out" if filtered else ""),
        ),
        Stage("sink", min(total, came), came, f"{total:,} of {came:,}" + (f": {told}" if told else "")),
    ]


def running_report(running: Mapping[str, Any]) -> dict[str, Any]:
    """What a service says of a run that goes on, as a report has it."""
    return {"read": running.get("read"), "filtered": running.get("filtered"), **dict(running.get("outcomes") or {})}


def outcomes_of(report: Mapping[str, Any]) -> Sequence[tuple[str, int, int]]:
    """Each word with its count, of this run and of what earlier ones had left."""
    earlier = report.get("earlier")
    before = earlier if isinstance(earlier, dict) else {}
    counts = ((word.value, _number(report.get(word.value)), _number(before.get(word.value))) for word in Outcome)
    return [one for one in counts if one[1] or one[2]]


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
