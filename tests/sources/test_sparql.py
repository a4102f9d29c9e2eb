"""A SPARQL service as a source: a real one over HTTP, which answers what the test tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.entity import URI, Date, Entity, datetime_of
from pipeline.errors import SourceError
from sources.sparql import SparqlConfig
from sources.sparql_rows import RowError, rows, value_of
from systems.http.config import UrlConfig
from tests.web import answer, body_of, serving

XSD = "http://www.w3.org/2001/XMLSchema#"
QUERY = "SELECT ?id ?name ?changed WHERE { ?id :name ?name ; :changed ?changed FILTER (?changed > '${since}') }"


def term(value: str, datatype: str | None = None, kind: str = "literal") -> dict[str, str]:
    """A term of an answer."""
    return {"type": kind, "value": value} | ({} if datatype is None else {"datatype": XSD + datatype})


def result(found: Sequence[Mapping[str, Any]]) -> bytes:
    """The answer to a SELECT."""
    names = sorted({name for row in found for name in row})
    return json.dumps({"head": {"vars": names}, "results": {"bindings": list(found)}}, indent=1).encode()


class Service:
    """Answers each query with the same rows, and keeps what was asked."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        """The answer."""
        self.body = body
        self.status = status
        self.asked: list[str] = []
        self.cut: int | None = None

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Take a query as the protocol has it."""
        assert handler.command == "POST"
        assert handler.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert handler.headers["Accept"] == "application/sparql-results+json"
        self.asked.append(parse_qs(body_of(handler).decode())["query"][0])
        if self.cut is None:
            answer(handler, self.body, self.status)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()
        handler.wfile.write(self.body[: self.cut])


def source(url: str, **properties: Any) -> Any:
    """A source as it is declared."""
    system = {"_id": "store", "type": "system:url", "url_pattern": f"{url}/%s", "allow_private": True}

    class Context:
        pipe, root = "p", "."

        def system(self, id: str, port: type[Any]) -> Any:
            return UrlConfig.model_validate(system).build(context)

    context: Any = Context()
    return SparqlConfig.model_validate({"type": "sparql", "system": "store", "url": "query", **properties}).build(
        context
    )


def read(url: str, since: str | None = None, **properties: Any) -> tuple[list[Entity], str | None]:
    """All entities, and the last position."""
    found: list[Entity] = []
    for entities, reached in source(url, **properties).read(since):
        found += entities
        since = reached if reached is not None else since
    return found, since


def test_rows_become_entities() -> None:
    """Those of one `_id` that follow each other are one, and different values a list."""
    ann, bo = term("http://x/ann", kind="uri"), term("http://x/bo", kind="uri")
    service = Service(
        result(
            [
                {"id": ann, "name": term("Ann"), "mail": term("a@example.com")},
                {"id": ann, "name": term("Ann"), "mail": term("b@example.com")},
                {"id": ann, "name": term("Anna")},
                {"id": bo, "age": term("7", "integer")},
            ]
        )
    )
    with serving(service) as url:
        found, since = read(url, query=["SELECT ?id", "WHERE {}"])
    assert found == [
        {"_id": "http://x/ann", "name": ["Ann", "Anna"], "mail": ["a@example.com", "b@example.com"]},
        {"_id": "http://x/bo", "age": 7},
    ]
    assert since is None
    assert service.asked == ["SELECT ?id\nWHERE {}"]


def test_the_next_run_asks_for_what_has_changed() -> None:
    """The largest value of the variable goes where `${since}` stands, and is a text there whatever it says."""
    changes = ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"]
    service = Service(
        result([{"id": term(str(at)), "changed": term(one, "dateTime")} for at, one in enumerate(changes)])
    )
    more = {"query": QUERY, "updated_variable": "changed"}
    with serving(service) as url:
        assert read(url, **more)[1] == "2026-01-02T00:00:00Z"
        assert read(url, "2026-01-02T00:00:00Z", **more)[1] == "2026-01-02T00:00:00Z"
        assert [reached for _, reached in source(url, is_chronological=True, **more).read(None)] == [changes[0]]
        assert source(url, **more).knows("2026")
        assert not source(url, query="SELECT ?id WHERE {}").knows("2026")
        read(url, "x') } DROP ALL #\\", **more)
        assert read(url, "2027", supports_since=False, **more)[1] == "2027"
    assert "> '0001-01-01T00:00:00Z')" in service.asked[0]
    assert "> '2026-01-02T00:00:00Z')" in service.asked[1]
    assert "> 'x\\') } DROP ALL #\\\\')" in service.asked[3]
    assert "> '0001-01-01T00:00:00Z')" in service.asked[4]


