"""Entities that a real service publishes, read anew for each request."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailweir.web.access import digest_of
from mailweir.web.open import Wanted
from mailweir.web.publishers import MOST_AT_ONCE

Serve = Callable[..., Any]


def people(*ids: str) -> dict[str, Any]:
    """A pipe with these entities, into its dataset."""
    entities = [{"_id": one, "name": one.upper()} for one in ids]
    return {"_id": "people", "type": "pipe", "source": {"type": "embedded", "entities": entities}}


def publishing(sink: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A pipe that publishes that dataset."""
    source = {"type": "dataset", "dataset": "people"}
    return {"_id": "out", "type": "pipe", "source": source, "sink": sink or {"type": "http_endpoint"}, **more}


PATH = "/api/publishers/out/entities"


def ids(answer: Any) -> list[str]:
    """The `_id`s in an answer."""
    assert answer.status == 200, answer.body
    return [one["_id"] for one in answer.json]


def test_json_with_since_and_limit(serve: Serve) -> None:
    """All comes, or some of it, or what comes behind the last that was got; nothing twice, nothing left out."""
    service = serve(people("a", "b", "c"), publishing())
    service.until(lambda: len(service.get(PATH).json) == 3)
    first = service.get(f"{PATH}?limit=2")
    assert ids(first) == ["a", "b"]
    rest = service.get(f"{PATH}?since={first.json[-1]['_updated']}")
    assert ids(rest) == ["c"]
    assert ids(service.get(f"{PATH}?since={rest.json[-1]['_updated']}")) == []
    assert ids(service.get(f"{PATH}?since=1000000")) == ["a", "b", "c"]
    assert ids(service.get(f"{PATH}?limit=0")) == []
    assert service.get(f"{PATH}?limit=-1").status == 400


def test_transforms_and_deletes(serve: Serve) -> None:
    """Entities are shaped for the request, keep their place in the order, and deletes are told of."""
    rules = {"type": "dtl", "rules": {"default": [["filter", ["neq", "_S._id", "b"]], ["add", "upper", "_S.name"]]}}
    receiver = {"_id": "people", "type": "pipe", "source": {"type": "http_endpoint"}}
    service = serve(receiver, publishing(transform=rules))
    given = [{"_id": "a", "name": "x"}, {"_id": "b"}, {"_id": "c", "name": "z"}]
    service.post("/api/receivers/people/entities", given)
    service.until(lambda: len(service.get(PATH).json) == 2)
    found = service.get(PATH).json
    assert [(one["_id"], one["upper"], one["_updated"]) for one in found] == [("a", "x", 1), ("c", "z", 3)]
    service.post("/api/receivers/people/entities", {"_id": "a", "name": "x", "_deleted": True})
    service.until(lambda: service.get(f"{PATH}?since=3").json)
    assert [(one["_id"], one["_deleted"]) for one in service.get(f"{PATH}?since=3").json] == [("a", True)]


def test_csv(serve: Serve) -> None:
    """Rows, as a file to keep."""
    service = serve(people("a"), publishing({"type": "csv_endpoint", "columns": ["_id", "name"]}))
    answer = service.until(lambda: (got := service.get("/api/publishers/out/csv")).body.count(b"\n") == 2 and got)
    assert answer.body == b"_id,name\r\na,A\r\n"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="out.csv"'
    elsewhere = service.get(PATH)
    assert (elsewhere.status, "/api/publishers/out/csv" in elsewhere.json["detail"]) == (404, True)


def test_xml(serve: Serve) -> None:
    """Elements."""
    service = serve(people("a"), publishing({"type": "xml_endpoint"}))
    answer = service.until(lambda: b"<name>A</name>" in (got := service.get("/api/publishers/out/xml")).body and got)
    assert answer.headers["content-type"] == "application/xml"
    assert answer.body.endswith(b'<entity id="a"><name>A</name></entity>\n</entities>\n')


def test_sources_that_are_no_datasets(serve: Serve) -> None:
    """They are given whole, and who asks for less is told so."""
    pipe = {**people("a", "b"), "_id": "out", "sink": {"type": "http_endpoint"}}
    service = serve(pipe)
    assert ids(service.get(PATH)) == ["a", "b"]
    assert ids(service.get(f"{PATH}?limit=1")) == ["a"]
    assert service.get(f"{PATH}?since=1").status == 400


