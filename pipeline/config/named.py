"""Where a configuration names systems and datasets. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.component import Reference, Refers
from pipeline.config.given import advice
from pipeline.config.lookup import Unread
from pipeline.config.shape import shapes
from pipeline.config.tree import Array, Document, Node, Object, Scalar
from pipeline.config.typed import Component
from pipeline.errors import Span

OTHER_IS_MISSPELT: Final = advice("or is that `_id` misspelt? its file has the name that is looked for")
_declaration = re.compile(r"""_id["']?\s*[:=]\s*["']?([A-Za-z0-9_.:-]+)""")


@dataclass(frozen=True, slots=True)
class Named:
    """A reference where it stands."""

    reference: Reference
    component: Component
    top: Component
    span: Span
    path: tuple[str, ...]


def references(components: Iterable[Component]) -> Iterator[Named]:
    """Everything that names a system or a dataset."""
    for top in components:
        for component in top.walk():
            for shape in shapes(component.model).values():
                if shape.refers:
                    yield from _marked(component, top, shape.written, shape.refers)
            for reference in component.model.references(component.given):
                span = Span(component.given.document.name, reference.start, reference.end)
                yield Named(reference, component, top, span, component.given.path)


def _marked(component: Component, top: Component, name: str, refers: Refers) -> Iterator[Named]:
    given = component.given
    value = given.get(name)
    member = given.node.members.get(name)
    if member is None:
        return
    path = (*given.path, name)
    values = list(value) if isinstance(value, list | tuple) else [value]
    nodes: Sequence[Node] = member.value.items if isinstance(member.value, Array) else [member.value] * len(values)
    for item, node in zip(values, nodes, strict=False):
        if isinstance(item, str):
            reference = Reference(refers, str(item), node.start, node.end)
            yield Named(reference, component, top, given.document.span(node), path)


def is_literal(use: Named, name: str) -> bool:
    """Whether the name stands in the text as it is."""
    member = use.component.given.node.members.get(use.path[-1])
    return member is not None and isinstance(member.value, Scalar) and member.value.value == name


def is_faulty(use: Named) -> bool:
    """Whether the text of the name has a fault of its own, which is told."""
    problems = use.component.given.document.problems
    return any(use.span.start <= problem.span.start < use.span.end for problem in problems)


def is_file_name(name: str, file: str) -> bool:
    """Whether a file is called so: `orders` for `pipes/orders.conf.json`."""
    return file.rpartition("/")[2].partition(".")[0] == name


def unread(broken: Sequence[Document], lost: Sequence[str]) -> Unread:
    """Every `_id` that files which could not be read whole seem to declare, and those of `lost` components.

    One fault, one error: a reference to one of them is not wrong for that. What is lost without a name may have any.
    """
    seen = (name for document in broken for name in _declaration.findall(document.text))
    everything = "" in lost or any(not isinstance(document.root, Object | Array) for document in broken)
    return Unread([*lost, *seen], everything=everything)
