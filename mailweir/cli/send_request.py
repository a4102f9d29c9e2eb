"""A mail as a JSON document on standard input, as programs of other languages hand it over."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from typing import Any, Final, cast

from mailweir.cli.group import meant

LARGEST_PORT: Final = 65_535

_words: Final[Mapping[str, str]] = {
    "host": "a host name",
    "port": f"a number from 1 to {LARGEST_PORT}",
    "helo": "a host name",
    "pipelining": "TRY, DEPEND or NO",
    "connection_timeout": "a number of seconds above 0",
    "sender": "an address, or null",
    "recipients": "a list of addresses",
    "message": "a mail in base64",
}
_needed: Final = ("host", "recipients", "message")


def request_of(data: bytes) -> tuple[str, dict[str, Any]]:
    """The server and the arguments of `asend`; `ValueError` says what is wrong with the request."""
    if not data.strip():
        raise ValueError("standard input is empty: a request as a JSON object was expected")
    try:
        request = json.loads(data)
    except json.JSONDecodeError as error:
        text = f"standard input is not JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}"
        raise ValueError(text) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"standard input is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise ValueError("standard input: an object was expected")  # noqa: TRY004 - wrong data, not a wrong call
    for name, value in request.items():
        if name not in _words:
            raise ValueError(f"no property '{name}'.{meant(name, list(_words))}")
        if not _fits(name, value):
            raise ValueError(f"`{name}`: {_words[name]} was expected")
    missing = [name for name in _needed if name not in request]
    if missing:
        raise ValueError(f"`{missing[0]}` is missing")
    try:
        message = b64decode(request["message"], validate=True)
    except (Error, ValueError):
        raise ValueError("`message`: a mail in base64 was expected") from None
    host = request["host"]
    parts: dict[str, Any] = {
        "sender": request.get("sender") or "",
        "recipients": request["recipients"],
        "message": message,
        "helo": request.get("helo"),
        "pipelining": request.get("pipelining", "TRY"),
    }
    if "connection_timeout" in request:
        parts["connect_within"] = float(request["connection_timeout"])
    return f"smtp://{f'[{host}]' if ':' in host else host}:{request.get('port', 25)}", parts


def _fits(name: str, value: object) -> bool:
    match name:
        case "port":
            return type(value) is int and 0 < value <= LARGEST_PORT
        case "connection_timeout":
            return type(value) in {int, float} and cast("float", value) > 0
        case "pipelining":
            return value in ("TRY", "DEPEND", "NO")
        case "sender":
            return value is None or isinstance(value, str)
        case "recipients":
            return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)
