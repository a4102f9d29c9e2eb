"""The entity that the same entities of several datasets become. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from pipeline.entity import Entity, is_reserved
from pipeline.state.values import value_key

Strategy = Literal["default", "compact", "list"]
Identity = Literal["composite", "first"]
Named = Sequence[tuple[int, str]]
"""Entities by the place of their dataset and their `_id`, in this order."""

_IDS: Final = "$ids"


def identity_of(named: Named, identity: Identity) -> str:
    """The `_id` of what they become."""
    return "|".join(f"{place}|{id_}" for place, id_ in named) if identity == "composite" else named[0][1]


def merged(id_: str, entities: Sequence[Entity], strategy: Strategy, name: Callable[[str], object]) -> Entity:
    """One entity of all, with the names of them in `$ids`; `name` makes such a name of an `_id`."""
    made: Entity = {"_id": id_, _IDS: _distinct([value for one in entities for value in _names(one, name)])}
    if strategy == "list":
        made["$merged"] = [_own(one) for one in entities]
        return made
    found: dict[str, list[Any]] = {}
    for one in entities:
        for key, value in one.items():
            if not is_reserved(key) and key != _IDS:
                found.setdefault(key, []).append(value)
    for key, values in found.items():
        if strategy == "default" and len(values) == 1:
            made[key] = values[0]
            continue
        flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
        if strategy == "default":
            made[key] = flat
            continue
        flat = _distinct(flat)
        if flat:
            made[key] = flat[0] if len(flat) == 1 else flat
    return made


def deleted(id_: str, entity: Entity, name: Callable[[str], object]) -> Entity:
    """An entity that is deleted where it comes from: it stands alone."""
    return merged(id_, [entity], "default", name) | {"_deleted": True}


def replaced(id_: str) -> Entity:
    """What is said of an `_id` that is no more: others have taken what was in it."""
    return {"_id": id_, "_deleted": True, "$replaced": True}


def _own(entity: Mapping[str, Any]) -> Entity:
    return {name: value for name, value in entity.items() if name == "_id" or not is_reserved(name)}


def _names(entity: Entity, name: Callable[[str], object]) -> Sequence[object]:
    """What was merged before is named by what it was made of."""
    if _IDS not in entity:
        return [name(entity["_id"])]
    found = entity[_IDS]
    return found if isinstance(found, list) else [found]


def _distinct(values: Sequence[Any]) -> list[Any]:
    kept: dict[bytes | None, Any] = {}
    for value in values:
        kept.setdefault(value_key(value), value)
    return list(kept.values())
