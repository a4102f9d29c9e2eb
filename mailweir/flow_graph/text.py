"""The flow as text: a line for each branch, from left to right. No I/O.

    crm-api ─▶ customers ─▶ new-customers ─▶ welcome-mail ─✉▶ our-smtp-server   1000/h
                        └▶ orders ─▶ weekly-digest ─────────✉┘

Every vertex is drawn in full once. Where a second edge leads to it, the line is led up to it if nothing stands in
the way; otherwise its name is repeated, with `…` for what follows from it or `↻` when the edge closes a circle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from mailweir.flow_graph.model import Edge, Graph, Vertex, closing
from pipeline.config.glyphs import columns, visible

# A line led further than this is harder to follow than a name that is repeated.
LONGEST_DETOUR: Final = 40

_drawn: Final = "─╌│└├┘┤▶✉↻…"
_plain: Final = dict(zip(_drawn, "-.|`|'+>@~~", strict=True)) | {"↻": "(again)", "…": "..."}


@dataclass(slots=True, eq=False)
class _Stop:
    """A vertex on a line, and the edge that leads to it. `full` is false where the vertex is drawn elsewhere."""

    vertex: Vertex
    edge: Edge | None
    full: bool
    text: str
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class _Line:
    """Vertices from left to right; `branch` is the stop of an earlier line that this line leaves from."""

    stops: list[_Stop] = field(default_factory=list)
    branch: _Stop | None = None


def draw(graph: Graph, encodable: Callable[[str], bool] = lambda _: True) -> str:
    """The picture; in ASCII when the characters of lines and arrows are not `encodable`."""
    if not graph.vertices:
        return ""
    text = _Drawing(_lines(graph)).text()
    return text if encodable(_drawn) else "\n".join(_in_ascii(line) for line in text.split("\n"))


def _in_ascii(line: str) -> str:
    return "".join(_plain.get(char, char) for char in line)


def _lines(graph: Graph) -> list[_Line]:
    """What stands on which line: along the first edge on the same line, along each other one on a line of its own."""
    by_key, leaving = graph.by_key, graph.leaving()
    back = closing(graph)
    forward = [edge for edge in graph.edges if edge not in back]
    fed = {edge.end for edge in forward if edge.kind != "join"}
    entered = {edge.end for edge in forward}
    lines: list[_Line] = []
    full: set[str] = set()

    def follow(key: str) -> None:
        waiting: list[tuple[Edge | None, _Line | None, _Stop | None]] = [(None, _Line(), None)]
        while waiting:
            edge, line, branch = waiting.pop()
            line = line or _Line(branch=branch)
            if not line.stops:
                lines.append(line)
            vertex = by_key[edge.end if edge else key]
            # A join does not decide where a vertex is drawn when something else feeds it.
            only_joined = edge is not None and edge.kind == "join" and vertex.key in fed
            first = vertex.key not in full and edge not in back and not only_joined
            stop = _Stop(vertex, edge, first, _text(vertex, "↻" if edge in back else ""))
            line.stops.append(stop)
            if not first:
                if edge not in back and leaving[vertex.key]:
                    stop.text += " …"
                continue
            full.add(vertex.key)
            # What is new goes on; what leads to something that is drawn already comes below, near to it.
            edges = sorted(leaving[vertex.key], key=lambda e: (e.end in full or e in back, e.kind == "join"))
            following: list[tuple[Edge | None, _Line | None, _Stop | None]] = [(e, None, stop) for e in edges]
            if following:
                following[0] = (edges[0], line, None)
            waiting += reversed(following)

    for vertex in graph.vertices:
        if vertex.key not in entered:
            follow(vertex.key)
    return lines


def _text(vertex: Vertex, mark: str) -> str:
    text = f"{visible(vertex.name)} {mark}".rstrip()
    return f"{text}   {visible(vertex.limit)}" if vertex.limit and not mark else text


class _Drawing:
    """Lines with their columns. What is led to another line is in `led`."""

    def __init__(self, lines: list[_Line]) -> None:
        self.lines = lines
        self.home = {stop.vertex.key: (row, stop) for row, line in enumerate(lines) for stop in line.stops if stop.full}
        self.least: dict[str, int] = {}
        self.led: dict[int, _Stop] = {}
        for row, line in enumerate(lines):
            last = line.stops[-1]
            home = self.home.get(last.vertex.key)
            if not last.full and "↻" not in last.text and home and home[0] < row:
                self.led[row] = last

    def text(self) -> str:
        """The picture, after everything that cannot be led to its place has its name repeated."""
        while True:
            self.least = {}
            self._measure()
            self._stretch()
            grid, blocked = self._paint()
            if not blocked:
                return "\n".join("".join(line).rstrip() for line in grid)
            for row in blocked:
                del self.led[row]

    def _measure(self) -> None:
        for row, line in enumerate(self.lines):
            at = line.branch.end if line.branch else 0
            for stop in line.stops:
                if row in self.led and stop is line.stops[-1]:
                    stop.start = stop.end = at
                    continue
                if stop.edge:
                    at += columns(_arrow(stop.edge, branch=_branches(line, stop)))
                stop.start = max(at, self.least.get(stop.vertex.key, 0)) if stop.full else at
                at = stop.end = stop.start + columns(stop.text)

    def _stretch(self) -> None:
        """Move what lines are led to so far right that they reach it; what is too far is repeated."""
        natural = {key: stop.start for key, (_, stop) in self.home.items()}
        moved = True
        while moved:
            moved = False
            for row, led in list(self.led.items()):
                key = led.vertex.key
                needed = led.start + self._run(row, led)
                if self.home[key][1].start >= needed:
                    continue
                if needed - natural[key] > LONGEST_DETOUR:
                    del self.led[row]
                else:
                    self.least[key] = max(needed, self.least.get(key, 0))
                moved = True
            if moved:
                self._measure()

    def _run(self, row: int, led: _Stop) -> int:
        """The columns from the end of a line's text to the text of the vertex that it is led to."""
        edge = led.edge
        assert edge is not None  # noqa: S101 - a line begins with a vertex that is drawn in full
        return columns(_arrow(edge, branch=_branches(self.lines[row], led), end="┘"))

    def _paint(self) -> tuple[list[list[str]], list[int]]:
        """The lines as characters, one a column, and the rows that could not be led to where they go."""
        width = max(line.stops[-1].end for line in self.lines) + 2
        grid = [[" "] * width for _ in self.lines]
        rows = {id(stop): row for row, line in enumerate(self.lines) for stop in line.stops}
        for row, line in enumerate(self.lines):
            at = 0
            if line.branch:
                at = line.branch.end
                for above in range(rows[id(line.branch)] + 1, row):
                    grid[above][at] = "├" if grid[above][at] in "└├" else "│"
            for stop in line.stops:
                if row in self.led and stop is line.stops[-1]:
                    continue
                if stop.edge:
                    branch = _branches(line, stop)
                    _write(grid[row], at, _arrow(stop.edge, branch=branch, width=stop.start - at))
                _write(grid[row], stop.start, stop.text)
                at = stop.end
        return grid, [row for row, led in self.led.items() if not self._lead(grid, row, led)]

    def _lead(self, grid: list[list[str]], row: int, led: _Stop) -> bool:
        """Draw the line from the end of a row up to the vertex it leads to, if the way is free."""
        target, home = self.home[led.vertex.key]
        column = home.start - 1
        above = range(target + 1, row)
        for other in above:
            joins = grid[other][column] in "┘┤" and self.led.get(other) and self.led[other].vertex.key == led.vertex.key
            if not joins and (grid[other][column] != " " or grid[other][column - 1] not in " │└├"):
                return False
        assert led.edge is not None  # noqa: S101 - as above
        width = column + 1 - led.start
        branch = _branches(self.lines[row], led)
        more_below = grid[row][led.start] in "│├" if branch else False
        _write(grid[row], led.start, _arrow(led.edge, branch=branch, end="┘", width=width))
        if more_below:
            grid[row][led.start] = "├"
        for other in above:
            grid[other][column] = "┤" if grid[other][column] in "┘┤" else "│"
        return True


def _branches(line: _Line, stop: _Stop) -> bool:
    return line.branch is not None and stop is line.stops[0]


def _arrow(edge: Edge, *, branch: bool, end: Literal["▶", "┘"] = "▶", width: int = 0) -> str:
    """The line to a vertex, as long as `width` when that is longer: ` ─▶ `, `└✉▶ `, ` ─(prod)──✉┘`."""
    line = "╌" if edge.kind == "join" else "─"
    head = ("✉" if edge.kind == "mail" else "") + (end if end == "┘" else f"{end} ")
    words = f"({', '.join(visible(name) for name in edge.when)})" if edge.when else ""
    tail = "└" if branch and edge.kind != "join" else f"└{line}" if branch else f" {line}"
    return tail + words + line * (width - columns(tail + words + head)) + head


def _write(line: list[str], at: int, text: str) -> None:
    """Put a text on a line; the second column of a wide character stays empty, a mark joins the one before it."""
    for char in text:
        if columns(char):
            line[at] = char
            line[at + 1 : at + columns(char)] = [""] * (columns(char) - 1)
            at += columns(char)
        elif at:
            line[at - 1] += char
