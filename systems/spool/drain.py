"""Handing queued messages to the system behind. What to do is decided by `policy`; this carries it out.

The messages are taken on the event loop, as the system behind asks for them. That a message is handed over is
written before the call returns in which the system says so. What was answered is written on a thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from systems.disk import FolderError, reason
from systems.mail import Answered, MailSystem, Message, Status
from systems.spool import record
from systems.spool.entry import BusyError, Entry
from systems.spool.gate import Gate
from systems.spool.lines import Event, RecordError
from systems.spool.policy import (
    MOST_DOUBTS,
    Bury,
    Doubt,
    Finish,
    Keep,
    Policy,
    Send,
    Step,
    Wait,
    decide,
    due_in_doubt,
    longest_wait,
    why_dead,
)
from systems.spool.record import Standing
from systems.spool.round import Round, outgoing, what_was_said
from systems.spool.store import Store
from systems.window import Full, Permit

_log = logging.getLogger("mailweir.spool")

_gone = frozenset({Status.ACCEPTED, Status.IN_DOUBT})


class Held:
    """A message of the queue that is locked here. It may be on several ways: one for each recipient (VERP).

    The event loop sends it on its ways, a thread writes how they end; whoever is told so lets go of it.
    """

    def __init__(self, entry: Entry) -> None:
        """It is on no way yet, and goes on more."""
        self.entry = entry
        self._ways = 0
        self._more = True
        self._lock = Lock()

    def begin(self) -> None:
        """It goes on one more way."""
        with self._lock:
            self._ways += 1

    def end(self) -> bool:
        """A way has ended; whether it was the last one."""
        with self._lock:
            self._ways -= 1
            return not (self._ways or self._more)

    def no_more(self) -> bool:
        """It goes on no more ways; whether all of them have ended. To be said once."""
        with self._lock:
            self._more = False
            return not self._ways


@dataclass(slots=True)
class Flight:
    """A message on its way to some recipients of a queued one. `counted`: the limit has it on record."""

    held: Held
    places: tuple[int, ...]
    permit: Permit
    counted: bool = False
    handed: bool = False


class Drain:
    """Works on one queue. From `open` to `close` no other process does."""

    def __init__(
        self,
        store: Store,
        target: MailSystem,
        policy: Policy,
        gate: Callable[[], Gate],
        now: Callable[[], int],
        jitter: Callable[[], float],
        *,
        count_by: Literal["message", "recipient"] = "message",
        verp: bool = False,
        xverp: bool = False,
    ) -> None:
        """`now` gives nanoseconds since 1970, `jitter` random numbers from 0 up to 1, `gate` what has been let out."""
        self._store = store
        self._target = target
        self._policy = policy
        self._open_gate = gate
        self._nanoseconds = now
        self._jitter = jitter
        self._count_by = count_by
        self._verp = verp
        self._xverp = xverp
        self._flights: dict[str, Flight] = {}
        self._keys: set[str] = set()
        self._told: set[str] = set()
        self._right = -1

    @property
    def is_open(self) -> bool:
        """Whether the queue is worked on here."""
        return self._right >= 0

    def open(self) -> None:
        """Take the right to hand messages on; HeldError if another process has it."""
        self._right = self._store.draining()
        try:
            self._gate = self._open_gate()
            self._store.sweep(self._nanoseconds())
        except BaseException:
            self._let_go()
            raise

    def close(self) -> None:
        """Leave it to others."""
        if self.is_open:
            self._gate.close()
            self._let_go()

    def _let_go(self) -> None:
        os.close(self._right)
        self._right = -1

    def free_in(self) -> float | None:
        """In how many seconds the limit has room; None if it never has."""
        found = self._gate.take(1)
        if isinstance(found, Full):
            return self._gate.free_at(found)
        self._gate.settle(found, 0, 0)
        return 0.0

    async def all_due(self, going: Callable[[], bool] = lambda: True) -> Round:
        """Rounds until nothing is due, or nothing can go now."""
        total = Round()
        while going():
            found = await self.round(going)
            total.add(found)
            if found.blocked or not found.progress:
                break
        return total

    async def round(self, going: Callable[[], bool] = lambda: True) -> Round:
        """Hand on what is due, as long as it is `going`. What was handed over is answered then, or in doubt."""
        found = Round()
        names = await asyncio.to_thread(self._store.due, self._now(), longest_wait(self._policy))
        messages = self._messages(names, found, going)
        groups = self._target.send(messages, self._handing_over)
        try:
            async for group in groups:
                await self._settle(group, found)
        except OSError as error:
            self._refused(error, found)
        finally:
            if isinstance(groups, AsyncGenerator):
                await groups.aclose()
            messages.close()
            self._abandon()
        found.trouble = self._target.trouble
        return found

    def _now(self) -> int:
        return self._nanoseconds() // 1_000_000

    # What goes out.

    def _messages(self, names: Sequence[str], found: Round, going: Callable[[], bool]) -> Generator[Message]:
        for name in names:
            if found.full or found.refusal or not going():
                return
            try:
                taken = self._take(name, found)
                if taken is not None:
                    yield from self._parts(*taken, found)
            except OSError as error:
                self._refused(error, found)

    def _take(self, name: str, found: Round) -> tuple[Entry, tuple[int, ...], bytes] | None:
        """A message that goes out now, locked. With another one is done what is to be done."""
        try:
            entry = self._store.entry(name)
        except (FileNotFoundError, BusyError):
            return None
        except (FolderError, RecordError) as error:
            self._damaged(name, error, found)
            return None
        kept = False
        try:
            step = self._next(entry)
            found.did(step)
            # Two messages with one key cannot be told apart on their way.
            if isinstance(step, Send) and entry.queued.key not in self._keys:
                content = self._store.content(entry.queued, name)
                kept = True
                return entry, step.places, content
        except RecordError as error:
            self._damaged(name, error, found)
        finally:
            if not kept:
                entry.close()
        return None

    def _parts(self, entry: Entry, places: tuple[int, ...], content: bytes, found: Round) -> Generator[Message]:
        """The messages that a queued one goes out as, each with leave to go."""
        held = Held(entry)
        self._keys.add(entry.queued.key)
        parts = [*outgoing(entry.queued, content, places, verp=self._verp, xverp=self._xverp)]
        try:
            while parts:
                message, whom = parts[0]
                permit = self._gate.take(len(whom) if self._count_by == "recipient" else 1)
                if isinstance(permit, Full):
                    found.full = permit
                    break
                held.begin()
                self._flights[message.key] = Flight(held, whom, permit)
                del parts[0]
                if not parts:
                    held.no_more()
                yield message
        finally:
            if parts and held.no_more():
                found.did(self._let_go_of(entry))

    def _handing_over(self, messages: Sequence[Message]) -> None:
        """Put on record that these may be taken from now on. What cannot be put on record does not go."""
        flights = [self._flights[message.key] for message in messages]
        new = [flight for flight in flights if not flight.counted]
        if new:
            self._gate.hand(sum(flight.permit.places for flight in new))
        for flight in new:
            flight.counted = True
        for flight in flights:
            if not flight.handed:
                self._warn(flight)
                flight.held.entry.hand(record.handed(flight.places, self._now()))
                flight.handed = True

    def _warn(self, flight: Flight) -> None:
        """Nothing is silently sent twice."""
        queued = flight.held.entry.queued
        people = [queued.recipients[place] for place in flight.places]
        doubts = max((one.doubts for one in people if one.standing is Standing.IN_DOUBT), default=0)
        if doubts:
            _log.warning("%s: in doubt, sent again (%d of %d)", queued.key, doubts, MOST_DOUBTS)

    # What comes back.

    async def _settle(self, group: Sequence[Answered], found: Round) -> None:
        events: list[tuple[Held, Event | None]] = []
        now = self._now()
        for said in group:
            flight = self._flights.pop(said.message.key)
            statuses = [answer.status for answer in said.answers]
            found.answers.update(statuses)
            gone = sum(status in _gone for status in statuses)
            self._count(flight, gone if self._count_by == "recipient" else min(1, gone))
            event = None
            # Through an outage of days a record would grow by what says nothing of the message.
            if flight.handed or {*statuses} != {Status.NOT_TRIED}:
                queued = flight.held.entry.queued
                event = what_was_said(queued, said, flight.places, self._policy, now, self._jitter())
            events.append((flight.held, event))
            if Status.IN_DOUBT in statuses:
                _log.warning("%s: handed over, and no answer came: in doubt", said.message.key)
        steps, errors = await asyncio.to_thread(self._write, events)
        for step in steps:
            found.did(step)
        for error in errors:
            self._refused(error, found)

    def _write(self, events: Sequence[tuple[Held, Event | None]]) -> tuple[list[Step], list[OSError]]:
        """Put answers on record, each whatever becomes of the others, and let go of messages that are on no way."""
        steps: list[Step] = []
        errors: list[OSError] = []
        for held, event in events:
            try:
                if event and (error := held.entry.settle(event)):
                    errors.append(error)
            except OSError as error:
                errors.append(error)
            if held.end():
                try:
                    steps.append(self._let_go_of(held.entry))
                except OSError as error:
                    errors.append(error)
        return steps, errors

    def _abandon(self) -> None:
        """What is still on its way has nobody who hears the answer."""
        flights, self._flights = self._flights, {}
        for flight in flights.values():
            self._count(flight, flight.permit.places if flight.handed else 0)
            # What cannot be written now is seen by the next process that opens the record.
            with suppress(OSError):
                if flight.handed:
                    self._doubt(flight.held.entry, flight.places)
            with suppress(OSError):
                if flight.held.end():
                    self._let_go_of(flight.held.entry)

    def _count(self, flight: Flight, gone: int) -> None:
        # What the limit has on record and is not settled there counts for longer; nothing is lost with it.
        with suppress(OSError):
            self._gate.settle(flight.permit, gone, flight.permit.places if flight.counted else 0)

    # What is done with a message.

    def _let_go_of(self, entry: Entry) -> Step:
        try:
            return self._next(entry)
        finally:
            self._keys.discard(entry.queued.key)
            entry.close()

    def _next(self, entry: Entry) -> Step:
        """The next step of a message; it is done, unless it is to be sent."""
        now = self._now()
        step = decide(entry.queued, self._policy, now)
        if isinstance(step, Doubt):
            self._doubt(entry, step.places)
            step = decide(entry.queued, self._policy, now)
        match step:
            case Wait(until):
                entry.hint(until)
            case Keep():
                entry.hint(None)
            case Bury():
                everybody = entry.queued.recipients
                reasons = {one.address: why_dead(one) for one in everybody if one.standing is not Standing.ACCEPTED}
                self._store.bury(entry, reasons, now)
                _log.warning("%s: dead: %s", entry.queued.key, "; ".join(dict.fromkeys(reasons.values())))
            case Finish():
                self._store.finish(entry)
            case _:
                pass
        return step

    def _doubt(self, entry: Entry, places: tuple[int, ...]) -> None:
        """Put on record that nobody will hear whether these were taken."""
        now = self._now()
        doubts = max(entry.queued.recipients[place].doubts for place in places) + 1
        entry.settle(record.doubted(places, due_in_doubt(doubts, now, self._jitter()), now))
        _log.warning("%s: handed over, and nobody heard the answer: in doubt", entry.queued.key)

    def _damaged(self, name: str, error: Exception, found: Round) -> None:
        found.damaged += 1
        if name not in self._told:
            self._told.add(name)
            why = error.why if isinstance(error, FolderError) else str(error)
            _log.error("%s is not sent: %s", name, why)

    def _refused(self, error: OSError, found: Round) -> None:
        if not found.refusal:
            _log.error("nothing more is sent: this machine refuses: %s", reason(error))
        found.refusal = reason(error)
