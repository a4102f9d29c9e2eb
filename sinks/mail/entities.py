"""Entities as the state keeps them beside the messages that are made of them. No I/O."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.entity import Entity
from pipeline.errors import Problem
from pipeline.state.keys import entity_text, entity_version
from sinks.mail.people import wrong


class Known(NamedTuple):
    """An entity as the state keeps it: by its `_id`, in its version, as text with its names in order."""

    id: str
    version: str
    text: str


def is_left_alone(entity: Entity, *, skip_deleted: bool) -> bool:
    """Whether there is to be no message of it: it was filtered out, or is deleted and that is to be skipped."""
    if not isinstance(entity, dict):
        return False
    return entity.get("_filtered") is True or (skip_deleted and entity.get("_deleted") is True)


def known_of(entity: Entity) -> Known | Problem:
    """What the state is to keep of an entity, or why there is no message of it."""
    try:
        text = entity_text(entity)
        name = entity["_id"]
        return Known(name if isinstance(name, str) else str(name), entity_version(entity, text), text)
    except KeyError:
        return wrong("E507", "the entity has no `_id`", "_id")
    except RecursionError:
        return wrong("E507", "the entity goes too deep")
    except (TypeError, ValueError, AttributeError):
        return wrong("E507", "the entity is no JSON object")


def unknown(entity: object) -> Known:
    """An entity that is none, as far as it can be told from others."""
    name = entity.get("_id") if isinstance(entity, dict) else None
    return Known(name if isinstance(name, str) else "", "", "{}")


def whole(text: str) -> str:
    """The text without halves of characters."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
