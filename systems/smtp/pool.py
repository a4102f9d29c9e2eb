"""What to do with the connections: a plan, made anew whenever something changes. No I/O.

The shell keeps the sessions, calls `plan` when a message comes, a session changes or `look_again` is there, does what
the plan says, and changes the sessions accordingly. The rules, in the order in which they go:

1  A session that is worn, old, idle for too long, or at a server that is not listed is closed when it is idle.
2  Servers are tried in order. The first one whose circuit is closed is home: new sessions open there. When home has a
   session that is ready, sessions at servers behind it are closed as they become idle.
3  A server before home whose wait is over is probed by one session; if all connections are in use, one at a server
   behind it makes room.
4  A server that found its clients too many keeps no more sessions than its ceiling.
5  Waiting messages go to idle sessions, those at earlier servers and those just used first, then behind the message
   that a busy session sends.
6  Each message that is left opens a session, but the first session at a server opens alone: wrong passwords and dead
   servers are found out once, not once for each connection.

A session that is ready goes on whatever the circuit of its server says: that is about opening new ones.

A session counts against `connections` until the shell takes it off the list, so there are never more than that. All
times are of the clock of `health`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from systems.smtp.health import Ceiling, Circuit, State


class Standing(StrEnum):
    """What a session is doing."""

    OPENING = "opening"  # until it is ready for mail
    IDLE = "idle"
    BUSY = "busy"
    CLOSING = "closing"


@dataclass(slots=True)
class Session:
    """A connection as the shell keeps it.

    `messages` were handed in so far, `most` is the server's own limit for them, and `room` says of a busy session
    that one more message can ride behind the one that it sends.
    """

    number: int
    server: str
    standing: Standing
    opened_at: float
    idle_since: float = 0.0
    messages: int = 0
    room: bool = False
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server and what is known of its health."""

    name: str
    circuit: Circuit = field(default_factory=Circuit)
    ceiling: Ceiling = field(default_factory=Ceiling)


@dataclass(frozen=True, slots=True)
class Limits:
    """The properties of `system:smtp` of the same names."""

    connections: int
    messages_per_connection: int
    idle_timeout: float
    connection_max_age: float


class Why(StrEnum):
    """Why a session is closed."""

    WORN = "it has carried as many messages as it may"
    OLD = "it is too old"
    IDLE = "it was idle for too long"
    UNLISTED = "its server is no longer configured"
    HOME = "a server before its own works again"
    PROBE = "it makes room to try a server before its own"
    CROWDED = "its server has too many connections"


class Hold(StrEnum):
    """Why a message waits."""

    SYSTEM = "the system is out of order"
    SERVERS = "every server is out of order"
    FIRST = "one session finds out whether the server works"
    FULL = "all connections are in use"
    CROWDED = "the server takes no more connections now"


class Open(NamedTuple):
    """Open a session at a server."""

    server: str


class Assign(NamedTuple):
    """Give the next message to a session."""

    session: int


class Close(NamedTuple):
    """Say goodbye to an idle session."""

    session: int
    why: Why


Action = Open | Assign | Close


class Plan(NamedTuple):
    """What to do now, and when to look again although nothing changed.

    `held` messages neither go now nor have a session that opens for them: `hold` says why and `until` how long, None
    if that ends when a session changes.
    """

    actions: tuple[Action, ...]
    look_again: float | None = None
    held: int = 0
    hold: Hold | None = None
    until: float | None = None


_nowhere: Final = 1_000_000  # the rank of a server that is not listed


