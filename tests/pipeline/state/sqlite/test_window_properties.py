"""The limit holds against a clock that knows the true time, whatever happens to machine, processes and clocks.

The machine is a model: its clocks show what the rules let them show, and the server beside it writes down in true time
what it accepted. The states are real ones, several on one file, each for a process.

Two things are counted. What the server accepted says that never too many went. What the contract counts says that none
was discarded or kept waiting without need: permits in flight, and for an hour those that were used, where a permit of a
sender that died is used when it is found.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline.state.facts import Ask, Batch, Claimed, Claims, MessageState
from pipeline.state.sqlite.store import SqliteState

HOUR: Final = 3600.0
# A stamp is rounded up to a second, up to another one beside a restart in the dark, and so is the time in the dark.
GRAIN: Final = 3.0
MEMORY: Final = Path("/dev/shm")  # hundreds of files that nobody keeps

# An example is a hundred transactions.
FEW: Final = settings(max_examples=settings().max_examples // 3, stateful_step_count=40)


@dataclass
class Permit:
    """What the contract says of a claim. `used` is when its place was used; `back`: it was given back."""

    claim: Claimed
    used: float | None = None
    back: bool = False


@dataclass
class Process:
    """A sender, and its claims by how far they are. What is settled and not written may be lost with the machine."""

    state: SqliteState
    claimed: list[Permit] = field(default_factory=list)
    handed_over: list[Permit] = field(default_factory=list)
    settled: list[tuple[Permit, float | None]] = field(default_factory=list)


class World(RuleBasedStateMachine):
    """What a machine, its processes and a server can do."""

    def __init__(self, kind: Callable[[Path], Any], *, changes: bool) -> None:
        """A machine without a process. `kind` opens states; with `changes` the limit does."""
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.states = kind(self.folder / "state")
        self.clock = self.states.clock
        self.changes = changes
        self.now = 0.0  # the true time
        self.wall_error = 0.0
        self.boots = 1
        self.processes: list[Process] = []
        self.dead: list[Process] = []
        self.accepted: list[float] = []
        self.permits: list[Permit] = []
        self.number = 0
        self.limit = 1
        self.on_limit: Literal["discard", "queue"] = "discard"

    @initialize(limit=st.integers(1, 5), on_limit=st.sampled_from(["discard", "queue"]))
    def begin(self, limit: int, on_limit: Literal["discard", "queue"]) -> None:
        """A limit, and a first process."""
        self.limit = limit
        self.on_limit = on_limit
        self.start()

    def teardown(self) -> None:
        """Nothing is left."""
        self.states.end()
        shutil.rmtree(self.folder)

    @rule(seconds=st.sampled_from([0.001, 0.4, 1.0, 7.3, 60.0, 600.0, 1799.0, 3590.0, 3598.0, 3600.0, 3604.0]))
    def time_passes(self, seconds: float) -> None:
        """For everybody."""
        self.now += seconds
        self.clock.advance(seconds)

    @rule(error=st.sampled_from([-1e6, -3600.0, -1.0, 0.5, 1800.0, 3600.0, 86_400.0, 1e6]))
    def somebody_sets_the_wall_clock(self, error: float) -> None:
        """Nothing holds it right from then on."""
        self.clock.wall_time += error
        self.clock.held_right = False
        self.wall_error += error

    @precondition(lambda self: not self.clock.held_right)
    @rule()
    def servers_of_time_are_reached(self) -> None:
        """The wall clock is held right."""
        self.clock.wall_time -= self.wall_error
        self.wall_error = 0.0
        self.clock.held_right = True

    @rule(
        seconds_off=st.sampled_from([0.0, 0.3, 30.0, 1000.0, 3599.0, 3700.0, 1e5]),
        error=st.sampled_from([0.0, 0.0, -5000.0, 5000.0]),
        held_right=st.booleans(),
        lost=st.booleans(),
    )
    def the_machine_restarts(self, seconds_off: float, error: float, *, held_right: bool, lost: bool) -> None:
        """Its processes die, its wall clock may be wrong at first, and the tails of journals may be gone."""
        for process in tuple(self.processes):
            self._kill(process)
        if lost:
            for path in (self.folder / "state" / "senders").glob("*.journal"):
                data = path.read_bytes().rstrip(b"\0")
                path.write_bytes(data[: len(data) * 2 // 3])
        self.now += seconds_off
        self.boots += 1
        self.clock.restart(f"boot-{self.boots}", seconds_off)
        self.clock.held_right = held_right
        error = -self.wall_error if held_right else error
        self.clock.wall_time += error
        self.wall_error += error
        self.start()

    @precondition(lambda self: len(self.processes) < 3)
    @rule()
    def start(self) -> None:
        """One more process, which finds what the dead left."""
        state = self.states.open(linger=1e9)
        state._place.connection.execute("PRAGMA synchronous = OFF")
        self.processes.append(Process(state))
        self._found()

    @precondition(lambda self: self.processes)
    @rule(pick=st.integers(0))
    def one_is_killed(self, pick: int) -> None:
        """Another one may look at once, or later."""
        self._kill(self._one(pick))

    @precondition(lambda self: self.processes)
    @rule(pick=st.integers(0))
    def one_ends(self, pick: int) -> None:
        """Properly; what was handed over and not answered is for another one to find."""
        process = self._one(pick)
        self.processes.remove(process)
        self.states.close(process.state)
        self._written(process)
        for permit in process.claimed:
            permit.back = True
        self.dead.append(Process(process.state, [], process.handed_over))

    @precondition(lambda self: self.processes)
    @rule(pick=st.integers(0))
    def one_looks(self, pick: int) -> None:
        """For senders that died."""
        process = self._one(pick)
        self._run(process.state.recover())
        self._written(process)
        self._found()

    @precondition(lambda self: self.processes)
    @rule(pick=st.integers(0), many=st.integers(1, 6), straight=st.booleans())
    def messages_come(self, pick: int, many: int, *, straight: bool) -> None:
        """Into the queue, or claimed as they come."""
        process = self._one(pick)
        messages = tuple(self.states.message(self.number + at) for at in range(many))
        self.number += many
        admitted = self._run(process.state.admit(Batch(messages), self._ask(6) if straight else None))
        self._got(process, admitted.claims)

    @precondition(lambda self: self.processes)
    @rule(pick=st.integers(0), most=st.integers(1, 6))
    def one_claims(self, pick: int, most: int) -> None:
        """What waits."""
        process = self._one(pick)
        self._got(process, self._run(process.state.claim(self._ask(most))))

    @precondition(lambda self: any(process.claimed for process in self.processes))
    @rule(pick=st.integers(0), arrives=st.booleans())
    def one_hands_over(self, pick: int, *, arrives: bool) -> None:
        """The server accepts it, or it never gets there."""
        process = self._one(pick, lambda process: bool(process.claimed))
        permit = process.claimed.pop()
        process.state.handing_over([permit.claim])
        process.handed_over.append(permit)
        if arrives:
            self.accepted.append(self.now)

    @precondition(lambda self: any(process.handed_over for process in self.processes))
    @rule(pick=st.integers(0))
    def an_answer_comes(self, pick: int) -> None:
        """The server took it. That is on record now, and in the database later."""
        process = self._one(pick, lambda process: bool(process.handed_over))
        self._settle(process, process.handed_over.pop(), MessageState.SENT, None)

    @precondition(lambda self: any(process.claimed for process in self.processes))
    @rule(pick=st.integers(0), again=st.booleans())
    def one_is_refused(self, pick: int, *, again: bool) -> None:
        """It certainly did not go."""
        process = self._one(pick, lambda process: bool(process.claimed))
        due = process.state.now() + 100
        word = MessageState.RETRYING if again else MessageState.DEAD
        self._settle(process, process.claimed.pop(), word, due if again else None)

    @precondition(lambda self: self.processes)
    @rule(pick=st.integers(0))
    def one_is_written(self, pick: int) -> None:
        """All that it settled is in the database."""
        process = self._one(pick)
        self._run(process.state.flush())
        self._written(process)

    @precondition(lambda self: self.changes)
    @rule(limit=st.integers(0, 6))
    def the_limit_changes(self, limit: int) -> None:
        """For everybody."""
        self.limit = limit

    @invariant()
    def no_hour_has_too_many(self) -> None:
        """In the hour up to each acceptance there are never more than the limit."""
        if self.accepted and not self.changes:
            last = self.accepted[-1]
            assert sum(last - HOUR < at for at in self.accepted) <= self.limit

    @invariant()
    def the_sums_are_right(self) -> None:
        """What is kept to decide fast is what the rows say."""
        path = self.folder / "state" / "state.db"
        if not path.exists():
            return
        with closing(sqlite3.connect(path)) as connection:
            kept = connection.execute("SELECT in_flight, stamped FROM gate").fetchall()
            true = connection.execute(
                "SELECT (SELECT total(places) FROM message WHERE owner IS NOT NULL),"
                " (SELECT total(places) FROM stamp WHERE second > over) FROM gate"
            ).fetchall()
        assert kept == true

    def _ask(self, most: int) -> Ask:
        ask: Ask = self.states.ask(self.limit, on_limit=self.on_limit, most=most)
        return ask

    def _counted(self, seconds: float) -> int:
        """How many places the contract counts; used ones for so many seconds."""
        return sum(
            not permit.back and (permit.used is None or self.now - permit.used < seconds) for permit in self.permits
        )

    def _got(self, process: Process, claims: Claims) -> None:
        self._written(process)
        permits = [Permit(claim) for claim in claims.messages]
        process.claimed += permits
        self.permits += permits
        if permits:
            # Those that may still be accepted, and those that were within the hour.
            open_ones = sum(len(each.claimed) for each in self.processes)
            assert open_ones + sum(self.now - at < HOUR for at in self.accepted) <= self.limit
            assert self._counted(HOUR) <= self.limit
        counted = self._counted(HOUR + GRAIN)
        for closed in claims.closed:
            assert closed.state is MessageState.DISCARDED
            assert self.on_limit == "discard"
            # A place that may be free is for those that wait for it.
            assert counted + self._waiting() >= self.limit, "discarded while a place was free"
        if claims.full is not None and process.state._bearings.boundary is None:
            assert counted >= self.limit, "kept waiting while a place was free"

    def _waiting(self) -> int:
        query = "SELECT count(*) FROM message, bearings WHERE owner IS NULL AND due <= noted"
        return int(self.states.query(query)[0][0])

    def _settle(self, process: Process, permit: Permit, word: MessageState, due: float | None) -> None:
        state = process.state
        state.settle([self.states.settlement(permit.claim, word, due, at=state.now())])
        process.settled.append((permit, self.now if word is MessageState.SENT else None))

    def _written(self, process: Process) -> None:
        """Each call of the writer writes what was settled before."""
        for permit, used in process.settled:
            permit.used, permit.back = used, used is None
        process.settled.clear()

    def _kill(self, process: Process) -> None:
        self.processes.remove(process)
        self.states.kill(process.state)
        self.dead.append(process)

    def _found(self) -> None:
        """What the dead left was found: the word of each message says what was made of its claim."""
        rows = {row[0]: row[1:] for row in self.states.query("SELECT id, state, tries FROM message")}
        for process in self.dead:
            settled = {permit.claim.id: used for permit, used in process.settled}
            for permit in (*process.claimed, *process.handed_over, *(permit for permit, _ in process.settled)):
                word, tries = rows[permit.claim.id]
                if tries == permit.claim.tries or word in {"retrying", "dead"}:
                    permit.back = True
                else:
                    permit.used = settled[permit.claim.id] if word == "sent" else self.now
        self.dead.clear()

    def _one(self, pick: int, able: Callable[[Process], bool] = lambda _: True) -> Process:
        processes = [process for process in self.processes if able(process)]
        return processes[pick % len(processes)]

    def _run(self, work: Any) -> Any:
        return self.states.run(work)


def test_properties_of_the_limit(states: Any) -> None:
    """No hour has more than the limit, and nothing is discarded or kept waiting without need."""
    machine: Any = lambda: World(type(states), changes=False)  # noqa: E731 # it is asked for a class, and takes a factory
    run_state_machine_as_test(machine, settings=FEW)


def test_properties_of_a_limit_that_changes(states: Any) -> None:
    """Raised or lowered at any moment, in every process at once."""
    machine: Any = lambda: World(type(states), changes=True)  # noqa: E731 # as above
    run_state_machine_as_test(machine, settings=FEW)
