"""Entities for those who ask for XML over HTTP. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.config.given import advice
from pipeline.entity import Entity
from pipeline.xml_text import is_name, record
from sinks.published import PublishedConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


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
            if text is not None and not is_name(text):
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
        attributes = {"id": str(entity.get("_id", ""))}
        if entity.get("_deleted") is True:
            attributes["deleted"] = "true"
        return f"{record(self._element, attributes, entity)}\n".encode()

    def between(self) -> bytes:
        """Elements have their ends."""
        return b""

    def tail(self) -> bytes:
        """The root ends."""
        return f"</{self._root}>\n".encode()
