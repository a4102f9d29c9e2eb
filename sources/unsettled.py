"""What a queue has handed out and does not know to be done: so that nothing is lost, and what comes again is known.

A message is *given* when its entity went on, *admitted* when the position that names it is on record, and *settled*
when the broker knows that. A position names all that is given and not settled, so whoever goes on from it, also after
a kill, knows what comes again. No I/O.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from systems.brokers.messages import Message

# Names of messages whose settling was cut off, and that may never come again; the oldest are forgotten first.
MOST_LINGERING: Final = 50_000
# Names of messages that were settled last: a broker may have handed one out again before it heard that.
MOST_OVER: Final = 10_000


class Known(Enum):
    """What is known of a message that a broker hands out."""

    NEW = auto()
    GIVEN = auto()  # its entity is on the way
    ADMITTED = auto()  # it is done, and the broker does not know


class _One:
    """A message that was given, or of which an earlier reading says that it was."""

    __slots__ = ("given", "message", "name", "number", "over", "refused", "round")

    def __init__(self, name: str, number: int, message: Message | None, round_: int) -> None:
        self.name = name
        self.number = number
        self.message = message
        self.round = round_
        self.given = number > 0
        self.refused = False
        self.over = False


class Position(NamedTuple):
    """A position as it is stored: of which reading, how many messages that has given, and what was not settled."""

    reading: str
    number: int
    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str | None) -> Position | None:
        """What was stored; None if it is nothing of ours."""
        try:
            reading, number, names = json.loads(text or "")
            return cls(str(reading), int(number), tuple(map(str, names)))
        except (TypeError, ValueError):
            return None


class Done(NamedTuple):
    """Messages to settle, those apart of which nothing has become."""

    taken: Sequence[Message]
    refused: Sequence[Message]


class Unsettled:
    """Messages between a broker and the state, in one reading.

    `round` counts connections: a message without a place of its own is known by what it holds, and comes again only
    over another connection than before.
    """

    def __init__(self, reading: str, before: str | None = None) -> None:
        """`reading` is a name that no other reading has; `before` the position on record."""
        self._reading = reading
        self._given: list[_One] = []
        self._admitted: list[_One] = []
        self._number = 0
        self.round = 1
        earlier = Position.of(before)
        names = () if earlier is None else earlier.names
        self._lingering = [_One(name, 0, None, 0) for name in names]
        self._over: deque[_One] = deque()
        self._by_name: dict[str, list[_One]] = {}
        for one in self._lingering:
            self._by_name.setdefault(one.name, []).append(one)

    @property
    def waiting(self) -> int:
        """How many messages are given and not admitted."""
        return len(self._given)

    @property
    def position(self) -> str:
        """Where to go on behind what was given so far."""
        names = [one.name for one in (*self._lingering, *self._admitted, *self._given)]
        return json.dumps([self._reading, self._number, names], separators=(",", ":"))

    def sort(self, message: Message, name: str) -> Known:
        """What is known of a message that was handed out; `name` tells it from others."""
        for one in self._by_name.get(name, ()):
            # Of a connection that this reading lost it is known that it comes again; after a crash of the broker it
            # does so without a mark.
            if message.counted or (one.round < self.round and (message.again or one.round > 0)):
                one.round = self.round
                one.message = message
                if one.over:
                    one.over = False
                    self._over.remove(one)
                    self._admitted.append(one)
                return Known.GIVEN if one.given else Known.ADMITTED
        return Known.NEW

    def give(self, message: Message, name: str, *, refused: bool = False) -> None:
        """Its entity goes on now; of one that is `refused` there is none."""
        self._number += 1
        one = _One(name, self._number, message, self.round)
        one.refused = refused
        self._given.append(one)
        self._by_name.setdefault(name, []).append(one)

    def admitted(self, on_record: str | None) -> Done:
        """The messages that are done and not settled, by the position that is on record."""
        position = Position.of(on_record)
        if position is not None and position.reading == self._reading:
            many = sum(1 for one in self._given if one.number <= position.number)
            for one in self._given[:many]:
                one.given = False
            self._admitted += self._given[:many]
            del self._given[:many]
        here = [one for one in (*self._lingering, *self._admitted) if self._is_here(one)]
        return Done(*([one.message for one in here if one.message and one.refused is which] for which in (False, True)))

    def settled(self) -> None:
        """The broker knows of all of them. Those of earlier connections that did not come again may yet."""
        for one in (*self._lingering, *self._admitted):
            if self._is_here(one):
                self._end(one)
        left = [one for one in (*self._lingering, *self._admitted) if not one.over and not self._is_here(one)]
        for one in left[:-MOST_LINGERING]:
            self._forget(one)
        self._lingering, self._admitted = left[-MOST_LINGERING:], []

    def lost(self) -> None:
        """The connection was lost: what is not settled comes again over the next one."""
        self.round += 1

    def _is_here(self, one: _One) -> bool:
        """Whether it can be settled: it was handed out over this connection."""
        return one.message is not None and one.round == self.round

    def _end(self, one: _One) -> None:
        if one.message is None or not one.message.counted:
            self._forget(one)
            return
        one.over = True
        self._over.append(one)
        if len(self._over) > MOST_OVER:
            self._forget(self._over.popleft())

    def _forget(self, one: _One) -> None:
        family = self._by_name[one.name]
        family.remove(one)
        if not family:
            del self._by_name[one.name]
