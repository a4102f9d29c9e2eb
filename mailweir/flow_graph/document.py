"""The flow as a JSON document for programs. No I/O."""

from __future__ import annotations

from mailweir.flow_graph.model import Graph, closing

Document = dict[str, object]


def document(graph: Graph) -> Document:
    """The vertices and edges; `limit`, `file` and `when` are null where there is none."""
    back = closing(graph)
    return {
        "nodes": [
            {
                "id": vertex.key,
                "kind": vertex.kind,
                "name": vertex.name,
                "file": vertex.file,
                "limit": vertex.limit,
            }
            for vertex in graph.vertices
        ],
        "edges": [
            {
                "from": edge.start,
                "to": edge.end,
                "kind": edge.kind,
                "when": list(edge.when) or None,
                "closes_circle": edge in back,
            }
            for edge in graph.edges
        ],
    }
