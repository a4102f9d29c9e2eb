"""A bus for programs in Python: they publish messages to its topics, and put entities into its registry.

    with Bus("/srv/shop", "bus") as bus:
        bus.publish("SERVICE.MAILER", {"recipients": "kari@example.com", "title": "Hello", "body": "It is on its way."})
        key = bus.put({"recipients": "ola@example.com", "title": "Hello", "body": large}, expires_after=3600)
        bus.publish("SERVICE.MAILER", key)

What a call did is safe when it returns: with the broker, or in the state of the project.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from mailweir.systems_of import NoSystemError, Systems, of_folder
from pipeline.run import StoppedError
from sinks.broker_write import BrokerWriter
from sinks.json import text_of
from sources.bus_read import key_of
from systems.brokers.messages import BrokerError, Outgoing
from systems.bus.config import BusConfig, is_topic
from systems.bus.system import Bus as System

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPIRES_AFTER: Final = 24 * 3600.0
"""How many seconds the registry keeps an entity, unless something else is said."""
# Who needs it longer wants a dataset.
LONGEST: Final = 366 * 24 * 3600.0


class BusError(Exception):
    """What was published or put is not there, and why. Nothing of what it holds is told."""


class UnfitError(BusError):
    """It cannot be published or put as it is, wherever the bus is."""


class TakenError(BusError):
    """The key has another entity."""


class Bus:
    """A bus of a project, for one thread."""

    def __init__(self, project: str | Path | Systems, bus: str = "") -> None:
        """The bus with this `_id`, or the only one of the project in this folder, or of its systems. `BusError`."""
        systems = project if isinstance(project, Systems) else of_folder(Path(project))
        self._system = _system(systems, bus)
        self._writers: dict[str, BrokerWriter] = {}

    def __enter__(self) -> Self:
        """The bus."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        self.close()

    def close(self) -> None:
        """Leave."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
        self._system.close()

    def publish(self, topic: str, *messages: Mapping[str, Any] | str) -> list[str]:
        """Publish messages, all in one go: entities, or keys of the registry. The `_id` or key of each.

        An entity without an `_id` gets one. When `BusError` says that a broker was lost, some may be there: published
        again with the same `_id` they are mailed once.
        """
        if not is_topic(topic):
            raise UnfitError(f"`{topic}` is no name of a topic")
        ready = [_outgoing(one) for one in messages]
        if topic not in self._writers:
            topics = self._system.topics
            self._writers[topic] = BrokerWriter(topics.settings, lambda: topics.publisher(topic), skip_deleted=False)
        try:
            refused = self._writers[topic].published(ready) if ready else ()
        except StoppedError as error:
            raise BusError(str(error)) from None
        for one, why in zip(ready, refused, strict=True):
            if why:
                raise BusError(f"`{topic}` does not take `{one.key}`: {why}")
        return [one.key for one in ready]

    def put(self, entity: Mapping[str, Any], key: str = "", expires_after: float = EXPIRES_AFTER) -> str:
        """Put an entity into the registry for so many seconds; the key under which it is there.

        A key that another entity has is refused with `BusError`. The same entity may be put once more.
        """
        key = key or secrets.token_hex(16)
        if key_of(key.encode("utf-8", "replace")) != key:
            raise UnfitError("a key has 1 to 255 letters, digits and `._:/@+-`, and begins with a letter or digit")
        if not 0 < expires_after <= LONGEST:
            raise UnfitError("`expires_after` is a number of seconds, at most those of a year")
        text = _text({"_id": key, **entity})
        try:
            new = self._system.put(key, text, expires_after)
        except BrokerError as error:
            raise BusError(error.text) from None
        if not new:
            raise TakenError(f"the key `{key}` has another entity")
        return key


def _outgoing(message: Mapping[str, Any] | str) -> Outgoing:
    if isinstance(message, str):
        if key_of(message.encode("utf-8", "replace")) != message:
            raise UnfitError("a message is an entity, or a key of the registry")
        return Outgoing(message, message.encode())
    entity = {"_id": secrets.token_hex(16), **message}
    return Outgoing(str(entity["_id"]), _text(entity))


def _text(entity: dict[str, Any]) -> bytes:
    if not isinstance(entity["_id"], str) or not entity["_id"]:
        raise UnfitError("the `_id` of an entity is a text")
    try:
        return text_of(entity)
    except (TypeError, ValueError) as error:
        raise UnfitError(f"the entity `{entity['_id']}` is no JSON: {error}") from None


def _system(systems: Systems, name: str) -> System:
    names: Sequence[str] = [name] if name else [one.id for one in systems.configs(BusConfig)]
    if len(names) != 1:
        raise BusError("name one of the buses: " + ", ".join(names) if names else "the project has no bus")
    try:
        systems.config(names[0], BusConfig)
        return systems.system(names[0], System)
    except NoSystemError as error:
        raise BusError(str(error)) from None
