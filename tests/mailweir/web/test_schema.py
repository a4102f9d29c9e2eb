"""Requests made of the OpenAPI document, right ones and wrong ones, to a real service: answers are as it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from mailweir.web.open import routes_of

Serve = Callable[..., Any]

PIPES: Final = [
    {"_id": "folder", "type": "system:eml"},
    {"_id": "inbox", "type": "pipe", "source": {"type": "http_endpoint"}, "pump": {"mode": "manual"}},
    {
        "_id": "p",
        "type": "pipe",
        "source": {"type": "embedded", "entities": []},
        "pump": {"mode": "manual"},
        "sink": {
            "type": "mail",
            "system": "folder",
            "mail_from": "a@example.com",
            "recipients_property": "email",
            "subject_template": "s",
            "body_template": "b",
        },
    },
    {
        "_id": "out",
        "type": "pipe",
        "source": {"type": "embedded", "entities": [{"_id": "a"}]},
        "sink": {"type": "http_endpoint"},
    },
]
# Names that are there; which a request has is not left to chance.
KNOWN: Final = {"system": "folder", "dataset": "system:received:inbox"}
# What is asked for by these names is there, so that more is seen than refusals.
ANSWERED: Final = {
    "GET /api/config",
    "GET /api/datasets/{dataset}",
    "GET /api/datasets/{dataset}/entities",
    "GET /api/failed",
    "GET /api/limits",
    "GET /api/mail",
    "GET /api/mail/{id}",
    "DELETE /api/mail/{id}",
    "GET /api/pipes/{pipe}",
    "GET /api/pipes/{pipe}/runs",
    "GET /api/publishers/{pipe}/entities",
    "GET /api/status",
    "GET /metrics",
    "GET /readyz",
    "POST /api/pipes/{pipe}/pause",
    "POST /api/pipes/{pipe}/resume",
    "POST /api/receivers/{pipe}/entities",
    "POST /api/send",
    "POST /api/systems/{system}/pause",
}
# Asked for each route; with more the time of a run of all tests would be felt.
EXAMPLES: Final = 8


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_answers_are_as_the_document_says(serve: Serve, mode: str) -> None:
    """For every route and for whatever it is asked, no answer is a fault of ours, or one that the document lacks."""
    service = serve(*PIPES)
    assert service.post("/api/receivers/inbox/entities", {"_id": "a"}).status == 200
    mail = service.post("/api/send", {"to": "a@example.com", "text": "t"}).json["id"]
    document = service.get("/api/openapi.json").json
    schema = schemathesis.openapi.from_dict(document)
    streams = {route.path for route in routes_of(None) if route.streams and route.name == "events"}  # type: ignore[arg-type]
    statuses: Counter[tuple[str, int]] = Counter()
    # What is removed is not there for those behind it.
    for operation in sorted(
        (one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)), key=lambda one: one.method == "delete"
    ):
        if operation.path in streams:
            continue

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
        def ask(case: Any) -> None:
            case.headers["Authorization"] = f"Bearer {service.token}"
            if mode == "positive":
                meant(case, mail)
            answer = case.call(base_url=f"http://127.0.0.1:{service.port}", timeout=120)
            statuses[case.operation.label, answer.status_code] += 1
            case.validate_response(
                answer,
                checks=[
                    schemathesis.checks.not_a_server_error,
                    checks.status_code_conformance,
                    checks.content_type_conformance,
                    checks.response_schema_conformance,
                ],
            )

        # A route that takes nothing has nothing that could be wrong.
        with suppress(Unsatisfiable):
            ask()
    asked = {label for label, _ in statuses}
    assert len(asked) > 30
    if mode == "positive":
        assert {label for label, status in statuses if status < 300} >= ANSWERED
    else:
        refused = {label for label, status in statuses if 400 <= status < 500}
        assert len(refused) > 20


def meant(case: Any, mail: str) -> None:
    """Let a request that is right ask for what there is."""
    pipe = {"/api/receivers/{pipe}/entities": "inbox", "/api/publishers/{pipe}/entities": "out"}
    known = {**KNOWN, "pipe": pipe.get(case.operation.path, "p"), "id": mail}
    case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
    query = {"limit": 10, "pipe": "p", "state": "dead"}
    case.query = {name: query[name] for name in (case.query or {}) if name in query}
    if case.operation.path == "/api/send":
        case.body = {
            **case.body,
            **dict.fromkeys({"to", "cc", "bcc", "reply_to", "from"} & {*case.body}, "a@example.com"),
        }