def test_a_source_that_cannot_be_read(serve: Serve) -> None:
    """It is told with the place of the fault, not as an empty list."""
    source = {"type": "json", "path": "people.jsonl"}
    service = serve({"_id": "out", "type": "pipe", "source": source, "sink": {"type": "http_endpoint"}})
    (service.folder / "people.jsonl").write_text('{"_id": "a"}\n{"_id": }\n')
    refused = service.get(PATH)
    assert refused.status == 503
    assert "people.jsonl:2:8: E108" in refused.json["detail"]


def test_an_answer_that_breaks_off(serve: Serve) -> None:
    """Where a fault shows when much has gone out, the answer has no end: nobody takes it for the whole."""
    source = {"type": "json", "path": "people.jsonl"}
    service = serve({"_id": "out", "type": "pipe", "source": source, "sink": {"type": "http_endpoint"}})
    lines = [json.dumps({"_id": str(number), "x": "y" * 1000}) for number in range(2000)]
    (service.folder / "people.jsonl").write_text("\n".join([*lines, "{", ""]))
    with socket.create_connection(("127.0.0.1", service.port), 120) as talk:
        head = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {service.token}\r\n\r\n"
        talk.sendall(head.encode())
        found = b""
        while part := talk.recv(2**20):
            found += part
    assert found.startswith(b"HTTP/1.1 200 ")
    assert not found.endswith(b"0\r\n\r\n")
    # Its thread and its place are free again.
    (service.folder / "people.jsonl").write_text('{"_id": "a"}\n')
    for _ in range(MOST_AT_ONCE + 1):
        assert ids(service.get(PATH)) == ["a"]


def test_an_entity_that_fails_stops_no_other(serve: Serve) -> None:
    """It is left out and logged; the ones beside it come."""
    rules = {"type": "dtl", "rules": {"default": [["copy", "*"], ["if", ["eq", "_S._id", "b"], ["fail!", "no"]]]}}
    service = serve(people("a", "b", "c"), publishing(transform=rules))
    service.until(lambda: ids(service.get(PATH)) == ["a", "c"])


def test_readers_that_go_away(serve: Serve) -> None:
    """Who does not read to the end takes nobody's place for ever."""
    source = {"type": "json", "path": "people.jsonl"}
    service = serve({"_id": "out", "type": "pipe", "source": source, "sink": {"type": "http_endpoint"}})
    lines = [json.dumps({"_id": str(number), "x": "y" * 1000}) for number in range(20_000)]
    (service.folder / "people.jsonl").write_text("\n".join([*lines, ""]))
    for _ in range(MOST_AT_ONCE + 2):
        with socket.create_connection(("127.0.0.1", service.port), 120) as talk:
            head = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {service.token}\r\n\r\n"
            talk.sendall(head.encode())
            assert talk.recv(10)
    service.until(lambda: service.get(f"{PATH}?limit=1").status == 200)


def test_pipes_that_publish_nothing(serve: Serve, tmp_path: Path) -> None:
    """Another pipe's entities are not given, nor to a token of another pipe; a near name is told."""
    tokens = tmp_path / "tokens.json"
    shop = {"name": "shop", "sha256": digest_of("s" * 32), "roles": ["content"], "pipes": ["out"]}
    tokens.write_text(json.dumps({"tokens": [shop]}))
    service = serve(people("a"), publishing(), wanted=Wanted(port=0, tokens=tokens))
    assert service.get("/api/publishers/people/entities").status == 404
    assert service.get("/api/publishers/ou/entities").json["detail"].endswith("Did you mean `out`?")
    assert service.get(PATH, token="s" * 32).status == 200
    assert service.get("/api/publishers/people/entities", token="s" * 32).status == 403
    assert service.ask("HEAD", PATH).status == 405


def test_it_never_runs_by_itself(serve: Serve) -> None:
    """A pipe that publishes is none of those that the clock runs, and a project may have only such pipes."""
    service = serve({**people("a"), "_id": "out", "sink": {"type": "http_endpoint"}})
    assert service.service.config.pipes == {}
    assert ids(service.get(PATH)) == ["a"]
