"""What is sent, as bytes. No I/O."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from pipeline.entity import NI, URI, Datetime, to_json
from pipeline.secret import Secret
from systems.http.exchange import revealed
from systems.http.operations import PayloadType
from systems.http.templated import NotMadeError

_TEXTS: Final = (NI, URI, Datetime, UUID)


def payload_of(value: object, kind: PayloadType) -> tuple[bytes | None, str | None]:
    """Content and its type; NotMadeError for what cannot be written so."""
    if value is None:
        return None, None
    if isinstance(value, bytes):
        return value, "application/octet-stream"
    if isinstance(value, str | Secret):
        return revealed(value).encode("utf-8", "replace"), _type_of_text(kind)
    if kind in {"form", "multipart-form"}:
        if not isinstance(value, Mapping):
            raise NotMadeError("`payload` is no object, and a form needs one")
        fields = [(str(name), text) for name, inner in value.items() for text in _texts(inner)]
        if kind == "form":
            return urlencode(fields).encode(), "application/x-www-form-urlencoded"
        return _multipart(fields)
    try:
        written = to_json(_opened(value)) if kind == "json-transit" else _encoder()(plain(value))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise NotMadeError(f"`payload` cannot be written as JSON: {error}") from None
    return written, "text/plain; charset=utf-8" if kind == "text" else "application/json"


def plain(value: Any) -> Any:  # noqa: ANN401 - any value of an entity
    """The same without tags: times, addresses and identifiers are their texts, bytes are in base64."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, _TEXTS):
        return str(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return revealed(value) if isinstance(value, Secret) else value


def _opened(value: Any) -> Any:  # noqa: ANN401 - as above
    """The same with secrets as they go on the wire."""
    if isinstance(value, Mapping):
        return {name: _opened(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_opened(item) for item in value]
    return revealed(value) if isinstance(value, Secret) else value


@cache
def _encoder() -> Any:  # noqa: ANN401 - the method of a class that is loaded by those who send
    from msgspec.json import Encoder  # noqa: PLC0415 - as above

    return Encoder(decimal_format="number").encode


def _type_of_text(kind: PayloadType) -> str:
    if kind == "form":
        return "application/x-www-form-urlencoded"
    return "application/json" if kind in {"json", "json-transit"} else "text/plain; charset=utf-8"


def _texts(value: object) -> list[str]:
    """The texts of a field: one for each item of a list."""
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return [param_text(value)] if value is not None else []


def param_text(value: object) -> str:
    """A value in a query, a form or a header."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return str(_encoder()(plain(value)), "utf-8")
    made = plain(value)
    return "" if made is None else str(made)


def _multipart(fields: list[tuple[str, str]]) -> tuple[bytes, str]:
    """A form in parts (RFC 7578). What parts them is made of them, so that it stands in none."""
    boundary = sha256("\0".join(text for field in fields for text in field).encode("utf-8", "replace")).hexdigest()
    parts = []
    for name, text in fields:
        quoted = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{quoted}"\r\n\r\n{text}\r\n')
    content = f"{''.join(parts)}--{boundary}--\r\n"
    return content.encode("utf-8", "replace"), f"multipart/form-data; boundary={boundary}"
