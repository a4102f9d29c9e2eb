"""What messages of a broker become: entities, and faults with their places. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.given import advice
from pipeline.entity import Entity
from pipeline.errors import Problem, Span
from sources.json_text import object_of
from sources.keys import joined
from sources.parts import Fault, Place
from systems.brokers.messages import Message


@dataclass(frozen=True, slots=True)
class Shape:
    """How a message becomes an entity.

    `keys` are the properties that make the `_id`; without them it is that of the body, the key of the message, or its
    place. `facts` is the property that gets what else is known of the message. `fields`: what is known of it is all
    there is. `deletes`: a message with a key and no body says that the entity is deleted.
    """

    keys: Sequence[str] = ()
    facts: str | None = None
    fields: bool = False
    deletes: bool = False


def entity_of_message(message: Message, shape: Shape, name: str) -> Entity | Fault:
    """The entity of a message; `name` is where messages come from."""
    place = Place()
    name = f"{name} {message.place}"
    made: Entity | Fault
    if message.body is None and shape.deletes and message.key:
        return _with_facts({"_id": message.key, "_deleted": True}, message, shape)
    if shape.fields:
        fields = message.facts.get("fields")
        made = dict(fields) if isinstance(fields, dict) else {}
    elif message.body is None:
        return _fault(name, "E218", "this message has no body", "an entity is an object in JSON")
    else:
        made = object_of(message.body, name, place)
    if isinstance(made, Fault):
        return made
    id_ = _id_of(made, message, shape)
    if id_ is None:
        what = ", ".join(f"`{key}`" for key in shape.keys) if shape.keys else "`_id`"
        return _fault(
            name, "E218", f"the `_id` of this entity is empty: {what} has no value", "write a text or a number"
        )
    return _with_facts({**made, "_id": id_}, message, shape)


def _id_of(made: Entity, message: Message, shape: Shape) -> str | None:
    """The `_id`; None if there is none."""
    if shape.keys:
        parts = [_text(made.get(key)) for key in shape.keys]
        return joined([part for part in parts if part]) if all(parts) else None
    if "_id" in made:
        return _text(made["_id"])
    return message.key or message.place


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def _with_facts(entity: Entity, message: Message, shape: Shape) -> Entity:
    return entity if shape.facts is None else {**entity, shape.facts: dict(message.facts)}


def _fault(name: str, code: str, message: str, help_: str) -> Fault:
    return Fault(Problem(code, message, Span(name, 0, 0), notes=(advice(help_),)), "", Place())
