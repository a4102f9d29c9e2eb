"""A run: pipes of a project, one after the other, from their sources to a report. What `mailweir run` carries out."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailweir.flows import CannotRunError, Flow, PipeContext, flow_of, mail_sink, mail_systems, pipes_of
from mailweir.pipe_run import Around, PipeRun
from mailweir.serving.taps import Taps
from mailweir.systems_of import Systems, health_of
from mailweir.turns import BUSY, PATIENCE, turn
from mailweir.upstream import ends_of
from pipeline.clock import MachineClock
from pipeline.component import Running, Source, Wishes
from pipeline.durations import Durations
from pipeline.errors import SourceError
from pipeline.pipe import PipeConfig
from pipeline.receipt import Report
from pipeline.run import EVERYTHING, Wanted
from pipeline.state.facts import Batch, Recovered, Retention
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound
from systems.mail import CarrierConfig, MailSystem, Remembers, Trouble, gate_of

if TYPE_CHECKING:
    from pipeline.clock import Clock
    from pipeline.config.load import Loaded
    from pipeline.state.port import Look, State
    from pipeline.state.views import Usage

# Steps of 500 messages each: a fraction of a second.
MOST_TIDYING: Final = 20
# How many entities are counted before a run.
MOST_COUNTED: Final = 10_000
# How often pipes of a circle run before something must be wrong: each time, what has changed is less.
MOST_ROUNDS: Final = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be run: all pipes or those by name, and what of their sources.

    `since` reads a source again from there, `""` from its start. `source` stands in for that of the one pipe; if it is
    `shaped`, its entities have been through the transforms of the pipe before.
    """

    pipes: tuple[str, ...] = ()
    wanted: Wanted = EVERYTHING
    since: str | None = None
    wishes: Wishes = field(default_factory=Wishes)
    source: Source | None = None
    shaped: bool = False

    @property
    def uses_up(self) -> bool:
        """Whether the run is one as the pump means it: of all that the source has, for those that it is for.

        Who looks at mail before it is real, or keeps some back, must not use up what the next run is to send.
        """
        return self.is_real and self.source is None and self.wanted == EVERYTHING

    @property
    def is_real(self) -> bool:
        """Whether what is read goes to those that it is for: then it takes the place of what failed before.

        Entities that are shaped already may be older than what failed.
        """
        return self.wishes.to is None and not self.wishes.only_to and not self.shaped


@dataclass(slots=True)
class Done:
    """What came of a run. `fault` says why it stopped before its end."""

    name: str
    reports: list[Report] = field(default_factory=list)
    usage: Sequence[Usage] = ()
    troubles: dict[str, Trouble] = field(default_factory=dict)
    unread: dict[str, SourceError] = field(default_factory=dict)
    """The sources that could not go on, by pipe."""
    recovered: Recovered = field(default_factory=Recovered)
    durations: Durations = field(default_factory=Durations)
    """How long messages took, whoever they were for."""
    fault: str = ""
    stopped: bool = False
    declined: bool = False
    """Who was asked said no."""


