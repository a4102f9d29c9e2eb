"""The plan at work: a shell that does what it says, with servers that fail, refuse and come back."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from systems.smtp.health import Cause, Ceiling, Circuit
from systems.smtp.pool import Assign, Close, Limits, Open, Plan, Server, Session, Standing, plan

HOUR = 3600.0


@dataclass
class Peer:
    """A mail server: when it is away, how many connections it takes, until when it refuses the password."""

    name: str
    outages: list[tuple[float, float]] = field(default_factory=list)
    most: int = 1000
    refuses_until: float = 0.0
    asked: list[float] = field(default_factory=list)
    refused: int = 0
    circuit: Circuit = field(default_factory=Circuit)
    ceiling: Ceiling = field(default_factory=Ceiling)

    def away(self, now: float) -> bool:
        """Whether it does not answer."""
        return any(start <= now < end for start, end in self.outages)


@dataclass
class Shell:
    """What the real one does, with events in place of sockets."""

    peers: list[Peer]
    limits: Limits
    random: Random
    now: float = 0.0
    waiting: int = 0
    sent: int = 0
    sessions: dict[int, Session] = field(default_factory=dict)
    load: dict[int, int] = field(default_factory=dict)
    events: list[tuple[float, int, str, int]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    steps: int = 0

    def later(self, seconds: float, what: str, about: int) -> None:
        """Something will happen."""
        heapq.heappush(self.events, (self.now + seconds, next(self.numbers), what, about))

    def peer(self, name: str) -> Peer:
        """A server by name."""
        return next(peer for peer in self.peers if peer.name == name)

    def planned(self) -> Plan:
        """The plan of this moment."""
        servers = [Server(peer.name, peer.circuit, peer.ceiling) for peer in self.peers]
        decided = plan(self.sessions.values(), self.waiting, servers, self.limits, self.now)
        assert decided.look_again is None or decided.look_again > self.now
        return decided

    def do(self, decided: Plan) -> None:
        """Follow a plan."""
        for action in decided.actions:
            match action:
                case Open(server):
                    number = next(self.numbers)
                    self.sessions[number] = Session(number, server, Standing.OPENING, self.now)
                    self.later(self.random.uniform(0.01, 2), "opened", number)
                case Assign(number):
                    self.assign(self.sessions[number])
                case Close(number, _):
                    self.sessions[number].standing = Standing.CLOSING
                    self.later(0.05, "closed", number)
        assert len(self.sessions) <= self.limits.connections

    def assign(self, session: Session) -> None:
        """A message begins, or rides behind the one that is sent."""
        self.waiting -= 1
        session.messages += 1
        assert session.messages <= self.limits.messages_per_connection
        assert self.now < session.opened_at + self.limits.connection_max_age
        if session.standing is Standing.IDLE:
            self.later(self.random.uniform(0.01, 3), "answered", session.number)
        session.standing = Standing.BUSY
        self.load[session.number] = self.load.get(session.number, 0) + 1
        session.room = self.load[session.number] < 2

    def happen(self, what: str, number: int) -> None:
        """One event."""
        if what == "comes":
            self.waiting += number
        elif what == "closed":
            del self.sessions[number]
        elif what == "opened":
            self.opened(self.sessions[number])
        else:
            self.answered(self.sessions[number])

    def opened(self, session: Session) -> None:
        """A session is ready, or the server is away, full, or refuses the password."""
        peer = self.peer(session.server)
        there = sum(one.server == session.server for one in self.sessions.values())
        peer.asked.append(self.now)
        if peer.away(self.now) or there == 1 > peer.most:
            peer.circuit = peer.circuit.failed(Cause.NETWORK, self.now, self.random.random())
        elif there > peer.most:
            peer.ceiling = peer.ceiling.crowded(there, session.opened_at, self.now)
        elif self.now < peer.refuses_until:
            peer.circuit = peer.circuit.failed(Cause.LOGIN, self.now, self.random.random())
        else:
            peer.circuit = peer.circuit.worked()
            session.standing, session.idle_since = Standing.IDLE, self.now
            return
        peer.refused += 1
        del self.sessions[session.number]

    def answered(self, session: Session) -> None:
        """A message is accepted, or the connection is lost and its messages wait again."""
        peer = self.peer(session.server)
        load = self.load.pop(session.number)
        if peer.away(self.now):
            peer.circuit = peer.circuit.failed(Cause.NETWORK, self.now, self.random.random())
            self.waiting += load
            del self.sessions[session.number]
            return
        self.sent += 1
        session.room = True
        if load > 1:
            self.load[session.number] = load - 1
            self.later(self.random.uniform(0.01, 3), "answered", session.number)
        else:
            session.standing, session.idle_since = Standing.IDLE, self.now

    def run(self, until: float) -> None:
        """Let time go by, to the next event or the time to look again, until nothing will happen or it is over."""
        while True:
            decided = self.planned()
            self.do(decided)
            times = [event[0] for event in self.events[:1]] + [at for at in [decided.look_again] if at is not None]
            if not times or min(times) > until:
                return
            self.now = min(times)
            self.steps += 1
            while self.events and self.events[0][0] <= self.now:
                _, _, what, about = heapq.heappop(self.events)
                self.happen(what, about)


outages = st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200)).map(lambda it: (it[0], it[0] + it[1])), max_size=3)


@given(
    st.lists(outages, min_size=1, max_size=3),
    st.lists(st.tuples(st.floats(0, 400), st.integers(1, 30)), min_size=1, max_size=6),
    st.integers(1, 8),
    st.integers(1, 40),
    st.integers(1, 10),
    st.integers(),
)
def test_every_message_goes_and_every_connection_ends(
    away: list[list[tuple[float, float]]],
    batches: list[tuple[float, int]],
    connections: int,
    per_connection: int,
    most: int,
    seed: int,
) -> None:
    """Whatever servers do for a while: messages go soon after one works, and idle connections close."""
    peers = [Peer(name, outages, most) for name, outages in zip("abc", away, strict=False)]
    shell = Shell(peers, Limits(connections, per_connection, 30.0, 120.0), Random(seed))
    for at, count in batches:
        shell.later(at, "comes", count)
    total = sum(count for _, count in batches)
    shell.run(until=2 * HOUR)
    assert (shell.sent, shell.waiting) == (total, 0)
    assert not shell.sessions
    assert shell.now < 1000 + total * 6 + 300
    assert shell.steps < 100 * total + 2000


@given(st.integers(), st.integers(1, 10))
def test_a_wrong_password_locks_no_account(seed: int, connections: int) -> None:
    """In a day with work at all times, a server that refuses the password is asked a few dozen times."""
    peer = Peer("a", refuses_until=24 * HOUR)
    shell = Shell([peer], Limits(connections, 100, 30.0, 600.0), Random(seed))
    shell.later(0.0, "comes", 100)
    shell.run(until=24 * HOUR)
    assert 24 <= len(peer.asked) <= 35
    assert all(later - earlier >= 300 for earlier, later in itertools.pairwise(peer.asked))
    assert (shell.sent, shell.waiting) == (0, 100)


@given(st.integers())
def test_work_returns_to_the_first_server(seed: int) -> None:
    """After an outage the second server has the work for no longer than it takes to find out."""
    first, second = Peer("a", [(20.0, 80.0)]), Peer("b")
    shell = Shell([first, second], Limits(4, 1000, 30.0, 600.0), Random(seed))
    for at in range(300):
        shell.later(float(at), "comes", 2)
    shell.run(until=79.0)
    assert {one.server for one in shell.sessions.values() if one.standing is Standing.BUSY} == {"b"}
    shell.run(until=270.0)
    assert {one.server for one in shell.sessions.values()} == {"a"}
    shell.run(until=2 * HOUR)
    assert shell.sent == 600


@given(st.integers(), st.integers(0, 6))
def test_a_crowded_server_is_not_asked_on_and_on(seed: int, most: int) -> None:
    """Its refusals become few: one a minute, when it is offered one connection more."""
    peer = Peer("a", most=most)
    shell = Shell([peer], Limits(10, 1000, 30.0, 600.0), Random(seed))
    for at in range(300):
        shell.later(float(at), "comes", 5)
    shell.run(until=300.0)
    assert peer.refused <= 9 + 4 + 2 + 300 / 60 + 10
    assert shell.sent >= 300 * most / 4
