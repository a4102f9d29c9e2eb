"""When a pipe runs, in words, and its next times. No I/O."""

from __future__ import annotations

from typing import Final

from mailweir.shown import wait
from pipeline.schedule import Plan

MOST_TIMES: Final = 3


def words_of(plan: Plan, *, receives: bool) -> str:
    """What its pump says."""
    match plan.mode:
        case "off":
            return "it does not run"
        case "manual":
            return "when somebody wants it"
        case "scheduled":
            pass
    if plan.cron is not None:
        told = f"at the times of {plan.cron.text} ({plan.cron.zone})"
    else:
        told = f"every {wait(plan.interval)}" if plan.interval >= 1 else "again and again"
    if receives:
        told = f"when entities are handed in, and {told}"
    if plan.at_startup:
        told += "; when the service starts"
    if plan.rescan_cron is not None:
        told += f"; everything anew at the times of {plan.rescan_cron.text} ({plan.rescan_cron.zone})"
    elif plan.rescan_runs is not None:
        told += f"; everything anew each {plan.rescan_runs} runs"
    return told


def next_times(plan: Plan, due: float | None, now: float) -> list[float]:
    """The next few times; the first is the one that its service goes by, and later ones are about right."""
    if plan.mode != "scheduled" or due is None:
        return [] if due is None else [due]
    found = [due]
    while len(found) < MOST_TIMES:
        last = max(found[-1], now)
        coming = plan.cron.after(last) if plan.cron is not None else last + plan.interval
        if coming is None or coming <= found[-1]:
            break
        found.append(coming)
    return found
