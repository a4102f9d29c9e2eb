"""What hostile pages and programs send to every route of a real service: nothing happens, and nothing crashes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from mailweir.web.open import routes_of
from mailweir.web.route import Body

Serve = Callable[..., Any]
PIPE = {"_id": "p", "type": "pipe", "source": {"type": "http_endpoint"}, "pump": {"mode": "manual"}}
ROUTES = routes_of(None)  # type: ignore[arg-type]  # nothing is called
# Pages of others at a websocket are tested where that is.
CHANGING = [route for route in ROUTES if route.method not in {"GET", "WEBSOCKET"}]
NAMES = ["../token", "..%2Ftoken", "%2e%2e%2ftoken", "a%00b", quote("<script>"), "%F0%9F%92%A3", "n" * 4096, "-1"]


def filled(path: str, name: str = "p") -> str:
    """A path with this for each name in it."""
    return re.sub(r"\{\w+\}", name, path)


def test_pages_of_others_change_nothing(serve: Serve) -> None:
    """Whatever changes something refuses what a page of another site sends, even with the token."""
    service = serve(PIPE)
    assert len(CHANGING) > 10
    for route in CHANGING:
        body: dict[str, Any] | None = None if route.body is None else {}
        for header in ({"Origin": "https://evil.test"}, {"Sec_Fetch_Site": "cross-site"}, {"Origin": "null"}):
            assert service.ask(route.method, filled(route.path), body, **header).status == 403, route.name


def test_only_declared_methods_do_something(serve: Serve) -> None:
    """On each path every method that no route declares is refused, and says which ones there are."""
    service = serve(PIPE)
    paths = {route.path: {one.method for one in ROUTES if one.path == route.path} for route in ROUTES}
    for path, declared in paths.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "FROB"} - declared:
            answer = service.ask(method, filled(path))
            # Another route may have such a path, with a name where this one has a word.
            assert answer.status in {404, 405, 409, 415, 428}, (method, path)
            assert answer.status != 405 or set(answer.headers["allow"].split(", ")) <= {*declared, "GET", "POST"}


def test_bodies_that_are_too_deep(serve: Serve) -> None:
    """A body that is nothing but brackets is refused everywhere, and so are ten thousand of them in one another."""
    service = serve(PIPE)
    for route in CHANGING:
        if isinstance(route.body, Body):
            for bomb in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 10_000 + b"]" * 10_000):
                answer = service.ask(route.method, filled(route.path), bomb)
                assert 400 <= answer.status < 500, (route.name, answer.body)
    assert service.get("/livez", token=None).status == 200


def test_names_in_paths_lead_nowhere(serve: Serve) -> None:
    """Names with dots, slashes, NULs, signs or thousands of letters are names of nothing, on every route."""
    service = serve(PIPE)
    for route in ROUTES:
        if "{" in route.path and route.method == "GET":
            for name in NAMES:
                answer = service.get(filled(route.path, name))
                assert 400 <= answer.status < 500, (route.name, name, answer.status)
                assert b"<script>" not in answer.body or answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["x-content-type-options"] == "nosniff"
