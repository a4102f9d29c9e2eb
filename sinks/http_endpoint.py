"""Entities for those who ask for JSON over HTTP. No I/O."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pipeline.entity import Entity, to_json
from sinks.published import PublishedConfig

# Of what belongs to the engine only this is for others; `_updated` is what they ask with the next time.
_told: Final = frozenset({"_id", "_deleted", "_updated"})


class HttpEndpointSinkConfig(PublishedConfig):
    """Entities as JSON for those who ask `mailweir serve`: `GET /api/publishers/<pipe>/entities`."""

    format_: ClassVar = "entities"
    media: ClassVar = "application/json"

    type: Literal["http_endpoint"]
    """`http_endpoint`."""
    skip_deleted: bool = False
    """Whether deleted entities are left out. Those who ask with `since` learn of deletes by them."""

    def form(self) -> Listed:
        """A list."""
        return Listed()

    @property
    def leaves_out_deleted(self) -> bool:
        """As it says."""
        return self.skip_deleted


class Listed:
    """A list, with the `_updated` of each entity."""

    def head(self) -> bytes:
        """It begins."""
        return b"[\n"

    def text(self, entity: Entity) -> bytes:
        """An item; ValueError for one that JSON cannot hold."""
        try:
            return to_json({name: value for name, value in entity.items() if name[:1] != "_" or name in _told})
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"it cannot be written as JSON: {error}") from None

    def between(self) -> bytes:
        """A comma, and a new line for people."""
        return b",\n"

    def tail(self) -> bytes:
        """It ends."""
        return b"\n]\n"
