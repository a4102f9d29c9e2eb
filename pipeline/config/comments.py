"""Free words in a configuration: allowed in every object, and nothing reads them. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FREE: Final = frozenset({"comment", "$schema"})
"""Names that are allowed in every object and mean nothing."""


def is_comment(name: str, value: object) -> bool:
    """Whether a property is free words. Where names are the user's own, it counts as not written."""
    if isinstance(value, list):
        return name in FREE and all(isinstance(item, str) for item in value)
    return name in FREE and isinstance(value, str)


def without_comments(named: Mapping[str, object]) -> dict[str, object]:
    """What stands under names that are the user's own."""
    return {name: value for name, value in named.items() if not is_comment(name, value)}
