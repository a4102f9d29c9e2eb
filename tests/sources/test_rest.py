"""Services whose operations give entities."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.errors import SourceError
from sources.rest import RestSourceConfig
from systems.http.rest import RestConfig
from tests.web import answer, body_of, serving

TOP = Path(__file__).parents[2]


class Service:
    """Things with an `id` and a `changed`, in pages."""

    def __init__(self, count: int) -> None:
        """So many."""
        self.things: list[dict[str, Any]] = [{"id": at, "changed": at} for at in range(1, count + 1)]
        self.asked: list[tuple[str, str, dict[str, list[str]], dict[str, str], bytes]] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """A page, with links to the next in body and header."""
        parts = urlsplit(handler.path)
        query = parse_qs(parts.query)
        self.asked.append((handler.command, parts.path, query, dict(handler.headers), body_of(handler)))
        size, begin = int(query.get("limit", ["100"])[0]), int(query.get("offset", ["0"])[0])
        since = int(query.get("since", [handler.headers.get("X-Since", "0")])[0])
        found = [thing for thing in self.things if thing["changed"] > since]
        page = found[begin : begin + size]
        more = begin + size < len(found)
        following = f"?limit={size}&offset={begin + size}" + (f"&since={since}" if since else "")
        body = {"data": {"items": page}, "next": following if more else None, "cursor": begin + size if more else ""}
        headers: dict[str, Any] = {"Link": f'<{parts.path}{following}>; rel="next"'} if more else {}
        answer(handler, json.dumps(body).encode(), Content_Type="application/json", **headers)


def source(url: str, operation: dict[str, Any], system: dict[str, Any] | None = None, **properties: Any) -> Any:
    """A source as it is declared."""
    operations = {"list": {"url": "things", "payload_property": "data.items", **operation}}
    base = {"_id": "api", "type": "system:rest", "url_pattern": f"{url}/v1/%s", "allow_private": True}
    config = RestConfig.model_validate({**base, "operations": operations, **(system or {})})

    class Context:
        pipe, root = "p", "."

        def system(self, id: str, port: type[Any]) -> Any:
            return config.build(context)

        def config(self, id: str, base: type[Any]) -> Any:
            return config

    context: Any = Context()
    given = {"type": "rest", "system": "api", "operation": "list", "id_expression": "{{ id }}", **properties}
    return RestSourceConfig.model_validate(given).build(context)


def ids(reading: Any) -> list[str]:
    """The `_id` of all entities."""
    return [one["_id"] for entities, _ in reading for one in entities]


@pytest.mark.parametrize(
    "operation",
    [
        {"next_page_link": "{{ body.next or '' }}", "params": {"limit": 2}},
        {"next_page_link": "{{ headers.link.next if headers.link is defined }}", "params": {"limit": 2}},
        {
            "params": {"limit": "{{ page_size }}", "offset": "{{ page * page_size }}"},
            "page_size": 2,
            "next_page_link": "things",
            "next_page_termination_strategy": "not-full-page",
        },
        {
            "params": {"limit": 1, "offset": "{{ previous_body.cursor if previous_body is defined else 0 }}"},
            "next_page_link": "{{ 'things' if body.cursor }}",
        },
        {
            "params": {"limit": 3, "offset": "{{ 0 if is_first_page else previous_params.offset | int + 3 }}"},
            "next_page_link": "things",
            "next_page_termination_strategy": ["empty-result"],
        },
    ],
    ids=["link in the body", "link in a header", "number of the page", "cursor", "offset"],
)
def test_pages_are_asked_for_until_there_are_no_more(operation: dict[str, Any]) -> None:
    """In all the ways in which services number them; each entity comes once."""
    service = Service(5)
    with serving(service) as url:
        assert ids(source(url, operation).read(None)) == ["1", "2", "3", "4", "5"]
    assert {path for _, path, _, _, _ in service.asked} == {"/v1/things"}


@pytest.mark.parametrize("strategy", ["same-response", "same-next-page-request", "same-next-page-link"])
def test_a_service_that_leads_in_a_circle_is_left(strategy: str) -> None:
    """When the link, the request or the answer is that of the page before."""
    service = Service(2)
    with serving(service) as url:
        operation = {"next_page_link": "things", "next_page_termination_strategy": [strategy]}
        found = ids(source(url, operation).read(None))
    assert found in (["1", "2"], ["1", "2", "1", "2"])
    assert len(service.asked) <= 2


@pytest.mark.parametrize("place", ["query", "header", "manual"])
def test_a_later_run_asks_for_what_has_changed(place: str) -> None:
    """Where the operation says; positions that are numbers are compared as numbers."""
    service = Service(12)
    name = {"query": "since", "header": "X-Since", "manual": "none"}[place]
    operation: dict[str, Any] = {"since_property_location": place, "since_property_name": name}
    if place == "manual":
        operation["url"] = "things{% if since is defined %}?since={{ since }}{% endif %}"
    wanted: dict[str, Any] = {"supports_since": True, "updated_expression": "{{ changed }}"}
    with serving(service) as url:
        first = list(source(url, operation, **wanted).read(None))
        assert [reached for _, reached in first] == [None, "12"]
        service.things.append({"id": 13, "changed": 13})
        reading = list(source(url, operation, **wanted).read("12"))
        assert (ids(reading), reading[-1][1]) == (["13"], "13")
        assert ids(source(url, operation, **wanted, initial_since_value=11).read(None)) == ["12", "13"]


def test_pages_in_the_order_of_changes_have_positions() -> None:
    """So a run that breaks off goes on where it was."""
    service = Service(4)
    operation = {"next_page_link": "{{ body.next or '' }}", "params": {"limit": 2}}
    with serving(service) as url:
        wanted: dict[str, Any] = {
            "supports_since": True,
            "is_chronological": True,
            "updated_expression": "{{ changed }}",
        }
        assert [reached for _, reached in source(url, operation, **wanted).read(None)] == ["2", "4"]


def test_a_request_is_made_of_templates() -> None:
    """Method, URL, parameters, headers, payload; what the source says stands before what the operation says."""
    service = Service(1)
    operation = {
        "url": "things/{{ properties.kind }}",
        "method": "POST",
        "params": {"a": ["x", 1], "b": "{{ properties.kind }}", "c": True, "d": "sesam:markskip"},
        "headers": {"X-Kind": "{{ url }}", "content-type": "application/x-own"},
        "payload": {"never": "sent"},
        "properties": {"kind": "old"},
    }
    with serving(service) as url:
        payload = {"filter": "{{ properties.kind }}", "at": "{{ params.b }}"}
        assert ids(source(url, operation, properties={"kind": "new b"}, payload=payload).read(None)) == ["1"]
    ((method, path, query, headers, body),) = service.asked
    assert (method, path) == ("POST", "/v1/things/new%20b")
    assert query == {"a": ["x", "1"], "b": ["new b"], "c": ["true"]}
    assert json.loads(body) == {"filter": "new b", "at": "new b"}
    assert (headers["content-type"], "Content-Type" in headers) == ("application/x-own", False)


def test_entities_have_what_is_wanted_of_an_answer() -> None:
    """The answer under a property, its headers, status and type; text where it is no JSON."""

    def serve(handler: BaseHTTPRequestHandler) -> None:
        answer(handler, b"plain", Content_Type="text/plain", X_Own="1")

    operation = {
        "payload_property": None,
        "response_property": "said",
        "response_headers_property": "headers",
        "response_status_property": "status",
        "response_include_content_type": True,
    }
    with serving(serve) as url:
        ((entities, _),) = source(url, operation, id_expression="{{ body }}-{{ headers['x-own'] }}").read(None)
    (entity,) = entities
    assert (entity["_id"], entity["said"], entity["status"], entity["content-type"]) == (
        *("plain-1", "plain", 200, "text/plain"),
    )
    assert entity["headers"]["x-own"] == "1"


def test_a_link_to_another_server_gets_no_secret() -> None:
    """Neither the login nor the parameters; and a private one is not reached at all unless that is allowed."""
    seen: list[tuple[str, str | None]] = []

    def other(handler: BaseHTTPRequestHandler) -> None:
        seen.append((handler.path, handler.headers["Authorization"]))
        answer(handler, b'{"data": {"items": [{"id": 2}]}}', Content_Type="application/json")

    with serving(other) as elsewhere:

        def first(handler: BaseHTTPRequestHandler) -> None:
            body = {"data": {"items": [{"id": 1}]}, "next": f"{elsewhere}/more"}
            answer(handler, json.dumps(body).encode(), Content_Type="application/json")

        with serving(first) as url:
            operation = {"next_page_link": "{{ body.next if body.next is defined }}", "params": {"key": "s3cr3t"}}
            login = {"authentication": "jwt", "jwt_token": "t0ken"}
            assert ids(source(url, operation, login).read(None)) == ["1", "2"]
            assert seen == [("/more", None)]
            with pytest.raises(SourceError, match="the system needs `allow_private` to reach it"):
                ids(source(url, operation, {"allow_private": False}).read(None))


def _broken(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": ')


def _says(body: bytes, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: answer(handler, body, status, Content_Type="application/json")


@pytest.mark.parametrize(
    ("serve", "operation", "words"),
    [
        (_says(b"", 500), {}, "E607 .*/v1/things answers 500 Internal Server Error$"),
        (_says(b'{"data": s3cr3t'), {}, "E607 .*answers with JSON that is broken$"),
        (_broken, {}, "breaks off before its end$"),
        (_says(b'{"data": {"items": [{"id": 1}, 5]}}'), {}, "E218 .*entity 2 of page 1: .*a value that is no object"),
        (_says(b'{"data": {"items": [{"x": "s3cr3t"}]}}'), {}, "E218 .*entity 1 of page 1: `id_expression`"),
        (_says(b'{"data": {"items": [{"_id": 5}]}}'), {}, "its `_id` is no text"),
        (_says(b'{"fault": "too bad"}'), {"error_expression": "{{ body.fault }}"}, "/v1/things answers: too bad$"),
        (_says(b"{}"), {"url": "{{ properties.none }}"}, "E607 `url`"),
        (_says(b"{}"), {"url": "../admin"}, "leads away from the system"),
        (_says(b"{}"), {"headers": {"X-A": "{{ 'a\\nb' }}"}}, "`X-A` has a character that no header can have"),
        (lambda handler: answer(handler, status=302, Location=handler.path), {}, "leads on more than 3 times"),
    ],
)
def test_what_goes_wrong_is_told(
    serve: Callable[[BaseHTTPRequestHandler], None], operation: dict[str, Any], words: str
) -> None:
    """With the address, without parameters, and without what the service wrote."""
    with serving(serve) as url, pytest.raises(SourceError, match=words) as raised:
        ids(source(url, {"params": {"key": "s3cr3t"}, **operation}).read(None))
    assert "s3cr3t" not in str(raised.value)


def test_what_is_no_entity_can_be_left_out() -> None:
    """It is counted, and its neighbours come."""
    with serving(_says(b'{"data": {"items": [{"id": 1}, 5, {"x": 1}, {"id": 2}]}}')) as url:
        reading = source(url, {}, on_error="skip")
        assert ids(reading.read(None)) == ["1", "2"]
        assert reading.skipped == 2


def test_a_service_without_entities_can_be_a_fault() -> None:
    """So that a full run does not delete what earlier ones brought."""
    with serving(_says(b'{"data": {"items": []}}')) as url:
        assert ids(source(url, {}).read(None)) == []
        with pytest.raises(SourceError, match="the service has no entities"):
            ids(source(url, {}, if_source_empty="fail").read(None))


def project(folder: Path, url: str, operation: Any, source: dict[str, Any], **system: Any) -> Path:
    """A project with one pipe that keeps what it reads."""
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "rest", "system": "api", **source}}
    operations = {"list": operation}
    api = {"_id": "api", "type": "system:rest", "url_pattern": url, "operations": operations, **system}
    (folder / "p.conf.json").write_text(json.dumps([pipe, api]))
    return folder


@pytest.mark.parametrize(
    ("operation", "source", "code", "words", "at"),
    [
        ({}, {"operation": "lst"}, "E203", "there is no operation `lst`", '"lst"'),
        ({}, {}, "E204", "there is no `operation`", "{"),
        ({"metod": "GET"}, {"operation": "list"}, "E201", "unknown property `metod`", '"metod"'),
        ({"method": "FETCH"}, {"operation": "list"}, "E203", "`method` must be one of", '"FETCH"'),
        ({"page_size": 0}, {"operation": "list"}, "E203", "`page_size`", "0"),
        ({"url": "a/{{ b"}, {"operation": "list"}, "E401", "", "{{"),
        ({"params": {"a": [{"b": "{{ c | nofilter }}"}]}}, {"operation": "list"}, "E402", "nofilter", "nofilter"),
        ({"url": "https://example.com/x"}, {"operation": "list"}, "E203", "is not relative", '"https'),
        ({"headers": {"a b": "c"}}, {"operation": "list"}, "E203", "`a b` cannot be", '"a b"'),
        ({}, {"operation": "list", "id_expression": "{{ a | nofilter }}"}, "E402", "nofilter", "nofilter"),
        (
            {"next_page_termination_strategy": "not-full-page"},
            {"operation": "list"},
            *("E204", "`not-full-page` needs `page_size`", '"not-full-page"'),
        ),
    ],
)
def test_what_cannot_be_is_told_by_check(
    tmp_path: Path, operation: Any, source: dict[str, Any], code: str, words: str, at: str
) -> None:
    """Before anything is asked, at the character."""
    folder = project(tmp_path, "https://example.com/%s", operation, source)
    problems = check_paths([folder], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == [code], [str(problem) for problem in problems]
    assert words in problems[0].message
    text = (folder / "p.conf.json").read_text()
    assert text[problems[0].span.start :].startswith(at), text[problems[0].span.start :][:20]


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """`mailweir run` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mailweir", "run"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        check=False,
        timeout=300,
    )


