"""Pipes as tests need them: what no test reads or writes may be of a type that this version does not know. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.config.given import UNKNOWN
from pipeline.config.tree import Array, Node, Object, Scalar
from pipeline.pipe import PipeConfig
from sinks.null import NullConfig
from sources.embedded import EmbeddedConfig
from sources.empty import EmptyConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.config.typed import Component

_ENDS: Final = frozenset({"source", "sink", "transform"})
# Entities are handed to it by others: in a test it has those of the test, or none.
_RECEIVES: Final = "http_endpoint"
# In a test this alternative of a source is read, whatever the condition says.
TEST: Final = "test"
_NAMESPACES: Final = ("namespaced_identifiers", "namespaces", "add_namespaces", "remove_namespaces")


def pipe_of(component: Component) -> PipeConfig | None:
    """The pipe, if all but its source and its sink is right.

    A sink of a type that is not known swallows what it gets: a test looks at what comes before it. A source of one has
    no entities of its own, so a test has to give them. Of a conditional one only what a test uses has to be known.
    """
    if isinstance(component.config, PipeConfig):
        return component.config
    given, children = component.given, [child for _, child in component.children]
    written = given.node.members
    rest = [name for name in written if name not in _ENDS and given.values.get(name) is UNKNOWN]
    transforms = [child.config for child in children if child.kind == "transform"]
    if rest or component.strangers or not component.id:
        return None
    ends: dict[str, Any] = {child.kind: _end(child) for child in children if child.kind in {"source", "sink"}}
    if None in transforms or None in ends.values():
        return None
    member = written.get("transform")
    items = 0 if member is None else len(member.value.items) if isinstance(member.value, Array) else 1
    if items != len(transforms):
        return None
    for kind in ("source", "sink"):
        if kind not in ends and kind in written:
            ends[kind] = _stand_in(kind, written[kind].value)
    namespaces: dict[str, Any] = {name: given.values[name] for name in _NAMESPACES if name in given.values}
    return PipeConfig.model_construct(
        id=component.id,
        type="pipe",
        source=ends.get("source"),
        transform=tuple(transforms),
        sink=ends.get("sink"),
        **namespaces,
    )


def _end(child: Component) -> Any:
    """What a test uses of a source or sink; None if there is a fault in it."""
    if child.config is not None or child.type != "conditional" or child.strangers:
        return child.config
    member = child.given.node.members.get("alternatives")
    written = member.value.members if member is not None and isinstance(member.value, Object) else {}
    name = TEST if child.kind == "source" and TEST in written else str(child.given.values.get("condition"))
    found = next((one for _, one in child.children if one.given.path[-1] == name), None)
    if found is not None:
        return _end(found)
    return _stand_in(child.kind, written[name].value) if name in written else None


def _stand_in(kind: str, node: Node) -> Any:
    """What takes the place of a source or sink of a type that is not known, if anything can.

    It keeps the name of the type, which says whether names have namespaces there.
    """
    member = node.members.get("type") if isinstance(node, Object) else None
    type_name = member.value.value if member is not None and isinstance(member.value, Scalar) else None
    if kind == "sink":
        return NullConfig.model_construct(type=type_name)
    return EmptyConfig.model_construct(type=type_name) if type_name == _RECEIVES else None


def made_up(component: Component) -> Sequence[Mapping[str, object]] | None:
    """The entities that the alternative `test` of a pipe's source has in the configuration itself, if it does."""
    source = next((child for _, child in component.children if child.kind == "source"), None)
    if source is None or source.type != "conditional":
        return None
    alternative = next((one for _, one in source.children if one.given.path[-1] == TEST), None)
    config = None if alternative is None else alternative.config
    return config.entities if isinstance(config, EmbeddedConfig) else None
