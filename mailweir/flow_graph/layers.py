"""Places for the boxes and lines of a picture from left to right. No I/O.

1. Every vertex gets a layer, as far to the right as the longest way to it (edges that close a circle count reversed).
2. An edge over several layers gets a waypoint in each layer between, so that no box stands on it.
3. Within each layer the order is that of the neighbours' average (barycentre), kept where fewest lines cross.
4. Each box moves as near to the height of its neighbours as the order and the gaps allow (isotonic regression).
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from mailweir.flow_graph.model import Edge, Graph, Vertex, closing

SWEEPS: Final = 12
GAP: Final = 20.0
WAYPOINT_GAP: Final = 14.0
ALMOST_LEVEL: Final = 10.0
COMPONENT_GAP: Final = 28.0


@dataclass(slots=True, eq=False)
class Point:
    """A vertex or a waypoint in its layer; `y` is its middle."""

    layer: int
    height: float = 0.0
    vertex: Vertex | None = None
    y: float = 0.0
    left: list[Point] = field(default_factory=list)
    right: list[Point] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Way:
    """An edge and the points it goes through, from left to right; `reversed` when it goes from right to left."""

    edge: Edge
    points: Sequence[Point]
    reversed: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The points by layer, each layer from top to bottom, the ways between them, and the height of it all."""

    layers: Sequence[Sequence[Point]]
    ways: Sequence[Way]
    height: float


def lay_out(graph: Graph, height: Callable[[Vertex], float]) -> Layout:
    """Where everything stands, given the height of each box."""
    back = closing(graph)
    layer_of = _layers(graph, back)
    points = {vertex.key: Point(layer_of[vertex.key], height(vertex), vertex) for vertex in graph.vertices}
    ways: list[Way] = []
    waypoints: dict[str, list[Point]] = {vertex.key: [] for vertex in graph.vertices}
    for edge in graph.edges:
        first, last = (edge.end, edge.start) if edge in back else (edge.start, edge.end)
        between = [Point(layer) for layer in range(layer_of[first] + 1, layer_of[last])]
        chain = [points[first], *between, points[last]]
        waypoints[first] += between
        for one, next_ in pairwise(chain):
            if one is not next_:
                one.right.append(next_)
                next_.left.append(one)
        ways.append(Way(edge, chain, edge in back))
    depth = max(layer_of.values(), default=-1) + 1
    layers: list[list[Point]] = [[] for _ in range(depth)]
    top = 0.0
    for keys in _components(graph):
        part: list[list[Point]] = [[] for _ in range(depth)]
        for key in keys:
            for point in (points[key], *waypoints[key]):
                part[point.layer].append(point)
        part = _ordered(part)
        _place(part)
        top = _stack(part, top) + COMPONENT_GAP
        for layer, mine in zip(layers, part, strict=True):
            layer.extend(mine)
    return Layout(layers, ways, max(0.0, top - COMPONENT_GAP))


def _layers(graph: Graph, back: frozenset[Edge]) -> dict[str, int]:
    """The layer of each vertex: one more than the last of those before it."""
    forward = [(edge.end, edge.start) if edge in back else (edge.start, edge.end) for edge in graph.edges]
    after: dict[str, list[str]] = {vertex.key: [] for vertex in graph.vertices}
    missing = dict.fromkeys(after, 0)
    for start, end in forward:
        if start != end:
            after[start].append(end)
            missing[end] += 1
    entered = {key for key, count in missing.items() if count}
    layer = dict.fromkeys(after, 0)
    ready = [key for key, count in missing.items() if not count]
    for key in ready:
        for end in after[key]:
            layer[end] = max(layer[end], layer[key] + 1)
            missing[end] -= 1
            if not missing[end]:
                ready.append(end)
    last = max(layer.values(), default=0)
    for vertex in graph.vertices:
        # The systems that mail goes to stand together, at the end.
        if vertex.kind == "system" and not after[vertex.key]:
            layer[vertex.key] = last
    for key, ends in after.items():
        # Where nothing comes before a vertex, it can stand right beside what it feeds.
        if ends and key not in entered:
            layer[key] = min(layer[end] for end in ends) - 1
    return layer


def _components(graph: Graph) -> list[list[str]]:
    """The keys of vertices that hang together, those from which others are fed first, depth first."""
    leaving, entering = graph.leaving(), graph.entering()
    found: list[list[str]] = []
    seen: set[str] = set()
    for first in sorted(leaving, key=lambda key: bool(entering[key])):
        if first in seen:
            continue
        keys: list[str] = []
        waiting = [first]
        while waiting:
            key = waiting.pop()
            if key in seen:
                continue
            seen.add(key)
            keys.append(key)
            waiting += [edge.start for edge in reversed(entering[key])]
            waiting += [edge.end for edge in reversed(leaving[key])]
        found.append(keys)
    # What nothing leads to or from comes last.
    return sorted(found, key=lambda keys: len(keys) == 1)