def test_a_run_asks_a_service(tmp_path: Path) -> None:
    """With keys that stand in the file of secrets, and are in none of what it prints."""
    service = Service(5)
    (tmp_path / ".secrets.env").write_text("key=s3cr3t-k3y")
    (tmp_path / ".secrets.env").chmod(0o600)
    operation = {
        "url": "things",
        "params": {"limit": 2, "api_key": "$SECRET(key)"},
        "headers": {"X-Key": "$SECRET(key)"},
        "payload_property": "data.items",
        "next_page_link": "{{ body.next or '' }}",
        "id_expression": "{{ id }}",
    }
    with serving(service) as url:
        wanted = {"operation": "list", "supports_since": True, "updated_expression": "{{ changed }}"}
        folder = project(tmp_path, f"{url}/%s", operation, wanted, allow_private=True)
        done = run(folder)
        assert (done.returncode, "5 read" in done.stdout) == (0, True), done.stderr
        assert {(query["api_key"][0], head["X-Key"]) for _, _, query, head, _ in service.asked} == {("s3cr3t-k3y",) * 2}
        service.things.append({"id": 6, "changed": 6})
        done = run(folder)
        assert "1 read" in done.stdout, done.stdout
        folder = project(tmp_path, "http://localhost:1/%s", operation, wanted, allow_private=True)
        done = run(folder)
        assert done.returncode == 4
        assert "E607" in done.stderr
        assert "localhost cannot be reached: connection refused" in done.stderr
    assert "s3cr3t-k3y" not in done.stdout + done.stderr
