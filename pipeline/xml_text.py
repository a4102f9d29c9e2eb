"""Values as elements of XML 1.0. No I/O."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from pipeline.entity import is_reserved

# Names of elements that need no namespace and no thought; names in `xml` belong to the standard.
_name: Final = re.compile(r"(?!xml)[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII | re.IGNORECASE)
# What XML 1.0 has no way to write.
_forbidden: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MOST_DEPTH: Final = 64


def is_name(text: str) -> bool:
    """Whether an element can have this name without a namespace."""
    return _name.fullmatch(text) is not None


def record(tag: str, attributes: Mapping[str, str], found: Mapping[str, Any]) -> str:
    """An element whose elements are the properties; ValueError for what XML cannot hold.

    A list is several elements of one name, an object an element with elements. A name that is none in XML stands in
    the attribute of a `property`. Properties of the engine are left out.
    """
    parts = [opened(tag, attributes)]
    for name, value in found.items():
        if not is_reserved(name):
            parts += _written(name, value, 1)
    return checked("".join([*parts, f"</{tag}>"]))


def opened(tag: str, attributes: Mapping[str, str]) -> str:
    """The begin of an element."""
    return "".join([f"<{tag}", *(f" {name}={quoteattr(value)}" for name, value in attributes.items()), ">"])


def checked(text: str) -> str:
    """The text itself; ValueError if XML cannot hold it."""
    if _forbidden.search(text):
        raise ValueError("it has a character that XML cannot write")
    return text


def content(value: object) -> str:
    """A single value between two tags."""
    # A parser would make a new line of it.
    return escape(plain(value), {"\r": "&#13;"})


def plain(value: object) -> str:
    """The text of a single value; none of null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _written(name: str, value: Any, depth: int) -> Iterator[str]:  # noqa: ANN401 - whatever a property holds
    if depth > MOST_DEPTH:
        raise ValueError(f"it is nested deeper than {MOST_DEPTH} levels")
    if isinstance(value, list | tuple):
        for one in value:
            # A list within a list has an element of its own, or nobody could tell where it ends.
            yield from _written(name, {"item": one} if isinstance(one, list | tuple) else one, depth + 1)
        return
    tag, attributes = (name, {}) if is_name(name) else ("property", {"name": name})
    yield opened(tag, attributes)
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from _written(inner, item, depth + 1)
    else:
        yield content(value)
    yield f"</{tag}>"