def _ordered(layers: list[list[Point]]) -> list[list[Point]]:
    """The layers, each in the order in which the fewest lines cross."""
    best, least = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(SWEEPS):
        if not least:
            break
        forward = sweep % 2 == 0
        for index in range(len(layers)) if forward else range(len(layers) - 1, -1, -1):
            layers[index] = _by_neighbours(layers, index, forward=forward)
        count = _crossings(layers)
        if count < least:
            best, least = [list(layer) for layer in layers], count
    return best


def _by_neighbours(layers: Sequence[Sequence[Point]], index: int, *, forward: bool) -> list[Point]:
    beside = index - 1 if forward else index + 1
    if not 0 <= beside < len(layers):
        return list(layers[index])
    place = {id(point): number for number, point in enumerate(layers[beside])}

    def average(position: int, point: Point) -> float:
        numbers = [place[id(other)] for other in (point.left if forward else point.right)]
        return sum(numbers) / len(numbers) if numbers else float(position)

    averages = {id(point): average(position, point) for position, point in enumerate(layers[index])}
    return sorted(layers[index], key=lambda point: averages[id(point)])


def _crossings(layers: Sequence[Sequence[Point]]) -> int:
    """How often lines between neighbouring layers cross: inversions of the order of their ends."""
    count = 0
    for one, next_ in pairwise(layers):
        place = {id(point): number for number, point in enumerate(next_)}
        ends: list[int] = []
        for point in one:
            numbers = sorted(place[id(other)] for other in point.right)
            count += sum(len(ends) - bisect_right(ends, number) for number in numbers)
            for number in numbers:
                insort(ends, number)
    return count


def _place(layers: Sequence[Sequence[Point]]) -> None:
    """Heights: each point near to the middle of its neighbours, in the order of its layer."""
    for layer in layers:
        for point, y in zip(layer, _distances(layer), strict=True):
            point.y = y
    for sweep in range(SWEEPS):
        # The last two sweeps look to both sides, so that neither wins.
        both = sweep >= SWEEPS - 2
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [_wanted(point, both=both, forward=sweep % 2 == 0) for point in layer]
            weights = [1.0 + len(point.left) + len(point.right) + (0 if point.vertex else 4) for point in layer]
            for point, y in zip(layer, spread(wanted, weights, _distances(layer)), strict=True):
                point.y = y
    _straighten(layers)


def _straighten(layers: Sequence[Sequence[Point]]) -> None:
    """Lines that are level but for a little become level, where the gaps allow it."""
    for layer in layers:
        distances = _distances(layer)
        for index, point in enumerate(layer):
            least = layer[index - 1].y + distances[index] - distances[index - 1] if index else -math.inf
            most = math.inf
            if index + 1 < len(layer):
                most = layer[index + 1].y - distances[index + 1] + distances[index]
            near = min(point.left, key=lambda other: abs(other.y - point.y), default=point)
            if abs(near.y - point.y) < ALMOST_LEVEL and least <= near.y <= most:
                point.y = near.y


def _wanted(point: Point, *, both: bool, forward: bool) -> float:
    around = [*point.left, *point.right] if both else point.left if forward else point.right
    return sum(other.y for other in around) / len(around) if around else point.y


def _distances(layer: Sequence[Point]) -> list[float]:
    """How far each point must at least stand below the first."""
    found = [0.0] * len(layer)
    for index, (above, below) in enumerate(pairwise(layer), 1):
        gap = GAP if above.vertex and below.vertex else WAYPOINT_GAP
        found[index] = found[index - 1] + (above.height + below.height) / 2 + gap
    return found


def spread(wanted: Sequence[float], weights: Sequence[float], distances: Sequence[float]) -> list[float]:
    """The places nearest to those wanted that keep the order and the distances (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for want, weight, distance in zip(wanted, weights, distances, strict=True):
        mean, total, size = want - distance, weight, 1
        while blocks and blocks[-1][0] > mean:
            before, heavy, many = blocks.pop()
            mean = (before * heavy + mean * total) / (heavy + total)
            total, size = total + heavy, size + many
        blocks.append((mean, total, size))
    means = [mean for mean, _, size in blocks for _ in range(size)]
    return [mean + distance for mean, distance in zip(means, distances, strict=True)]


def _stack(layers: Sequence[Sequence[Point]], top: float) -> float:
    """Move a part below what is there, and say where it ends."""
    points = [point for layer in layers for point in layer]
    shift = top - min(point.y - point.height / 2 for point in points)
    for point in points:
        point.y = round(point.y + shift, 1)
    return max(point.y + point.height / 2 for point in points)
