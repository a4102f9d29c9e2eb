"""Reading brokers: logs from a position on, and queues of which a message is settled when its entity is on record."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Generic, TypeVar

from pipeline.entity import Entity
from pipeline.errors import Problem, SourceError, Span
from sources.message_entities import Shape, entity_of_message
from sources.parts import BATCH, Fault, OnError
from sources.unsettled import Known, Unsettled
from systems.brokers.messages import BrokerError, Log, Message, Queue
from systems.brokers.settings import Settings

_log: Final = logging.getLogger("mailweir.source")
_MOST_TOLD: Final = 10
# How long what was given last may take to its place in the state, when no more comes. The next run settles the rest.
_PATIENCE: Final = 2.0
_LOOK_EVERY: Final = 0.02

T = TypeVar("T", bound=Log | Queue)
Given = tuple[Sequence[Entity], str | None]
OnRecord = Callable[[], AbstractContextManager[Callable[[], str | None]]]


@dataclass(frozen=True, slots=True)
class Taking:
    """How messages are taken: from where (for people), what they become, and how long the next one is waited for.

    `window` is how many of a queue may be on their way.
    """

    name: str
    shape: Shape = field(default_factory=Shape)
    on_error: OnError = "stop"
    wait: float = 1.0
    window: int = 10_000


class _Connected(Generic[T]):
    """A log or queue, and how it is opened again when the connection was lost."""

    def __init__(self, settings: Settings, name: str, make: Callable[[], T]) -> None:
        self._settings = settings
        self._name = name
        self._make = make
        self.opened = self._open()

    def _open(self) -> T:
        try:
            return self._make()
        except BrokerError as error:
            raise self.told(error) from None

    def again(self, error: BrokerError) -> None:
        """Open it once more; `SourceError` if that is of no use, or there is nobody for too long."""
        self.close()
        if not error.lost:
            raise self.told(error) from None
        _log.warning("%s: the connection was lost: %s", self._name, error.text)
        for _ in self._settings.tries():
            try:
                self.opened = self._make()
            except BrokerError as later:
                error = later
                if not later.lost:
                    break
            else:
                return
        raise self.told(error) from None

    def close(self) -> None:
        self.opened.close()

    def told(self, error: BrokerError) -> SourceError:
        where = f"{self._settings.address.shown}: " if error.lost else ""
        return SourceError(Problem("E610", f"the broker cannot be read: {where}{error.text}", Span(self._name, 0, 0)))


class LogSource:
    """Reads a log. The state alone says how far it has come; the broker keeps no account of it."""

    waits: Final = True
    # What a log has no more was not deleted.
    cut: Final = True

    def __init__(self, settings: Settings, taking: Taking, opened: Callable[[str | None], Log]) -> None:
        """`opened` gives the log behind a position."""
        self._settings = settings
        self._taking = taking
        self._opened = opened
        self.skipped = 0

    def read(self, since: str | None) -> Iterator[Given]:
        """Batches of entities, until nothing comes for a while."""
        taking = self._taking
        reached = since
        log = _Connected(self._settings, taking.name, lambda: self._opened(reached))
        try:
            if since is None and log.opened.begins is not None:
                # What is added before the next run is new too.
                reached = log.opened.begins
                yield (), reached
            while True:
                try:
                    messages = log.opened.take(BATCH, taking.wait)
                except BrokerError as error:
                    log.again(error)
                    continue
                if not messages:
                    return
                entities: list[Entity] = []
                for message in messages:
                    made = entity_of_message(message, taking.shape, taking.name)
                    if isinstance(made, Fault) and taking.on_error == "stop":
                        if entities:
                            yield entities, reached
                        raise _error(made)
                    reached = message.position
                    if isinstance(made, Fault):
                        self.skipped += 1
                        _left_out(made, self.skipped)
                    else:
                        entities.append(made)
                yield entities, reached
        finally:
            log.close()


class QueueSource:
    """Reads a queue. A message is settled when the position that was given with it is on record, and not before."""

    waits: Final = True
    settles: Final = True
    cut: Final = True

    def __init__(
        self,
        settings: Settings,
        taking: Taking,
        opened: Callable[[], Queue],
        on_record: OnRecord,
        reading: str,
        made: Callable[[Message], Entity | Fault] | None = None,
    ) -> None:
        """`reading` begins the name of each reading, and is one that no other source has or had.

        `made` makes entities of messages, if it is not the shape that says what they become.
        """
        self._settings = settings
        self._taking = taking
        self._opened = opened
        self._on_record = on_record
        self._reading = reading
        self._made = made or self._shaped
        self._readings = 0
        self.skipped = 0

    def read(self, since: str | None) -> Iterator[Given]:
        """Batches of entities, until nothing comes for a while. A queue is always read from its head."""
        self._readings += 1
        with self._on_record() as on_record:
            before = on_record()
            unsettled = Unsettled(f"{self._reading}.{self._readings}", before if before is not None else since)
            queue: _Connected[Queue] = _Connected(self._settings, self._taking.name, self._opened)
            try:
                yield from self._all(queue, unsettled, on_record)
            finally:
                with suppress(BrokerError):  # what it has not heard comes again, and is known then
                    _settle(queue, unsettled, on_record)
                queue.close()

    def _all(
        self, queue: _Connected[Queue], unsettled: Unsettled, on_record: Callable[[], str | None]
    ) -> Iterator[Given]:
        taking = self._taking
        asked = False
        while True:
            try:
                _settle(queue, unsettled, on_record)
                room = taking.window - unsettled.waiting
                wait = _LOOK_EVERY if asked else taking.wait
                messages = queue.opened.take(min(BATCH, room), wait) if room > 0 else ()
            except BrokerError as error:
                unsettled.lost()
                queue.again(error)
                continue
            if messages:
                asked = False
                yield from self._batch(messages, unsettled)
            elif not unsettled.waiting:
                return
            elif not asked:
                # What gathers entities before it writes them hears that there are no more for now.
                asked = True
                yield (), unsettled.position
            elif not _admitted(unsettled, on_record):
                return

    def _batch(self, messages: Sequence[Message], unsettled: Unsettled) -> Iterator[Given]:
        taking = self._taking
        entities: list[Entity] = []
        new = False
        for message in messages:
            name = name_of(message)
            if unsettled.sort(message, name) is not Known.NEW:
                continue
            made = self._made(message)
            if isinstance(made, Fault) and taking.on_error == "stop":
                if new:
                    yield entities, unsettled.position
                raise _error(made)
            new = True
            unsettled.give(message, name, refused=isinstance(made, Fault))
            if isinstance(made, Fault):
                self.skipped += 1
                _left_out(made, self.skipped)
            else:
                entities.append(made)
        if new:
            yield entities, unsettled.position

    def _shaped(self, message: Message) -> Entity | Fault:
        return entity_of_message(message, self._taking.shape, self._taking.name)


def _settle(queue: _Connected[Queue], unsettled: Unsettled, on_record: Callable[[], str | None]) -> None:
    """Tell the broker what is done, by what is on record."""
    done = unsettled.admitted(on_record())
    if done.taken or done.refused:
        queue.opened.settle(done.taken, done.refused)
        unsettled.settled()


def _admitted(unsettled: Unsettled, on_record: Callable[[], str | None]) -> bool:
    """Whether all that was given is on record, after a while at most. In a run that uses nothing up it never is."""
    end = time.monotonic() + _PATIENCE
    while True:
        unsettled.admitted(on_record())
        if not unsettled.waiting:
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(_LOOK_EVERY)


def name_of(message: Message) -> str:
    """What tells a message from others: its place, or else what it holds."""
    if message.counted:
        return message.place
    parts = (message.place.encode("utf-8", "replace"), message.key.encode("utf-8", "replace"), message.body or b"")
    digest = blake2b(digest_size=9)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _left_out(fault: Fault, many: int) -> None:
    if many <= _MOST_TOLD:
        _log.warning("%s; it is left out", _error(fault))
    elif many == _MOST_TOLD + 1:
        _log.warning("more messages are left out, and counted")


def _error(fault: Fault) -> SourceError:
    return SourceError(fault.problem, fault.text, fault.place.line, fault.place.column)
