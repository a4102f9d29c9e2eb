"""Pipes as tests need them: what no test reads or writes may be of a type that this version does not know. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.config.given import UNKNOWN
from pipeline.config.tree import Array, Object, Scalar
from pipeline.pipe import PipeConfig
from sinks.null import NullConfig
from sources.empty import EmptyConfig

if TYPE_CHECKING:
    from pipeline.config.typed import Component

_ENDS: Final = frozenset({"source", "sink", "transform"})
# Entities are handed to it by others: in a test it has those of the test, or none.
_RECEIVES: Final = "http_endpoint"


def pipe_of(component: Component) -> PipeConfig | None:
    """The pipe, if all but its source and its sink is right.

    A sink of a type that is not known swallows what it gets: a test looks at what comes before it. A source of one has
    no entities of its own, so a test has to give them.
    """
    if isinstance(component.config, PipeConfig):
        return component.config
    given, children = component.given, [child for _, child in component.children]
    written = given.node.members
    rest = [name for name in written if name not in _ENDS and given.values.get(name) is UNKNOWN]
    transforms = [child.config for child in children if child.kind == "transform"]
    if rest or component.strangers or not component.id or any(child.config is None for child in children):
        return None
    member = written.get("transform")
    items = 0 if member is None else len(member.value.items) if isinstance(member.value, Array) else 1
    if items != len(transforms):
        return None
    ends = {child.kind: child.config for child in children if child.kind in {"source", "sink"}}
    if "sink" in written and "sink" not in ends:
        ends["sink"] = NullConfig(type="null")
    if _source_type(component) == _RECEIVES:
        ends["source"] = EmptyConfig(type="empty")
    return PipeConfig.model_construct(
        id=component.id,
        type="pipe",
        source=ends.get("source"),
        transform=tuple(transforms),
        sink=ends.get("sink"),
    )


def _source_type(component: Component) -> object:
    member = component.given.node.members.get("source")
    source = member.value if member else None
    kind = source.members.get("type") if isinstance(source, Object) else None
    return kind.value.value if kind is not None and isinstance(kind.value, Scalar) else None
