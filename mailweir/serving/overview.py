"""How a service and its pipes are, gathered from what is on record: lines for people, facts for programs. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

from mailweir.serving.pauses import Pause, What
from mailweir.shown import ago, moment, time_of
from pipeline.receipt import Outcome
from pipeline.schedule import Record
from pipeline.state.facts import Execution, MessageState, outcome_of
from pipeline.state.views import Usage

if TYPE_CHECKING:
    from mailweir.serving.presence import Found

# A service says so often that it lives; one that has not for longer hangs.
SILENT: Final = 30.0
# A pipe that has not begun so long after its time is late.
LATE: Final = 60.0
ALL_ROLES: Final = ("scheduler", "sender", "web")
_bad: Final = (Outcome.IN_DOUBT, Outcome.DEAD)


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it, as of a wall time. `pipes` are those of the configuration, with the mode of their pumps."""

    now: float
    services: Sequence[Found]
    pipes: Mapping[str, str]
    records: Mapping[str, Record] = field(default_factory=dict)
    latest: Mapping[str, Execution] = field(default_factory=dict)
    pauses: Mapping[tuple[What, str], Pause] = field(default_factory=dict)
    outbox: Mapping[MessageState, int] = field(default_factory=dict)
    failures: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    usage: Sequence[Usage] = ()
    waited: float | None = None
    """For how many seconds the message has waited that has waited longest."""

    @property
    def alive(self) -> list[Found]:
        """The services that run."""
        return [one for one in self.services if one.alive]

    def standing(self, pipe: str) -> Mapping[str, Any]:
        """What services that run say of a pipe; one that runs it just now before others."""
        told = [one.facts.get("pipes", {}).get(pipe) for one in self.alive]
        known = [one for one in told if isinstance(one, dict)]
        return next((one for one in known if one.get("running")), known[0] if known else {})

    def pause(self, pipe: str) -> Pause | None:
        """Why a pipe is not run."""
        system = self.standing(pipe).get("system")
        return self.pauses.get(("pipe", pipe)) or (self.pauses.get(("system", system)) if system else None)

    def late(self, pipe: str) -> float:
        """For how many seconds a pipe should have begun to run; 0 if it is in time, runs, or is paused."""
        standing = self.standing(pipe)
        due = standing.get("next")
        if due is None or standing.get("running") or self.pause(pipe) is not None:
            return 0.0
        return self.now - due if self.now - due > LATE else 0.0

    def words(self) -> dict[str, int]:
        """What is in the outbox, by word."""
        found: dict[str, int] = {}
        for state, many in self.outbox.items():
            word = outcome_of[state].value
            if state not in {MessageState.REJECTED, MessageState.DISCARDED}:
                found[word] = found.get(word, 0) + many
        return found

    def worries(self) -> list[str]:
        """What a person should look at."""
        told = [
            f"{word.value.replace('_', ' ')} mail: {many} (mailweir outbox list --state {word.value})"
            for word in _bad
            if (many := self.words().get(word.value, 0))
        ]
        for one in self.alive:
            config = one.facts.get("config", {})
            if self.now - float(one.facts.get("beat", 0)) > SILENT:
                told.append(f"the service {one.facts.get('pid')} has not been heard of for {self._since(one, 'beat')}")
            if one.facts.get("state"):
                told.append(f"the state cannot be used: {one.facts['state']}")
            if config.get("problem"):
                told.append(f"the files are not what is served: {config['problem']}")
        for pipe in self.pipes:
            standing = self.standing(pipe)
            record = self.records.get(pipe, Record())
            late = self.late(pipe)
            if late:
                told.append(f"{pipe} is late: it was due {ago(late)} ago")
            if record.failures:
                told.append(f"{pipe} failed {_times(record.failures)}")
            if standing.get("fault"):
                told.append(f"{pipe} could not run: {standing['fault']}")
            dead = self.failures.get(pipe, (0, 0))[1]
            if dead:
                told.append(f"{pipe} has {_counted(dead, 'dead letter')} (mailweir failed list --pipe {pipe})")
        return told

    def _since(self, one: Found, name: str) -> str:
        return ago(self.now - float(one.facts.get(name, self.now)))


def heads(overview: Overview, zone: tzinfo) -> list[str]:
    """A line for each service that runs."""
    lines = []
    for one in overview.alive:
        facts, config = one.facts, one.facts.get("config", {})
        loaded = time_of(float(config.get("at", 0)), overview.now, zone)
        state = "is stopping" if facts.get("stopping") else f"is up {ago(overview.now - float(facts['started']))}"
        roles = facts.get("roles", ALL_ROLES)
        only = f", {' and '.join(roles)} only" if len(roles) < len(ALL_ROLES) else ""
        lines.append(
            f"serve {state} on {facts.get('host')} (process {facts.get('pid')}{only})"
            f"   config {str(config.get('hash'))[:4]}… loaded {loaded}   profile {facts.get('profile')}"
        )
    return lines


def last_seen(overview: Overview, zone: tzinfo) -> str:
    """What is known of the service that ran last."""
    for one in overview.services:
        at = time_of(float(one.facts.get("beat", 0)), overview.now, zone)
        how = "stopped" if one.facts.get("stopping") else "did not stop by itself"
        return f"it was last heard of {at} and {how}"
    return "none ever ran here"


