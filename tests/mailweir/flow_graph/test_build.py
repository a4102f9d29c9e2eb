"""The picture of projects that are loaded from disk."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from mailweir.flow_graph.build import build, pipe_key
from mailweir.flow_graph.model import Graph, around
from mailweir.flow_graph.text import draw
from pipeline.component import ComponentConfig, Kind, Refers, SinkConfig, SourceConfig, SystemConfig
from pipeline.config.installed import installed
from pipeline.config.load import Options, load
from pipeline.config.project import compile_project
from pipeline.config.registry import Entry, Registry
from pipeline.config.resolve import Lookup
from pipeline.config.text import read

Config = dict[str, Any]
SMTP: Config = {"_id": "smtp", "type": "system:smtp", "smtp_server": "mail.example.com"}
EMBEDDED: Config = {"type": "embedded", "entities": [{"_id": "1"}]}


def mail(system: str) -> Config:
    """A mail sink."""
    return {
        "type": "mail",
        "system": system,
        "mail_from": "a@example.com",
        "recipients": "b@example.com",
        "subject_template": "Hello",
        "body_template": "Hello",
    }


def dataset(name: str) -> Config:
    """A dataset as a source or as a sink."""
    return {"type": "dataset", "dataset": name}


def pipe(id: str, source: Config, **more: Any) -> Config:
    """A pipe."""
    return {"_id": id, "type": "pipe", "source": source, **more}


def joining(*datasets: str) -> Config:
    """A transform that looks up other datasets."""
    hops = ["hops", {"datasets": [f"{name} d{number}" for number, name in enumerate(datasets)], "where": []}]
    return {"type": "dtl", "rules": {"default": [["copy", "*"], ["add", "found", hops]]}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty folder for configurations."""
    (tmp_path / "pipes").mkdir()
    return tmp_path


def graph(project: Path, *components: Config, **environ: str) -> Graph:
    """The picture of components in one file."""
    (project / "pipes" / "all.conf.json").write_text(json.dumps(components))
    return build(load(project, Options(here=project, environ=environ)).project.components)


def test_from_the_source_to_the_mail_system(project: Path) -> None:
    """The dataset that a pipe writes under its own name is the pipe; the limit stands beside the system."""
    found = graph(project, SMTP, pipe("a", EMBEDDED), pipe("b", dataset("a"), sink=mail("smtp")))
    assert draw(found) == "embedded ─▶ a ─▶ b ─✉▶ smtp   1000/h"
    assert [(vertex.key, vertex.file) for vertex in found.vertices] == [
        ("source:embedded@a", "pipes/all.conf.json"),
        ("pipe:a", "pipes/all.conf.json"),
        ("pipe:b", "pipes/all.conf.json"),
        ("system:smtp", "pipes/all.conf.json"),
    ]


def test_a_system_that_passes_on_stands_before_the_other(project: Path) -> None:
    """Mail goes on from a queue, whether or not a pipe uses it."""
    queue = {"_id": "outbox", "type": "system:spool", "system": "smtp"}
    spare = {"_id": "spare", "type": "system:spool", "system": "outbox"}
    found = graph(project, pipe("a", EMBEDDED, sink=mail("outbox")), queue, SMTP)
    assert draw(found) == "embedded ─▶ a ─✉▶ outbox   1000/h ─✉▶ smtp   1000/h"
    found = graph(project, pipe("a", EMBEDDED, sink=mail("outbox")), queue, SMTP, spare)
    assert [(edge.start, edge.end, edge.kind) for edge in found.edges[2:]] == [
        ("system:outbox", "system:smtp", "mail"),
        ("system:spare", "system:outbox", "mail"),
    ]


def test_a_dataset_with_another_name_stands_between_the_pipes(project: Path) -> None:
    """It is a vertex of its own, also when nobody reads it."""
    found = graph(project, pipe("a", EMBEDDED, sink=dataset("people")), pipe("b", dataset("people")))
    assert draw(found) == "embedded ─▶ a ─▶ people ─▶ b"


