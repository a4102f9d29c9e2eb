"""The run of one pipe: from its source through its transforms into its sink, with what its pump says about trouble."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from mailweir.empty_source import unless_empty
from mailweir.execution_log import log_of, run_told
from mailweir.failures import Again, Failures, rejected
from mailweir.pumps import RECORDS, beginning, elsewhere, record_of, record_text, tolerance_of
from pipeline.completeness import COMPLETENESS, counting, known_of, known_text, passed_on
from pipeline.errors import SourceError
from pipeline.failing import Streak
from pipeline.feed import FedSource, Feed, Pulled, UnwantedError, unless
from pipeline.receipt import Report, Tally
from pipeline.run import BATCH, EVERYTHING, FlowError, Portion, StoppedError, marked, portions, seldom
from pipeline.schedule import ended
from pipeline.state.facts import Batch, Execution
from pipeline.state.faults import StateError

if TYPE_CHECKING:
    from mailweir.flows import Flow
    from mailweir.running import Asked, Done
    from mailweir.serving.taps import Taps
    from mailweir.upstream import Ends
    from pipeline.clock import Clock
    from pipeline.schedule import Record
    from pipeline.state.failures import Stage
    from pipeline.state.port import State

NOTHING: Final[Mapping[str, str]] = {}
_log: Final = logging.getLogger("mailweir.run")

# For a source that tells others what is on record: the next run tells what it could not.
SETTLING: Final = 5.0


@dataclass(frozen=True, slots=True)
class Around:
    """What a run of pipes has for each of them.

    `mails`: the sink sends mail, and keeps what it refuses itself. One that `serves` leaves runs in which nothing
    happened out of the record. `ends` are the datasets that it reads and writes. `troubled` tells whether the mail
    system is out of order; `rebuilt` gives the flow anew. What is `scrubbed` has no secrets.
    """

    state: State
    asked: Asked
    done: Done
    clock: Clock
    stopping: asyncio.Event
    taps: Taps
    mails: bool
    serves: bool
    ends: Ends
    troubled: Callable[[], bool]
    rebuilt: Callable[[], Flow]
    scrubbed: Callable[[str], str]


class PipeRun:
    """One run of one pipe."""

    def __init__(self, flow: Flow, report: Report, around: Around) -> None:
        """The report counts what flows; it may have counted earlier runs too."""
        self._flow = flow
        self._pipe = flow.config
        self._report = report
        self._around = around
        self._failures: Failures | None = None
        self._moved = False
        self._first = True
        self._again: Stage | None = None
        self._fed: FedSource | None = None
        self._shaped: Feed[Portion] | None = None
        self._skipped: int | None = None

    async def go(self, since: str | None, tell: Callable[[Report], None]) -> None:
        """Run it from a position on; why it stopped before its end is in the report."""
        around, report = self._around, self._report
        state = around.state
        began, started = time.monotonic() - report.seconds, around.clock.wall()
        record = None
        if around.asked.uses_up:
            notes = await state.notes(RECORDS + report.pipe)
            before = record_of(notes.get(RECORDS + report.pipe))
            if around.asked.since is None:
                record, since = beginning(self._pipe, before, since, started)
            else:
                record = elsewhere(self._pipe, before, since, started).record
        await self._put_on_record(started, record)
        known = await state.notes(COMPLETENESS) if self._completes else {}
        tell(report)
        tolerance = tolerance_of(self._pipe)
        keeps, real = around.asked.uses_up, around.asked.is_real
        self._failures = failures = Failures(state, report.pipe, around.done.name, tolerance, keeps=keeps, real=real)

        def news() -> None:
            report.seconds = time.monotonic() - began
            tell(report)

        written = True
        try:
            await failures.recall()
            await self._through(since, failures, news)
        except StoppedError as error:
            # Of what it had taken it may have written nothing.
            report.stopped, written = str(error), False
        except StateError as error:
            report.stopped = around.done.fault = str(error)
        report.seconds = time.monotonic() - began
        if around.done.fault:
            return
        if written and not around.stopping.is_set():
            await failures.settle()
        if record is not None:
            record = ended(record, around.clock.wall(), failed=bool(report.stopped) or around.troubled())
        complete = {} if report.stopped or around.stopping.is_set() else self._complete(known)
        await self._put_on_record(started, record, around.clock.wall(), complete)
        await self._tell(started, record)

    @property
    def _completes(self) -> bool:
        """Whether somebody may ask how complete what it writes is."""
        return self._around.asked.uses_up and bool(self._around.ends.writes)

    def _complete(self, known: Mapping[str, str]) -> dict[str, str]:
        """The notes that say how complete its datasets are, after those that there were when it began."""
        if not self._completes:
            return {}
        pipe, ends = self._pipe, self._around.ends
        inputs = counting(ends.reads, pipe.include_completeness, pipe.exclude_completeness or ())
        knew = {name.removeprefix(COMPLETENESS): known_of(text) for name, text in known.items()}
        passed = passed_on(ends.writes, inputs, knew, int(self._around.clock.wall() * 1e9))
        return {COMPLETENESS + name: known_text(one) for name, one in passed.items()}

    def portions(self, since: str | None) -> Iterator[Portion]:
        """What flows, counted. Before the run goes it is only looked at."""
        failures, report, source = self._failures, self._report, self._flow.source
        # What is read in a thread may have begun.
        before = getattr(source, "skipped", 0) if self._skipped is None else self._skipped
        try:
            for portion in self._shaped or self._found(since):
                if self._around.stopping.is_set() and not self._around.mails:
                    return
                report.read += portion.read
                report.filtered += portion.filtered
                if failures is not None:
                    report.take_all(rejected(portion.failed))
                    failures.flowing(portion, self._again)
                    self._around.taps.show(report.pipe, "sink", portion.entities)
                if not self._around.asked.uses_up or self._pipe.disable_set_last_seen:
                    yield portion._replace(since=None)
                else:
                    self._moved = self._moved or portion.since is not None
                    yield portion
        except SourceError as error:
            # To the sink it is the end: what came before is delivered.
            report.stopped = str(error)
            self._around.done.unread[report.pipe] = error
        except FlowError as error:
            report.take_all(rejected(error.failed))
            many = failures.streak.length if failures is not None else len(error.failed)
            row = f"{many} entities in a row failed; the last is" if many > 1 else "entity"
            report.stopped = f"{row} `{error.entity_id}`: {error.text}"
        except StoppedError as error:
            report.stopped = str(error)
        except UnwantedError:
            return  # the run is to stop
        finally:
            self._first = False
            report.left_out += getattr(source, "skipped", 0) - before

    def _found(self, since: str | None) -> Iterator[Portion]:
        flow, asked, failures = self._flow, self._around.asked, self._failures
        tracks = getattr(flow.sink, "tracks", False)
        batch = self._pipe.batch_size or getattr(self._pipe.sink, "batch_size", None) or BATCH
        transforms = flow.transforms
        if self._asks:
            # They remember so many answers, for the case that one of a portion fails.
            batch, transforms = min(batch, BATCH), unless(self._around.stopping.is_set, transforms)
        streak = Streak(0) if failures is None else failures.streak
        source = self._fed or flow.source
        if failures is not None:
            source = self._around.taps.tapped(self._pipe.id, source)
        found = portions(source, transforms, since, asked.wanted, batch, tracks=tracks, streak=streak)
        if asked.source is None and asked.wanted == EVERYTHING:
            found = unless_empty(self._pipe, flow.source, found, since, lambda: getattr(flow.sink, "loses", ""))
        if tracks and asked.source is None and asked.wanted == EVERYTHING:
            found = marked(source, found, since, elsewhere=bool(asked.since))
        if (interval := self._pipe.checkpoint_interval) is not None and interval > 1:
            found = seldom(found, interval)
        if failures is None or not self._first:
            return found
        # What waits for another try goes first, so that a later version comes behind it; and it stops nothing.
        waiting = Again(lambda: failures.again("transform")), Again(lambda: failures.again("sink"))
        shaped = portions(waiting[0], transforms, None, batch=batch, tracks=tracks, streak=Streak(0))
        sunk = portions(waiting[1], (), None, batch=batch, tracks=tracks)
        return chain(self._trying("transform", shaped), self._trying("sink", sunk), found)

    def _trying(self, stage: Stage, found: Iterator[Portion]) -> Iterator[Portion]:
        """What is tried again, known as such as long as it flows."""
        self._again = stage
        yield from found
        self._again = None

    async def _through(self, since: str | None, failures: Failures, news: Callable[[], None]) -> None:
        """All that flows, and once more what could not be read, as often as the pump says."""
        report, unread, pump = self._report, self._around.done.unread, self._pipe.pump
        for attempt in range(pump.max_read_retries + 1):
            if attempt:
                await self._sleep(pump.read_retry_delay)
                if self._around.stopping.is_set():
                    return
                report.stopped = ""
                error = unread.pop(report.pipe)
                _log.info("the source is read again: %s", error, extra={"pipe": report.pipe})
                self._flow = self._around.rebuilt()
                since = await self._around.state.offset(report.pipe) if self._moved else since
            if getattr(self._flow.sink, "whole", False):
                since = None
            async with self._pulled(since) as flowing:
                async for group in self._flow.sink.write(flowing):
                    report.take_all(group)
                    news()
                    if isinstance(group, Tally):
                        failures.wrote()
                    elif not self._around.mails and failures.told(group):
                        await self._sleep(pump.write_retry_delay)
                    # A sink that waits for nothing lets no signal through.
                    await asyncio.sleep(0)
            if repeated := getattr(self._flow.sink, "repeated", ""):
                words = "the source of `%s` has `%s` more than once, with other values: each run writes all of them"
                _log.warning(words, report.pipe, repeated, extra={"pipe": report.pipe})
            if report.pipe not in unread or getattr(self._flow.source, "once", False):
                return

    @asynccontextmanager
    async def _pulled(self, since: str | None) -> AsyncIterator[Iterable[Portion]]:
        """What flows; what waits for others, be it the source or a transform, does so in a thread."""
        source, stopping = self._flow.source, self._around.stopping
        settles = getattr(source, "settles", False)
        self._skipped = getattr(source, "skipped", 0)
        if self._asks:
            self._shaped = shaped = Feed(self._found(since), ahead=False)
            try:
                yield Pulled(self.portions(since), lambda _: shaped.ready(), stopping)
            finally:
                self._shaped = None
                shaped.close()
                if settles:
                    await shaped.ended(SETTLING)
        elif getattr(source, "waits", False):
            self._fed = fed = FedSource(source)
            fed.begin(since)
            try:
                yield Pulled(self.portions(since), fed.ready, stopping)
            finally:
                self._fed = None
                fed.close()
                if settles:
                    await fed.closed(SETTLING)
        else:
            yield self.portions(since)

    @property
    def _asks(self) -> bool:
        """Whether a transform asks others."""
        return any(getattr(one, "waits", False) for one in self._flow.transforms)

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not longer than until the run is to stop."""
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._around.stopping.wait(), seconds)

    async def _tell(self, started: float, record: Record | None) -> None:
        """What came of it, for pipes that read the log of this one."""
        around, report = self._around, self._report
        happened = self._happened or self._pipe.pump.log_events_noop_runs
        if around.asked.uses_up and happened and log_of(report.pipe) in around.ends.writes:
            why = report.stopped or ("somebody ended it" if around.stopping.is_set() else "")
            ended = around.clock.wall()
            change = run_told(report, around.done.name, record, started, ended, around.scrubbed(why))
            await around.state.datasets.put(change)

    @property
    def _happened(self) -> bool:
        report = self._report
        return bool(report.read or report.total or report.earlier.total() or report.deleted or report.stopped)

    async def _put_on_record(
        self, started: float, record: Record | None, end: float | None = None, more: Mapping[str, str] = NOTHING
    ) -> None:
        """That it begins, or what came of it."""
        around, report = self._around, self._report
        happened = self._happened
        execution = None
        if not around.serves or (end is not None and (happened or self._pipe.pump.log_events_noop_runs)):
            summary = "" if end is None else report.summary()
            execution = Execution(around.done.name, report.pipe, started, end, summary)
        notes = dict(more) if record is None else {**more, RECORDS + report.pipe: record_text(record)}
        if execution is not None or notes:
            await around.state.admit(Batch(execution=execution, notes=notes))
