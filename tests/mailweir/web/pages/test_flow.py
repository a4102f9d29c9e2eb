"""The flow as a page shows it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from mailweir.flow_graph.model import Edge, Graph, Vertex
from mailweir.flow_graph.svg import inline
from mailweir.serving.overview import Overview
from mailweir.serving.pauses import Pause
from mailweir.serving.presence import Found
from mailweir.web.pages.flow import dresses_of, folded, lines_of, pipe_page, standing_of, within
from pipeline.schedule import Record
from pipeline.state.facts import Execution
from pipeline.state.views import Usage

NOW = 1_774_000_000.0
EVIL = '<script>"&'


def overview(pipe: str = "mails", record: Record | None = None, **standing: Any) -> Overview:
    """A service with one pipe, and a window that is full."""
    facts = {"pid": 7, "beat": NOW, "config": {}, "pipes": {pipe: {"next": NOW + 60, "system": "relay", **standing}}}
    ran = Execution("7f", pipe, NOW - 120, NOW - 60, '{"read": 4, "sent": 296, "rejected": 1}')
    usage = [Usage("relay", 100, 100, 0, 0, 0, None, None)]
    record = record or Record(started=NOW - 120, ended=NOW - 60)
    return Overview(NOW, [Found(True, facts)], {pipe: "scheduled"}, {pipe: record}, {pipe: ran}, usage=usage)


def graph(pipe: str = "mails") -> Graph:
    """A source, a pipe, a mail system."""
    vertices = (
        Vertex("source", "crm", "source:crm"),
        Vertex("pipe", pipe, f"pipe:{pipe}", "pipes/a.conf.json"),
        Vertex("system", "relay", "system:relay", limit="100/h"),
    )
    return Graph(vertices, (Edge("source:crm", f"pipe:{pipe}"), Edge(f"pipe:{pipe}", "system:relay", "mail")))


@pytest.mark.parametrize(
    ("standing", "record", "word"),
    [
        ({}, None, "well"),
        ({"running": {"read": 3}}, None, "running"),
        ({"next": NOW - 3600}, None, "late"),
        ({"fault": "no"}, None, "failing"),
        ({}, Record(started=NOW - 120, failures=2), "failing"),
        ({"next": NOW - 3600, "running": {"read": 3}}, None, "running"),
    ],
)
def test_how_a_pipe_stands(standing: dict[str, Any], record: Record | None, word: str) -> None:
    """A word for each, the one first that a person should know first."""
    assert standing_of(overview(record=record, **standing), "mails") == word


def test_a_pause_comes_first() -> None:
    """What a person has paused is paused, however it failed before; also by its system."""
    told = overview(fault="no")
    for key in (("pipe", "mails"), ("system", "relay")):
        paused = Overview(NOW, told.services, told.pipes, told.records, pauses={key: Pause("kari", NOW, "x")})
        assert standing_of(paused, "mails") == "paused"


def test_boxes_lead_on_and_say_what_they_are() -> None:
    """Each box with a page is a link whose name is its words; the state is in its class and its words."""
    dresses = dresses_of(graph(), overview(fault="no"), {"pipe"})
    drawn = ET.fromstring(inline(graph(), dresses))
    (link,) = drawn.iter("a")
    assert link.get("href") == "/pipes/mails"
    assert link.get("class") == "failing"
    title = next(link.iter("title"))
    assert title.text == "mails, pipe, failing, last run 2 min ago, 296 sent, 1 rejected"
    texts = [one.text for one in drawn.iter("text")]
    assert "296 ●  1 ⊘" in texts
    assert "100 % of 100/h" in texts
    assert not list(drawn.iter("style"))


def test_texts_of_others_stay_texts() -> None:
    """An `_id` with markup in it is neither markup nor the end of an attribute."""
    dresses = dresses_of(graph(EVIL), overview(EVIL), {"pipe"})
    drawn = ET.fromstring(inline(graph(EVIL), dresses))
    assert not list(drawn.iter("script"))
    assert EVIL in [one.text for one in drawn.iter("text")]
    assert pipe_page("a/b ?") == "/pipes/a%2Fb%20%3F"


def test_the_table_has_the_same_facts() -> None:
    """A line for each box: what it is, how it stands, where it leads."""
    dresses = dresses_of(graph(), overview(), {"pipe", "system"})
    assert [(one.name, one.standing, one.note, one.into, one.href) for one in lines_of(graph(), dresses)] == [
        ("crm", "", "", ["mails"], ""),
        ("mails", "well", "296 ●  1 ⊘", ["relay"], "/pipes/mails"),
        ("relay", "", "100 % of 100/h", [], "/systems/relay"),
    ]


def test_many_pipes_are_folded() -> None:
    """Pipes of a folder are one box that leads to them, with what folders share beside it, and no line is lost."""
    pipes = [Vertex("pipe", f"p{n}", f"pipe:p{n}", f"{'ab'[n % 2]}/f{n}.conf.json") for n in range(60)]
    relay = Vertex("system", "relay", "system:relay", limit="1/h")
    source = Vertex("source", "own", "source:own")
    edges = [Edge(one.key, relay.key, "mail") for one in pipes]
    edges += [Edge(source.key, "pipe:p0"), Edge("pipe:p0", "pipe:p1"), Edge("pipe:p2", "pipe:p0")]
    small, dresses = folded(Graph((*pipes, relay, source), tuple(edges)))
    assert [one.name for one in small.vertices] == ["a", "b", "relay"]
    assert set(small.edges) == {
        Edge("folder:a", "system:relay", "mail"),
        Edge("folder:b", "system:relay", "mail"),
        Edge("folder:a", "folder:b"),
    }
    assert dresses["folder:a"].href == "/?folder=a"
    assert dresses["folder:a"].note == "30 pipes"


def test_a_folder_alone() -> None:
    """The pipes of a folder, with all that they touch."""
    other = Vertex("pipe", "o", "pipe:o", "other/o.conf.json")
    whole = Graph((*graph().vertices, other), (*graph().edges, Edge("pipe:o", "system:relay", "mail")))
    assert within(whole, "pipes") == graph()
    assert [one.key for one in within(whole, "other").vertices] == ["system:relay", "pipe:o"]
    assert within(whole, "nothing").vertices == ()
