"""Entities for those who ask for them: what sinks have in common that run nothing themselves. No I/O."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pipeline.alternatives import chosen
from pipeline.component import SinkConfig

if TYPE_CHECKING:
    from pipeline.entity import Entity
    from sinks.file import Form


class PublishedConfig(SinkConfig):
    """A sink whose pipe runs for each request: its source is read then, and shaped, and streamed."""

    format_: ClassVar[str]
    """The last part of its URL."""
    media: ClassVar[str]
    """What kind of text it gives."""

    @abstractmethod
    def form(self) -> Form:
        """How entities are written."""

    @property
    @abstractmethod
    def leaves_out_deleted(self) -> bool:
        """Whether deleted entities are left out."""


def published(sink: SinkConfig | None) -> PublishedConfig | None:
    """The sink of a pipe, if it is one of these; of a conditional one the chosen alternative."""
    found = chosen(sink)
    return found if isinstance(found, PublishedConfig) else None


def url_of(pipe: str, sink: PublishedConfig) -> str:
    """Where the entities of a pipe are asked for."""
    return f"/api/publishers/{pipe}/{sink.format_}"


def wanted(entities: Sequence[Entity], *, deleted: bool) -> list[Entity]:
    """Those that are given: none that was filtered out, and with `deleted` deleted ones too."""
    return [one for one in entities if not one.get("_filtered") and (deleted or one.get("_deleted") is not True)]
