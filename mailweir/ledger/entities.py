"""Datasets, and entities that failed, as facts for programs. No I/O."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mailweir.shown import moment

if TYPE_CHECKING:
    from pipeline.state.datasets import Dataset
    from pipeline.state.failures import Kept


def dataset_facts(one: Dataset) -> dict[str, Any]:
    """A dataset."""
    return {
        "id": one.name,
        "pipe": one.pipe,
        "entities": one.entities,
        "deleted": one.deleted,
        "last": one.last,
        "changed_at": moment(one.changed),
        "reading": bool(one.scanning),
    }


def failed_facts(one: Kept) -> dict[str, Any]:
    """An entity that failed, without what it holds."""
    return {
        "number": one.number,
        "pipe": one.pipe,
        "entity": one.entity_id,
        "state": "dead" if one.dead else "waiting",
        "outdated": one.later,
        "stage": one.stage,
        "reason": one.reason,
        "tries": one.tries,
        "first_at": moment(one.first),
        "last_at": moment(one.last),
        "run": one.run,
    }


def value_of(one: Kept) -> object:
    """What it holds."""
    return json.loads(one.entity)