class Run:
    """One run."""

    def __init__(
        self,
        loaded: Loaded,
        asked: Asked,
        *,
        systems: Systems | None = None,
        clock: Clock | None = None,
        serves: bool = False,
        tidies: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        """Nothing happens yet, but `CannotRunError` is raised here if it cannot.

        One that `serves` has the right to run its pipes, and leaves runs in which nothing happened out of the record.
        Others wait as long as their `patience` for another process to end its run. One that `tidies` removes some of
        what was settled long ago.
        """
        self.asked = asked
        self.pipes = pipes_of(loaded, asked.pipes)
        self._ends = ends_of(loaded.project.components)
        if asked.source is not None and len(self.pipes) > 1:
            raise CannotRunError("entities from elsewhere are for one pipe: name it")
        self.done = Done(secrets.token_hex(4))
        self.systems = systems or Systems(loaded)
        self._clock = clock or MachineClock()
        self._serves = serves
        self._tidies = tidies
        self._patience = patience
        self._running: Running | None = None
        self._taps = Taps(Path(self.systems.state))
        self._stopping = asyncio.Event()
        self._aborting = asyncio.Event()

    def stop(self) -> None:
        """Let what is on its way come home, and store the rest."""
        self._stopping.set()

    def abort(self) -> None:
        """Wait for no answer: what has none is in doubt."""
        self._stopping.set()
        self._aborting.set()

    async def go(
        self, tell: Callable[[Report], None] = lambda _: None, counted: Callable[[int], bool] | None = None
    ) -> Done:
        """Run the pipes. `StateError` and `NoSystemError` come before anything was sent.

        `tell` is called whenever there is news of a pipe; `counted` once, with the number of entities to mail, counted
        up to `MOST_COUNTED`: if it says no, nothing is done.
        """
        done = self.done
        folder = Path(self.systems.state)
        async with SqliteState.open(folder, self._clock, outbound.stranded) as state:
            running = self._running = Running(
                done.name,
                self.asked.wishes,
                state,
                random.random,
                self._stopping,
                self._aborting,
                self.asked.shaped,
                done.durations,
            )
            flows = [
                flow_of(pipe, PipeContext(self.systems, pipe.id, running), self.asked.source, shaped=self.asked.shaped)
                for pipe in self.pipes
            ]
            for flow in flows:
                refuse_position(flow.config, flow.source, self.asked)
            done.recovered = state.recovered
            mailing = [flow for flow in flows if mail_sink(flow.config) is not None]
            others = [flow for flow in flows if mail_sink(flow.config) is None]
            if not others and not await self._agreed(mailing, state, counted):
                return done
            async with self.systems:
                await self._recall(state)
                await self._until_settled(others, state, tell)
                if mailing and others and not done.fault and not await self._agreed(mailing, state, counted):
                    return done
                for flow in mailing:
                    if self._stopping.is_set() or done.fault:
                        break
                    await self._one(flow, state, tell)
                for name in mail_systems(self.pipes):
                    trouble = self.systems.system(name, MailSystem).trouble
                    if trouble is not None:
                        done.troubles[name] = trouble
                if not done.fault:
                    await self._learn(state)
            done.stopped = self._stopping.is_set()
            if not done.fault and self._tidies:
                await _tidy(state)
            done.usage = await state.usage(gates(self.systems, mail_systems(self.pipes)))
        return done

    def _remembering(self) -> Iterator[tuple[str, Remembers]]:
        for name in mail_systems(self.pipes):
            system = self.systems.system(name, MailSystem)
            if isinstance(system, Remembers):
                yield health_of(name), system

    async def _recall(self, state: State) -> None:
        """Tell mail systems what earlier runs learnt of their servers."""
        for prefix, system in self._remembering():
            notes = await state.notes(prefix)
            system.recall({name.removeprefix(prefix): text for name, text in notes.items()}, self._clock.wall())

    async def _learn(self, state: State) -> None:
        """Keep what they learnt."""
        for prefix, system in self._remembering():
            learnt = {prefix + name: text for name, text in system.learnt(self._clock.wall()).items()}
            before = await state.notes(prefix)
            changed = {name: text for name, text in learnt.items() if before.get(name, "") != text}
            if changed:
                await state.admit(Batch(notes=changed))

    async def _agreed(self, flows: Sequence[Flow], state: State, counted: Callable[[int], bool] | None) -> bool:
        """Whether whoever is asked says yes to so many mails."""
        done = self.done
        if counted is None or counted(await self._planned(flows, state)):
            return True
        done.stopped = self._stopping.is_set()
        done.declined = not done.stopped
        return False

    async def _until_settled(self, flows: Sequence[Flow], state: State, tell: Callable[[Report], None]) -> None:
        """Run what does not mail; again, if what it reads has changed since, as it does in a circle."""
        met: dict[str, Sequence[object]] = {}
        for _ in range(MOST_ROUNDS):
            changed = False
            for flow in flows:
                name, now = flow.config.id, self._inputs(flow)
                if met.get(name) == now or self._report(name).stopped or self._stopping.is_set() or self.done.fault:
                    continue
                changed, met[name] = True, now
                await self._one(flow, state, tell)
            if not changed or self.asked.wanted != EVERYTHING:
                return
        for flow in flows:
            report = self._report(flow.config.id)
            if not report.stopped and met[report.pipe] != self._inputs(flow):
                report.stopped = f"it has run {MOST_ROUNDS} times, and what it reads still changes"

    def _inputs(self, flow: Flow) -> Sequence[object]:
        """The latest change of each dataset that a pipe reads."""
        found = [self.systems.datasets.dataset(name) for name in self._ends[flow.config.id].reads]
        return [None if one is None else (one.number, one.last) for one in found]

    def _report(self, pipe: str) -> Report:
        """That of a pipe, which may run several times."""
        return next((report for report in self.done.reports if report.pipe == pipe), Report(pipe))

    async def _planned(self, flows: Sequence[Flow], state: State) -> int:
        """How many entities go to sinks that mail. What can be read only once is not counted."""
        count = 0
        for flow in flows:
            if mail_sink(flow.config) is not None and not getattr(flow.source, "once", False):
                # Asking a service may change something there, so it is not asked only to count.
                asks = any(getattr(one, "waits", False) for one in flow.transforms)
                counted = replace(flow, transforms=()) if asks else flow
                pipe_run = PipeRun(counted, Report(flow.config.id), self._around(flow, state))
                for portion in pipe_run.portions(await since_of(flow.config, self.asked, state)):
                    count += len(portion.entities)
                    if count >= MOST_COUNTED:
                        return MOST_COUNTED
        return count

    async def _one(self, flow: Flow, state: State, tell: Callable[[Report], None]) -> None:
        report = self._report(flow.config.id)
        again = report in self.done.reports
        if not again:
            self.done.reports.append(report)
        patience = None if self._serves else self._patience
        async with turn(Path(self.systems.state), report.pipe, patience, self._stopping) as ours:
            if not ours:
                if not self._stopping.is_set():
                    report.stopped = BUSY
                return
            # Only now: whoever ran it before has moved the position.
            since = await (state.offset(report.pipe) if again else since_of(flow.config, self.asked, state))
            await self._index(flow, state)
            await PipeRun(flow, report, self._around(flow, state)).go(since, tell)

    def _around(self, flow: Flow, state: State) -> Around:
        pipe = flow.config
        sink = mail_sink(pipe)
        return Around(
            state,
            self.asked,
            self.done,
            self._clock,
            self._stopping,
            self._taps,
            mails=sink is not None,
            serves=self._serves,
            ends=self._ends[pipe.id],
            # Then it may have left some of its source unread.
            troubled=lambda: sink is not None and self.systems.system(sink.system, MailSystem).trouble is not None,
            # A sink is for one reading.
            rebuilt=lambda: flow_of(
                pipe,
                PipeContext(self.systems, pipe.id, self._running),
                self.asked.source,
                shaped=self.asked.shaped,
            ),
            scrubbed=self.systems.scrubbed,
        )

    async def _index(self, flow: Flow, state: State) -> None:
        """Make the indexes that its parts look into; a dataset that does not exist yet has nothing to be found."""
        for part in (flow.source, *flow.transforms):
            for name, path in getattr(part, "lookups", ()):
                found = self.systems.datasets.dataset(name)
                if found is not None:
                    await state.datasets.prepare(name, found.pipe, [path])


def refuse_position(pipe: PipeConfig, source: Source, asked: Asked) -> None:
    """`CannotRunError` if a person names a position that the source does not know: it would read all, unasked."""
    knows = getattr(source, "knows", None)
    if asked.since and asked.source is None and knows is not None and not knows(asked.since):
        raise CannotRunError(
            f"--since: `{asked.since}` is no position in the source of `{pipe.id}`, which would read everything;"
            " with --since 0 it does (docs: sources, positions)"
        )


async def since_of(pipe: PipeConfig, asked: Asked, state: Look | None) -> str | None:
    """Where a pipe begins to read its source."""
    if asked.source is not None or asked.wanted.id is not None or pipe.disable_set_last_seen:
        return None
    if asked.since is not None:
        return asked.since or None
    return None if state is None else await state.offset(pipe.id)


async def _tidy(state: State) -> None:
    """Remove some of what was settled long enough ago; the next run goes on."""
    after: int | None = 0
    steps = iter(range(MOST_TIDYING))
    while after is not None and next(steps, None) is not None:
        after = (await state.tidy(Retention(), after)).next


def gates(systems: Systems, names: Iterable[str]) -> dict[str, int]:
    """The limit of each gate that these systems pass: systems of one `rate_group` share the smallest of theirs."""
    limits: dict[str, int] = {}
    every = systems.configs(CarrierConfig)
    for name in names:
        gate, limit = gate_of(systems.config(name, CarrierConfig), every)
        limits[gate] = limit
    return limits
