"""Several entities in one mail: which belong together, and what the mail is made of. No I/O.

Entities wait in the state until the first of a gathering has waited long enough, or there are as many as one mail
takes. Their mail is made of one entity like any other: it has the properties of the last of them, `entities` holds
them all, and its `_id` is the name of the gathering.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pipeline.entity import Entity, to_json, transit, typed
from pipeline.state.facts import Gathered, Gathering, MessageState, NewMessage, Part
from pipeline.state.keys import entity_text, entity_version, message_key

# In the place of recipients in the key of an entity that is gathered: it is no mail by itself.
_NOBODY: Final = ("",)


class Digest(NamedTuple):
    """Entities with the same value of the property `by` go into one mail, `every` so many seconds, `most` in each."""

    by: str
    every: float = 0.0
    most: int = 100


def place_of(pipe: str, to: str | None) -> str:
    """Under which name the entities of a pipe wait: mail that goes elsewhere takes nothing from the real recipients."""
    return pipe if to is None else f"{pipe}>{to}"


def gathered(entity: Entity, digest: Digest, pipe: str, run: str) -> Gathered | str:
    """The entity as it waits, or why it cannot. `pipe` is the place of it."""
    name = entity.get("_id")
    if not isinstance(name, str):
        return "the entity has no `_id`"
    value = entity.get(digest.by)
    if value is None or value == "":
        return f"the entity has no `{digest.by}` to gather by"
    try:
        text = entity_text(entity)
        plain = transit(value)
        together = plain if isinstance(plain, str) else to_json(plain, ordered=True).decode()
        # The state keeps no half characters.
        together = together.encode("utf-8", "backslashreplace").decode()
    except (TypeError, ValueError, RecursionError):
        return "the entity is no JSON object"
    key = message_key(pipe, name, entity_version(entity, text), _NOBODY)
    return Gathered(pipe, together, name, key, text, run)


def withdrawn(entity: Entity, pipe: str) -> Gathered:
    """An entity that is deleted: it goes out of the gathering that it waits in."""
    return Gathered(pipe, "", str(entity.get("_id", "")), "", "")


def names(gathering: Gathering, digest: Digest, pipe: str) -> tuple[tuple[str, str], ...]:
    """The `_id` and the key of each entity of a gathering."""
    found = (gathered(json.loads(part.entity), digest, pipe, "") for part in gathering.parts)
    return tuple((one.entity_id, one.key) for one in found if isinstance(one, Gathered))


def whole(gathering: Gathering) -> Entity:
    """The entity that the mail of a gathering is made of."""
    entities: Sequence[Entity] = [typed(json.loads(part.entity)) for part in gathering.parts]
    return {**entities[-1], "_id": gathering.name, "entities": entities}


def refusal(entity: Entity, why: str, pipe: str, system: str, run: str) -> NewMessage:
    """The row of an entity that cannot be gathered, for the list of what was rejected."""
    name = str(entity.get("_id", "")) if isinstance(entity, dict) else ""
    try:
        text = entity_text(entity)
    except (TypeError, ValueError, RecursionError):
        text = "{}"
    key = message_key(pipe, name, text, _NOBODY)
    detail = f"E502 {why}"
    return NewMessage(key, pipe, system, name, (), "{}", b"", text, "", run, state=MessageState.REJECTED, detail=detail)


def together(entities: Iterable[Entity], digest: Digest) -> tuple[list[Entity], list[tuple[Entity, str]]]:
    """The entities that mails would be made of if all of these waited and none was sent, and those that cannot wait."""
    gatherings: dict[str, list[Part]] = {}
    wrong: list[tuple[Entity, str]] = []
    for entity in entities:
        if entity.get("_deleted") is True:
            continue
        one = gathered(entity, digest, "", "")
        if isinstance(one, Gathered):
            gatherings.setdefault(one.gathering, []).append(Part(0, one.entity_id, one.entity, ""))
        else:
            wrong.append((entity, one))
    wholes = [
        whole(Gathering(name, tuple(parts[at : at + digest.most])))
        for name, parts in gatherings.items()
        for at in range(0, len(parts), digest.most)
    ]
    return wholes, wrong
