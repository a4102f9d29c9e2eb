"""The flow as a Mermaid flowchart, which GitHub and many wikis draw. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from typing import Final

from mailweir.flow_graph.model import Edge, EdgeKind, Graph, Vertex, VertexKind, closing, label
from pipeline.config.glyphs import visible

_shapes: Final[Mapping[VertexKind, tuple[str, str]]] = {
    "source": ("[", "]"),
    "pipe": ("([", "])"),
    "dataset": ("[(", ")]"),
    "system": ("[[", "]]"),
    "sink": ("[", "]"),
}
_lines: Final[Mapping[EdgeKind, str]] = {"data": "-->", "mail": "==>", "join": "-.->"}
# What stays as it is in a label; all else could be read as Markdown, HTML or the end of the label.
_special = re.compile(r"[^\w \-:/,↻]|(?<![^\W_])_|_(?![^\W_])|^[\d-]+(?=[. )])|^-")


def draw(graph: Graph) -> str:
    """The flowchart, without the fence around it."""
    ids = _ids(graph)
    back = closing(graph)
    lines = ["flowchart LR"]
    lines += [f"  {ids[vertex.key]}{_shaped(vertex)}" for vertex in graph.vertices]
    lines += [f"  {ids[edge.start]} {_line(edge, label(edge, back))} {ids[edge.end]}" for edge in graph.edges]
    return "\n".join(lines)


def _ids(graph: Graph) -> dict[str, str]:
    """An id for each vertex of ASCII letters, digits and `_`; it begins with the kind, so it is no word of Mermaid."""
    taken: dict[str, str] = {}
    for vertex in graph.vertices:
        name = re.sub(r"[^A-Za-z0-9]+", "_", f"{vertex.kind}_{vertex.name}").strip("_")
        free = (name if number == 1 else f"{name}_{number}" for number in count(1))
        taken[next(id_ for id_ in free if id_ not in taken)] = vertex.key
    return {key: id_ for id_, key in taken.items()}


def _shaped(vertex: Vertex) -> str:
    left, right = _shapes[vertex.kind]
    limit = f"<br>{_escaped(vertex.limit)}" if vertex.limit else ""
    return f'{left}"{_escaped(vertex.name)}{limit}"{right}'


def _line(edge: Edge, words: str) -> str:
    words = " ".join(word for word in ("✉" if edge.kind == "mail" else "", _escaped(words)) if word)
    return f'{_lines[edge.kind]}|"{words}"|' if words else _lines[edge.kind]


def _escaped(text: str) -> str:
    return _special.sub(lambda found: "".join(f"#{ord(char)};" for char in found[0]), visible(text))
