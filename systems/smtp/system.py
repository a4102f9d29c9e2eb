"""`system:smtp` at work: the sessions, their plan carried out, and the calls of `send` that they serve.

`pool.plan` decides what opens, closes and carries; here it is done. As long as every session is at the server that is
tried first, a session that has answered a message takes the next one without a plan: that is the hot path.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Self

from systems.mail import Answer, Answered, Message, Phase, Reason, Status, SystemFault, Trouble
from systems.smtp.parcel import Job, Parcel
from systems.smtp.pool import Assign, Close, Limits, Open, Plan, Standing, plan
from systems.smtp.pool import Session as Seat
from systems.smtp.route import Route
from systems.smtp.servers import Servers
from systems.smtp.session import Session

# Answers that wait to be fetched, beyond which no more messages are taken.
MOST_WAITING: Final = 1000
# RFC 5321 has 452 and 552 for a server whose disk is full: after so many in a row it is left in peace.
MOST_STORAGE_FAULTS: Final = 3
# Members of enumerations by names of their own, which are quicker to look up: they are needed for every message.
_accepted, _busy = Status.ACCEPTED, Standing.BUSY
_leave: Final = frozenset({Reason.CLOSING, Reason.DISCONNECTED})
_storage: Final = frozenset({452, 552})
# Seconds that messages on their way have when the work ends.
CLOSE_WITHIN: Final = 30.0
# When nobody waits for an answer any more there is only to say goodbye.
FAREWELL_WITHIN: Final = 2.0
# How finely deadlines are kept, in shares of the shortest, and in seconds at most and at least.
TICK_SHARE: Final = 10
LONGEST_TICK: Final = 0.5
SHORTEST_TICK: Final = 0.02


class SmtpSystem:
    """Mail servers behind the port for mail. Used on one event loop."""

    def __init__(self, name: str, routes: Sequence[Route], limits: Limits, jitter: Callable[[], float]) -> None:
        """`jitter` gives random numbers from 0 up to 1."""
        self.name = name
        self._routes = {route.endpoint.name: route for route in routes}
        self._servers = Servers(name, {one: route.mark for one, route in self._routes.items()}, jitter)
        self._limits = limits
        self._jobs: deque[Job] = deque()
        self._queue: deque[Parcel] = deque()  # what was taken and is in no session
        self._seats: dict[int, Seat] = {}
        self._sessions: dict[int, Session] = {}
        self._seat_of: dict[Session, Seat] = {}
        self._turned: dict[Session, None] = {}  # those that have read something and are to write
        self._next = 0
        self._steady = False  # every session is where it should be: no plan is needed to go on
        self._storage_faults = 0
        self._planned: asyncio.Handle | None = None
        self._look_again: asyncio.TimerHandle | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._closing = False
        self._empty = asyncio.Event()
        shortest = min(
            min(*route.timeouts.phases.values(), route.timeouts.connect, route.timeouts.message) for route in routes
        )
        self._tick_every = max(SHORTEST_TICK, min(LONGEST_TICK, shortest / TICK_SHARE))

    async def __aenter__(self) -> Self:
        """Connections are opened when there is mail."""
        self._loop = asyncio.get_running_loop()
        self._closing = False
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Say goodbye, and wait a while for what is on its way."""
        self._closing = True
        for job in self._jobs:
            job.stop()
        self._empty.clear()
        for session in list(self._sessions.values()):
            session.quit()
        if self._sessions:
            try:
                async with asyncio.timeout(CLOSE_WITHIN if self._jobs else FAREWELL_WITHIN):
                    await self._empty.wait()
            except TimeoutError:
                for session in list(self._sessions.values()):
                    session.abort(Reason.CANCELLED, "the work was ended before the server answered")
                await self._empty.wait()
        for handle in (self._planned, self._look_again, self._tick):
            if handle is not None:
                handle.cancel()
        self._planned = self._look_again = self._tick = None

    @property
    def trouble(self) -> Trouble | None:
        """Why no server can be used now, and for how many seconds none is tried."""
        return self._servers.trouble(self._loop.time())

    def learnt(self, wall: float) -> Mapping[str, str]:
        """The health of the servers."""
        return self._servers.learnt(self._loop.time(), wall)

    def recall(self, learnt: Mapping[str, str], wall: float) -> None:
        """What an earlier run learnt of the servers."""
        self._servers.recall(learnt, self._loop.time(), wall)

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Answer each message once, in groups and in any order.

        While no server can be used no message is taken: it ends when those taken are answered, and `trouble` says why.
        A caller that stops listening leaves what is on its way without a listener; nothing more is taken from it.
        """
        wake = asyncio.Event()
        job = Job(iter(messages), handing_over, wake.set)
        self._jobs.append(job)
        self._plan_soon()
        try:
            while True:
                if job.results:
                    results, job.results = job.results, []
                    if len(results) >= MOST_WAITING:
                        self._plan_soon()
                    yield results
                elif job.finished:
                    break
                else:
                    wake.clear()
                    await wake.wait()
            if job.error is not None:
                raise job.error
        finally:
            job.exhausted = True
            self._jobs.remove(job)
            self._queue = deque(parcel for parcel in self._queue if parcel.job is not job)

    # What a session tells.

    def connected(self, session: Session) -> None:
        """Whether it can carry mail is not known yet."""

    def ready(self, session: Session) -> None:
        """It can carry mail: its server works."""
        seat = self._seat_of[session]
        seat.standing = Standing.IDLE
        seat.idle_since = self._loop.time()
        seat.most = session.machine.capabilities.limits.mails
        self._servers.works(seat.server)
        self._plan_soon()

    def answered(self, session: Session, answered: Answered) -> None:
        """Tell the caller, or let those that were not tried go once more."""
        message, answers = answered[0], answered[1]  # by place: quicker than to unpack a named tuple
        parcel = session.carried.pop(id(message))
        if len(answers) == 1 and message is parcel.whole and answers[0].status is _accepted:
            session.accepted = True
            self._storage_faults = 0
            parcel.job.tell(answered)
            return
        for answer in answers:
            if answer.status is Status.NOT_TRIED:
                more = parcel.again(answers, counts=not session.unrecorded)
                if more and parcel.job.error is None and not self._closing:
                    self._queue.append(parcel)
                    self._plan_soon()
                    return
                break
        else:
            if parcel.settled is not None:
                parcel.again(answers)
        first = answers[0]
        if first.phase is Phase.MAIL and first.code in _storage:
            self._storage_faults += 1
        elif first.status is Status.ACCEPTED:
            session.accepted = True
            self._storage_faults = 0
        whole = answered if message is parcel.whole and parcel.settled is None else parcel.answered(answers)
        parcel.job.tell(whole)

    def turn(self, session: Session) -> None:
        """Write for all of them at once: one record serves them, and a server is woken once."""
        if not self._turned:
            # One turn of the loop later: those that can be read by then write along.
            self._loop.call_soon(self._loop.call_soon, self._end_turn)
        self._turned[session] = None

    def _end_turn(self) -> None:
        sessions, self._turned = self._turned, {}
        now = self._loop.time()
        ending: list[tuple[Session, list[Message]]] = []
        for session in sessions:
            room = session.machine.room()
            if room > 0:
                self._refill(session, room, now)
            dots = session.load()
            if dots:
                ending.append((session, dots))
        refused = self._put_on_record(ending)
        for session in sessions:
            if refused:
                session.fire(recorded=session not in refused)
            else:
                session.fire()
            if session.machine.has_more():
                session.flush()

    def _refill(self, session: Session, room: int, now: float) -> None:
        """Hand in more messages if that needs no thought, and let the plan think if not."""
        seat = self._seat_of[session]
        if not self._steady or self._storage_faults >= MOST_STORAGE_FAULTS:
            self._plan_soon()
            return
        limits = self._limits
        most = limits.messages_per_connection
        if seat.most is not None and seat.most < most:
            most = seat.most
        carries = False
        if now < seat.opened_at + limits.connection_max_age:
            while room > 0 and seat.messages < most:
                parcel = self._queue.popleft() if self._queue else self._draw()
                if parcel is None:
                    break
                if self._hand_in(session, seat, parcel, now):
                    carries = True
                room -= 1
        if not carries and not session.machine.in_flight:
            seat.standing = Standing.IDLE
            seat.idle_since = now
            self._plan_soon()

    def handing_over(self, session: Session, messages: Sequence[Message]) -> bool:
        """Ask the callers to put on record that these can be in doubt from now on."""
        return not self._put_on_record([(session, messages)])

    def _put_on_record(self, ending: Sequence[tuple[Session, Sequence[Message]]]) -> set[Session]:
        """Tell each caller which of its messages end now; the sessions of those that could not take it."""
        if not ending:
            return set()
        by_job: dict[Job, list[Message]] = {}
        for session, messages in ending:
            carried = session.carried
            for message in messages:
                parcel = carried[id(message)]
                if parcel.job in by_job:
                    by_job[parcel.job].append(parcel.whole)
                else:
                    by_job[parcel.job] = [parcel.whole]
        failed: set[Job] = set()
        jobs = list(by_job)
        if len(jobs) > 1 and all(job.handing_over == jobs[0].handing_over for job in jobs):
            # One record serves all calls of one caller. Should it fail, it shows one by one whose fault it is.
            with suppress(Exception):
                jobs[0].handing_over([whole for wholes in by_job.values() for whole in wholes])
                jobs = []
        for job in jobs:
            try:
                job.handing_over(by_job[job])
            except Exception as error:  # noqa: BLE001 - the caller's own: it gets it back
                job.fail(error)
                failed.add(job)
        if not failed:
            return set()
        return {session for session, dots in ending for one in dots if session.carried[id(one)].job in failed}

    def closed(self, session: Session, fault: SystemFault | None) -> None:
        """Learn from how it ended."""
        seat = self._seat_of[session]
        opening = seat.standing is Standing.OPENING
        seat.standing = Standing.CLOSING
        if fault is not None and not self._closing and fault.reason is not Reason.CANCELLED:
            self._learn(session, seat, fault, opening=opening)
        self._plan_soon()

    def gone(self, session: Session) -> None:
        """It counts no more."""
        number = self._seat_of.pop(session).number
        del self._seats[number], self._sessions[number]
        if not self._sessions:
            self._empty.set()
        self._plan_soon()

    # What happens then.

    def _learn(self, session: Session, seat: Seat, fault: SystemFault, *, opening: bool) -> None:
        now = self._loop.time()
        token = session.route.token
        if token is not None and fault.reason is Reason.LOGIN_REFUSED:
            token.forget()
        others = sum(
            one.standing in {Standing.IDLE, Standing.BUSY} for one in self._seats.values() if one.server == seat.server
        )
        if opening and self._servers.is_crowded(seat.server, fault, others, seat.opened_at, now):
            return
        if not opening and fault.reason in _leave and (session.accepted or fault.phase is Phase.IDLE):
            return  # servers end a connection after a time or a number of messages
        self._servers.fails(seat.server, fault, now)

    def _plan_soon(self) -> None:
        """Look at everything anew, once, when the present callbacks are done."""
        if self._planned is None:
            self._planned = self._loop.call_soon(self._replan)

    def _replan(self) -> None:
        self._planned = None
        if self._closing:
            return
        if self._storage_faults >= MOST_STORAGE_FAULTS:
            self._storage_faults = 0
            self._rest_full_servers()
        self._fill()
        now = self._loop.time()
        for number, seat in self._seats.items():
            machine = self._sessions[number].machine
            if seat.standing is Standing.BUSY:
                seat.room = machine.can_send
                if not machine.in_flight:
                    seat.standing, seat.idle_since = Standing.IDLE, now
        waiting = len(self._queue)
        decided = plan(self._seats.values(), waiting, self._servers.all, self._limits, now)
        self._carry_out(decided, now)
        self._steady = self._is_steady(now)
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None
        if decided.look_again is not None:
            self._look_again = self._loop.call_at(decided.look_again, self._plan_soon)
        if self._sessions and self._tick is None:
            self._tick = self._loop.call_later(self._tick_every, self._check)
        if decided.held and self.trouble is not None:
            self._give_up(decided.held)

    def _fill(self) -> None:
        """Take as many messages as there can be connections for, from each caller in turn."""
        while len(self._queue) < self._limits.connections:
            parcel = self._draw()
            if parcel is None:
                break
            self._queue.append(parcel)

    def _draw(self) -> Parcel | None:
        """The next message of the callers, in turns."""
        jobs = self._jobs
        for _ in range(len(jobs)):
            job = jobs[0]
            if len(jobs) > 1:
                jobs.rotate(-1)
            if len(job.results) < MOST_WAITING and not job.exhausted:
                message = job.take()
                if message is not None:
                    return Parcel(job, message)
        return None

    def _carry_out(self, decided: Plan, now: float) -> None:
        touched: dict[int, Session] = {}
        for action in decided.actions:
            if isinstance(action, Open):
                self._open(action.server, now)
            elif isinstance(action, Assign):
                session = touched[action.session] = self._sessions[action.session]
                self._hand_in(session, self._seats[action.session], self._queue.popleft(), now)
            elif isinstance(action, Close):
                self._seats[action.session].standing = Standing.CLOSING
                touched[action.session] = self._sessions[action.session]
                self._sessions[action.session].quit()
        for session in touched.values():
            session.flush()

    def _open(self, server: str, now: float) -> None:
        number, self._next = self._next, self._next + 1
        session = Session(self._routes[server], self)
        self._seats[number] = self._seat_of[session] = Seat(number, server, Standing.OPENING, now)
        self._sessions[number] = session
        session.open()

    def _hand_in(self, session: Session, seat: Seat, parcel: Parcel, now: float) -> bool:
        """Give a message to a session; whether it is on its way."""
        message, carried = parcel.message, session.carried
        if id(message) in carried:  # the same object twice: they must be told apart
            message = parcel.message = Message(*message)
        carried[id(message)] = parcel
        parcel.since = now
        seat.messages += 1
        seat.standing = _busy
        events = session.machine.send(message)
        if events:
            session.handle(events)
        return not events

    def _is_steady(self, now: float) -> bool:
        home = self._servers.steady(now)
        return home is not None and all(seat.server == home for seat in self._seats.values())

    def _rest_full_servers(self) -> None:
        text = "the server has no room for mail: three messages in a row were refused for it"
        now = self._loop.time()
        for seat in self._seats.values():
            if seat.standing in {Standing.IDLE, Standing.BUSY}:
                self._servers.fails(seat.server, SystemFault(Phase.MAIL, Reason.UNAVAILABLE, text), now)
                self._sessions[seat.number].quit()
                seat.standing = Standing.CLOSING

    def _give_up(self, held: int) -> None:
        """No server can be used: answer what was taken, and take no more."""
        trouble = self.trouble
        if trouble is None:
            return
        for job in self._jobs:
            job.stop()
        for _ in range(min(held, len(self._queue))):
            parcel = self._queue.pop()
            places = parcel.message.envelope.recipients
            fault = trouble.fault
            answers = tuple(
                Answer(one, Status.NOT_TRIED, Phase.BEFORE, trouble.server, fault.code, "", fault.text)
                for one in places
            )
            parcel.rounds = MOST_WAITING
            if parcel.settled is not None:
                parcel.again(answers)
            parcel.job.tell(parcel.answered(answers))

    def _check(self) -> None:
        """Keep the deadlines of all sessions."""
        self._tick = None
        now = self._loop.time()
        for session in list(self._sessions.values()):
            session.check(now)
        if self._sessions:
            self._tick = self._loop.call_later(self._tick_every, self._check)
