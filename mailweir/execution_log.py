"""Runs of a pipe as entities, for pipes that tell of them: in the dataset `system:pump_execution:<pipe>`. No I/O.

It is written where another pipe reads it, and has the latest of each event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pipeline.entity import Datetime, transit
from pipeline.receipt import Outcome
from pipeline.state.datasets import Change, Entry
from pipeline.state.versions import entity_hash, ordered_text

if TYPE_CHECKING:
    from pipeline.receipt import Report
    from pipeline.schedule import Record

_NAME: Final = "system:pump_execution:"
_lost: Final = (Outcome.REJECTED, Outcome.DEAD, Outcome.IN_DOUBT)


def log_of(pipe: str) -> str:
    """The dataset that has the runs of a pipe."""
    return f"{_NAME}{pipe}"


def run_told(report: Report, run: str, record: Record | None, started: float, ended: float, why: str) -> Change:
    """That a run began, and how it ended; `why` it stopped before its end, or `""`."""
    begun = {"pipe": report.pipe, "run": run, "start_time": _time(started)}
    came = {
        "end_time": _time(ended),
        "total_time": round(report.seconds, 3),
        "entities_read": report.read,
        "entities_succeeded": max(0, report.read - sum(report.outcomes[one] for one in _lost)),
        "entities_failed": sum(report.outcomes[one] for one in _lost),
        "entities_deleted": report.deleted,
        "outcomes": {outcome.value: count for outcome, count in report.outcomes.items() if count},
        **({"reason_why_stopped": why} if why else {}),
    }
    kind = {} if record is None else {"sync_type": record.kind.value}
    told = _event("pump-started", {**begun, **kind}), _event("pump-failed" if why else "pump-completed", begun | came)
    # Of a pipe that runs all day nobody wants every run for ever: those are in `mailweir logs`.
    return Change(log_of(report.pipe), log_of(report.pipe), list(told), history=False)


def _event(name: str, more: Mapping[str, Any]) -> Entry:
    entity = transit({"_id": name, "event_type": name, **more})
    return Entry(name, entity_hash(ordered_text(entity)), deleted=False, entity=entity)


def _time(wall: float) -> Datetime:
    return Datetime(int(wall * 1e9))
