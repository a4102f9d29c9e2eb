"""What follows when an entity fails: another try, a place among the dead letters, or the end of the run. Pure.

The rules:

neighbours  an entity that fails stops no other one. Only a pump that names `max_consecutive_write_errors` ends the run
            after so many in a row; the next run begins with the last of them
retries     off, unless `max_write_errors_in_retry_dataset` says how many entities of a pipe may wait for another try.
            Each later run tries those that wait once, before it reads its source. When no more may wait the run ends,
            for entities that nobody keeps would be lost
dead        without retries at once, with them when `max_retries_per_entity` later runs have tried in vain
passed      a later version that passes takes the place of one that waits. A dead letter stays for people to see, unless
            `track_dead_letters` is set
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of an entity that failed."""

    WAITS = "waits"
    DEAD = "dead"
    NO_ROOM = "no_room"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a pump says of entities that fail. 0 in a row: the run never stops for them. 0 may wait: no retries.

    `dataset` takes the dead letters too, if it has a name.
    """

    in_a_row: int = 0
    may_wait: int = 0
    retries: int = 5
    track_dead: bool = False
    dataset: str = ""


def fate(tolerance: Tolerance, retries: int, waiting: int) -> Fate:
    """Of an entity that later runs have tried so often, while so many others of its pipe wait."""
    if not tolerance.may_wait or retries >= tolerance.retries:
        return Fate.DEAD
    return Fate.WAITS if waiting < tolerance.may_wait else Fate.NO_ROOM


@dataclass(slots=True)
class Streak:
    """How many entities in a row have failed."""

    most: int
    length: int = 0

    def passed(self) -> None:
        """One passed."""
        self.length = 0

    def failed(self) -> bool:
        """One more failed; whether that is as many as there may be."""
        self.length += 1
        return 0 < self.most <= self.length