def test_a_dataset_named_as_a_pipe_that_another_pipe_writes_is_not_that_pipe(project: Path) -> None:
    """`b` writes the dataset `a`; the pipe `a` writes elsewhere."""
    found = graph(project, pipe("a", EMBEDDED, sink=dataset("x")), pipe("b", EMBEDDED, sink=dataset("a")))
    assert {vertex.key for vertex in found.vertices} >= {"pipe:a", "dataset:a", "dataset:x"}
    assert draw(found) == "embedded ─▶ a ─▶ x\nembedded ─▶ b ─▶ a"


def test_joins_are_edges_of_their_own_kind(project: Path) -> None:
    """What `hops` looks up comes in dotted."""
    found = graph(
        project, pipe("a", EMBEDDED), pipe("b", dataset("a"), transform=joining("c", "a")), pipe("c", EMBEDDED)
    )
    assert [(edge.start, edge.kind) for edge in found.edges if edge.end == "pipe:b"] == [
        ("pipe:a", "data"),
        ("pipe:c", "join"),
        ("pipe:a", "join"),
    ]


def test_several_sources_each_have_an_edge(project: Path) -> None:
    """A union reads all of its datasets."""
    union = {"type": "union_datasets", "datasets": ["a", "b"]}
    found = graph(project, pipe("a", EMBEDDED), pipe("b", EMBEDDED), pipe("c", union))
    assert draw(found) == "embedded ─▶ a ─▶ c\nembedded ─▶ b ──┘"


def test_alternatives_are_all_drawn_with_their_names(project: Path) -> None:
    """The picture shows where mail goes in production, whatever the condition is now."""
    choice = {"type": "conditional", "condition": "$ENV(node-env)"}
    found = graph(
        project,
        SMTP,
        pipe(
            "a",
            choice | {"alternatives": {"prod": dataset("b"), "test": EMBEDDED}},
            sink=choice | {"alternatives": {"prod": mail("smtp"), "test": {"type": "null"}, "dev": {"type": "null"}}},
        ),
        pipe("b", EMBEDDED),
        **{"node-env": "test"},
    )
    assert [(edge.start, edge.end, edge.kind, edge.when) for edge in found.edges] == [
        ("pipe:b", "pipe:a", "data", ("prod",)),
        ("source:embedded@a", "pipe:a", "data", ("test",)),
        ("pipe:a", "system:smtp", "mail", ("prod",)),
        ("pipe:a", "sink:null@a", "data", ("test", "dev")),
        ("source:embedded@b", "pipe:b", "data", ()),
    ]


def test_what_every_alternative_uses_is_used_always(project: Path) -> None:
    """Alternatives within alternatives are told by the way to them; what is the same in all needs no name."""
    inner = {"type": "conditional", "condition": "y", "alternatives": {"y": mail("smtp"), "n": {"type": "null"}}}
    outer = {"type": "conditional", "condition": "prod", "alternatives": {"prod": inner, "test": mail("smtp")}}
    same = {"type": "conditional", "condition": "x", "alternatives": {"x": mail("smtp"), "y": mail("smtp")}}
    found = graph(project, SMTP, pipe("a", EMBEDDED, sink=outer), pipe("b", EMBEDDED, sink=same))
    assert [(edge.start, edge.end, edge.when) for edge in found.edges if edge.kind == "mail"] == [
        ("pipe:a", "system:smtp", ("prod/y", "test")),
        ("pipe:b", "system:smtp", ()),
    ]


def test_values_that_are_not_set_are_shown_as_they_are_written(project: Path) -> None:
    """Without the environment the picture has the references."""
    found = graph(
        project,
        SMTP | {"max_per_hour": "$ENV(limit)"},
        pipe("a", dataset("$ENV(input)")),
        pipe("b", dataset("a"), sink=mail("$ENV(mailer)")),
    )
    assert draw(found) == "$ENV(input) ─▶ a ─▶ b ─✉▶ $ENV(mailer)\nsmtp   $ENV(limit)/h"
    set_ = {"input": "a", "mailer": "smtp", "limit": "50"}
    found = graph(
        project,
        SMTP | {"max_per_hour": "$ENV(limit)"},
        pipe("a", EMBEDDED),
        pipe("b", dataset("$ENV(input)"), sink=mail("$ENV(mailer)")),
        **set_,
    )
    assert draw(found) == "embedded ─▶ a ─▶ b ─✉▶ smtp   50/h"