def test_what_came_before_an_answer_broke_off_is_delivered() -> None:
    """The rest is told."""
    service = Service(result([{"id": term(str(number))} for number in range(20_000)]))
    service.cut = len(service.body) // 2
    with serving(service) as url:
        reading = source(url, query="SELECT ?id WHERE {}").read(None)
        assert next(reading)[0][0] == {"_id": "0"}
        with pytest.raises(SourceError, match="E607 .* breaks off before its end"):
            list(reading)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"<html>", 200, "this is no result of a SELECT: it is no JSON"),
        (b'{"head": {}, "boolean": true}', 200, "this is no result of a SELECT: it has no rows"),
        (b'{"results": {"bindings": [{"id": {"value": "1"}}', 200, "the answer ends in the middle"),
        (b'{"results": {"bindings": [{"id": {"value": "1"}} {', 200, "the rows are broken: a comma is missing"),
        (b'{"results": {"bindings": [{"id": "1"}]}}', 200, "a row is no object of terms"),
        (b'{"results": {"bindings": [{"n": {"value": "1"}}]}}', 200, "a row has no `?id`"),
        (b"no", 400, "answers 400"),
    ],
)
def test_an_answer_that_is_none_is_told(body: bytes, status: int, message: str) -> None:
    """With the reason, and nothing of the data."""
    with serving(Service(body, status)) as url, pytest.raises(SourceError) as told:
        read(url, query="SELECT ?id WHERE {}")
    assert message in str(told.value)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (term("http://x/1", kind="uri"), URI("http://x/1")),
        (term("b0", kind="bnode"), "_:b0"),
        (term("007", "integer"), 7),
        (term("x", "integer"), "x"),
        (term("1.50", "decimal"), Decimal("1.50")),
        (term("1e3", "double"), 1000.0),
        (term("INF", "double"), "INF"),
        (term("true", "boolean"), True),
        (term("2026-01-02T03:04:05Z", "dateTime"), datetime_of("2026-01-02T03:04:05Z")),
        (term("2026-01-02T03:04:05+00:00", "dateTime"), datetime_of("2026-01-02T03:04:05Z")),
        (term("2026-01-02T03:04:05", "dateTime"), "2026-01-02T03:04:05"),
        (term("text", "string"), "text"),
        ({"type": "literal", "value": "hei", "xml:lang": "nb"}, "hei"),
    ],
)
def test_terms_are_values_of_their_types(given_: Mapping[str, Any], expected: object) -> None:
    """What does not have the form of its type is text."""
    found = value_of(given_)
    assert (type(found), found) == (type(expected), expected)


def test_a_date_is_a_day() -> None:
    """Not the moment with which it begins."""
    assert isinstance(value_of(term("2026-01-02", "date")), Date)


@given(st.lists(st.text(max_size=5), max_size=20), st.lists(st.integers(1, 40), min_size=1, max_size=10))
def test_rows_are_the_same_however_the_answer_comes(texts: Sequence[str], sizes: Sequence[int]) -> None:
    """In any portions."""
    found = [{"id": term(text)} for text in texts]
    body, portions = result(found), []
    while body:
        for size in sizes:
            portions.append(body[:size])
            body = body[size:]
    assert list(rows(iter(portions))) == found


def test_an_answer_without_rows_is_read_no_further_than_needed() -> None:
    """Something that is no result may have no end."""

    def endless() -> Any:
        while True:
            yield b'{"head": ' + b" " * 65_536

    with pytest.raises(RowError, match="it has no rows"):
        list(rows(endless()))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"query": QUERY, "updated_variable": "changed"}, []),
        ({"query": QUERY}, ["E204"]),
        ({"query": "SELECT * WHERE {}", "updated_variable": "changed"}, ["E203"]),
        ({"query": "SELECT ?id WHERE {}", "primary_key": "no"}, ["E203"]),
    ],
)
def test_what_cannot_go_on_is_told_by_check(tmp_path: Path, properties: dict[str, Any], expected: list[str]) -> None:
    """At the query, or at the variable."""
    system = {"_id": "store", "type": "system:url", "url_pattern": "https://store.example.com/%s"}
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "sparql", "system": "store", **properties}}
    (tmp_path / "p.conf.json").write_text(json.dumps([system, pipe]))
    found = check_paths([tmp_path], Options(environ={}, here=tmp_path)).problems
    assert [one.code for one in found if one.code.startswith("E")] == expected
