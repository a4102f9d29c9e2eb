"""The flow as a graph: what stands in the picture and what leads where. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

# A `source` is where entities come in, a `system` or `sink` where they leave: a system that is read and written
# is two vertices, so that what goes out does not seem to come back.
VertexKind = Literal["source", "pipe", "dataset", "system", "sink"]
EdgeKind = Literal["data", "mail", "join"]


@dataclass(frozen=True, slots=True)
class Vertex:
    """Something in the picture. `key` names it alone; `limit` is what a mail system lets through (`1000/h`)."""

    kind: VertexKind
    name: str
    key: str
    file: str | None = None
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """Entities go from `start` to `end`. `when` are the alternatives in which they do; empty: always."""

    start: str
    end: str
    kind: EdgeKind = "data"
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """Vertices and edges, in the order in which they are drawn. Every edge joins two of the vertices."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]

    @property
    def by_key(self) -> dict[str, Vertex]:
        """The vertices by key."""
        return {vertex.key: vertex for vertex in self.vertices}

    def leaving(self) -> dict[str, list[Edge]]:
        """The edges out of every vertex."""
        found: dict[str, list[Edge]] = {vertex.key: [] for vertex in self.vertices}
        for edge in self.edges:
            found[edge.start].append(edge)
        return found

    def entering(self) -> dict[str, list[Edge]]:
        """The edges into every vertex."""
        found: dict[str, list[Edge]] = {vertex.key: [] for vertex in self.vertices}
        for edge in self.edges:
            found[edge.end].append(edge)
        return found


def around(graph: Graph, key: str) -> Graph:
    """Only what flows into a vertex and out of it, with that vertex."""
    before = _reached(key, {k: [edge.start for edge in edges] for k, edges in graph.entering().items()})
    after = _reached(key, {k: [edge.end for edge in edges] for k, edges in graph.leaving().items()})
    edges = tuple(edge for edge in graph.edges if {edge.start, edge.end} <= before or {edge.start, edge.end} <= after)
    return Graph(tuple(vertex for vertex in graph.vertices if vertex.key in before | after), edges)


def _reached(start: str, following: Mapping[str, Sequence[str]]) -> set[str]:
    reached = {start}
    waiting = [start]
    while waiting:
        for key in following[waiting.pop()]:
            if key not in reached:
                reached.add(key)
                waiting.append(key)
    return reached


def closing(graph: Graph) -> frozenset[Edge]:
    """The edges that close a circle: without them nothing leads back to where it came from."""
    leaving = graph.leaving()
    entered = {edge.end for edge in graph.edges}
    # From where entities come in first: then the edge that closes a circle is the one that leads back.
    starts = sorted(leaving, key=lambda key: key in entered)
    found: set[Edge] = set()
    open_: set[str] = set()
    done: set[str] = set()
    for start in starts:
        if start in done:
            continue
        open_.add(start)
        work: list[tuple[str, Iterator[Edge]]] = [(start, iter(_data_first(leaving[start])))]
        while work:
            key, edges = work[-1]
            edge = next(edges, None)
            if edge is None:
                work.pop()
                open_.discard(key)
                done.add(key)
            elif edge.end in open_:
                found.add(edge)
            elif edge.end not in done:
                open_.add(edge.end)
                work.append((edge.end, iter(_data_first(leaving[edge.end]))))
    return frozenset(found)


def _data_first(edges: Sequence[Edge]) -> list[Edge]:
    return sorted(edges, key=lambda edge: edge.kind == "join")


def label(edge: Edge, closes: Collection[Edge] = ()) -> str:
    """The words on an edge: the alternatives in which it holds, and `↻` when it closes a circle."""
    return " ".join([*([", ".join(edge.when)] if edge.when else []), *(["↻"] if edge in closes else [])])
