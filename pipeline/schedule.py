"""When pipes run. Decides; it does not sleep, and time and chance are arguments. Pure.

The rules:

interval    a run begins so many seconds after the one before began, give or take 5 %, and never before that has ended.
            It is measured on a clock that nobody can set. After runs that failed the pause doubles, up to five minutes
cron        a run begins when the wall clock says so. Times that passed while a run went on, while the machine slept or
            while nobody was there are made up for with one run. The expression wins over the interval
clock jumps when the wall clock is set back by less than three hours, what it shows a second time is not run again
            (the rule of Debian's cron); by more, the clock was wrong before, and its new time counts from then on
startup     a pipe that never ran begins at once with an interval, and at its next time with an expression
interrupted a run that was killed begins anew at once; after three in a row it waits for its usual time, so that a pipe
            which kills its process does not do so all day
rescan      counted in runs, every so many reads everything; an expression for it is a time to run of its own. What
            was to be a rescan and failed is one the next time. So it is when what the pipe is made of has changed,
            where that is wanted
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from pipeline.cron import Cron
from pipeline.state.facts import Moment

JITTER: Final = 0.05
# Between the end of a run and the start of the next, also where the interval is 0.
LEAST_PAUSE: Final = 0.1
LONGEST_BACKOFF: Final = 300.0
# Debian's cron: a change by less is made up for, by more it is a correction.
CORRECTION: Final = 3 * 3600.0
MOST_INTERRUPTED: Final = 3

_number: Final = re.compile(r"-?[0-9]{1,30}")
# Parts of a second and the zone stay as they are written.
_time: Final = re.compile(
    r"(?P<seconds>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?P<rest>(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)"
)


class Kind(StrEnum):
    """What a run reads: what is new, everything, or what is new and a while before."""

    INCREMENTAL = "incremental"
    PARTIAL = "partial"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Plan:
    """When a pipe is to run."""

    mode: Literal["scheduled", "manual", "off"] = "scheduled"
    interval: float = 900.0
    cron: Cron | None = None
    at_startup: bool = False
    at_startup_if_new: bool = False
    rescan_runs: int | None = None
    rescan_cron: Cron | None = None
    partial_runs: int | None = None
    made: str = ""
    """What the pipe is made of, where a change of that has all read again."""

    @property
    def times(self) -> str:
        """What the plan says of the wall clock: when that changes, times before the change are no longer owed."""
        return " / ".join(f"{cron.text} {cron.zone}" if cron else "-" for cron in (self.cron, self.rescan_cron))


class Record(NamedTuple):
    """What is on record of a pipe's runs. Times are wall times: of the last run, and since when no rescan is owed."""

    times: str = ""
    started: float | None = None
    ended: float | None = None
    kind: Kind = Kind.INCREMENTAL
    completed: bool = False
    failures: int = 0
    interrupted: int = 0
    since_full: int = 0
    since_partial: int = 0
    rescanned: float | None = None
    made: str = ""


class Seat(NamedTuple):
    """Where a pipe stands between two runs: due `at` a steady time; what expressions say up to `reference` is done."""

    at: float | None
    reference: float


class Due(NamedTuple):
    """When a pipe runs: in how many seconds (0 or less: now), and at which wall time for people to read."""

    seconds: float
    wall: float


def begun(record: Record, plan: Plan, kind: Kind, wall: float) -> Record:
    """A run begins."""
    interrupted = record.interrupted + 1 if is_open(record) else 0
    rescanned = record.rescanned
    # Of a time that a wrong clock has put into the future nothing is owed for long: it is counted from now on.
    if rescanned is None or rescanned > wall + CORRECTION:
        rescanned = wall
    made = plan.made if kind is Kind.FULL else record.made
    return record._replace(
        times=plan.times, started=wall, ended=None, kind=kind, interrupted=interrupted, rescanned=rescanned, made=made
    )


def ended(record: Record, wall: float, *, failed: bool) -> Record:
    """The run has come to its end; `failed` before it read all that it was to read."""
    record = record._replace(ended=wall, interrupted=0)
    if failed:
        made = "" if record.kind is Kind.FULL else record.made
        return record._replace(failures=record.failures + 1, made=made)
    record = record._replace(failures=0, completed=True)
    match record.kind:
        case Kind.FULL:
            return record._replace(since_full=0, since_partial=0, rescanned=record.started)
        case Kind.PARTIAL:
            return record._replace(since_full=record.since_full + 1, since_partial=0)
    return record._replace(since_full=record.since_full + 1, since_partial=record.since_partial + 1)


