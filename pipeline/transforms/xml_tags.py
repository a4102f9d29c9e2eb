"""Objects that have the form of elements: `{"id": "7", "<order>": {"<sku>": "cup"}}`. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from xml.parsers import expat

from pipeline.dtl.namespaces import is_own
from pipeline.xml_text import MOST_DEPTH, checked, content, opened, plain

# NameStartChar and NameChar of XML 1.0, without the colon, which Namespaces in XML keeps for prefixes.
_START: Final = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PART: Final = f"[{_START}][{_START}0-9.\\-\xb7\u0300-\u036f\u203f-\u2040]*"
_qualified: Final = re.compile(f"(?:{_PART}:)?{_PART}")


def is_qualified(name: str) -> bool:
    """Whether an element or an attribute can have this name, with or without a prefix."""
    return _qualified.fullmatch(name) is not None


def declared(attributes: Iterable[str]) -> frozenset[str]:
    """The prefixes that attributes may have, when these attributes are there."""
    return frozenset({"xml", "xmlns"}.union(name[6:] for name in attributes if name.startswith("xmlns:")))


def element(found: Mapping[str, Any], attributes: Mapping[str, str]) -> str:
    """The element that an object is the form of; ValueError if it is of none.

    It has exactly one property `<name>`, that holds a single value, an object of the same form, or a list of such
    objects; what else is in the list is ignored. All other properties are attributes, except null and the engine's.
    """
    return checked("".join(_parts(found, attributes, "", 1)))


def read_again(text: str) -> str:
    """The text itself; ValueError if a parser that knows namespaces refuses it, with its words."""
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(text, True)
    except expat.ExpatError as error:
        raise ValueError(expat.ErrorString(error.code)) from None
    return text


def _parts(found: Mapping[str, Any], attributes: Mapping[str, str], path: str, depth: int) -> list[str]:
    if depth > MOST_DEPTH:
        raise ValueError(f"it is nested deeper than {MOST_DEPTH} levels")
    tags = [name for name in found if _is_tag(name)]
    if len(tags) != 1:
        place = f" in `{path}`" if path else ""
        has = ", ".join(f"`{name}`" for name in tags) or "none"
        raise ValueError(f"of properties `<name>` there must be exactly one{place}, but there is {has}")
    own = {name: _attribute(name, value) for name, value in found.items() if _is_attribute(name, value)}
    name = tags[0]
    tag, value = _named(name[1:-1]), found[name]
    parts = [opened(tag, {**attributes, **own})]
    if isinstance(value, dict):
        parts += _parts(value, {}, path + name, depth + 1)
    elif isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                parts += _parts(one, {}, path + name, depth + 1)
    else:
        parts.append(content(value))
    return [*parts, f"</{tag}>"]


def _is_tag(name: str) -> bool:
    return name.startswith("<") and name.endswith(">")


def _is_attribute(name: str, value: object) -> bool:
    return value is not None and not _is_tag(name) and not is_own(name)


def _attribute(name: str, value: object) -> str:
    if isinstance(value, dict | list):
        raise ValueError(f"`{name}` would be an attribute, which holds a single value")  # noqa: TRY004 - not a slip
    _named(name)
    return plain(value)


def _named(name: str) -> str:
    if not is_qualified(name):
        raise ValueError(f"`{name}` is no name of an element or attribute")
    return name