class _Planner:
    """The facts that the rules share."""

    def __init__(
        self, sessions: Iterable[Session], waiting: int, servers: Sequence[Server], limits: Limits, now: float
    ) -> None:
        self.waiting, self.servers, self.limits, self.now = waiting, servers, limits, now
        self.rank = {server.name: rank for rank, server in enumerate(servers)}
        self.states = [server.circuit.state(now) for server in servers]
        self.home = self.states.index(State.CLOSED) if State.CLOSED in self.states else None
        self.actions: list[Action] = []
        self.idle: list[Session] = []
        self.rides: list[Session] = []
        self.opening, self.ready, self.leaving = [0] * len(servers), [0] * len(servers), [0] * len(servers)
        self.total = self.closing = 0
        self.farthest = -1  # the rank of the last server that has a session that is ready
        self.busy = False
        for session in sessions:
            self._see(session)

    def _see(self, session: Session) -> None:
        self.total += 1
        rank = self.rank.get(session.server, _nowhere)
        counts = None
        if session.standing is Standing.OPENING:
            counts = self.opening
        elif session.standing is Standing.CLOSING:
            self.closing += 1
            counts = self.leaving
        else:
            if rank < _nowhere:
                self.farthest = max(self.farthest, rank)
            counts = self.ready
            if session.standing is Standing.IDLE:
                self.idle.append(session)
            else:
                self.busy = True
                if session.room and not self._spent(session):
                    self.rides.append(session)
        if rank < _nowhere:
            counts[rank] += 1

    def _spent(self, session: Session) -> Why | None:
        """Why a session takes no more messages, for reasons of its own."""
        limits = self.limits
        if session.server not in self.rank:
            return Why.UNLISTED
        if session.messages >= limits.messages_per_connection:
            return Why.WORN
        if session.most is not None and session.messages >= session.most:
            return Why.WORN
        return Why.OLD if self.now >= session.opened_at + limits.connection_max_age else None

    def close(self) -> None:
        """Rules 1, 2 and 4."""
        self.idle.sort(key=lambda session: session.idle_since)
        home = len(self.servers) if self.home is None or not self.ready[self.home] else self.home
        over = [self.ready[rank] + self.opening[rank] - self.room_at(rank) for rank in range(len(self.servers))]
        kept = []
        for session in self.idle:
            why = self._spent(session)
            rank = self.rank.get(session.server, _nowhere)
            if why is None and self.now >= session.idle_since + self.limits.idle_timeout:
                why = Why.IDLE
            elif why is None and rank > home:
                why = Why.HOME
            elif why is None and over[rank] > 0:
                why = Why.CROWDED
            if why is None:
                kept.append(session)
            else:
                self._goodbye(session, why)
                if rank < _nowhere:
                    over[rank] -= 1
        self.idle = kept
        self.rides = [one for one in self.rides if self.rank[one.server] <= home and over[self.rank[one.server]] <= 0]

    def _goodbye(self, session: Session, why: Why) -> None:
        self.actions.append(Close(session.number, why))
        self.closing += 1

    def room_at(self, rank: int) -> int:
        """How many sessions a server may have."""
        return self.servers[rank].ceiling.at(self.now, self.limits.connections)

    def due(self) -> list[int]:
        """The servers before home to probe that nobody probes yet, if there is work that a server before could do."""
        before = range(len(self.servers) if self.home is None else self.home)
        lesser = self.farthest if self.busy or self.waiting else -1
        unmet = self.waiting > len(self.idle) + len(self.rides)
        return [
            rank
            for rank in before
            if self.states[rank] is State.HALF_OPEN and not self.opening[rank] and (unmet or rank < lesser)
        ]

    def make_room(self, due: list[int]) -> None:
        """Rule 3, when all connections are in use."""
        if not due or self.total < self.limits.connections or self.closing:
            return
        behind = next((one for one in self.idle if self.rank[one.server] > due[0]), None)
        if behind is None:
            self.rides = [one for one in self.rides if self.rank[one.server] <= due[0]]
        else:
            self.idle.remove(behind)
            self._goodbye(behind, Why.PROBE)

    def assign(self) -> int:
        """Rule 5: how many messages are left."""
        self.idle.sort(key=lambda session: (self.rank[session.server], -session.idle_since))
        self.rides.sort(key=lambda session: self.rank[session.server])
        chosen = (self.idle + self.rides)[: self.waiting]
        self.actions += [Assign(session.number) for session in chosen]
        self.idle = self.idle[self.waiting :]
        return self.waiting - len(chosen)

    def open(self, due: list[int], left: int, alone: bool) -> int:
        """Rules 3 and 6: how many sessions open now, for `left` messages. `alone`: one at most, of all that open."""
        free = self.limits.connections - self.total
        if alone:
            free = min(free, 1 - sum(self.opening))
        chosen = [rank for rank in due if self._seats(rank) > 0][: max(0, free)]
        if self.home is not None:
            most = min(left - self.opening[self.home], free - len(chosen), self._seats(self.home))
            if not self.ready[self.home]:
                most = min(most, 1 - self.opening[self.home])
            chosen += [self.home] * most
        self.actions += [Open(self.servers[rank].name) for rank in chosen]
        self.total += len(chosen)
        return len(chosen)

    def _seats(self, rank: int) -> int:
        """How many more sessions a server may have; those that close are still there for it."""
        return self.room_at(rank) - self.opening[rank] - self.ready[rank] - self.leaving[rank]

    def hold(self, opening: int, alone: bool) -> tuple[Hold, float | None]:
        """Why messages are left although `opening` sessions open."""
        open_until = [
            server.circuit.until for server, state in zip(self.servers, self.states, strict=True) if state is State.OPEN
        ]
        if len(open_until) == len(self.servers) and not opening:
            return Hold.SERVERS, min(open_until, default=None)
        if opening and (alone or self.home is None or not self.ready[self.home]):
            return Hold.FIRST, None
        if self.total >= self.limits.connections:
            return Hold.FULL, None
        growths = [server.ceiling.grows_at(self.now) for server in self.servers]
        return Hold.CROWDED, min((at for at in growths if at is not None), default=None)

    def deadlines(self) -> Iterable[float]:
        """When a session that stays idle is closed, and when a server before home can be probed."""
        for session in self.idle:
            yield session.idle_since + self.limits.idle_timeout
            yield session.opened_at + self.limits.connection_max_age
        if self.waiting or self.busy:
            for rank in range(len(self.servers) if self.home is None else self.home):
                if self.states[rank] is State.OPEN:
                    yield self.servers[rank].circuit.until


def plan(
    sessions: Iterable[Session],
    waiting: int,
    servers: Sequence[Server],
    limits: Limits,
    now: float,
    system: Circuit | None = None,
) -> Plan:
    """What to do now. `system` is the health of what all servers share: while it is open, no session opens."""
    planner = _Planner(sessions, waiting, servers, limits, now)
    state = State.CLOSED if system is None else system.state(now)
    planner.close()
    due = [] if state is State.OPEN else planner.due()
    planner.make_room(due)
    left = planner.assign()
    opening = sum(planner.opening)
    held, hold, until = 0, None, None
    if state is not State.OPEN:
        opening += planner.open(due, left, alone=state is State.HALF_OPEN)
    if left > opening:
        held = left - opening
        if system is not None and state is State.OPEN:
            hold, until = Hold.SYSTEM, system.until
        else:
            hold, until = planner.hold(opening, alone=state is State.HALF_OPEN)
    times = [*planner.deadlines(), *(() if until is None else (until,))]
    return Plan(tuple(planner.actions), min(times, default=None), held, hold, until)