def is_open(record: Record) -> bool:
    """Whether a run began and did not end: it goes on, or was killed."""
    return record.started is not None and record.ended is None


def seat(
    plan: Plan, record: Record, now: Moment, chance: float, *, took: float | None = None, starting: bool = False
) -> Seat:
    """Where a pipe stands when a service finds it (`starting`), when its plan changes, or when a run has ended.

    `took` is how many seconds ago the last run began, where that was measured. `chance` is from 0 up to 1.
    """
    if plan.mode == "off":
        return Seat(None, now.wall)
    same = record.times == plan.times and record.started is not None
    reference = now.wall if not same or record.started is None else record.started
    if starting and (plan.at_startup or (plan.at_startup_if_new and not record.completed)):
        return Seat(now.steady, reference)
    if plan.mode == "manual":
        return Seat(None, reference)
    if is_open(record) and record.interrupted + 1 < MOST_INTERRUPTED:
        return Seat(now.steady, reference)
    if plan.cron is not None:
        return Seat(None, reference)
    if record.started is None:
        return Seat(now.steady, reference)
    elapsed = took if took is not None else max(0.0, now.wall - record.started)
    pause = _pause(plan.interval, record.failures) * (1 + JITTER * (2 * chance - 1))
    least = now.steady + (0.0 if took is None else LEAST_PAUSE)
    return Seat(max(least, now.steady - elapsed + pause), reference)


def _pause(interval: float, failures: int) -> float:
    """Between the starts of two runs, after so many failures in a row."""
    if not failures:
        return interval
    # Powers beyond this are longer than any backoff.
    return max(interval, min(max(interval, 1.0) * 2.0 ** min(failures, 10), LONGEST_BACKOFF))


def looked(place: Seat, now: Moment) -> Seat:
    """The seat after a look at the clock: one that was set back a good deal was wrong before."""
    return place._replace(reference=now.wall) if place.reference > now.wall + CORRECTION else place


def due(plan: Plan, place: Seat, now: Moment) -> Due | None:
    """When a pipe runs next; None if no clock says so."""
    times = [] if place.at is None else [place.at - now.steady]
    if plan.mode == "scheduled":
        crons = (plan.cron, plan.rescan_cron)
        walls = [cron.after(place.reference) for cron in crons if cron is not None]
        times += [wall - now.wall for wall in walls if wall is not None]
    if not times:
        return None
    seconds = min(times)
    return Due(seconds, now.wall + max(0.0, seconds))


def kind_of(plan: Plan, record: Record, wall: float, *, positioned: bool) -> Kind:
    """What a run that begins now reads. Without a position in the source it is everything."""
    if (
        not positioned
        or _changed(plan, record)
        or (plan.rescan_runs is not None and record.since_full + 1 >= plan.rescan_runs)
    ):
        return Kind.FULL
    if plan.rescan_cron is not None and record.rescanned is not None:
        owed = plan.rescan_cron.after(record.rescanned)
        if owed is not None and owed <= wall:
            return Kind.FULL
    if plan.partial_runs is not None and record.since_partial + 1 >= plan.partial_runs:
        return Kind.PARTIAL
    return Kind.INCREMENTAL


def _changed(plan: Plan, record: Record) -> bool:
    """Whether no run has read all since the pipe became what it is, where that counts."""
    unended = is_open(record) and record.kind is Kind.FULL
    return bool(plan.made) and (unended or plan.made != record.made)


def gone_back(since: str, delta: int) -> str | None:
    """A position that is `delta` seconds, or as many numbers, before another; None where it is neither time nor number.

    Who gets None reads everything: that is more than was asked for, and never less.
    """
    if _number.fullmatch(since):
        return str(int(since) - delta)
    mark = "~t" if since.startswith("~t") else ""
    found = _time.fullmatch(since.removeprefix(mark))
    if found is None:
        return None
    try:
        moved = datetime.fromisoformat(found["seconds"]) - timedelta(seconds=delta)
    except (ValueError, OverflowError):
        return None
    return f"{mark}{moved.isoformat(found['seconds'][10])}{found['rest']}"