PIPES: Final = ("PIPE", "LAST RUN", "RESULT", "NEXT")


def pipe_row(overview: Overview, pipe: str, zone: tzinfo) -> tuple[str, str, str, str]:
    """A line of the table."""
    now, standing = overview.now, overview.standing(pipe)
    record, latest = overview.records.get(pipe, Record()), overview.latest.get(pipe)
    started = record.started if latest is None else max(latest.started, record.started or 0.0)
    last = "" if started is None else f"{time_of(started, now, zone)} ({ago(now - started)})"
    result = "" if latest is None else result_of(latest)
    if latest is not None and started is not None and started > latest.started:
        result = f"nothing new; before: {result}" if result else ""
    running = standing.get("running")
    if isinstance(running, dict):
        last, result = f"since {time_of(float(running['since']), now, zone)}", f"running: {running['read']:,} read"
    pause = overview.pause(pipe)
    if pause is not None:
        until = "" if pause.until is None else f" until {time_of(pause.until, now, zone)}"
        return pipe, f"paused by {pause.by} {ago(now - pause.at)}{until}", pause.reason, ""
    mode = overview.pipes[pipe]
    due = standing.get("next")
    if isinstance(running, dict):
        return pipe, last, result, ""
    coming = mode if mode != "scheduled" else "" if due is None else "now" if due <= now else time_of(due, now, zone)
    return pipe, last, result, coming


def result_of(run: Execution) -> str:
    """What came of a run, in words."""
    if run.ended is None:
        return "did not end"
    try:
        report = json.loads(run.report)
        words = {outcome.value: int(report.get(outcome.value, 0)) for outcome in Outcome}
        for word, many in (report.get("earlier") or {}).items():
            words[word] = words.get(word, 0) + int(many)
    except (TypeError, ValueError, AttributeError):
        return ""
    told = [f"{many:,} {word.replace('_', ' ')}" for word, many in words.items() if many]
    if report.get("stopped"):
        told.append(f"stopped: {report['stopped']}")
    return ", ".join(told) or f"{report.get('read', 0):,} read"


def tail(overview: Overview) -> list[str]:
    """The outbox and the windows."""
    words = ", ".join(f"{many:,} {word.replace('_', ' ')}" for word, many in overview.words().items() if many)
    lines = [f"Outbox {words or 'empty'}"]
    lines += [f"{one.gate} {one.used:,} of {one.limit:,} in the last hour" for one in overview.usage]
    waits = sum(waiting for waiting, _ in overview.failures.values())
    return [*lines, f"{_counted(waits, 'entity', 'entities')} wait for another try"] if waits else lines


def facts(overview: Overview) -> dict[str, Any]:
    """For programs."""
    return {
        "services": [
            {
                "pid": one.facts.get("pid"),
                "host": one.facts.get("host"),
                "profile": one.facts.get("profile"),
                "url": one.facts.get("url") or None,
                "started_at": moment(float(one.facts.get("started", 0))),
                "heard_at": moment(float(one.facts.get("beat", 0))),
                "config": {**(config := one.facts.get("config", {})), "at": moment(float(config.get("at", 0)))},
                "stopping": bool(one.facts.get("stopping")),
            }
            for one in overview.alive
        ],
        "pipes": [_pipe_facts(overview, pipe) for pipe in overview.pipes],
        "paused_systems": [
            {"system": id_, **_pause_facts(pause)} for (what, id_), pause in overview.pauses.items() if what == "system"
        ],
        "outbox": overview.words(),
        "window": [
            {
                "system": one.gate,
                "used": one.used,
                "limit": one.limit,
                "next_free_at": None if one.free_at is None else moment(one.free_at),
            }
            for one in overview.usage
        ],
        "worries": overview.worries(),
    }


def _pipe_facts(overview: Overview, pipe: str) -> dict[str, Any]:
    standing, record = overview.standing(pipe), overview.records.get(pipe, Record())
    latest, pause = overview.latest.get(pipe), overview.pause(pipe)
    waiting, dead = overview.failures.get(pipe, (0, 0))
    due, running = standing.get("next"), standing.get("running")
    return {
        "id": pipe,
        "mode": overview.pipes[pipe],
        "last_run_at": None if record.started is None else moment(record.started),
        "failures_in_a_row": record.failures,
        "last_result": None if latest is None else {"run": latest.run, "result": result_of(latest)},
        "running": {**running, "since": moment(float(running["since"]))} if isinstance(running, dict) else None,
        "next_run_at": None if due is None or pause is not None else moment(due),
        "paused": None if pause is None else _pause_facts(pause),
        "entities_waiting": waiting,
        "dead_letters": dead,
    }


def _pause_facts(pause: Pause) -> dict[str, Any]:
    return {
        "by": pause.by,
        "at": moment(pause.at),
        "reason": pause.reason,
        "until": None if pause.until is None else moment(pause.until),
    }


def _counted(number: int, noun: str, nouns: str = "") -> str:
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times in a row"
