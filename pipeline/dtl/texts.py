"""Values as text: what stands for them in strings and in JSON. No I/O."""

from __future__ import annotations

import json
from base64 import b64encode
from decimal import Decimal
from typing import Any, Final

from pipeline.dtl.limits import MOST_TEXT, bounded, weighed

# Names in order, and characters as they are: what is read most are texts in mails and logs.
_encode: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False).encode


def as_json(value: Any) -> str:
    """JSON without tags: bytes in base64, decimals as numbers, and what else JSON lacks as its text."""
    weighed(value)
    try:
        found = _encode(value)
    except TypeError:
        found = _by_part(value)
    bounded(len(found), MOST_TEXT, "characters")
    return found


def _by_part(value: Any) -> str:
    kind = type(value)
    if kind is dict:
        return "{" + ", ".join(f"{_encode(name)}: {_by_part(value[name])}" for name in sorted(value)) + "}"
    if kind is list:
        return "[" + ", ".join(map(_by_part, value)) + "]"
    if kind is Decimal:
        return str(value)
    if kind is bytes:
        return _encode(b64encode(value).decode())
    return _encode(value if value is None or kind in {str, int, float, bool} else str(value))


def as_string(value: Any) -> str | None:
    """A value as `string` writes it; None for bytes that are no UTF-8."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bytes:
        try:
            return value.decode()  # type: ignore[no-any-return]
        except UnicodeDecodeError:
            return None
    if kind in {dict, list, float, int, bool}:
        return as_json(value)
    return str(value)
