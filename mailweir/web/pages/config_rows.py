"""What the pages of the configuration show: components, and where each of their values comes from. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pydantic_core import PydanticUndefined

from pipeline.config.given import UNKNOWN
from pipeline.config.mask import masked, shown_for
from pipeline.config.named import references
from pipeline.config.shape import shapes
from pipeline.config.tree import Lines, Scalar
from pipeline.secret import MASK, Secret

if TYPE_CHECKING:
    from pipeline.config.project import Project
    from pipeline.config.resolve import Use
    from pipeline.config.tree import Node
    from pipeline.config.typed import Component

# Of a value that is a list or an object; the text beside it has the rest.
MOST_SHOWN: Final = 160
# For people, not for the run.
_free: Final = frozenset({"comment", "$schema"})

Standing = Literal["same", "changed", "gone"]


class Property(NamedTuple):
    """A property as it is loaded, and where its value comes from."""

    name: str
    value: str
    origin: str


class Line(NamedTuple):
    """A component in the list, and how its text stands to what is stored now."""

    id: str
    type: str
    file: str
    used_by: int
    standing: Standing


def listed(project: Project, stands: Mapping[str, Standing]) -> list[Line]:
    """All components, in the order of their files."""
    named = used(project.components)
    return [
        Line(one.id, one.type, one.given.document.name, len(named.get(one.id, ())), stands[one.given.document.name])
        for one in project.components
    ]


def used(components: Iterable[Component]) -> dict[str, list[str]]:
    """Which components name each system or dataset."""
    found: dict[str, dict[str, None]] = {}
    for use in references(components):
        found.setdefault(use.reference.name, {})[use.top.id] = None
    return {name: list(by) for name, by in found.items()}


def properties(component: Component, project: Project) -> list[Property]:
    """What is given in the order of the text, then the defaults of the rest."""
    document = component.given.document
    lines = Lines(document.text)
    uses = [use for use in project.uses if use.span.file == document.name]
    masks = project.masks.get(document.name, ())
    found = []
    members = component.given.node.members
    for name, member in members.items():
        if name in _free:
            continue
        node = member.value
        start, end = node.start, node.end
        inside = [use for use in uses if start <= use.span.start < end]
        whole = inside[0] if len(inside) == 1 and inside[0].value.start == start else None
        value = _value(component.given.values.get(name), whole) if _is_value(node) else None
        spans = [
            (max(first, start) - start, min(last, end) - start) for first, last in masks if first < end and last > start
        ]
        if value is None or (spans and (whole is None or not whole.secret)):
            value = _masked(document.text[start:end], spans)
        origin = ", ".join(map(_origin, inside)) or f"line {lines.place(member.key.start)[0]}"
        found.append(Property(name, value or "", origin))
    return [*found, *_defaults(component, members)]


def _is_value(node: Node) -> bool:
    return isinstance(node, Scalar)


def _value(value: object, whole: Use | None) -> str | None:
    """A value that is no list or object, as it may be shown; None where nothing is known of it."""
    if whole is not None and (whole.secret or isinstance(value, Secret)):
        return f"{MASK} set" if whole.found is not None else "not set"
    if isinstance(value, Secret):
        return MASK
    if value is None or value is UNKNOWN:
        return None
    return str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _masked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    if spans == [(0, len(text))]:
        return shown_for(text, 0, len(text)).strip('"')
    shown = " ".join(masked(text, spans).split())
    return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…"


def _origin(use: Use) -> str:
    place = "not set" if use.found is None else use.found.place.name
    return f"${use.kind}({use.name}) ← {place}"


def _defaults(component: Component, given: Mapping[str, object]) -> Iterable[Property]:
    for shape in shapes(component.model).values():
        default = shape.info.default
        if shape.written in given or shape.written in _free or default is None or default is PydanticUndefined:
            continue
        shown = default if isinstance(default, str) else json.dumps(default, ensure_ascii=False, default=str)
        yield Property(shape.written, shown, "default")
