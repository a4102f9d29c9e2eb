"""Who passes the gate: of the messages that are ready, in order, which go, which wait and which are too many. No I/O.

    a place is free, and nothing waits     it goes, and takes the place
    none is free, and it passed before     it waits: a message that was let through once is not thrown away later
    none is free, `on_limit` is `queue`    it waits
    none is free, `on_limit` is `discard`  it is too many; if it is not sure that none is free, it waits
    it needs more places than the limit    it never fits, and is held for a person; a limit of 0 is no such limit:
                                           that lets nothing through on purpose

So nothing overtakes what waits, and nothing is too many while a place is free. When it is not sure whether one is free
is told in `pipeline.state.steady`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Count(NamedTuple):
    """What counts against a limit: messages in flight, stamped ones, and how many of those may be over already."""

    limit: int
    in_flight: int
    stamped: int
    doubted: int = 0

    @property
    def used(self) -> int:
        """How many messages count."""
        return self.in_flight + self.stamped

    @property
    def free(self) -> int:
        """How many more may go."""
        return max(0, self.limit - self.used)

    @property
    def perhaps_free(self) -> int:
        """How many more might go if it were known when the last ones went."""
        return max(0, self.limit - self.used + self.doubted)


class Ready(NamedTuple):
    """A message at the gate: the places that it needs, and whether it was let through before."""

    places: int
    passed: bool


@dataclass(slots=True)
class Sorted:
    """The indices of the messages."""

    go: list[int] = field(default_factory=list)
    wait: list[int] = field(default_factory=list)
    too_many: list[int] = field(default_factory=list)
    never: list[int] = field(default_factory=list)


def sort(count: Count, ready: Sequence[Ready], on_limit: Literal["discard", "queue"]) -> Sorted:
    """Decide over messages in the order in which they are due."""
    result = Sorted()
    free, perhaps = count.free, count.perhaps_free
    for index, (places, passed) in enumerate(ready):
        if places > count.limit > 0:
            result.never.append(index)
        elif places <= free and not result.wait:
            result.go.append(index)
            free -= places
            perhaps -= places
        elif passed or on_limit == "queue":
            result.wait.append(index)
        elif places <= perhaps:
            result.wait.append(index)
            perhaps -= places
        else:
            result.too_many.append(index)
    return result
