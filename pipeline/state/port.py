"""The port: what the engine asks of a state, whether it is a file on this machine or a server for many. No I/O.

The life of a message, and who calls what:

    admit          a batch goes in with the position in its source, in one transaction; a key seen before is skipped.
                   With an `Ask` what fits is claimed in the same one
    claim          what waits is claimed, each message with its permit, in one transaction
    handing_over   before the last byte of a claimed message goes out; when it returns, that survives a kill. What
                   became of others meanwhile can go on record with it
    settle         what became of it; when it returns, that survives a kill
    release        a claim of which nothing was handed over goes back

What the next step of a message is, the state does not know: `Settlement`s come from the delivery table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from pipeline.state.datasets import Writes
from pipeline.state.facts import (
    Admitted,
    Ask,
    Batch,
    Claimed,
    Claims,
    Execution,
    Gathering,
    MessageState,
    Moment,
    Recovered,
    Retention,
    Retried,
    Retry,
    Settlement,
    Stranded,
    Tidied,
)
from pipeline.state.failures import FailureReads, FailureWrites
from pipeline.state.faults import StateError
from pipeline.state.views import Detail, Discarded, Discards, Filter, Freeing, Holder, LimitChange, Page, Settled, Usage

Decide = Callable[[Stranded, Moment], Settlement]
"""The delivery table's word on a message whose sender died when it may have gone. Pure."""


class Look(FailureReads, Protocol):
    """What can be looked at. Nothing of it changes anything, or keeps anybody waiting."""

    async def offset(self, pipe: str) -> str | None:
        """How far a pipe has read its source."""
        ...

    async def gatherings(self, pipe: str, waited: float, most: int, limit: int = 50) -> Sequence[Gathering]:
        """Some gatherings of a pipe whose first entity has waited so many seconds, or that have `most` entities."""
        ...

    async def notes(self, prefix: str = "") -> Mapping[str, str]:
        """The notes whose names begin so."""
        ...

    async def generations(self, messages: Sequence[tuple[str, str]]) -> Mapping[str, int]:
        """Of messages by entity and key: for each key that was admitted, the generation to send it once more with."""
        ...

    async def executions(self, pipe: str = "", most: int = 50) -> Sequence[Execution]:
        """The latest runs, the newest first."""
        ...

    async def execution(self, run: str) -> Sequence[Execution]:
        """The pipes of a run, in the order in which they began; none if nothing of it is on record."""
        ...

    async def counts(self, system: str = "", pipe: str = "") -> Mapping[MessageState, int]:
        """How many messages there are of each state but `sent`."""
        ...

    async def waited(self) -> float | None:
        """For how many seconds the message has waited that has waited longest; None if none waits."""
        ...

    async def messages(self, wanted: Filter, before: int | None = None, most: int = 100) -> Page:
        """Messages, the newest first; `before` is the `next` of the page before."""
        ...

    async def count(self, wanted: Filter) -> int:
        """How many messages those are. Of all that was sent this takes a second for a million."""
        ...

    async def due(self, system: str) -> tuple[float, str] | None:
        """In how many seconds the next message of a system may go, and of which pipe it is; None if none waits."""
        ...

    async def message(self, id: int) -> Detail | None:
        """Everything about one message."""
        ...

    async def holders(self) -> Sequence[Holder]:
        """Who has claims."""
        ...

    async def discards(self, system: str, since: float) -> Discards:
        """What the limit of a system discarded since a wall time."""
        ...

    async def discarded(self, system: str, since: float, width: float) -> Sequence[Discarded]:
        """The same in spans of so many seconds, without those in which there is none."""
        ...

    async def settled(self, since: float, width: float) -> Sequence[Settled]:
        """How many messages were discarded, rejected or given up since a wall time, in spans of so many seconds."""
        ...

    async def usage(self, limits: Mapping[str, int] | None = None) -> Sequence[Usage]:
        """Gates by name with their limits; without any, those on record with their last ones."""
        ...

    async def freeing(self, gate: str) -> Sequence[Freeing]:
        """When how many places of a gate free."""
        ...

    async def history(self, gate: str, seconds: float) -> Sequence[Freeing]:
        """How many messages were accepted when."""
        ...

    async def limit_changes(self, gate: str, most: int = 100) -> Sequence[LimitChange]:
        """The latest changes of a limit, the newest first."""
        ...


class State(Look, Protocol):
    """What outlasts a run. Where nothing else is said, what a call did is on the disk when it returns.

    `StateError` when the state cannot be used; then nothing of the call happened.
    """

    async def __aenter__(self) -> Self:
        """Open for use; what senders that died left behind has been recovered."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is under way, give claims back and close."""
        ...

    @property
    def recovered(self) -> Recovered:
        """What was found of senders that died, since this was opened."""
        ...

    @property
    def fault(self) -> StateError | None:
        """Why nothing can be written just now."""
        ...

    @property
    def datasets(self) -> Writes:
        """What writes entities."""
        ...

    @property
    def failing(self) -> FailureWrites:
        """What keeps entities that failed."""
        ...

    def now(self) -> float:
        """The steady time: what settlements, dues and expiries are told in."""
        ...

    async def admit(self, batch: Batch, ask: Ask | None = None) -> Admitted:
        """Put a batch in: all of it or nothing."""
        ...

    async def claim(self, ask: Ask) -> Claims:
        """Take messages that wait."""
        ...

    def handing_over(self, claims: Sequence[Claimed], answered: Sequence[Settlement] = ()) -> None:
        """The last byte of these is about to go out. If this raises, it must not.

        Those that were `answered` are settled in any case, as if `settle` had been called before.
        """
        ...

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """What became of claims. They are written in groups; `flush` waits for that.

        Only a power cut in between can take them, and then the messages are in doubt.
        """
        ...

    async def release(self, claims: Sequence[Claimed]) -> None:
        """Give claims back. One that was handed over is none to give: without an answer it will be in doubt."""
        ...

    async def flush(self) -> None:
        """Until all that was settled is on the disk."""
        ...

    async def recover(self) -> Recovered:
        """Look for senders that died since, and take over what they left."""
        ...

    async def tidy(self, retention: Retention, after: int = 0, most: int = 500) -> Tidied:
        """Remove a little of what was settled long enough ago."""
        ...

    async def retry(self, ids: Sequence[int], decide: Callable[[Retry, Moment], Retried | None]) -> int:
        """Put messages back into the queue; how many those were. `decide` is pure."""
        ...

    async def postpone(self, ids: Sequence[int], seconds: float) -> int:
        """Let messages that wait be due no sooner than in so many seconds; how many of all nobody has claimed."""
        ...

    async def delete(self, ids: Sequence[int]) -> int:
        """Remove messages that nobody has claimed; how many those were."""
        ...
