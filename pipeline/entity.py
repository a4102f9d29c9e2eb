"""Entities: JSON objects with an `_id`. No I/O."""

from __future__ import annotations

from typing import Any

Entity = dict[str, Any]
"""A JSON object; properties whose names begin with `_` belong to the engine (`_id`, `_deleted`, …)."""


def is_reserved(name: str) -> bool:
    """Whether a property belongs to the engine rather than to the data."""
    return name.startswith("_")
