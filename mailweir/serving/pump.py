"""A pipe of a service: when it runs, and the run that goes on; and when an outbox is looked through again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.schedule import Plan, Record, Seat, due
from pipeline.state.facts import Moment

if TYPE_CHECKING:
    from mailweir.serving.job import Ended, Job
    from pipeline.pipe import PipeConfig
    from pipeline.state.owners import Lock

# Between two rounds of the outbox of a system that is out of order: twice as long each time.
FIRST_WAIT: Final = 5.0
LONGEST_WAIT: Final = 300.0
# A jump of the wall clock by more makes times that were found before wrong.
JUMP: Final = 0.5

_NEVER: Final = Moment(0.0, 0.0)


@dataclass(slots=True)
class Pump:
    """A pipe, when it runs, and the run that goes on."""

    config: PipeConfig
    plan: Plan
    record: Record
    seat: Seat
    system: str | None = None
    job: Job | None = None
    lock: Lock | None = None
    began: Moment = _NEVER
    delivers: bool = False
    asked: bool = False
    """Somebody wants it to run as soon as it can, whatever its plan says."""
    outdated: bool = False
    """The run that goes on was begun with another configuration, and was asked to end."""
    fault: str = ""
    """Why the last try to run it failed."""
    known: tuple[Seat, float, float | None] | None = None
    """The seat and the distance of the clocks for which the steady time of its next run was found, and that time."""

    def seconds(self, now: Moment) -> float:
        """In how many seconds it is due; of no clock: never."""
        apart = now.wall - now.steady
        if self.known is None or self.known[0] != self.seat or abs(self.known[1] - apart) > JUMP:
            found = due(self.plan, self.seat, now)
            self.known = (self.seat, apart, None if found is None else now.steady + found.seconds)
        at = self.known[2]
        return float("inf") if at is None else at - now.steady

    def let_go(self) -> None:
        """Others may run it."""
        if self.lock is not None:
            # The file stays: who waits for the lock has it open.
            self.lock.release()
            self.lock = None


@dataclass(slots=True)
class Rounds:
    """When the outbox of a system may be looked through again."""

    after: float = 0.0
    troubles: int = 0

    def ended(self, ended: Ended, now: Moment, usual: float) -> None:
        """A run that mailed through the system came to its end."""
        done = ended.done
        bad = bool(ended.fault) or (done is not None and bool(done.troubles))
        self.troubles = self.troubles + 1 if bad else 0
        wait = min(FIRST_WAIT * 2.0 ** min(self.troubles - 1, 10), LONGEST_WAIT) if bad else usual
        free = [one.free_at for one in done.usage if one.free <= 0 and one.free_at is not None] if done else []
        wait = max([wait, *(min(at - now.wall, LONGEST_WAIT) for at in free)])
        self.after = now.steady + wait
