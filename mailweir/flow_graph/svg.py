"""The flow as a drawing that stands alone: no font, script or style from elsewhere, light and dark. No I/O."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from mailweir.flow_graph.layers import Layout, Point, Way, lay_out
from mailweir.flow_graph.model import Edge, Graph, Vertex, VertexKind, closing, label
from pipeline.config.glyphs import columns, visible

MARGIN: Final = 16.0
BOX: Final = 38.0
MAIL_BOX: Final = 56.0
LOOP: Final = 26.0
PADDING: Final = 18.0
ICON: Final = 26.0
COLUMN_GAP: Final = 56.0
# So much wider at most is the gap that lines climb in.
STEEPEST: Final = 80.0
# Fixed-width fonts are 0.55 to 0.61 em wide; a little more keeps every name inside its box.
NAME: Final = 14 * 0.62
SMALL: Final = 12 * 0.62
# Lines between the same two boxes leave and enter at heights of their own.
PORTS: Final = (0.0, 10.0, -10.0)
HEAD: Final = 9.0

_style: Final = """\
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace}
.name{font-size:14px;text-anchor:middle}
.limit,.words{font-size:12px;text-anchor:middle}
.box{stroke-width:1.5}
.line{fill:none;stroke-width:1.6}
.mail .line{stroke-width:2.4}
.join .line{stroke-dasharray:2 5;stroke-linecap:round;stroke-width:2}
.icon{fill:none;stroke-width:1.5;stroke-linejoin:round}
.sink .box{stroke-dasharray:5 4}
"""


@dataclass(frozen=True, slots=True)
class _Colors:
    """Fill, border and text of each kind of box, and what lines and mail lines are drawn in."""

    boxes: Mapping[VertexKind, tuple[str, str, str]]
    line: str
    mail: str


_light: Final = _Colors(
    {
        "source": ("#f3f4f6", "#8b949e", "#2f363d"),
        "pipe": ("#e8f1fe", "#3f7ad6", "#0d2f66"),
        "dataset": ("#e9f6ee", "#3c9464", "#0f4227"),
        "system": ("#fff0e2", "#d9730d", "#5c2d00"),
        "sink": ("#f8f9fa", "#8b949e", "#57606a"),
    },
    line="#6e7a88",
    mail="#d9730d",
)
_dark: Final = _Colors(
    {
        "source": ("#22272e", "#768390", "#d5dde5"),
        "pipe": ("#14284a", "#5a9cf2", "#d3e5ff"),
        "dataset": ("#12301f", "#4fae79", "#cdf3da"),
        "system": ("#3a220a", "#e58a3a", "#ffe0c2"),
        "sink": ("#1c2128", "#768390", "#9aa5b1"),
    },
    line="#8b949e",
    mail="#e58a3a",
)


class Dress(NamedTuple):
    """What a page says of a box: where it leads, what it is in words, a line below its name, and how it stands."""

    href: str
    words: str
    note: str = ""
    standing: str = ""


def inline(graph: Graph, dresses: Mapping[str, Dress]) -> str:
    """The drawing as part of a page: its boxes lead on, and colours are those of the page.

    A box and the lines that leave it have the class of its standing.
    """
    return _Drawing(graph, dresses).part()


def draw(graph: Graph) -> str:
    """The drawing, in ASCII: every other character is written as a reference."""
    text = _Drawing(graph).text()
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


@dataclass(frozen=True, slots=True)
class Box:
    """Where a vertex is drawn; `x` and `y` are its upper left corner."""

    vertex: Vertex
    x: float
    y: float
    width: float
    height: float


def boxes(graph: Graph) -> list[Box]:
    """Where everything stands."""
    return _Drawing(graph).boxes


class _Drawing:
    """One drawing: the layout with its columns."""

    def __init__(self, graph: Graph, dresses: Mapping[str, Dress] = MappingProxyType({})) -> None:
        self.graph = graph
        self.dresses = dresses
        self.closing = closing(graph)
        self.looped = {edge.start for edge in graph.edges if edge.start == edge.end}
        self.layout: Layout = lay_out(graph, self._height)
        self.left, self.right = self._columns()
        self.boxes = [self._box(point) for layer in self.layout.layers for point in layer if point.vertex]
        self.by_key = {box.vertex.key: box for box in self.boxes}

    def text(self) -> str:
        width = (self.right[-1] if self.right else 0) + MARGIN
        height = self.layout.height + 2 * MARGIN
        size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="flow-title flow-words">',
            '<title id="flow-title">What flows from where to where</title>',
            f'<desc id="flow-words">{_escaped(sentences(self.graph))}</desc>',
            f"<style>\n{_style}{_colors(_light)}@media (prefers-color-scheme:dark){{\n{_colors(_dark)}}}\n</style>",
        ]
        ports = _ports(self.graph.edges)
        parts += [self._way(way, ports[way.edge]) for way in self.layout.ways]
        parts += [_shaped(box) for box in self.boxes]
        return "\n".join([*parts, "</svg>"])

    def part(self) -> str:
        width = (self.right[-1] if self.right else 0) + MARGIN
        height = self.layout.height + 2 * MARGIN
        size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
        ports = _ports(self.graph.edges)
        parts = [f'<svg class="flow" {size} role="group" aria-label="What flows from where to where">']
        parts += [self._way(way, ports[way.edge]) for way in self.layout.ways]
        parts += [_linked(_shaped(box, self.dresses.get(box.vertex.key)), box, self.dresses) for box in self.boxes]
        return "\n".join([*parts, "</svg>"])

    def _tall(self, vertex: Vertex) -> float:
        dress = self.dresses.get(vertex.key)
        return MAIL_BOX if vertex.limit or (dress is not None and dress.note) else BOX

    def _class(self, edge: Edge) -> str:
        dress = self.dresses.get(edge.start)
        return f"{edge.kind} {dress.standing}" if dress is not None and dress.standing else edge.kind

    def _height(self, vertex: Vertex) -> float:
        height = self._tall(vertex)
        return height + 2 * LOOP if vertex.key in self.looped else height

    def _columns(self) -> tuple[list[float], list[float]]:
        """The left and right border of each layer; its boxes are all as wide as the widest needs."""
        room = [0.0] * len(self.layout.layers)
        steep = [0.0] * len(self.layout.layers)
        for way in self.layout.ways:
            for one, next_ in pairwise(way.points):
                steep[one.layer] = max(steep[one.layer], min(STEEPEST, abs(one.y - next_.y) / 6))
            words = label(way.edge, self.closing)
            if words and len(way.points) > 1:
                gap = _labelled(way, self.graph.by_key)
                room[way.points[gap].layer] = max(room[way.points[gap].layer], columns(words) * SMALL + 28)
        left: list[float] = []
        right: list[float] = []
        at = MARGIN
        for layer, more in zip(self.layout.layers, map(operator.add, room, steep), strict=True):
            left.append(at)
            widths = (_width(one.vertex, self.dresses.get(one.vertex.key)) for one in layer if one.vertex)
            right.append(at + max(widths, default=0.0))
            at = right[-1] + COLUMN_GAP + more
        return left, right

    def _box(self, point: Point) -> Box:
        assert point.vertex is not None  # noqa: S101 - waypoints have no box
        height = self._tall(point.vertex)
        x, y = self.left[point.layer], MARGIN + point.y - height / 2
        return Box(point.vertex, x, y, self.right[point.layer] - x, height)

    def _way(self, way: Way, port: float) -> str:
        words = label(way.edge, self.closing)
        if way.edge.start == way.edge.end:
            return self._loop(way.edge, words)
        gap = _labelled(way, self.graph.by_key) if words else -1
        heights = [MARGIN + point.y + (port if point.vertex else 0.0) for point in way.points]
        first, last = way.points[0], way.points[-1]
        # The ends of a pill are bent: away from its middle a line begins and ends a little further in.
        start = self.right[first.layer] - _bend(first, port)
        end = self.left[last.layer] + _bend(last, port)
        x, y = start, heights[0]
        path = [f"M{x + (HEAD - 1 if way.reversed else 0):.1f} {y:.1f}"]
        text = ""
        for number, (point, goal) in enumerate(zip(way.points[1:], heights[1:], strict=True)):
            goal_x = self.left[point.layer] if point is not last else end - (0 if way.reversed else HEAD - 1)
            if number == gap:
                # The words stand on a level piece: that of a waypoint beside them, or half way.
                level = goal if point is not last else y if number else (y + goal) / 2
                middle, half = (x + goal_x) / 2, columns(words) * SMALL / 2 + 4
                path += [_curve(x, y, middle - half, level), f"H{middle + half:.1f}"]
                text = _words(middle, level + (15 if port > 0 or goal > y else -6), words)
                x, y = middle + half, level
            path.append(_curve(x, y, goal_x, goal))
            x, y = goal_x, goal
            if point is not last:
                x = self.right[point.layer]
                path.append(f"H{x:.1f}")
        head = _head(start, heights[0], -HEAD) if way.reversed else _head(end, heights[-1], HEAD)
        return f'<g class="{self._class(way.edge)}"><path class="line" d="{"".join(path)}"/>{head}{text}</g>'

    def _loop(self, edge: Edge, words: str) -> str:
        box = self.by_key[edge.start]
        x, y, top = box.x + box.width / 2, box.y, box.y - LOOP
        path = f"M{x + 14:.1f} {y:.1f}C{x + 14:.1f} {top:.1f} {x - 14:.1f} {top:.1f} {x - 14:.1f} {y - HEAD + 1:.1f}"
        head = f'<path class="head" d="M{x - 14:.1f} {y:.1f}l-4.5 {-HEAD}h9z"/>'
        text = _words(x + 22 + columns(words) * SMALL / 2, y - 8, words)
        return f'<g class="{self._class(edge)}"><path class="line" d="{path}"/>{head}{text}</g>'


def sentences(graph: Graph) -> str:
    """The picture in words, for those who do not see it."""
    by_key = graph.by_key
    verbs = {"data": "flows into", "mail": "mails through", "join": "is joined by"}
    told = [
        f"{by_key[edge.start].name} {verbs[edge.kind]} {by_key[edge.end].name}"
        + (f" ({', '.join(edge.when)})" if edge.when else "")
        for edge in graph.edges
    ]
    told += [f"{vertex.name} lets {vertex.limit} through" for vertex in graph.vertices if vertex.limit]
    return ". ".join(told) + "." if told else "Nothing flows."


def _labelled(way: Way, by_key: Mapping[str, Vertex]) -> int:
    """The gap that the words stand in: the first one behind a source or before the tip of a line that leads back."""
    early = way.reversed or by_key[way.edge.start].kind == "source"
    return 0 if early else len(way.points) - 2


def _ports(edges: Sequence[Edge]) -> dict[Edge, float]:
    """How far above or below the middle each edge leaves and enters."""
    found: dict[Edge, float] = {}
    used: dict[frozenset[str], int] = {}
    for edge in edges:
        pair = frozenset((edge.start, edge.end))
        number = used.get(pair, 0)
        used[pair] = number + 1
        found[edge] = PORTS[number % len(PORTS)]
    return found


def _width(vertex: Vertex, dress: Dress | None) -> float:
    name = columns(visible(vertex.name)) * NAME
    limit = columns(visible((dress and dress.note) or vertex.limit or "")) * SMALL
    return float(round(max(name, limit) + 2 * PADDING + (ICON if vertex.limit else 0)))


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    if y == to_y:
        return f"H{to_x:.1f}"
    middle = (x + to_x) / 2
    return f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _words(x: float, y: float, words: str) -> str:
    return f'<text class="words" x="{x:.1f}" y="{y:.1f}">{_escaped(words)}</text>'


def _bend(point: Point, port: float) -> float:
    if point.vertex is None or point.vertex.kind != "pipe":
        return 0.0
    return BOX / 2 - math.sqrt((BOX / 2) ** 2 - port**2)


def _head(x: float, y: float, size: float) -> str:
    return f'<path class="head" d="M{x:.1f} {y:.1f}l{-size:.1f} -4.5v9z"/>'


def _linked(shape: str, box: Box, dresses: Mapping[str, Dress]) -> str:
    dress = dresses.get(box.vertex.key)
    if dress is None:
        return shape
    # Without a page of its own it is words, and nothing to press.
    name, href = ("a", f" href={quoteattr(dress.href)}") if dress.href else ("g", "")
    return f"<{name}{href} class={quoteattr(dress.standing)}>{shape}</{name}>"


def _shaped(box: Box, dress: Dress | None = None) -> str:
    vertex, middle, center = box.vertex, box.x + box.width / 2, box.y + box.height / 2
    place = f" ({vertex.file})" if vertex.file else ""
    words = dress.words if dress is not None else f"{vertex.kind} {vertex.name}{place}"
    below = (dress and dress.note) or vertex.limit
    parts = [
        f'<g class="{vertex.kind}"><title>{_escaped(words)}</title>',
        _outline(box),
    ]
    if vertex.limit:
        x, y = box.x + PADDING - 3, center - 7
        parts.append(f'<path class="icon" d="M{x:.1f} {y:.1f}h20v14h-20zl10 8l10 -8"/>')
        middle += ICON / 2
    if below:
        parts.append(f'<text class="limit" x="{middle:.1f}" y="{center + 16:.1f}">{_escaped(below)}</text>')
        center -= 9
    elif vertex.kind == "dataset":
        center += 3
    parts.append(f'<text class="name" x="{middle:.1f}" y="{center + 5:.1f}">{_escaped(vertex.name)}</text></g>')
    return "".join(parts)


def _outline(box: Box) -> str:
    x, y, width, height = box.x, box.y, box.width, box.height
    if box.vertex.kind == "dataset":
        # A drum: an ellipse on top of straight sides and a bent bottom.
        rim = 5.0
        side = height - 2 * rim
        bend = f"a{width / 2:.1f} {rim} 0 0 "
        drum = f"M{x:.1f} {y + rim:.1f}v{side}{bend}0 {width} 0v{-side}"
        return f'<path class="box" d="{drum}{bend}0 {-width} 0{bend}0 {width} 0"/>'
    radius = BOX / 2 if box.vertex.kind == "pipe" else 8 if box.vertex.limit else 4
    return f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width}" height="{height}" rx="{radius}"/>'


def _colors(colors: _Colors) -> str:
    rules = [
        f".{kind} .box{{fill:{fill};stroke:{border}}}.{kind} text{{fill:{text}}}"
        for kind, (fill, border, text) in colors.boxes.items()
    ]
    rules.append(f".line{{stroke:{colors.line}}}.head,.words{{fill:{colors.line}}}.icon{{stroke:{colors.mail}}}")
    rules.append(f".mail .line{{stroke:{colors.mail}}}.mail .head{{fill:{colors.mail}}}")
    return "\n".join(rules) + "\n"


def _escaped(text: str) -> str:
    return escape(visible(text))
