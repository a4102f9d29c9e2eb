"""What is taken from brokers and given to them, and what is asked of whoever does it. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class BrokerError(Exception):
    """What a broker said, or that there is none. `lost`: there is no connection, and another one may work.

    `text` holds no login and nothing of what messages hold.
    """

    def __init__(self, text: str, *, lost: bool = False) -> None:
        """What to tell people."""
        super().__init__(text)
        self.text = text
        self.lost = lost


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came. `body` is None where the broker has a way to say that there is none.

    `key` is what its sender names it by; `place` where it stands with its broker, unique if that is `counted`. One that
    comes `again` was handed out before. `handle` is for who took it.
    """

    body: bytes | None
    place: str
    key: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What else is known of it, such as its topic and headers; values of entities."""
    position: str = ""
    """Where to go on behind it, of a log."""
    counted: bool = True
    again: bool = False
    handle: object = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish."""

    key: str
    body: bytes
    deleted: bool = False


class Log(Protocol):
    """A log of messages that is read from a position on; reading changes nothing with the broker.

    `begins` is the position at which one was opened that was to begin at its end.
    """

    begins: str | None

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """The next messages; the first is waited for. None: there are no more for now. `BrokerError`."""
        ...

    def close(self) -> None:
        """Leave; also after an error."""
        ...


class Queue(Protocol):
    """Messages of which each is handed out until it is settled."""

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """As of a log."""
        ...

    def settle(self, messages: Sequence[Message], refused: Sequence[Message] = ()) -> None:
        """These need not come again. When this returns the broker knows. `refused` ones were no good."""
        ...

    def close(self) -> None:
        """Leave: what is not settled is for whoever comes next."""
        ...


class Publisher(Protocol):
    """What publishes."""

    def publish(self, messages: Sequence[Outgoing]) -> Sequence[str]:
        """Why each was refused; `""`: the broker has it, and has said so. `BrokerError` if nothing is known of some."""
        ...

    def close(self) -> None:
        """Leave."""
        ...
