"""The flow as a page shows it: boxes that lead on and say how they stand; folders where there are too many. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import quote, urlencode

from mailweir.flow_graph.model import Edge, Graph, Vertex
from mailweir.flow_graph.svg import Dress
from mailweir.serving.overview import LATE, result_of
from mailweir.shown import ago
from pipeline.schedule import Record

if TYPE_CHECKING:
    from mailweir.serving.overview import Overview

# More of them are no picture that anybody can read.
MOST_BOXES: Final = 40

Standing = Literal["well", "running", "paused", "failing", "late"]
_words: Final = {"running": "running now", "paused": "paused", "failing": "failing", "late": "late", "well": ""}
_signs: Final = {"sent": "●", "written": "●", "rejected": "⊘", "retrying": "◔", "discarded": "▨", "dead": "✕"}
_pages: Final = {"pipe": "/pipes/", "system": "/systems/"}


class Line(NamedTuple):
    """A box in the table: the same facts for who does not see the picture."""

    name: str
    kind: str
    href: str
    into: Sequence[str]
    standing: Standing | Literal[""]
    note: str


def standing_of(overview: Overview, pipe: str) -> Standing:
    """How a pipe is, by what a person should know first."""
    told, record = overview.standing(pipe), overview.records.get(pipe, Record())
    if overview.pause(pipe) is not None:
        return "paused"
    if record.failures or told.get("fault"):
        return "failing"
    if told.get("running"):
        return "running"
    due = told.get("next")
    return "late" if due is not None and due < overview.now - LATE else "well"


def pipe_page(pipe: str) -> str:
    """Where a pipe is shown. Its `_id` may have any character in it."""
    return f"/pipes/{quote(pipe, safe='')}"


def dresses_of(graph: Graph, overview: Overview, pages: Collection[str]) -> dict[str, Dress]:
    """What each box says and leads to; `pages` are the kinds that have pages of their own."""
    return {one.key: _dress(one, overview, pages) for one in graph.vertices}


def _dress(one: Vertex, overview: Overview, pages: Collection[str]) -> Dress:
    href = _pages[one.kind] + quote(one.name, safe="") if one.kind in pages and one.kind in _pages else ""
    if one.kind == "pipe" and one.name in overview.pipes:
        standing = standing_of(overview, one.name)
        latest = overview.latest.get(one.name)
        result = "" if latest is None else result_of(latest)
        record = overview.records.get(one.name, Record())
        ran = "never ran" if record.started is None else f"last run {ago(overview.now - record.started)} ago"
        words = ", ".join(part for part in (one.name, "pipe", _words[standing], ran, result) if part)
        return Dress(href, words, _note(overview, one.name, standing), standing)
    usage = next((each for each in overview.usage if each.gate == one.name), None)
    if one.kind == "system" and one.limit and usage is not None:
        share = round(100 * usage.used / usage.limit) if usage.limit else 100
        full = "full" if usage.used >= usage.limit else ""
        words = f"{one.name}, mail system, {usage.used:,} of {usage.limit:,} in the last hour"
        return Dress(href, words, f"{share} % of {one.limit}", full)
    return Dress(href, f"{one.name}, {one.kind}" + (f", lets {one.limit} through" if one.limit else ""), "", "")


def _note(overview: Overview, pipe: str, standing: Standing) -> str:
    """The numbers of the last run, short."""
    if standing == "paused":
        return "paused"
    running = overview.standing(pipe).get("running")
    if isinstance(running, dict):
        return f"running: {running['read']:,}"
    latest = overview.latest.get(pipe)
    result = "" if latest is None else result_of(latest)
    parts = []
    for part in result.split(", "):
        many, _, word = part.partition(" ")
        parts.append(f"{many} {_signs[word]}" if word in _signs else part)
    text = "  ".join(parts)
    return text if len(text) <= 28 else f"{text[:27]}…"


def lines_of(graph: Graph, dresses: Mapping[str, Dress]) -> list[Line]:
    """The picture as a table."""
    by_key = graph.by_key
    leaving = graph.leaving()
    return [
        Line(
            one.name,
            one.kind,
            dresses[one.key].href,
            [by_key[edge.end].name for edge in leaving[one.key]],
            dresses[one.key].standing if dresses[one.key].standing in _words else "",  # type: ignore[arg-type]
            dresses[one.key].note or one.limit or "",
        )
        for one in graph.vertices
    ]


def cleaned(graph: Graph, clean: Callable[[str], str]) -> Graph:
    """The same with names that may be shown."""
    return Graph(tuple(replace(one, name=clean(one.name)) for one in graph.vertices), graph.edges)


def folded(graph: Graph) -> tuple[Graph, dict[str, Dress]]:
    """Pipes by their folders, a box each, with what they share beside them; what only one folder has is in its box."""
    folders = {one.key: f"folder:{folder_of(one)}" for one in graph.vertices if one.kind == "pipe"}
    met: dict[str, set[str]] = {}
    for edge in graph.edges:
        for inner, outer in ((edge.start, edge.end), (edge.end, edge.start)):
            if inner in folders and outer not in folders:
                met.setdefault(outer, set()).add(folders[inner])
    # Mail systems are what the picture is about.
    own = {
        one.key: next(iter(met[one.key])) for one in graph.vertices if len(met.get(one.key, ())) == 1 and not one.limit
    }
    place = {one.key: folders.get(one.key) or own.get(one.key) or one.key for one in graph.vertices}
    many: dict[str, int] = {}
    for one in graph.vertices:
        if one.kind == "pipe":
            many[place[one.key]] = many.get(place[one.key], 0) + 1
    vertices = {key: Vertex("pipe", key.removeprefix("folder:") or "the project", key) for key in many}
    vertices |= {one.key: one for one in graph.vertices if place[one.key] == one.key}
    edges: dict[Edge, None] = {}
    for edge in graph.edges:
        start, end = place[edge.start], place[edge.end]
        if start != end:
            edges.setdefault(Edge(start, end, edge.kind))
    dresses = {
        key: Dress(
            "/?" + urlencode({"folder": key.removeprefix("folder:")}),
            f"{vertices[key].name}, folder of {number} pipes",
            f"{number} pipe{'s' if number != 1 else ''}",
        )
        for key, number in many.items()
    }
    return Graph(tuple(vertices.values()), tuple(edges)), dresses


def within(graph: Graph, folder: str) -> Graph:
    """The pipes of a folder, with what they touch."""
    own = {one.key for one in graph.vertices if one.kind == "pipe" and folder_of(one) == folder}
    edges = tuple(edge for edge in graph.edges if {edge.start, edge.end} & own)
    kept = own | {key for edge in edges for key in (edge.start, edge.end)}
    return Graph(tuple(one for one in graph.vertices if one.key in kept), edges)


def folder_of(pipe: Vertex) -> str:
    """The folder of the file that declares it; `""` for that of the project."""
    return (pipe.file or "").rpartition("/")[0]
