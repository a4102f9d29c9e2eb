"""What holds for the picture of any graph, in every format."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

from hypothesis import example, given
from hypothesis import strategies as st

from mailweir.flow_graph import document, dot, mermaid, svg, text
from mailweir.flow_graph.layers import lay_out
from mailweir.flow_graph.model import Edge, Graph, Vertex, VertexKind, around, closing
from pipeline.config.glyphs import columns, visible

NAMES = ["a", "orders", "welcome-mail", "データ", 'x"<&>\\', "e\u0301té", "end", "\x1b[31m", "", "ﬀ\u200d", "\ud800"]
SVG = "{http://www.w3.org/2000/svg}"


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to ten vertices, with any edges between them."""
    kinds: st.SearchStrategy[VertexKind] = st.sampled_from(
        ["source", "pipe", "pipe", "pipe", "dataset", "system", "sink"]
    )
    limits = st.sampled_from([None, "1000/h", "$ENV(limit)/h"])
    count = draw(st.integers(0, 10))
    vertices = []
    for number in range(count):
        kind = draw(kinds)
        limit = draw(limits) if kind == "system" else None
        vertices.append(Vertex(kind, draw(st.sampled_from(NAMES)), f"k{number}", draw(st.none() | st.just("a")), limit))
    if not vertices:
        return Graph((), ())
    key = st.sampled_from([vertex.key for vertex in vertices])
    when = st.sampled_from([(), (), ("prod",), ("prod", "test/データ")])
    edge = st.builds(Edge, key, key, st.sampled_from(["data", "data", "mail", "join"]), when)
    return Graph(tuple(vertices), tuple(draw(st.lists(edge, max_size=16, unique=True))))


CIRCLE = Graph(
    (Vertex("pipe", "a", "a"), Vertex("pipe", "b", "b"), Vertex("pipe", "c", "c")),
    (Edge("a", "b"), Edge("b", "a"), Edge("b", "c"), Edge("c", "b"), Edge("c", "c"), Edge("a", "c", "join")),
)


@given(graphs())
@example(CIRCLE)
def test_without_the_closing_edges_nothing_leads_back(graph: Graph) -> None:
    """Following the other edges never comes back to a vertex."""
    back = closing(graph)
    after = {vertex.key: {edge.end for edge in graph.edges if edge.start == vertex.key} for vertex in graph.vertices}
    for edge in back:
        if not any(e not in back and (e.start, e.end) == (edge.start, edge.end) for e in graph.edges):
            after[edge.start].discard(edge.end)
    while ready := [key for key, keys in after.items() if not keys]:
        for key in ready:
            del after[key]
        for keys in after.values():
            keys.difference_update(ready)
    assert not after


@given(graphs())
@example(CIRCLE)
def test_text_names_every_vertex(graph: Graph) -> None:
    """Every name is there, no line ends with blanks, and the picture is the same each time."""
    drawn = text.draw(graph)
    for vertex in graph.vertices:
        assert visible(vertex.name) in drawn
    assert all(line == line.rstrip() for line in drawn.split("\n"))
    assert drawn == text.draw(graph)


@given(graphs())
@example(CIRCLE)
def test_text_tells_every_edge(graph: Graph) -> None:
    """There are as many ends of lines as edges: an arrow, or a corner where a line is led to a name."""
    drawn = text.draw(graph)
    assert drawn.count("▶") + drawn.count("┘") + drawn.count("┤") == len(graph.edges)


@given(graphs())
@example(CIRCLE)
def test_a_line_that_is_led_arrives_under_the_name_it_leads_to(graph: Graph) -> None:
    """Above a corner there is an unbroken line up to an arrow's blank before a name."""
    grid = [[*cells(line), " "] for line in text.draw(graph).split("\n")]
    for row, line in enumerate(grid):
        for column, character in enumerate(line):
            if character in {"┘", "┤"}:
                above = row - 1
                while len(grid[above]) > column and grid[above][column] in {"│", "┤", "┘"}:
                    above -= 1
                assert grid[above][column] == " "
                assert grid[above][column - 1] == "▶"


def cells(line: str) -> list[str]:
    """The characters of a line by the column that they stand in."""
    return [part for character in line for part in [character, *[""] * (columns(character) - 1)][: columns(character)]]


@given(graphs())
def test_text_in_ascii_has_only_the_names_beyond_it(graph: Graph) -> None:
    """Lines, arrows and marks are ASCII when nothing else can be encoded."""
    drawn = text.draw(graph, lambda _: False)
    for vertex in graph.vertices:
        drawn = drawn.replace(visible(vertex.name), "")
    assert drawn.replace("データ", "").isascii()


