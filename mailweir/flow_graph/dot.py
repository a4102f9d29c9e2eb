"""The flow in the language of Graphviz. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mailweir.flow_graph.model import Edge, EdgeKind, Graph, Vertex, VertexKind, closing, label
from pipeline.config.glyphs import visible

_shapes: Final[Mapping[VertexKind, str]] = {
    "source": "shape=box",
    "pipe": "shape=box, style=rounded",
    "dataset": "shape=cylinder",
    "system": "shape=box, peripheries=2",
    "sink": "shape=box, style=dashed",
}
_lines: Final[Mapping[EdgeKind, tuple[str, ...]]] = {"data": (), "mail": ("style=bold",), "join": ("style=dotted",)}


def draw(graph: Graph) -> str:
    """A digraph from left to right."""
    back = closing(graph)
    lines = [
        "digraph mailweir {",
        "  rankdir=LR;",
        '  node [fontname="sans-serif"];',
        '  edge [fontname="sans-serif"];',
    ]
    lines += [_vertex(vertex) for vertex in graph.vertices]
    lines += [_edge(edge, label(edge, back)) for edge in graph.edges]
    return "\n".join([*lines, "}"])


def _vertex(vertex: Vertex) -> str:
    # `\n` between two labels that are escaped each on its own.
    text = r"\n".join(_escaped(part) for part in (vertex.name, vertex.limit) if part is not None)
    return f'  "{_escaped(vertex.key)}" [label="{text}", {_shapes[vertex.kind]}];'


def _edge(edge: Edge, words: str) -> str:
    settings = [*_lines[edge.kind]]
    words = " ".join(word for word in ("✉" if edge.kind == "mail" else "", words) if word)
    if words:
        settings.append(f'label="{_escaped(words)}"')
    ends = f'"{_escaped(edge.start)}" -> "{_escaped(edge.end)}"'
    return f"  {ends} [{', '.join(settings)}];" if settings else f"  {ends};"


def _escaped(text: str) -> str:
    # Graphviz reads `&name;` in a label as a character.
    return visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
