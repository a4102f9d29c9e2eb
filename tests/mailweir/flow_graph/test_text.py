from __future__ import annotations

from itertools import pairwise
from textwrap import dedent

from mailweir.flow_graph.model import Edge, Graph, Vertex
from mailweir.flow_graph.text import draw


def graph(names: str, *edges: str) -> Graph:
    """`source:crm pipe:a` and edges `crm a`, `a smtp mail prod`; a system lets 1000/h through."""
    vertices = []
    for word in names.split():
        kind, name = word.split(":")
        vertices.append(Vertex(kind, name, name, limit="1000/h" if kind == "system" else None))  # type: ignore[arg-type]
    found = []
    for edge in edges:
        start, end, kind, *when = [*edge.split(), *["data"][: len(edge.split()) == 2]]
        found.append(Edge(start, end, kind, tuple(when)))  # type: ignore[arg-type]
    return Graph(tuple(vertices), tuple(found))


def lines(text: str) -> str:
    """A picture without the blanks that it is indented by here."""
    return dedent(text).strip("\n")


SAMPLE = graph(
    "source:crm-api pipe:customers pipe:new-customers pipe:orders pipe:weekly-digest pipe:welcome-mail"
    " system:our-smtp-server",
    "crm-api customers",
    "customers new-customers",
    "customers orders",
    "orders weekly-digest",
    "weekly-digest our-smtp-server mail",
    "new-customers welcome-mail",
    "welcome-mail our-smtp-server mail",
)


def test_branches_stand_below_each_other_and_meet_at_the_system() -> None:
    """Each branch is a line; what goes to the same system is led up to its name."""
    assert draw(SAMPLE) == lines("""
        crm-api ─▶ customers ─▶ new-customers ─▶ welcome-mail ─✉▶ our-smtp-server   1000/h
                            └▶ orders ─▶ weekly-digest ─────────✉┘
    """)


def test_without_the_characters_the_same_is_drawn_in_ascii() -> None:
    """Each sign has one of ASCII in the same column."""
    assert draw(SAMPLE, str.isascii) == lines("""
        crm-api -> customers -> new-customers -> welcome-mail -@> our-smtp-server   1000/h
                            `> orders -> weekly-digest ---------@'
    """)


def test_the_first_line_is_stretched_for_a_longer_one_below() -> None:
    """The system moves right until every line reaches it; between, lines join the one from below."""
    found = graph(
        "source:a pipe:x source:b pipe:longer-name source:c pipe:xy system:smtp",
        *("a x", "b longer-name", "c xy", "x smtp mail", "longer-name smtp mail", "xy smtp mail"),
    )
    assert draw(found) == lines("""
        a ─▶ x ──────────✉▶ smtp   1000/h
        b ─▶ longer-name ─✉┤
        c ─▶ xy ──────────✉┘
    """)


def test_where_another_branch_is_in_the_way_the_name_is_repeated() -> None:
    """A line never crosses a name or another line."""
    found = graph(
        "source:e pipe:a sink:null pipe:c system:smtp",
        *("e a", "a smtp mail prod", "a null data test", "a c", "c smtp mail"),
    )
    assert draw(found) == lines("""
        e ─▶ a ─(prod)✉▶ smtp   1000/h
              ├(test)▶ null
              └▶ c ─✉▶ smtp   1000/h
    """)


def test_joins_are_dotted_and_do_not_decide_where_a_pipe_is_drawn() -> None:
    """A pipe stands where its source leads to it; a join of it is a dotted line."""
    found = graph(
        "source:e pipe:a pipe:b pipe:c",
        *("e a", "a b", "b c join", "a c"),
    )
    assert draw(found) == lines("""
        e ─▶ a ─▶ b ╌▶ c
              └▶ c
    """)


def test_a_circle_is_marked_and_ends() -> None:
    """The edge that leads back shows the name again with a sign, and nothing after it."""
    found = graph("source:e pipe:a pipe:b", "e a", "a b", "b a", "b b")
    assert draw(found) == lines("""
        e ─▶ a ─▶ b ─▶ a ↻
                   └▶ b ↻
    """)


def test_two_sources_of_one_pipe_meet_there() -> None:
    """What comes second is led up to the pipe, past what follows from it."""
    found = graph(
        "source:crm pipe:customers source:shop pipe:orders pipe:all pipe:m system:smtp",
        *("crm customers", "shop orders", "customers all", "orders all", "all m", "m smtp mail"),
    )
    assert draw(found) == lines("""
        crm ─▶ customers ─▶ all ─▶ m ─✉▶ smtp   1000/h
        shop ─▶ orders ────┘
    """)


def test_what_is_too_far_away_is_repeated() -> None:
    """A line that would have to be very long is not led."""
    name = "x" * 60
    found = graph(f"source:a pipe:b source:c pipe:{name} system:s", "a b", f"c {name}", "b s mail", f"{name} s mail")
    assert draw(found) == f"a ─▶ b ─✉▶ s   1000/h\nc ─▶ {name} ─✉▶ s   1000/h"


def test_what_nothing_leads_to_stands_alone() -> None:
    """A system without a use is in the picture; an empty graph is an empty picture."""
    assert draw(graph("system:backup")) == "backup   1000/h"
    assert draw(Graph((), ())) == ""


def test_wide_characters_take_two_columns() -> None:
    """The corner stands under the blank before the name."""
    found = graph("source:顧客 pipe:a source:b pipe:注文 system:s", "顧客 a", "b 注文", "a s mail", "注文 s mail")
    assert draw(found) == "顧客 ─▶ a ─✉▶ s   1000/h\nb ─▶ 注文 ──✉┘"


def test_a_thousand_pipes_in_a_row_are_one_line() -> None:
    """Depth is no limit."""
    names = [f"p{number}" for number in range(1000)]
    edges = [f"{one} {next_}" for one, next_ in pairwise(names)]
    assert draw(graph(" ".join(f"pipe:{name}" for name in names), *edges)) == " ─▶ ".join(names)
