"""Entities for those who ask for XML over HTTP. No I/O."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal
from xml.sax.saxutils import escape, quoteattr

from pipeline.config.given import advice
from pipeline.entity import Entity
from sinks.published import PublishedConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

# Names of elements that need no namespace and no thought; names in `xml` belong to the standard.
_name: Final = re.compile(r"(?!xml)[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII | re.IGNORECASE)
# What XML 1.0 has no way to write.
_forbidden: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MOST_DEPTH: Final = 64


class XmlEndpointConfig(PublishedConfig):
    """Entities as elements for those who ask `mailweir serve`: `GET /api/publishers/<pipe>/xml`.

    Each property is an element, a list several of one name, an object an element with elements.
    """

    format_: ClassVar = "xml"
    media: ClassVar = "application/xml"

    type: Literal["xml_endpoint"]
    """`xml_endpoint`."""
    root_element: str = "entities"
    """The name of the element around all."""
    element: str = "entity"
    """The name of the element of an entity, whose attribute `id` is the `_id`."""
    skip_deleted_entities: bool = True
    """Whether deleted entities are left out; else they have the attribute `deleted`."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Elements have names."""
        for name in ("root_element", "element"):
            text = given.text(name)
            if text is not None and _name.fullmatch(text) is None:
                help_ = advice("letters, digits, `_`, `-` and `.`, a letter first, and not `xml`")
                yield given.problem("E203", f"`{text}` is no name of an element", name, notes=(help_,))

    def form(self) -> Elements:
        """Elements."""
        return Elements(self.root_element, self.element)

    @property
    def leaves_out_deleted(self) -> bool:
        """As it says."""
        return self.skip_deleted_entities


class Elements:
    """Entities as elements, in UTF-8. A name that is none in XML stands in the attribute of a `property`."""

    def __init__(self, root: str, element: str) -> None:
        """Names that were checked."""
        self._root = root
        self._element = element

    def head(self) -> bytes:
        """The root begins."""
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<{self._root}>\n'.encode()

    def text(self, entity: Entity) -> bytes:
        """An element; ValueError for an entity that XML cannot hold."""
        deleted = ' deleted="true"' if entity.get("_deleted") is True else ""
        parts = [f"<{self._element} id={quoteattr(str(entity.get('_id', '')))}{deleted}>"]
        for name, value in entity.items():
            if name[:1] != "_":
                parts += _written(name, value, 1)
        text = "".join([*parts, f"</{self._element}>\n"])
        if _forbidden.search(text):
            raise ValueError("it has a character that XML cannot write")
        return text.encode()

    def between(self) -> bytes:
        """Elements have their ends."""
        return b""

    def tail(self) -> bytes:
        """The root ends."""
        return f"</{self._root}>\n".encode()


def _written(name: str, value: Any, depth: int) -> Iterator[str]:  # noqa: ANN401 - whatever a property holds
    if depth > _MOST_DEPTH:
        raise ValueError(f"it is nested deeper than {_MOST_DEPTH} levels")
    if isinstance(value, list | tuple):
        for one in value:
            # A list within a list has an element of its own, or nobody could tell where it ends.
            yield from _written(name, {"item": one} if isinstance(one, list | tuple) else one, depth + 1)
        return
    known = _name.fullmatch(name) is not None
    tag = name if known else "property"
    yield f"<{tag}>" if known else f"<property name={quoteattr(name)}>"
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from _written(inner, item, depth + 1)
    else:
        yield escape(_text(value))
    yield f"</{tag}>"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)
