from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailweir.flow_graph.layers import lay_out, spread
from mailweir.flow_graph.model import Edge, Graph, Vertex


def graph(*edges: str) -> Graph:
    """Pipes with the edges `a b`; names that begin with `s` are systems."""
    keys = dict.fromkeys(key for edge in edges for key in edge.split())
    vertices = tuple(Vertex("system" if key[0] == "s" else "pipe", key, key) for key in keys)
    return Graph(vertices, tuple(Edge(start, end) for start, end in (edge.split() for edge in edges)))


def layers(found: Graph) -> list[list[str]]:
    """The names in each layer, from top to bottom."""
    layout = lay_out(found, lambda _: 40.0)
    return [[point.vertex.name for point in layer if point.vertex] for layer in layout.layers]


def test_every_edge_goes_to_the_right_but_those_that_lead_back() -> None:
    """A vertex stands right of the last of those before it."""
    assert layers(graph("a b", "b c", "a c", "c a")) == [["a"], ["b"], ["c"]]


def test_what_nothing_leads_to_stands_beside_what_it_feeds() -> None:
    """A source of the last pipe is not drawn at the far left."""
    assert layers(graph("a b", "b c", "x c")) == [["a"], ["b", "x"], ["c"]]


def test_systems_stand_in_the_last_layer() -> None:
    """Mail leaves at the right, also from a short way."""
    assert layers(graph("a b", "b c", "x s1", "c s2")) == [["a"], ["b"], ["c", "x"], ["s2", "s1"]]


def test_lines_that_need_not_cross_do_not() -> None:
    """The order of a layer follows that of the one before."""
    assert layers(graph("r a", "r b", "r c", "a z", "b y", "c x")) == [["r"], ["a", "b", "c"], ["z", "y", "x"]]


def test_a_row_is_level() -> None:
    """Boxes in a row have their middles at one height, beside a branch too."""
    layout = lay_out(graph("a b", "b c", "c s", "a d"), lambda _: 40.0)
    heights = {point.vertex.name: point.y for layer in layout.layers for point in layer if point.vertex}
    assert heights["b"] == heights["c"] == heights["s"]


def test_a_long_edge_goes_around_the_box_between() -> None:
    """The waypoint is at least half a box and a gap away from the middle of the box."""
    layout = lay_out(graph("a b", "b c", "a c"), lambda _: 40.0)
    way = next(way for way in layout.ways if len(way.points) == 3)
    box = next(point for point in layout.layers[1] if point.vertex)
    assert abs(way.points[1].y - box.y) >= 34


def test_a_thousand_pipes_are_laid_out() -> None:
    """Depth and width are no limit."""
    chain = [f"p{number} p{number + 1}" for number in range(500)]
    star = [f"q{number} s" for number in range(500)]
    assert len(layers(graph(*chain, *star))) == 501


numbers = st.floats(-1000, 1000)


@given(st.lists(st.tuples(numbers, st.floats(1, 10), st.floats(0, 50)), min_size=1, max_size=12))
def test_spread_keeps_order_and_distances(given_: list[tuple[float, float, float]]) -> None:
    """Neighbours are as far apart as they must be; what is far enough apart already stays."""
    wanted = [want for want, _, _ in given_]
    distances = [sum(gap for _, _, gap in given_[1 : index + 1]) for index in range(len(given_))]
    places = spread(wanted, [weight for _, weight, _ in given_], distances)
    for index in range(1, len(places)):
        assert places[index] - places[index - 1] >= distances[index] - distances[index - 1] - 1e-6
    if all(wanted[i] - wanted[i - 1] >= distances[i] - distances[i - 1] for i in range(1, len(wanted))):
        assert all(abs(place - want) < 1e-6 for place, want in zip(places, wanted, strict=True))
