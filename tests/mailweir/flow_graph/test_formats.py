from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from textwrap import dedent

import pytest

from mailweir.flow_graph import document, dot, mermaid, svg
from mailweir.flow_graph.model import Edge, Graph, Vertex

SVG = "{http://www.w3.org/2000/svg}"
GRAPH = Graph(
    (
        Vertex("source", "embedded", "source:embedded@a", "pipes/a.conf.json"),
        Vertex("pipe", "a", "pipe:a", "pipes/a.conf.json"),
        Vertex("dataset", 'old "data" & <more>', "dataset:old"),
        Vertex("pipe", "b-c", "pipe:b-c", "pipes/b.conf.json"),
        Vertex("pipe", "b.c", "pipe:b.c", "pipes/b.conf.json"),
        Vertex("system", "smtp", "system:smtp", "systems/smtp.conf.json", "1000/h"),
        Vertex("sink", "null", "sink:null@b-c", "pipes/b.conf.json"),
    ),
    (
        Edge("source:embedded@a", "pipe:a"),
        Edge("pipe:a", "dataset:old"),
        Edge("dataset:old", "pipe:b-c"),
        Edge("pipe:a", "pipe:b-c", "join"),
        Edge("pipe:b-c", "system:smtp", "mail", ("prod",)),
        Edge("pipe:b-c", "sink:null@b-c", when=("test",)),
        Edge("pipe:b-c", "pipe:a"),
        Edge("pipe:b.c", "pipe:b.c"),
    ),
)


def test_mermaid() -> None:
    """Shapes say the kind, labels are escaped, ids that would be the same are told apart."""
    assert mermaid.draw(GRAPH) == dedent("""\
        flowchart LR
          source_embedded["embedded"]
          pipe_a(["a"])
          dataset_old_data_more[("old #34;data#34; #38; #60;more#62;")]
          pipe_b_c(["b-c"])
          pipe_b_c_2(["b#46;c"])
          system_smtp[["smtp<br>1000/h"]]
          sink_null["null"]
          source_embedded --> pipe_a
          pipe_a --> dataset_old_data_more
          dataset_old_data_more --> pipe_b_c
          pipe_a -.-> pipe_b_c
          pipe_b_c ==>|"✉ prod"| system_smtp
          pipe_b_c -->|"test"| sink_null
          pipe_b_c -->|"↻"| pipe_a
          pipe_b_c_2 -->|"↻"| pipe_b_c_2""")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("1. item", "#49;#46; item"),
        ("- item", "#45; item"),
        ("`code`", "#96;code#96;"),
        ("**bold** _it_", "#42;#42;bold#42;#42; #95;it#95;"),
        ("a_b", "a_b"),
        ("#35;", "#35;35#59;"),
        ("$ENV(limit)", "#36;ENV#40;limit#41;"),
        ("end", "end"),
        ("two\nlines", "two#9226;lines"),
    ],
)
def test_mermaid_reads_a_label_as_nothing_but_text(name: str, label: str) -> None:
    """What Mermaid would take for Markdown, HTML or an entity is written as entities."""
    assert f'"{label}"' in mermaid.draw(Graph((Vertex("pipe", name, "k"),), ()))


def test_dot() -> None:
    """Shapes and lines say the kind; keys are the names of the nodes."""
    assert dot.draw(GRAPH) == dedent("""\
        digraph mailweir {
          rankdir=LR;
          node [fontname="sans-serif"];
          edge [fontname="sans-serif"];
          "source:embedded@a" [label="embedded", shape=box];
          "pipe:a" [label="a", shape=box, style=rounded];
          "dataset:old" [label="old \\"data\\" &amp; <more>", shape=cylinder];
          "pipe:b-c" [label="b-c", shape=box, style=rounded];
          "pipe:b.c" [label="b.c", shape=box, style=rounded];
          "system:smtp" [label="smtp\\n1000/h", shape=box, peripheries=2];
          "sink:null@b-c" [label="null", shape=box, style=dashed];
          "source:embedded@a" -> "pipe:a";
          "pipe:a" -> "dataset:old";
          "dataset:old" -> "pipe:b-c";
          "pipe:a" -> "pipe:b-c" [style=dotted];
          "pipe:b-c" -> "system:smtp" [style=bold, label="✉ prod"];
          "pipe:b-c" -> "sink:null@b-c" [label="test"];
          "pipe:b-c" -> "pipe:a" [label="↻"];
          "pipe:b.c" -> "pipe:b.c" [label="↻"];
        }""")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it() -> None:
    """Graphviz draws it without a word, also with a backslash at the end of a name."""
    graph = Graph((*GRAPH.vertices, Vertex("pipe", "x\\", "pipe:x\\")), GRAPH.edges)
    done = subprocess.run(["dot", "-Tplain"], input=dot.draw(graph).encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\nnode ") == 8
    assert done.stdout.count(b"\nedge ") == 8


def test_the_document() -> None:
    """Programs get kinds, files, limits and alternatives."""
    found = document.document(GRAPH)
    nodes, edges = found["nodes"], found["edges"]
    assert isinstance(nodes, list)
    assert isinstance(edges, list)
    smtp = {"id": "system:smtp", "kind": "system", "name": "smtp", "file": "systems/smtp.conf.json", "limit": "1000/h"}
    assert smtp in nodes
    assert edges[4] == {
        "from": "pipe:b-c",
        "to": "system:smtp",
        "kind": "mail",
        "when": ["prod"],
        "closes_circle": False,
    }
    assert [edge["closes_circle"] for edge in edges] == [False] * 6 + [True] * 2


def test_svg_says_in_words_what_it_shows() -> None:
    """A screen reader gets a title and every edge as a sentence; each box has its kind and file."""
    root = ET.fromstring(svg.draw(GRAPH))
    ids = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"].split() == list(ids)
    assert ids["flow-words"] == (
        'embedded flows into a. a flows into old "data" & <more>. old "data" & <more> flows into b-c.'
        " a is joined by b-c. b-c mails through smtp (prod). b-c flows into null (test). b-c flows into a."
        " b.c flows into b.c. smtp lets 1000/h through."
    )
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert "system smtp (systems/smtp.conf.json)" in titles
    assert svg.sentences(Graph((), ())) == "Nothing flows."


def test_svg_stands_alone_and_has_colors_for_dark_pages() -> None:
    """Nothing is fetched from elsewhere, and every kind has a color for light and one for dark."""
    drawn = svg.draw(GRAPH)
    assert "http" not in drawn.replace('xmlns="http://www.w3.org/2000/svg"', "")
    light, dark = drawn.split("@media (prefers-color-scheme:dark)")
    for kind in ("source", "pipe", "dataset", "system", "sink"):
        assert f".{kind} .box{{fill:" in light
        assert f".{kind} .box{{fill:" in dark


def test_svg_shows_the_words_of_edges_and_limits() -> None:
    """Alternatives, circles and limits are text in the drawing; joins are dotted, mail has its own lines."""
    root = ET.fromstring(svg.draw(GRAPH))
    words = sorted(element.text or "" for element in root.iter(f"{SVG}text") if element.get("class") == "words")
    assert words == ["prod", "test", "↻", "↻"]
    assert [element.text for element in root.iter(f"{SVG}text") if element.get("class") == "limit"] == ["1000/h"]
    groups = [element.get("class") for element in root.iter(f"{SVG}g")]
    assert (groups.count("join"), groups.count("mail")) == (1, 1)
