"""What became of messages, as a log for those who pass it on: each time a message of a pipe is settled. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from pipeline.state.facts import MessageState


class Settled(NamedTuple):
    """A message that waits no more. Of its recipients `result` has what is on record; `""`: all are as it is.

    `at` is a wall time. `entity` is the JSON of what it was made of, `""` when that is not kept any more.
    """

    number: int
    message: int
    entity_id: str
    recipients: tuple[str, ...]
    state: MessageState
    result: str
    detail: str
    at: float
    entity: str


class Outcomes(Protocol):
    """What is asked of them, by one thread. `StateError`."""

    def begin(self, pipe: str, reader: str, *, from_first: bool) -> None:
        """From now on what becomes of a pipe's messages is kept for a reader.

        With the first call that is also what became of those before, if it is to begin `from_first`.
        """
        ...

    def settled(self, reader: str, after: int, most: int) -> Sequence[Settled]:
        """What is kept for a reader behind a number."""
        ...

    def passed_on(self, reader: str, upto: int) -> None:
        """A reader needs nothing up to this number any more."""
        ...

    def close(self) -> None:
        """It is asked no more."""
        ...
