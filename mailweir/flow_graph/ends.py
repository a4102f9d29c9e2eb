"""What a pipe reads and writes, as far as its configuration says. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.config.flow import dead_letters
from pipeline.config.given import UNKNOWN
from pipeline.config.shape import Shape, shapes
from pipeline.config.tree import Array, Scalar
from pipeline.config.typed import Component
from systems.mail import CarrierConfig


@dataclass(frozen=True, slots=True)
class End:
    """A dataset or a system by name, or a source or sink that is neither, by its type.

    `joined`: looked up by a transform rather than read. `when`: the alternatives in which it is used; empty: always.
    """

    kind: Literal["dataset", "system", "type"]
    name: str
    mail: bool = False
    joined: bool = False
    when: tuple[str, ...] = ()


def reads(pipe: Component) -> list[End]:
    """Where the entities of a pipe come from: its source first, then what its transforms join."""
    sources = [end for name, child in pipe.children if name == "source" for end in _ends(child)]
    transforms = (part for _, child in pipe.children if child.kind == "transform" for part in child.walk())
    joined = [replace(end, joined=True) for part in transforms for end in _named(part)]
    return _merged([*sources, *joined])


def writes(pipe: Component) -> list[End]:
    """Where the entities of a pipe end. Without a sink that is the dataset named as the pipe."""
    sinks = [child for name, child in pipe.children if name == "sink"]
    failed = [End("dataset", name) for name in dead_letters(pipe)]
    if not sinks and not pipe.given.has("sink"):
        return [End("dataset", pipe.id), *failed]
    return _merged([*(end for sink in sinks for end in _ends(sink)), *failed])


def passes_on(system: Component) -> list[End]:
    """The systems that one passes on to."""
    return _merged(end for end in _named(system) if end.kind == "system")


def _ends(component: Component) -> list[End]:
    """The ends of a source or sink; one that holds others has theirs."""
    inner = [child for _, child in component.children if child.kind == component.kind]
    named = [*_named(component), *_written(component)]
    if not inner and not named:
        return [End("type", component.type)]
    alternatives = [child.given.path[-1] for child in inner if _chosen(component, child)]
    found = list(named)
    for child in inner:
        name = child.given.path[-1]
        for end in _ends(child):
            deeper = tuple(f"{name}/{when}" for when in end.when) or (name,)
            found.append(replace(end, when=deeper) if name in alternatives else end)
    # What every alternative uses is used always.
    return [replace(end, when=()) if list(end.when) == alternatives else end for end in _merged(found)]


def _chosen(component: Component, child: Component) -> bool:
    """Whether a part is one of several alternatives by name."""
    holder = child.given.path[-2] if len(child.given.path) > 1 else ""
    shape = shapes(component.model).get(holder)
    return shape is not None and shape.slot is not None and shape.slot.many == "object"


def _named(component: Component) -> Iterator[End]:
    for shape in shapes(component.model).values():
        if shape.refers is None:
            continue
        mail = shape.refers.to is not None and issubclass(shape.refers.to, CarrierConfig)
        for name in _texts(component, shape):
            yield End(shape.refers.kind, name, mail)
    for reference in component.model.references(component.given):
        yield End(reference.refers.kind, reference.name)


def _written(component: Component) -> Iterator[End]:
    for shape in shapes(component.model).values():
        if shape.writes:
            yield from (End("dataset", name) for name in _texts(component, shape) or [component.given.pipe])


def _texts(component: Component, shape: Shape) -> list[str]:
    """The names in a property; a name that is not known here as it is written (`$ENV(name)`)."""
    value = component.given.get(shape.written)
    if isinstance(value, str):
        return [str(value)]
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return [str(item) for item in value]
    member = component.given.node.members.get(shape.written)
    if value is None or member is None:
        return []
    nodes = member.value.items if isinstance(member.value, Array) else [member.value]
    return [node.value for node in nodes if isinstance(node, Scalar) and isinstance(node.value, str) and node.value]


def as_written(component: Component, name: str) -> str | None:
    """The text of a property whose value is a reference that is not known here."""
    member = component.given.node.members.get(name)
    if component.given.values.get(name) is not UNKNOWN or member is None or not isinstance(member.value, Scalar):
        return None
    text = member.value.value
    return text if isinstance(text, str) and "$" in text else None


def _merged(ends: Iterable[End]) -> list[End]:
    """Each end once: always used when one of the places uses it always, else with the alternatives of all."""
    found: dict[End, End] = {}
    for end in ends:
        key = replace(end, when=())
        earlier = found.get(key, end)
        when = tuple(dict.fromkeys((*earlier.when, *end.when))) if earlier.when and end.when else ()
        found[key] = replace(end, when=when)
    return list(found.values())
