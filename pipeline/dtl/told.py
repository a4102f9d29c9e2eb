"""A fault of rules where it stands in a text. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.config.given import within
from pipeline.config.tree import Array, Document, Node, Object, Scalar
from pipeline.dtl.parse import Fault
from pipeline.dtl.tree import Place
from pipeline.errors import Edit, Problem


def as_json(value: Any) -> Any:
    """Values as JSON has them, whatever strings remember of where they come from."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): as_json(inner) for name, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, list | tuple) else value


def node_at(root: Node, place: Place) -> Node:
    """The value at a place below `root`, or the nearest around it that is written."""
    node = root
    for part in place:
        inner: Node | None = None
        if isinstance(node, Object) and part in node.members:
            inner = node.members[str(part)].value
        elif isinstance(node, Array) and isinstance(part, int) and part < len(node.items):
            inner = node.items[part]
        if inner is None:
            break
        node = inner
    return node


def problem_of(fault: Fault, document: Document, root: Node, path: Sequence[str] = ()) -> Problem:
    """The problem that a fault is, in the document in which the rules stand below `root`."""
    node = node_at(root, fault.place)
    span = document.span(node)
    written = node.value if isinstance(node, Scalar) else None
    fix: tuple[Edit, ...] = ()
    if isinstance(written, str):
        inside = within(document, node, fault.start, len(written) if fault.end is None else fault.end)
        if fault.end is not None:
            span = inside
        elif fault.instead is not None:
            fix = (Edit(inside, json.dumps(fault.instead)[1:-1]),)
    return Problem(fault.code, fault.message, span, fault.label, tuple(path), notes=fault.notes, fix=fix)
