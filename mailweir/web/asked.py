"""What requests ask for, taken apart with words for what is wrong. No I/O."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from mailweir.web.route import RefusedError
from pipeline.config.near import near

# Rows of one answer: a page is read in a few milliseconds, so nothing that is written waits for it.
MOST_ROWS: Final = 200


def limit_of(query: Mapping[str, Any], usual: int) -> int:
    """How many rows are wanted."""
    found: int = query.get("limit", usual)
    if not 0 < found <= MOST_ROWS:
        raise RefusedError(400, f"`limit` is a number from 1 to {MOST_ROWS}")
    return found


def object_of(body: bytes, known: Collection[str]) -> dict[str, Any]:
    """An object with some of these names."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise RefusedError(400, "the body is an object")
    for name in found:
        if name not in known:
            close = near(name, list(known), most=1)
            raise RefusedError(400, f"no property `{name}`." + (f" Did you mean `{close[0]}`?" if close else ""))
    return found


def text_at(given: Mapping[str, Any], name: str, *, most: int, usual: str | None = None) -> str:
    """A text of the object."""
    found = given.get(name, usual)
    if found is None:
        raise RefusedError(400, f"`{name}` is missing")
    if not isinstance(found, str) or len(found) > most:
        raise RefusedError(400, f"`{name}` is a text of {most} characters at most")
    return found
