"""The door of a real server: who gets in, what is refused, and that every route says what it needs."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mailweir.web.access import digest_of
from mailweir.web.faults import CannotListenError
from mailweir.web.open import Opening, Wanted, page_routes, routes_of
from mailweir.web.pages.signing import Signing
from pipeline.clock import MachineClock
from pipeline.scrub import Scrubber

Serve = Callable[..., Any]
PIPE = {"_id": "p", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "a"}]}}
OPEN = {"livez", "readyz", "version"}
# What has to be there before anybody is known.
WAYS_IN = {"signInPage", "signIn", "asset"}


def raw(port: int, *lines: str, body: bytes = b"") -> bytes:
    """What comes back for these very bytes."""
    with socket.create_connection(("127.0.0.1", port), 120) as talk:
        talk.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        talk.shutdown(socket.SHUT_WR)
        found = b""
        while part := talk.recv(65536):
            found += part
    return found


def test_every_route_says_what_it_needs(serve: Serve) -> None:
    """The open ones are these, each other one answers nothing without a token, and no two have one name."""
    service = serve(PIPE)
    nothing: Any = None  # no handler is called
    ways_in = Signing(nothing, nothing, nothing, secure=False).routes()
    routes = [*routes_of(nothing), *page_routes(nothing, nothing, nothing), *ways_in]
    assert {route.name for route in routes if route.needs is None} == OPEN | WAYS_IN
    assert len({route.name for route in routes}) == len(routes)
    # Wrong tokens come last: who has shown too many is not even asked for one.
    for token, allowed in ((None, {401}), ("x" * 32, {401, 429})):
        for route in routes:
            path = route.path.replace("{", "").replace("}", "")
            answer = service.ask(route.method, path, None if route.body is None else {}, token=token)
            assert answer.status in (allowed if route.needs else {200, 404, 415}), route.name
            assert "set-cookie" not in answer.headers


def test_open_routes(serve: Serve) -> None:
    """Whether it lives, whether it can work and what runs is for everybody, also for probes that ask by address."""
    service = serve(PIPE)
    assert service.get("/livez", token=None, Host="10.1.2.3:1").json == {"status": "alive"}
    assert service.get("/readyz", token=None, Host="10.1.2.3:1").json == {"status": "ready"}
    checks = service.get("/readyz?verbose", token=None).json["checks"]
    assert [one["name"] for one in checks][:3] == ["service", "state", "config"]
    assert service.get("/version", token=None).status == 200
    assert service.get("/version", token=None, Host="evil.test").status == 421


def test_answers_tell_browsers_nothing(serve: Serve) -> None:
    """Every answer, a refusal too, keeps scripts, frames, caches and other sites away, and names no server."""
    service = serve(PIPE)
    for answer in (service.get("/version"), service.get("/nothing"), service.get("/metrics", token=None)):
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


def test_refusals_are_problems(serve: Serve) -> None:
    """What is refused is told as RFC 9457 has it, with a name that the log has too."""
    service = serve(PIPE)
    nothing = service.get("/nothing")
    assert nothing.headers["content-type"] == "application/problem+json"
    assert nothing.json["status"] == 404
    assert len(nothing.json["request"]) == 16
    method = service.post("/version")
    assert (method.status, method.headers["allow"]) == (405, "GET")
    assert service.get("/version?x=1").json["detail"] == "no parameter `x`."
    assert service.ask("GET", "/version", b"x" * 10).status == 413


def test_unknown_methods_and_preflights(serve: Serve) -> None:
    """A method that nobody declared does nothing, and no other site is invited."""
    service = serve(PIPE)
    for method in ("OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "FROB"):
        answer = service.ask(method, "/metrics", Origin="https://evil.test")
        assert answer.status == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_who_guesses_waits(serve: Serve) -> None:
    """Wrong tokens are refused, and soon not even looked at; the right one gets in a second later."""
    service = serve(PIPE)
    statuses = {service.get("/metrics", token="x" * 40).status for _ in range(300)}
    assert statuses <= {401, 429}
    assert service.until(lambda: service.get("/metrics").status == 200)


def test_roles_of_a_file_of_tokens(serve: Serve, tmp_path: Path) -> None:
    """A token of the file may what its roles say; another one gets 403 and what is missing."""
    tokens = tmp_path / "tokens.json"
    given = [
        {"name": "prometheus", "sha256": digest_of("p" * 32), "roles": ["view"]},
        {"name": "erp", "sha256": digest_of("e" * 32), "roles": ["send"]},
    ]
    tokens.write_text(json.dumps({"tokens": given}))
    service = serve(PIPE, wanted=Wanted(port=0, tokens=tokens))
    assert service.get("/metrics", token="p" * 32).status == 200
    refused = service.get("/metrics", token="e" * 32)
    assert (refused.status, "`view`" in refused.json["detail"]) == (403, True)


@pytest.mark.parametrize(
    "lines",
    [
        ("GET /version HTTP/1.1",),
        ("GET /version HTTP/1.1", "Host: localhost", "Host: localhost"),
        ("POST /version HTTP/1.1", "Host: localhost", "Content-Length: 3", "Transfer-Encoding: chunked"),
        ("POST /version HTTP/1.1", "Host: localhost", "Content-Length: 3", "Content-Length: 4"),
        ("GET /version HTTP/1.1", "Host : localhost"),
        ("GET /version", "Host: localhost"),
    ],
)
def test_requests_that_can_be_read_in_two_ways(serve: Serve, lines: tuple[str, ...]) -> None:
    """A request that a proxy might read in another way is refused, and its connection closed."""
    service = serve(PIPE)
    answer = raw(service.port, *lines, body=b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_head_without_end(serve: Serve) -> None:
    """A head that grows and grows is cut off, and others are answered all the same."""
    service = serve(PIPE)
    found = b""
    with socket.create_connection(("127.0.0.1", service.port), 120) as talk, suppress(ConnectionError):
        talk.sendall(b"GET /version HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 4_000_000)
        found = talk.recv(65536)
    assert not found or found.startswith(b"HTTP/1.1 400 ")
    assert service.get("/version").status == 200


def test_metrics_are_for_tokens(serve: Serve) -> None:
    """Figures need a token, and have runs in them once there were some."""
    service = serve(PIPE)
    service.until(lambda: b'mailweir_pipe_entities_total{pipe="p",stage="read"} 1\n' in service.get("/metrics").body)


def test_unready_while_it_stops(serve: Serve) -> None:
    """The token of the project outlasts the service, and is for its owner alone."""
    service = serve(PIPE)
    token = service.state / "token"
    assert token.stat().st_mode & 0o777 == 0o600
    service.end()
    assert token.read_text().strip() == service.token


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_listening_for_others_needs_tls(tmp_path: Path, host: str) -> None:
    """Whoever wants to be reached from elsewhere says who encrypts it."""
    with pytest.raises(CannotListenError, match="--behind-proxy"):
        Opening(Wanted(host, 0), tmp_path / ".mailweir", MachineClock(), Scrubber)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """It is said whose word has to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListenError, match=f"127.0.0.1:{port}.*\n  help: .*--port 0"):
            Opening(Wanted(port=port), tmp_path / ".mailweir", MachineClock(), Scrubber)


def test_a_file_of_tokens_with_a_fault(tmp_path: Path) -> None:
    """It is told at the character, before anything listens."""
    (tmp_path / "tokens.json").write_text('{"tokens": [{"name": "a", "sha256": "x", "roles": ["view"]}]}')
    with pytest.raises(CannotListenError, match=r"tokens\.json:1:\d+"):
        Opening(Wanted(port=0, tokens=tmp_path / "tokens.json"), tmp_path / ".mailweir", MachineClock(), Scrubber)