@given(graphs())
def test_mermaid_has_a_line_for_each_vertex_and_edge(graph: Graph) -> None:
    """Ids are ASCII words that are used once; labels end where they should."""
    head, *lines = mermaid.draw(graph).split("\n")
    assert head == "flowchart LR"
    assert len(lines) == len(graph.vertices) + len(graph.edges)
    ids = [line.strip().split("[")[0].split("(")[0] for line in lines[: len(graph.vertices)]]
    assert len(set(ids)) == len(ids)
    assert all(id_.isascii() and id_.replace("_", "").isalnum() for id_ in ids)
    for line in lines:
        assert line.count('"') in {0, 2}
    for line in lines[len(graph.vertices) :]:
        start, _, end = line.strip().partition(" ")
        assert start in ids
        assert end.rsplit(" ", 1)[1] in ids


@given(graphs())
def test_dot_has_a_statement_for_each_vertex_and_edge(graph: Graph) -> None:
    """Every quoted text is closed, and each statement stands on a line."""
    lines = dot.draw(graph).split("\n")
    assert (lines[0], lines[-1]) == ("digraph mailweir {", "}")
    assert len(lines) == 5 + len(graph.vertices) + len(graph.edges)
    for line in lines[1:-1]:
        assert line.endswith(";")
        assert line.replace("\\\\", "").replace('\\"', "").count('"') % 2 == 0
    assert sum(" -> " in line for line in lines) == len(graph.edges)


@given(graphs())
def test_the_document_has_everything(graph: Graph) -> None:
    """JSON gives back each vertex and each edge."""
    found = json.loads(json.dumps(document.document(graph)))
    assert [node["id"] for node in found["nodes"]] == [vertex.key for vertex in graph.vertices]
    assert [(edge["from"], edge["to"]) for edge in found["edges"]] == [(edge.start, edge.end) for edge in graph.edges]
    assert sum(edge["closes_circle"] for edge in found["edges"]) == len(closing(graph))


@given(graphs())
@example(CIRCLE)
def test_the_drawing_is_xml_with_every_name(graph: Graph) -> None:
    """It parses, is ASCII, shows each name inside its box, and is the same each time."""
    drawn = svg.draw(graph)
    assert drawn.isascii()
    assert drawn == svg.draw(graph)
    root = ET.fromstring(drawn)
    names = [element.text or "" for element in root.iter(f"{SVG}text") if element.get("class") == "name"]
    assert sorted(names) == sorted(visible(vertex.name) for vertex in graph.vertices)
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    for box in svg.boxes(graph):
        assert min(box.x, box.y) >= 0
        assert box.x + box.width <= width
        assert box.y + box.height <= height
        assert columns(visible(box.vertex.name)) * 8.5 <= box.width


@given(graphs())
@example(CIRCLE)
def test_boxes_do_not_overlap(graph: Graph) -> None:
    """Between two boxes there is a gap, beside or above."""
    boxes = svg.boxes(graph)
    assert len(boxes) == len(graph.vertices)
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            beside = one.x + one.width + 8 <= other.x or other.x + other.width + 8 <= one.x
            above = one.y + one.height + 8 <= other.y or other.y + other.height + 8 <= one.y
            assert beside or above


@given(graphs())
@example(CIRCLE)
def test_lines_go_from_layer_to_layer_past_all_boxes(graph: Graph) -> None:
    """A line has one point in each layer that it crosses, and none of them within a box of that layer."""
    layout = lay_out(graph, lambda _: 40.0)
    for way in layout.ways:
        layers = [point.layer for point in way.points]
        assert layers == list(range(layers[0], layers[-1] + 1)) or way.edge.start == way.edge.end
        for point in way.points[1:-1]:
            for other in layout.layers[point.layer]:
                assert other.vertex is None or abs(other.y - point.y) >= 20


@given(graphs(), st.data())
def test_around_a_vertex_is_what_reaches_it_and_what_it_reaches(graph: Graph, data: st.DataObject) -> None:
    """Every vertex left has a way to or from the one in the middle, and every edge left joins two of them."""
    if not graph.vertices:
        return
    key = data.draw(st.sampled_from([vertex.key for vertex in graph.vertices]))
    part = around(graph, key)
    kept = set(part.by_key)
    assert key in kept
    assert all(edge.start in kept and edge.end in kept for edge in part.edges)
    assert around(part, key) == part
