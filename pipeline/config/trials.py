"""The entities that a project itself brings, followed to the sinks that they reach. No I/O.

Only what is certain counts: entities that are written in a source, as long as no transform has changed them. Of all
others nobody knows here what they have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipeline.component import SinkConfig, SourceConfig
from pipeline.config.shape import shapes
from pipeline.config.typed import Component
from pipeline.entity import Entity
from pipeline.errors import Problem

# Pipes in a row, each reading the dataset of the one before.
_LONGEST: Final = 100


def tried(components: Sequence[Component]) -> Iterator[Problem]:
    """What sinks have to say of the entities that reach them."""
    known = _Known({pipe.id: pipe for pipe in components if pipe.kind == "pipe" and pipe.id})
    for pipe in known.pipes.values():
        for sink in _children(pipe, "sink"):
            if issubclass(sink.model, SinkConfig) and sink.model.tried is not SinkConfig.tried:
                entities = known.reaching(pipe)
                if entities:
                    yield from sink.model.tried(sink.given, entities)


def _children(pipe: Component, name: str) -> list[Component]:
    return [child for slot, child in pipe.children if slot == name]


class _Known:
    """The entities of each pipe, found when they are asked for."""

    def __init__(self, pipes: Mapping[str, Component]) -> None:
        self.pipes = pipes
        self._writers: dict[str, Component] = {}
        self._found: dict[str, Sequence[Entity] | None] = {}
        self._depth = 0
        for pipe in pipes.values():
            for dataset in _written(pipe):
                # Of a dataset with two writers, which is a fault, nothing is known.
                self._found |= {dataset: None} if dataset in self._writers else {}
                self._writers[dataset] = pipe

    def reaching(self, pipe: Component) -> Sequence[Entity] | None:
        """The entities that reach the sink of a pipe."""
        sources = _children(pipe, "source")
        transforms = pipe.given.get("transform")
        if len(sources) != 1 or transforms or not issubclass(sources[0].model, SourceConfig):
            return None
        return sources[0].model.known(sources[0].given, self._dataset)

    def _dataset(self, name: str) -> Sequence[Entity] | None:
        if name in self._found or name not in self._writers:
            return self._found.get(name)
        # In a circle of pipes nothing is known of those that ask again.
        self._found[name] = None
        self._depth += 1
        if self._depth <= _LONGEST:
            self._found[name] = self.reaching(self._writers[name])
        self._depth -= 1
        return self._found[name]


def _written(pipe: Component) -> list[str]:
    sinks = _children(pipe, "sink")
    if not sinks and not pipe.given.written("sink"):
        return [pipe.id]
    found = []
    for sink in sinks:
        names = [shape.written for shape in shapes(sink.model).values() if shape.writes]
        found += [sink.given.get(name, pipe.id) for name in names]
    return [str(name) for name in found if isinstance(name, str)]
