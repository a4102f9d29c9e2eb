"""The children of an entity instead of the entity. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pipeline.component import Context, TransformConfig
from pipeline.entity import Entity


class EmitChildrenConfig(TransformConfig):
    """Emits the entities in `$children`, and not the parent."""

    type: Literal["emit_children"]
    """`emit_children`."""

    def build(self, context: Context) -> EmitChildren:
        """The transform itself."""
        return EmitChildren()


class EmitChildren:
    """Children go through; what is no entity among them is dropped."""

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """The children that have an `_id`."""
        children = entity.get("$children")
        found = children if isinstance(children, list) else [children]
        return [child for child in found if isinstance(child, dict) and isinstance(child.get("_id"), str)]
