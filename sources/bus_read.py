"""What messages of a bus become: the entity that one holds, or the one in the registry that it holds the key of.

A message of which there is no entity goes on as it came, as an entity with one property for it. The first transform of
the pipe says of it what is wrong and where, so it becomes a dead letter like any other entity that fails: it is kept,
it can be tried again, and its neighbours go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from msgspec import DecodeError
from msgspec.json import Decoder

from pipeline.config.given import advice
from pipeline.entity import Entity
from pipeline.errors import Problem, SourceError, Span, TransformError
from sources.broker_read import name_of
from sources.message_entities import Shape, entity_of_message
from sources.parts import Fault, Place
from systems.brokers.messages import BrokerError, Message, Queue
from systems.bus.system import Bus

MESSAGE: Final = "$message"
"""The property that has a message of which there was no entity."""

# Keys are names, with nothing in them that JSON or a shell would change.
_key: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,254}")
_text: Final = Decoder(str)


def key_of(body: bytes | None) -> str | None:
    """The key that a message is: a text in JSON, or as it stands."""
    body = (body or b"").strip()
    if body.startswith(b'"'):
        try:
            body = _text.decode(body).encode()
        except (DecodeError, UnicodeError):
            return None
    return body.decode("ascii") if _key.fullmatch(body) else None


class Reading:
    """How messages are read: from where (for people), what they become, and what the registry has under a key."""

    def __init__(self, name: str, shape: Shape, get: Callable[[str], bytes | None]) -> None:
        """`get` gives `b""` for what was taken out."""
        self.name = name
        self.shape = shape
        self._get = get
        self.used: set[str] = set()
        """The keys whose entities went on, and which are in the registry still."""

    def entity(self, message: Message) -> Entity:
        """The entity of a message, or the message itself as one."""
        id_ = message.key or name_of(message)
        held = self._held(message, id_)
        if held is not None and held.body == b"" and message.body:
            # A key that is published once more, as by somebody who does not know whether it was, has had its entity.
            return {"_id": held.key, "_filtered": True}
        made = self._missing(id_) if held is None else entity_of_message(held, self.shape, self.name)
        if held is not None and (key := key_of(message.body)) is not None:
            self.used.add(key)
        if not isinstance(made, Fault):
            return made
        # What was in the registry is taken out of it: it is kept with what is wrong with it.
        body = (held or message).body or b""
        try:
            return {"_id": id_, MESSAGE: body.decode()}
        except UnicodeDecodeError:
            return {"_id": id_, MESSAGE: body}

    def again(self, entity: Entity) -> Entity:
        """That of a message of which there was none before; `TransformError` with what is wrong, and where."""
        id_, body = str(entity.get("_id", "")), entity[MESSAGE]
        data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        if not isinstance(data, bytes):
            raise TransformError(f"{self.name} {id_}: `{MESSAGE}` is no message")
        held = self._held(Message(data, id_), id_)
        if held is not None and held.body == b"" and data:
            return {"_id": held.key, "_filtered": True}
        made = self._missing(id_) if held is None else entity_of_message(held, self.shape, self.name)
        if isinstance(made, Fault):
            raise TransformError(str(SourceError(made.problem, made.text, made.place.line, made.place.column)))
        return made

    def _held(self, message: Message, id_: str) -> Message | None:
        """The message, or what is in the registry under the key that it is; None if there is nothing."""
        key = key_of(message.body)
        if key is None:
            return replace(message, key=id_, place=id_)
        found = self._get(key)
        return None if found is None else replace(message, body=found, key=key, place=f"registry {key}")

    def _missing(self, id_: str) -> Fault:
        words = "nothing is in the registry under this key: it expired, or was never put there"
        help_ = advice("put an entity there before its key is published, for longer than the message may wait")
        return Fault(Problem("E218", words, Span(f"{self.name} {id_}", 0, 0), notes=(help_,)), "", Place())


class Unwrapping:
    """The first transform: what has an entity passes, and of a message without one it is looked for once more."""

    def __init__(self, reading: Callable[[], Reading]) -> None:
        """Nothing is opened as long as all messages have entities."""
        self._reading = reading

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """The entity."""
        if MESSAGE not in entity:
            return (entity,)
        try:
            return (self._reading().again(entity),)
        except BrokerError as error:
            raise TransformError(error.text) from None


class Opening:
    """Opens the queue of a reader. What it settles is taken out of the registry before."""

    def __init__(self, bus: Bus, reading: Reading, opened: Callable[[], Queue]) -> None:
        """`opened` connects."""
        self._bus = bus
        self._reading = reading
        self._opened = opened

    def __call__(self) -> Queue:
        """The queue."""
        return _TakingOut(self._opened(), self._bus, self._reading.used)


class _TakingOut:
    def __init__(self, queue: Queue, bus: Bus, used: set[str]) -> None:
        self._queue = queue
        self._bus = bus
        self._used = used

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        return self._queue.take(most, seconds)

    def settle(self, messages: Sequence[Message], refused: Sequence[Message] = ()) -> None:
        # Not what has come under a key since its message was found to have nothing. A kill between the two leaves
        # messages that are known to be done; what is left in the registry expires.
        keys = self._used.intersection(key for one in messages if (key := key_of(one.body)) is not None)
        self._bus.take_out(keys)
        self._used -= keys
        self._queue.settle(messages, refused)

    def close(self) -> None:
        self._queue.close()
