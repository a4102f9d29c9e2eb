"""The document that describes the routes is right, whole, and what is served and committed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from mailweir.web.open import routes_of
from mailweir.web.openapi import document_of

SITE: Any = None  # nothing is answered here
COMMITTED = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"


def test_each_route_is_there_once() -> None:
    """Every route is an operation with a name of its own, its role, and an answer that is no refusal."""
    every = routes_of(SITE)
    # OpenAPI has no words for a websocket.
    routes = [one for one in every if one.method != "WEBSOCKET"]
    document = document_of(every)
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert len(operations) == len(routes) == len({one["operationId"] for one in operations})
    for one in operations:
        assert (one["security"] == []) is (one["x-role"] is None)
        assert any(status < "400" for status in one["responses"])
        assert one["description"].endswith(".")


def test_parameters_of_paths_are_named() -> None:
    """What a path has in braces is a parameter, and its schemas are right ones."""
    for path, methods in document_of(routes_of(SITE))["paths"].items():
        for one in methods.values():
            parameters = one.get("parameters", [])
            assert {each["name"] for each in parameters if each["in"] == "path"} == set(re.findall(r"{(\w+)}", path))
            for each in parameters:
                Draft202012Validator.check_schema(each["schema"])
            for reply in one["responses"].values():
                for content in reply["content"].values():
                    Draft202012Validator.check_schema(content.get("schema", {}))


def test_what_is_served_is_what_is_committed(serve: Callable[..., Any]) -> None:
    """A client that was made of the file of this version fits the service."""
    service = serve({"_id": "p", "type": "pipe", "source": {"type": "empty"}})
    assert service.get("/api/openapi.json").json == json.loads(COMMITTED.read_text())
