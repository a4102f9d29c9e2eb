"""Entities are published to a broker, a batch at a time, and the broker says of each that it has it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt
from pipeline.run import StoppedError
from sinks.json import text_of
from systems.brokers.messages import BrokerError, Outgoing, Publisher
from systems.brokers.settings import Settings

_log: Final = logging.getLogger("mailweir.sink")


class BrokerWriter:
    """Publishes batches. What the broker refuses is rejected alone.

    When the connection is lost, what the broker has not confirmed is published again over the next one.
    """

    def __init__(self, settings: Settings, opened: Callable[[], Publisher], *, skip_deleted: bool) -> None:
        """`opened` connects."""
        self._settings = settings
        self._opened = opened
        self._skip_deleted = skip_deleted
        self._publisher: Publisher | None = None

    def write(self, entities: Sequence[Entity]) -> list[Receipt]:
        """Those that were refused; of all others the broker has said that it has them."""
        told: list[Receipt] = []
        ready: list[Outgoing] = []
        for entity in entities:
            id_ = str(entity.get("_id", ""))
            deleted = entity.get("_deleted") is True
            if deleted and self._skip_deleted:
                told.append(Receipt(id_, "", Outcome.SKIPPED))
                continue
            try:
                ready.append(Outgoing(id_, text_of(entity), deleted))
            except ValueError as error:
                told.append(Receipt(id_, "", Outcome.REJECTED, str(error)))
        refused = self.published(ready) if ready else ()
        told += [Receipt(one.key, "", Outcome.REJECTED, why) for one, why in zip(ready, refused, strict=False) if why]
        return told

    def close(self) -> None:
        """Leave."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()

    def published(self, messages: Sequence[Outgoing]) -> Sequence[str]:
        """Why each was refused, or `""`. `StoppedError` if the broker cannot be reached."""
        tries = None
        while True:
            try:
                if self._publisher is None:
                    self._publisher = self._opened()
                return self._publisher.publish(messages)
            except BrokerError as error:
                known = self._publisher is not None or tries is not None
                self.close()
                if not error.lost or not known:
                    raise self._stopped(error) from None
                if tries is None:
                    _log.warning("%s: the connection was lost: %s", self._settings.name, error.text)
                    tries = self._settings.tries()
                if next(tries, self) is self:
                    raise self._stopped(error) from None

    def _stopped(self, error: BrokerError) -> StoppedError:
        where = f"{self._settings.address.shown}: " if error.lost else ""
        return StoppedError(f"the broker `{self._settings.name}` takes nothing: {where}{error.text}")
