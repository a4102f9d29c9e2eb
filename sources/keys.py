"""The `_id` of an entity whose key is several values. No I/O."""

from __future__ import annotations

from collections.abc import Sequence


def joined(parts: Sequence[str]) -> str:
    """The one value, or all with `:` between them; then `a:b` and `c` must not be the same as `a` and `b:c`."""
    return parts[0] if len(parts) == 1 else ":".join([_escaped(part) for part in parts])


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace(":", "%3A") if ":" in part or "%" in part else part