def test_what_is_named_and_not_there_is_drawn_all_the_same(project: Path) -> None:
    """A system and a dataset that nothing declares have no file; a limit that cannot be is left out."""
    found = graph(project, SMTP | {"max_per_hour": []}, pipe("a", dataset("gone"), sink=mail("away")))
    assert draw(found) == "gone ─▶ a ─✉▶ away\nsmtp"
    assert [vertex.file for vertex in found.vertices if vertex.name in {"gone", "away"}] == [None, None]


def test_a_pipe_whose_source_or_sink_is_not_known_stands_alone(project: Path) -> None:
    """Nothing is made up for it; of two components with one name the first counts, without a name none."""
    wrong = {"type": "no-such-thing"}
    found = graph(project, pipe("a", wrong, sink=wrong), pipe("a", EMBEDDED), {"type": "pipe", "source": EMBEDDED})
    assert draw(found) == "a"


def test_around_a_pipe_is_what_leads_to_it_and_from_it(project: Path) -> None:
    """Neighbours on other ways are left out."""
    found = graph(
        project,
        SMTP,
        pipe("a", EMBEDDED),
        pipe("b", dataset("a")),
        pipe("c", dataset("a"), sink=mail("smtp")),
        pipe("d", dataset("b"), sink=mail("smtp")),
    )
    assert draw(around(found, pipe_key("b"))) == "embedded ─▶ a ─▶ b ─▶ d ─✉▶ smtp   1000/h"


def test_a_circle_of_pipes(project: Path) -> None:
    """A pipe that feeds itself, and two that feed each other, end with a sign."""
    found = graph(project, pipe("a", dataset("a")), pipe("b", dataset("c")), pipe("c", dataset("b")))
    assert draw(found) == "a ─▶ a ↻\nb ─▶ c ─▶ b ↻"


class HttpSystem(SystemConfig):
    """A service that entities come from and go to."""

    type: Literal["system:http"]
    url: str


class HttpSource(SourceConfig):
    """Reads from a service."""

    type: Literal["http"]
    system: Annotated[str, Refers("system", HttpSystem)]


class HttpSink(SinkConfig):
    """Writes to a service."""

    type: Literal["http"]
    system: Annotated[str, Refers("system", HttpSystem)]


def test_a_system_that_is_read_and_written_stands_on_both_sides() -> None:
    """What goes out to a service does not come back in the picture, and its name says where entities come from."""
    own = installed()
    http: dict[Kind, type[ComponentConfig]] = {"system": HttpSystem, "source": HttpSource, "sink": HttpSink}
    types = {
        kind: {**entries, "http": Entry("http", "mailweir", partial(http.__getitem__, kind))}
        if kind in http
        else entries
        for kind, entries in own.types.items()
    }
    service = {"_id": "crm-api", "type": "system:http", "url": "https://crm.example.com"}
    source, sink = ({"type": "http", "system": "crm-api"} for _ in range(2))
    components = [
        service,
        pipe("in", source),
        pipe("out", dataset("in"), sink=sink),
        pipe("x", source | {"system": "y"}),
    ]
    document = read(json.dumps(components), "all.conf.json")
    found = build(compile_project([document], Registry(types), Lookup()).components)
    assert draw(found) == "crm-api ─▶ in ─▶ out ─▶ crm-api\ny ─▶ x"
    assert [(vertex.key, vertex.file) for vertex in found.vertices if vertex.kind != "pipe"] == [
        ("source:crm-api", "all.conf.json"),
        ("system:crm-api", "all.conf.json"),
        ("source:y", None),
    ]
    lonely = build(compile_project([read(json.dumps(service), "a.conf.json")], Registry(types), Lookup()).components)
    assert [(vertex.key, vertex.limit) for vertex in lonely.vertices] == [("system:crm-api", None)]
