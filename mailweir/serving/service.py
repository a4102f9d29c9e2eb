"""A service: pipes that run when `pipeline.schedule` says so, and mail that goes when it is due, until it is stopped.

Each run is a `Run` as that of `mailweir run`, in a thread of its own. Several services may share a state: who has the
lock of a pipe runs it, and all go by what is on record of the last run.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from mailweir.flows import mail_sink
from mailweir.pumps import RECORDS, plan_of, receives, record_of
from mailweir.running import Asked, Run
from mailweir.serving.config import BadConfigError, Load, Served, load_of, served
from mailweir.serving.job import Ended, Job
from mailweir.serving.log import event
from mailweir.serving.needs import needs_of
from mailweir.serving.pauses import PAUSES, Pause, What, pauses_of
from mailweir.serving.presence import Presence, pump_lock
from mailweir.serving.pump import Pump, Rounds
from mailweir.serving.telling import of, pipe_facts, tell_run
from mailweir.serving.totals import Totals
from mailweir.shown import moment
from pipeline.schedule import looked, seat
from pipeline.state.facts import Moment
from pipeline.state.faults import StateError
from pipeline.state.sqlite.looking import SqliteLook
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound
from sources.empty import Empty

if TYPE_CHECKING:
    from pipeline.clock import Clock
    from pipeline.config.load import Loaded

# Between two looks at the clock, at what others have put on record, and at what waits in the outbox.
TICK: Final = 1.0
# Between two words of life where nothing else has changed.
BEAT: Final = 5.0
# Runs at a time: sources of most block, and more would only share the same processor.
MOST_AT_ONCE: Final = 8
# For those who wait for no answer any more.
ABORT_SECONDS: Final = 2.0
# After which a run ends to whose source messages never cease to come: others wait for its mail system, what failed for
# another try, and a configuration that was changed for the next run. That one goes on where it was.
TURN: Final = 60.0
TIDY_EVERY: Final = 3600.0
# Configurations that are remembered after another one is served.
MOST_LOADS: Final = 20
# A turn takes milliseconds; one that waits for the lock of another process, seconds.
HANGS: Final = 60.0


# `scheduler` runs pipes, `sender` sends what waits in the outbox, `web` answers HTTP.
Role = Literal["scheduler", "sender", "web"]
ROLES: Final[frozenset[Role]] = frozenset(get_args(Role))


@dataclass(slots=True)
class Options:
    """How a service is to be."""

    state: Path
    clock: Clock
    chance: Callable[[], float]
    drain: float = 30.0
    turn: float = TURN
    roles: frozenset[Role] = ROLES
    name: str = field(default_factory=lambda: secrets.token_hex(4))


class Service:
    """One service."""

    def __init__(self, load: Callable[[], Loaded], options: Options) -> None:
        """Load the configuration; `BadConfigError` if it cannot be served."""
        self.options = options
        self._clock = options.clock
        self._load = load
        self.config = served(load, self._clock.wall())
        self.loads: deque[Load] = deque([load_of(self.config)], MOST_LOADS)
        """The latest configurations that were served, the one that is served last."""
        self.url = ""
        """Where its pages are."""
        self.problem = ""
        """Why what is in the files now is not what is served."""
        self.totals = Totals()
        self.turned = self._clock.boot()
        """When it last looked after its pipes."""
        self.begun = asyncio.Event()
        """Set when it has looked after them for the first time."""
        self._pumps: dict[str, Pump] = {}
        self._leaving: list[Pump] = []
        self._rounds: dict[str, Rounds] = {}
        self._pauses: Mapping[tuple[What, str], Pause] = {}
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._reload = False
        self._beat = -BEAT
        self._said: Mapping[str, Any] = {}
        self._state_fault = ""
        self._tidied = self._clock.boot()
        self._started = self._clock.wall()

    def stop(self) -> None:
        """Begin nothing more, let what is on its way come home, and end."""
        self._stopping.set()
        self._wake.set()

    def reload(self) -> None:
        """Look at the configuration again."""
        self._reload = True
        self._wake.set()

    @property
    def pauses(self) -> Mapping[tuple[What, str], Pause]:
        """What a person has paused."""
        return self._pauses

    def ask(self, pipe: str) -> bool:
        """Run a pipe as soon as it can; once more if it runs. False if it is none that is served."""
        pump = self._pumps.get(pipe)
        if pump is None:
            return False
        pump.asked = True
        self._wake.set()
        return True

    def end(self, run: str) -> bool:
        """Let what a run has on its way come home, and store the rest; False if none of ours has this name."""
        for pump in self._all():
            if pump.job is not None and pump.job.run_name == run:
                pump.job.stop()
                return True
        return False

    def arrived(self, pipe: str) -> None:
        """There are new entities for a pipe that others hand them in for."""
        pump = self._pumps.get(pipe)
        if pump is not None and pump.plan.mode == "scheduled":
            self.ask(pipe)

    def mailed(self) -> None:
        """There is new mail in the outbox."""
        self._wake.set()

    @property
    def lives(self) -> bool:
        """Whether it looks after its pipes, or stops."""
        return self._clock.boot() - self.turned < HANGS or self._stopping.is_set()

    @property
    def stopping(self) -> asyncio.Event:
        """Set when it is to end."""
        return self._stopping

    async def go(self) -> int:
        """Serve until it is stopped; how many runs had not ended then. `StateError` if the state cannot be used."""
        SqliteState.open(self.options.state, self._clock, outbound.stranded).close()
        look = SqliteLook.open(self.options.state, self._clock)
        assert look is not None  # noqa: S101 - it was made above
        presence = Presence(self.options.state, self.options.name)
        try:
            async with look:
                self._adopt(self.config, await look.notes(RECORDS), starting=True)
                self._tell_start()
                while not self._stopping.is_set():
                    self._wake.clear()
                    await self._turn(look)
                    self.turned = self._clock.boot()
                    self.begun.set()
                    self._say(presence)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), self._pause())
                return await self._drain(presence)
        finally:
            presence.end()

    async def _turn(self, look: SqliteLook) -> None:
        """Do what is to be done now."""
        if self._reload:
            self._reload = False
            await self._reloaded(look)
        try:
            await self._refresh(look)
            for pump in self._in_order() if "scheduler" in self.options.roles else ():
                await self._run_if_due(pump, look)
            for system in self.config.systems if "sender" in self.options.roles else ():
                await self._deliver_if_due(system, look)
        except StateError as error:
            if str(error) != self._state_fault:
                event("state.failed", f"the state cannot be used: {error}", logging.ERROR)
            self._state_fault = str(error)
        else:
            if self._state_fault:
                event("state.usable", "the state can be used again")
            self._state_fault = ""

    async def _refresh(self, look: SqliteLook) -> None:
        """What others have put on record, and what came of runs."""
        records = await look.notes(RECORDS)
        self._pauses = pauses_of(await look.notes(PAUSES), self._clock.wall())
        now = self._now()
        for pump in [*self._pumps.values(), *self._leaving]:
            took = None
            if pump.job is not None:
                if not pump.job.ended.done():
                    listens = pump.config.source is not None and pump.config.source.listens
                    if listens and now.steady > pump.began.steady + self.options.turn:
                        pump.job.stop()
                    continue
                took = None if pump.delivers else now.steady - pump.began.steady
                self._finished(pump, pump.job, pump.job.ended.result())
            record = record_of(records.get(RECORDS + pump.config.id))
            if took is not None or record != pump.record:
                pump.record = record
                pump.seat = seat(pump.plan, record, now, self.options.chance(), took=took)
            pump.seat = looked(pump.seat, now)
        self._leaving = [pump for pump in self._leaving if pump.job is not None]

    def _in_order(self) -> list[Pump]:
        """Those that no job has, who is longest overdue first."""
        now = self._now()
        waiting = [pump for pump in self._pumps.values() if pump.job is None]
        return sorted(waiting, key=lambda pump: pump.seconds(now) if self._is_due(pump) else 0.0)

    async def _run_if_due(self, pump: Pump, look: SqliteLook) -> None:
        if not self._is_due(pump) or self._is_busy(pump.system) or self._pause_of(pump) is not None:
            return
        if not self._takes(pump):
            return
        # Another process may have run it before the lock was ours.
        record = record_of((await look.notes(RECORDS + pump.config.id)).get(RECORDS + pump.config.id))
        if record != pump.record:
            pump.record = record
            pump.seat = seat(pump.plan, record, self._now(), self.options.chance())
            if not self._is_due(pump):
                pump.let_go()
                return
        self._begin(pump, Asked((pump.config.id,)), delivers=False)

    async def _deliver_if_due(self, system: str, look: SqliteLook) -> None:
        """Send what waits in the outbox of a system, beside the runs of its pipes."""
        rounds = self._rounds.setdefault(system, Rounds())
        if self._clock.boot() < rounds.after or self._is_busy(system) or ("system", system) in self._pauses:
            return
        waiting = await look.due(system)
        if waiting is None or waiting[0] > 0:
            return
        mailing = [self._pumps[name] for name in self.config.systems[system]]
        # Its own pipe, or another one that mails through the same system.
        for pump in sorted(mailing, key=lambda pump: pump.config.id != waiting[1]):
            if pump.job is None and self._pause_of(pump) is None and self._takes(pump):
                self._begin(pump, Asked((pump.config.id,), source=Empty()), delivers=True)
                return

    def _takes(self, pump: Pump) -> bool:
        """Whether there is room for one more, and the pipe is ours to run."""
        if sum(one.job is not None for one in self._all()) >= MOST_AT_ONCE:
            return False
        pump.lock = pump_lock(self.options.state, pump.config.id)
        return pump.lock is not None

    def _begin(self, pump: Pump, asked: Asked, *, delivers: bool) -> None:
        now = self._now()
        tidies = now.steady >= self._tidied + TIDY_EVERY
        if tidies:
            self._tidied = now.steady
        make = partial(Run, self.config.loaded, asked, clock=self._clock, serves=True, tidies=tidies)
        job = Job(make, pump.config.id)
        pump.job, pump.began, pump.delivers = job, now, delivers
        pump.asked = pump.asked and delivers
        loop = asyncio.get_running_loop()
        job.ended.add_done_callback(lambda _: loop.call_soon_threadsafe(self._wake.set))
        event("run.started", "a run begins" if not delivers else "mail that waited goes", logging.DEBUG, **of(pump))
        job.start()

    def _finished(self, pump: Pump, job: Job, ended: Ended) -> None:
        pump.let_go()
        pump.job = None
        pump.fault = ended.fault
        done = ended.done
        if ended.crash is not None:
            frames = [f"{one.filename}:{one.lineno} {one.name}" for one in extract_tb(ended.crash.__traceback__)]
            event("run.crashed", ended.fault, logging.ERROR, **of(pump), frames=frames)
        elif ended.fault or done is None:
            event("run.failed", f"it could not run: {ended.fault}", logging.ERROR, **of(pump))
        else:
            for report in done.reports:
                tell_run(pump, job, report)
                self.totals.ended(report, pump.system, self._clock.wall())
            for name, trouble in done.troubles.items():
                event("system.trouble", trouble.told_of(name), logging.ERROR, system=name)
        if pump.system is not None:
            if done is not None:
                self.totals.took(done.durations, pump.system)
            rounds = self._rounds.setdefault(pump.system, Rounds())
            rounds.ended(ended, self._now(), TICK)

    async def _reloaded(self, look: SqliteLook) -> None:
        """Serve what is in the files now; if that cannot be served, go on as before and say so."""
        try:
            config = await asyncio.to_thread(served, self._load, self._clock.wall())
        except BadConfigError as error:
            text = str(error)
            if text != self.problem:
                event(
                    "config.bad",
                    f"the configuration that was served last goes on ({self.config.hash[:4]}…): {text}",
                    logging.ERROR,
                    hash=self.config.hash,
                )
            self.problem = text
            return
        changed = config.hash != self.config.hash or bool(self.problem)
        self.problem = ""
        self._adopt(config, await look.notes(RECORDS), starting=False)
        if changed:
            event(
                "config.loaded",
                f"configuration {config.hash[:4]}… with {len(config.pipes)} pipes is served from now on",
                hash=config.hash,
                pipes=sorted(config.pipes),
            )

    def _adopt(self, config: Served, records: Mapping[str, str], *, starting: bool) -> None:
        """Serve this from now on.

        A run that goes by something else now comes to its end early, which loses nothing, and begins anew.
        """
        now = self._now()
        before, self._pumps = self._pumps, {}
        then, needs = needs_of(self.config.loaded.project.components), needs_of(config.loaded.project.components)
        self.config = config
        if config.hash != self.loads[-1].hash:
            self.loads.append(load_of(config))
        self._rounds.clear()
        for name, pipe in config.pipes.items():
            plan, record = plan_of(pipe), record_of(records.get(RECORDS + name))
            old = before.pop(name, None)
            sink = mail_sink(pipe)
            if old is not None and old.plan == plan:
                place = old.seat
            else:
                place = seat(plan, record, now, self.options.chance(), starting=starting)
            pump = Pump(pipe, plan, record, place, None if sink is None else sink.system)
            if old is not None:
                pump.job, pump.lock, pump.began, pump.delivers = old.job, old.lock, old.began, old.delivers
                pump.asked, pump.outdated = old.asked, old.outdated
                if pump.job is not None and then.get(name) != needs.get(name):
                    pump.job.stop()
                    pump.outdated = True
                    pump.asked = pump.asked or not pump.delivers
            # What was handed in before it was killed may not have been read.
            pump.asked = pump.asked or (starting and receives(pipe) and plan.mode == "scheduled")
            self._pumps[name] = pump
        for pump in before.values():
            if pump.job is not None:
                pump.job.stop()
                self._leaving.append(pump)

    async def _drain(self, presence: Presence) -> int:
        """Let runs come to their end; who takes too long is not waited for."""
        running = [pump for pump in self._all() if pump.job is not None]
        event("serve.stopping", f"stopping{_ending(len(running))}", running=len(running))
        self._say(presence, anyway=True)
        await self._until_ended(Job.stop, self.options.drain)
        if any(pump.job is not None for pump in self._all()):
            await self._until_ended(Job.abort, ABORT_SECONDS)
        left = sum(pump.job is not None for pump in self._all())
        why = f"; {left} runs had not ended, the next start goes on with them" if left else ""
        event("serve.stopped", f"stopped{why}", logging.WARNING if left else logging.INFO, left=left)
        self._say(presence, anyway=True)
        return left

    async def _until_ended(self, ask: Callable[[Job], None], seconds: float) -> None:
        end = self._clock.boot() + seconds
        for pump in self._all():
            if pump.job is not None:
                ask(pump.job)
        while (left := end - self._clock.boot()) > 0:
            self._wake.clear()
            for pump in self._all():
                if pump.job is not None and pump.job.ended.done():
                    self._finished(pump, pump.job, pump.job.ended.result())
            if all(pump.job is None for pump in self._all()):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left)

    def _all(self) -> Iterator[Pump]:
        yield from self._pumps.values()
        yield from self._leaving

    def _now(self) -> Moment:
        return Moment(self._clock.boot(), self._clock.wall())

    def _is_busy(self, system: str | None) -> bool:
        """Whether a run mails through it: two would open twice as many connections as it may have."""
        return system is not None and any(pump.job is not None and pump.system == system for pump in self._all())

    def _pause_of(self, pump: Pump) -> Pause | None:
        found = self._pauses.get(("pipe", pump.config.id))
        return found or (self._pauses.get(("system", pump.system)) if pump.system else None)

    def _is_due(self, pump: Pump) -> bool:
        return pump.asked or pump.seconds(self._now()) <= 0

    def _pause(self) -> float:
        """Until the next look."""
        now = self._now()
        waiting = [pump.seconds(now) for pump in self._pumps.values() if pump.job is None]
        soon = min((seconds for seconds in waiting if seconds > 0), default=TICK)
        return max(0.01, min(TICK, soon))

    def _say(self, presence: Presence, *, anyway: bool = False) -> None:
        """Tell those who look how it is, when that has changed and now and then."""
        facts = self.facts()
        now = self._clock.boot()
        if anyway or facts != self._said or now >= self._beat + BEAT:
            self._said, self._beat = facts, now
            presence.say({**facts, "beat": self._clock.wall()})

    def facts(self) -> dict[str, Any]:
        """How it is, for those who look."""
        now = self._now()
        return {
            "name": self.options.name,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started": self._started,
            "profile": self.config.loaded.profile,
            "url": self.url,
            "config": {"hash": self.config.hash, "at": self.config.at, "problem": self.problem},
            "state": self._state_fault,
            "stopping": self._stopping.is_set(),
            "roles": sorted(self.options.roles),
            "pipes": {name: pipe_facts(pump, pump.seconds(now), now) for name, pump in sorted(self._pumps.items())},
        }

    def _tell_start(self) -> None:
        now = self._now()
        coming = {name: _next(pump.seconds(now), now.wall) for name, pump in self._pumps.items()}
        pipes = {name: None if at is None else moment(at) for name, at in coming.items()}
        event(
            "serve.started",
            f"serving {len(pipes)} pipes, configuration {self.config.hash[:4]}…",
            hash=self.config.hash,
            files=len(self.config.loaded.files),
            profile=self.config.loaded.profile,
            pid=os.getpid(),
            pipes=pipes,
        )


def _next(seconds: float, wall: float) -> float | None:
    return None if seconds == float("inf") else round(wall + max(0.0, seconds))


def _ending(runs: int) -> str:
    """What is waited for."""
    return {0: "", 1: ": 1 run comes to its end"}.get(runs, f": {runs} runs come to their end")
