"""What a service tells of its pipes: in the log when a run has ended, and to those who look while it goes on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mailweir.cli.run_report import counts
from mailweir.serving.log import event
from pipeline.receipt import Outcome

if TYPE_CHECKING:
    from mailweir.serving.job import Job
    from mailweir.serving.pump import Pump
    from pipeline.receipt import Report
    from pipeline.state.facts import Moment


def tell_run(pump: Pump, job: Job, report: Report) -> None:
    """What came of a run of a pipe, and of its entities that got no further."""
    happened = bool(report.read or report.earlier.total() or report.outcomes.total() or report.deleted)
    bad = any((report.outcomes + report.earlier)[one] for one in (Outcome.REJECTED, Outcome.DEAD, Outcome.IN_DOUBT))
    level = logging.WARNING if bad or report.stopped else logging.INFO if happened else logging.DEBUG
    told = ", ".join(counts(report)) if happened else "nothing new"
    name = "run.stopped" if report.stopped else "run.ended"
    why = f"; it stopped: {report.stopped}" if report.stopped else ""
    event(
        name,
        f"{told} in {report.seconds:.1f} s{why}",
        level,
        **of(pump),
        run=job.run_name,
        seconds=round(report.seconds, 3),
        read=report.read,
        filtered=report.filtered,
        outcomes=_words(report.outcomes),
        earlier=_words(report.earlier),
    )
    for receipts in report.shown.values():
        for one in receipts:
            if one.outcome in {Outcome.REJECTED, Outcome.DEAD}:
                told = f"entity `{one.entity_id}` {one.outcome.value}: {one.detail}"
                event(
                    f"entity.{one.outcome.value}", told, logging.WARNING, **of(pump), entity=one.entity_id,
                    run=job.run_name,
                )  # fmt: skip


def pipe_facts(pump: Pump, seconds: float, now: Moment) -> dict[str, Any]:
    """How a pipe is that is due in so many seconds."""
    report = None if pump.job is None else pump.job.report
    running = pump.job is not None and {
        "since": pump.began.wall,
        "run": pump.job.run_name,
        "read": 0 if report is None else report.read,
        "filtered": 0 if report is None else report.filtered,
        "outcomes": {} if report is None else _words(report.outcomes),
    }
    return {
        "mode": pump.plan.mode,
        # A second is the grain of what people see.
        "next": None if seconds == float("inf") else round(now.wall + seconds),
        "system": pump.system,
        "running": running or None,
        "fault": pump.fault,
    }


def of(pump: Pump) -> dict[str, str]:
    """What an event is about."""
    return {"pipe": pump.config.id}


def _words(outcomes: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.value: many for outcome, many in outcomes.items() if many}
