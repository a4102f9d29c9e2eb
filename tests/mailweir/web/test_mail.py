"""Mail and failed entities of a real service: listed, shown, tried again, removed, and shown to whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.web.access import digest_of
from mailweir.web.open import Wanted

Serve = Callable[..., Any]
FOLDER = {"_id": "folder", "type": "system:eml"}


def mailing(*people: dict[str, Any], system: str = "folder", **more: Any) -> dict[str, Any]:
    """A pipe that mails these."""
    sink = {
        "type": "mail",
        "system": system,
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "subject_template": "Hi {{ name }}",
        "body_template": "The words within",
    }
    return {"_id": "welcome", "type": "pipe", "source": {"type": "embedded", "entities": people}, "sink": sink, **more}


ANN = {"_id": "ann", "name": "Ann", "email": "ann@example.com"}
BAD = {"_id": "bad", "name": "Bad", "email": "no address"}


def listed(service: Any, state: str, **more: Any) -> list[dict[str, Any]]:
    """The messages of a state, once there are some."""
    found: list[dict[str, Any]] = service.until(
        lambda: service.get(f"/api/mail?state={state}", **more).json["messages"]
    )
    return found


def test_messages(serve: Serve) -> None:
    """What was sent and what was rejected is listed, a page at a time, and shown with its text."""
    service = serve(FOLDER, mailing(ANN, {**ANN, "_id": "bea"}, BAD))
    service.until(lambda: len(listed(service, "sent")) == 2)
    page = service.get("/api/mail?state=sent&limit=1").json
    rest = service.get(f"/api/mail?state=sent&limit=1&before={page['next']}").json
    assert {page["messages"][0]["entity"], rest["messages"][0]["entity"]} == {"ann", "bea"}
    (rejected,) = listed(service, "rejected")
    assert rejected["entity"] == "bad"
    shown = service.get(f"/api/mail/{page['messages'][0]['id']}").json["message"]
    assert (shown["subject"], "The words within" in shown["text"]) == ("Hi Ann", True)
    assert shown["recipients"][0]["address"] == "ann@example.com"


def test_what_cannot_be_tried_again(serve: Serve) -> None:
    """What everybody has, and what was never composed, is refused with the reason, and can be removed."""
    service = serve(FOLDER, mailing(ANN, BAD))
    (sent,) = listed(service, "sent")
    refused = service.post(f"/api/mail/{sent['id']}/retry")
    assert (refused.status, refused.json["detail"]) == (409, "everybody has it")
    (rejected,) = listed(service, "rejected")
    assert service.post(f"/api/mail/{rejected['id']}/retry").status == 409
    assert service.ask("DELETE", f"/api/mail/{sent['id']}").json["deleted"] is True
    assert service.get(f"/api/mail/{sent['id']}").status == 404


@pytest.mark.parametrize("id_", ["zz", "..%2f..%2fetc%2fpasswd", "%00", "0" * 4000, "1'--"])
def test_ids_that_are_none(serve: Serve, id_: str) -> None:
    """Whatever stands where an id should is no message."""
    service = serve(FOLDER, mailing(ANN))
    assert service.get(f"/api/mail/{id_}").status == 404
    assert service.ask("DELETE", f"/api/failed/{id_}").status == 404


def test_wrong_pages(serve: Serve) -> None:
    """States are those that there are, and pages have an end."""
    service = serve(FOLDER, mailing(ANN))
    assert service.get("/api/mail?state=lost").status == 400
    assert service.get("/api/mail?limit=201").status == 400
    assert service.get("/api/failed?state=gone").status == 400


def test_who_only_views_sees_no_content(serve: Serve, tmp_path: Path) -> None:
    """With `view` alone there is no subject, no text, no full address and nothing that servers or rules said."""
    tokens = tmp_path / "tokens.json"
    given = {"name": "screen", "sha256": digest_of("s" * 32), "roles": ["view"]}
    tokens.write_text(json.dumps({"tokens": [given]}))
    service = serve(FOLDER, mailing(ANN, BAD), wanted=Wanted(port=0, tokens=tokens))
    (sent,) = listed(service, "sent", token="s" * 32)
    assert (sent["subject"], sent["recipients"][0]["address"]) == (None, "a…@example.com")
    assert service.get(f"/api/mail/{sent['id']}", token="s" * 32).status == 403
    assert service.ask("DELETE", f"/api/mail/{sent['id']}", token="s" * 32).status == 403
    for path in ("/api/mail?state=sent", "/api/mail?state=rejected", "/api/status", "/api/runs", "/metrics"):
        answer = service.get(path, token="s" * 32)
        assert answer.status == 200
        assert b"ann@" not in answer.body
        assert b"no address" not in answer.body


FAILS = """
def shaped(entity):
    if entity["_id"] == "b":
        raise ValueError("the words within")
    return entity
"""


def test_failed_entities(serve: Serve, tmp_path: Path) -> None:
    """A dead letter is listed, shown with what it holds, tried again, and removed."""
    (tmp_path / "fails.py").write_text(FAILS)
    source = {"type": "embedded", "entities": [{"_id": "a"}, {"_id": "b", "x": 1}]}
    transform = {"type": "python", "function": "fails:shaped"}
    service = serve({"_id": "p", "type": "pipe", "source": source, "transform": transform})
    (one,) = service.until(lambda: service.get("/api/failed?state=dead").json["entities"])
    assert (one["pipe"], one["entity"], one["tries"]) == ("p", "b", 1)
    shown = service.get(f"/api/failed/{one['number']}").json["entity"]
    assert (shown["value"]["x"], "the words within" in shown["reason"]) == (1, True)
    assert service.post(f"/api/failed/{one['number']}/retry").json["waits"] is True
    assert service.post(f"/api/failed/{one['number']}/retry").status == 409
    assert service.get("/api/failed?state=dead").json["entities"] == []
    service.post("/api/pipes/p/run")
    (again,) = service.until(lambda: service.get("/api/failed?state=dead").json["entities"])
    assert again["run"] != one["run"]
    assert service.ask("DELETE", f"/api/failed/{again['number']}").status == 200
    assert service.get("/api/failed").json["entities"] == []
