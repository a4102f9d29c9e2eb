"""Namespaces that a pipe adds to what its source gives, and takes from what its sink gets. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.dtl.namespaces import Way, bare, spaced
from pipeline.entity import Entity


class AddNamespaces:
    """Before the first transform."""

    def __init__(self, identity: str, property: str) -> None:
        """The namespaces of `_id` and of the names of properties."""
        self._way = Way(property, identity)

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """The entity with namespaces. Names that have one, or begin with `_` or `$`, stay."""
        return [spaced(entity, self._way)]


class RemoveNamespaces:
    """After the last transform."""

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """The entity without the namespaces of names, of `_id` and of identifiers."""
        return [bare(entity)]
