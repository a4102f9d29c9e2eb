"""A project's components as a graph. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailweir.flow_graph.ends import End, as_written, passes_on, reads, writes
from mailweir.flow_graph.model import Edge, Graph, Vertex
from pipeline.config.shape import shapes
from pipeline.config.typed import Component
from systems.mail import CarrierConfig


def build(components: Sequence[Component]) -> Graph:
    """Everything that flows between pipes, from outside and to outside; systems that nothing uses stand alone.

    A dataset that only the pipe of the same name writes is that pipe.
    """
    return _Builder(components).graph()


def pipe_key(id: str) -> str:
    """The key of a pipe in the graph."""
    return f"pipe:{id}"


class _Builder:
    """Collects vertices and edges, each once, in the order of the files."""

    def __init__(self, components: Sequence[Component]) -> None:
        self.pipes = _first(components, "pipe")
        self.systems = _first(components, "system")
        self.ends = {pipe.id: (reads(pipe), writes(pipe)) for pipe in self.pipes.values()}
        writers: dict[str, list[str]] = {}
        for id_, (_, written) in self.ends.items():
            for end in written:
                if end.kind == "dataset":
                    writers.setdefault(end.name, []).append(id_)
        self.merged = {dataset for dataset, ids in writers.items() if ids == [dataset]}
        self.vertices: dict[str, Vertex] = {}
        self.edges: dict[Edge, None] = {}

    def graph(self) -> Graph:
        for id_, pipe in self.pipes.items():
            read, written = self.ends[id_]
            sources = [self._source(pipe, end) for end in read]
            for vertex in sources:
                # Pipes stand in the order of the files, each after what it reads from outside.
                if vertex.kind != "pipe":
                    self._add(vertex)
            self._add(self._pipe(id_))
            for end, vertex in zip(read, sources, strict=True):
                self._join(Edge(vertex.key, pipe_key(id_), "join" if end.joined else "data", end.when))
            for target, end in ((self._target(pipe, end), end) for end in written):
                # A dataset that is a pipe in the picture is the one that writes it.
                if target.kind != "pipe":
                    self._add(target)
                    self._join(Edge(pipe_key(id_), target.key, "mail" if end.mail else "data", end.when))
        used = {end.name for read, written in self.ends.values() for end in (*read, *written) if end.kind == "system"}
        behind = {id_: passes_on(system) for id_, system in self.systems.items()}
        used |= {end.name for id_, ends in behind.items() for end in ends if end.name != id_}
        for id_ in self.systems:
            if id_ not in used:
                self._add(self._system(id_))
        for id_, ends in behind.items():
            for end in ends:
                self._add(self._system(id_))
                self._add(self._system(end.name))
                self._join(Edge(f"system:{id_}", f"system:{end.name}", "mail" if end.mail else "data"))
        return Graph(tuple(self.vertices.values()), tuple(self.edges))

    def _add(self, vertex: Vertex) -> None:
        self.vertices.setdefault(vertex.key, vertex)

    def _join(self, edge: Edge) -> None:
        self.edges.setdefault(edge)

    def _pipe(self, id_: str) -> Vertex:
        return Vertex("pipe", id_, pipe_key(id_), self.pipes[id_].given.document.name)

    def _dataset(self, name: str) -> Vertex:
        return self._pipe(name) if name in self.merged else Vertex("dataset", name, f"dataset:{name}")

    def _source(self, pipe: Component, end: End) -> Vertex:
        if end.kind == "dataset":
            return self._dataset(end.name)
        if end.kind == "system":
            system = self.systems.get(end.name)
            file = system.given.document.name if system else None
            return Vertex("source", end.name, f"source:{end.name}", file)
        return Vertex("source", end.name, f"source:{end.name}@{pipe.id}", pipe.given.document.name)

    def _target(self, pipe: Component, end: End) -> Vertex:
        if end.kind == "dataset":
            return self._dataset(end.name)
        if end.kind == "system":
            return self._system(end.name)
        return Vertex("sink", end.name, f"sink:{end.name}@{pipe.id}", pipe.given.document.name)

    def _system(self, id_: str) -> Vertex:
        system = self.systems.get(id_)
        if system is None:
            return Vertex("system", id_, f"system:{id_}")
        return Vertex("system", id_, f"system:{id_}", system.given.document.name, limit(system))


def limit(system: Component) -> str | None:
    """How much a mail system lets through: `1000/h`."""
    if not issubclass(system.model, CarrierConfig):
        return None
    unknown = as_written(system, "max_per_hour")
    default: object = shapes(system.model)["max_per_hour"].info.default
    value = unknown or system.given.get("max_per_hour", default)
    return f"{value}/h" if isinstance(value, str | int) else None


def _first(components: Iterable[Component], kind: str) -> dict[str, Component]:
    """The components of a kind by `_id`; of two with the same the first."""
    found: dict[str, Component] = {}
    for component in components:
        if component.kind == kind and component.id:
            found.setdefault(component.id, component)
    return found
