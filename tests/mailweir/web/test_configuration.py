"""A configuration in a database, changed through HTTP while it is served."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import store_of

Serve = Callable[..., Any]
COMPONENTS = "/api/config/components"
OFFICE: dict[str, Any] = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "max_per_hour": 5}
CLEAR = {**OFFICE, "smtp_username": "kari", "smtp_password": "canary-hunter2-hunter2"}
PEOPLE = {"_id": "people", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "a"}]}}


def kept(service: Any) -> dict[str, bytes]:
    """What is in the database."""
    with SqliteConfig.open(store_of(service.folder), make=False) as store:
        return store.snapshot().texts


def limit(service: Any) -> int | None:
    """The limit that is served."""
    found = [one.config for one in service.service.config.loaded.project.components if one.id == "office"]
    return found[0].max_per_hour if found else None


def put(service: Any, name: str, body: bytes, match: str = '"v1"', query: str = "", **more: Any) -> Any:
    """Store a component of which version 1 was read."""
    return service.ask("PUT", f"{COMPONENTS}/{name}{query}", body, If_Match=match, **more)


def test_a_change_is_stored_byte_for_byte_and_served(serve: Serve, tmp_path: Path) -> None:
    """The text stays as it was sent, with references; who, when and why are in the history."""
    (tmp_path / ".env").write_text("HOST=127.0.0.1")
    service = serve(OFFICE, stored=True)
    text = b'\r\n{ "_id": "office","type":"system:smtp",\t"smtp_server": "$ENV(HOST)", "max_per_hour":7.0e0 }'
    refused = put(service, "office", text)
    assert refused.status == 422
    text = text.replace(b"7.0e0", b"7")
    made = put(service, "office", text, query="?about=slower")
    assert made.status == 200, made.json
    assert (made.status, made.json["change"], made.json["components"]) == (
        200,
        2,
        [{"id": "office", "version": 2, "removed": False}],
    )
    assert kept(service)["office"] == text
    assert service.until(lambda: limit(service) == 7)
    one = service.get(f"{COMPONENTS}/office")
    assert (one.headers["etag"], one.json["version"], one.json["who"]) == ('"v2"', 2, "the token of the project")
    assert one.json["text"].encode() == text
    history = service.get("/api/config/changes?component=office").json["changes"]
    assert [(entry["change"], entry["about"]) for entry in history] == [(2, "slower"), (1, "to begin")]
    assert '+{ "_id": "office"' in service.get("/api/config/changes/2").json["diff"]
    assert service.get(COMPONENTS).json == {"change": 2, "components": [{"id": "office", "version": 2, "change": 2}]}


def test_what_is_wrong_is_told_at_its_place_in_the_text(serve: Serve) -> None:
    """All errors, with line, column and span; nothing is stored, and what was served goes on."""
    service = serve(OFFICE, stored=True)
    text = b'{\n "_id": "office", "type": "system:smtp",\n "max_per_hour": "many", "smtp_prot": 25 }'
    refused = put(service, "office", text)
    assert (refused.status, refused.headers["content-type"]) == (422, "application/problem+json")
    found = [(one["code"], one["line"], one["column"], one["end_column"]) for one in refused.json["diagnostics"]]
    assert found == [("E202", 3, 18, 24), ("E201", 3, 26, 37)]
    assert {one["file"] for one in refused.json["diagnostics"]} == {".mailweir/config.db/office"}
    assert (kept(service)["office"], limit(service)) == (json.dumps(OFFICE).encode(), 5)


def test_two_who_change_the_same_do_not_overwrite_each_other(serve: Serve) -> None:
    """Who has read version 1 does not change version 2; a request that says no version is refused."""
    service = serve(OFFICE, stored=True)
    text = json.dumps(OFFICE | {"max_per_hour": 6}).encode()
    assert put(service, "office", text).status == 200
    late = put(service, "office", text.replace(b"6", b"9"))
    assert (late.status, late.json["conflicts"]) == (412, [{"id": "office", "seen": 1, "version": 2}])
    for headers in ({}, {"If_Match": "*"}, {"If_Match": '"1"'}, {"If_Match": '"v2"', "If_None_Match": "*"}):
        assert service.ask("PUT", f"{COMPONENTS}/office", text, **headers).status == 428
    assert service.ask("PUT", f"{COMPONENTS}/office", text, If_None_Match="*").status == 412
    given = {"components": {"office": {"text": text.decode(), "version": 1}}}
    assert service.post("/api/config/changes", given).status == 409
    assert kept(service)["office"] == text


def test_several_components_change_together(serve: Serve) -> None:
    """All of it or nothing; a dry change stores nothing; what is removed is gone, and comes back."""
    service = serve(OFFICE, stored=True)
    people = {"text": json.dumps(PEOPLE), "version": 0}
    wrong = {"text": json.dumps(OFFICE | {"max_per_hour": -1}), "version": 1}
    assert service.post("/api/config/changes", {"components": {"people": people, "office": wrong}}).status == 422
    assert kept(service).keys() == {"office"}
    both = {"components": {"people": people, "office": {"removed": True, "version": 1}}, "about": "no mail"}
    dry = service.post("/api/config/changes", both | {"dry_run": True})
    assert (dry.json["change"], "+++ people" in dry.json["diff"], set(kept(service))) == (None, True, {"office"})
    assert service.post("/api/config/changes", both).json["change"] == 2
    assert service.until(lambda: list(service.service.config.pipes) == ["people"])
    back = service.post("/api/config/rollback", {"change": 1})
    assert (back.status, kept(service)) == (200, {"office": json.dumps(OFFICE).encode()})
    assert service.post("/api/config/rollback", {"change": 2, "components": ["people"]}).status == 200
    assert kept(service).keys() == {"office", "people"}
    gone = service.ask("DELETE", f"{COMPONENTS}/people", If_Match='"v3"')
    assert (gone.status, set(kept(service))) == (200, {"office"})
    assert service.ask("DELETE", f"{COMPONENTS}/people", If_Match='"v3"').status == 404


def test_no_secret_is_read_and_a_mask_that_comes_back_is_the_secret(serve: Serve) -> None:
    """A password that stands in a text is masked in every answer, and stays when the text is handed back."""
    service = serve(CLEAR, stored=True)
    one = service.get(f"{COMPONENTS}/office").json
    assert '"smtp_password": "********"' in one["text"]
    text = one["text"].replace('"max_per_hour": 5', '"max_per_hour": 6')
    made = put(service, "office", text.encode())
    assert made.status == 200, made.body
    assert json.loads(kept(service)["office"]) == CLEAR | {"max_per_hour": 6}
    wrong = put(service, "office", text.replace("127.0.0.1", "********").encode(), match='"v2"')
    assert wrong.status == 422
    again = put(service, "office", text.replace("6", '"x"').encode(), match='"v2"')
    answers = [made, wrong, again, service.get("/api/config/changes/1"), service.get("/api/config/changes/2")]
    for answer in [*answers, service.get("/api/config"), service.get(COMPONENTS)]:
        assert b"canary" not in answer.body


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{COMPONENTS}/office", OFFICE),
        ("DELETE", f"{COMPONENTS}/office", None),
        ("POST", "/api/config/changes", {"components": {"office": {"removed": True, "version": 1}}}),
        ("POST", "/api/config/rollback", {"change": 1}),
    ],
)
def test_who_may_change_it(serve: Serve, method: str, path: str, body: object) -> None:
    """Only who has the role, no page of another site, nothing that is no JSON; and nothing where files are served."""
    service = serve(OFFICE, stored=True)
    headers = {"If_Match": '"v1"'}
    assert service.ask(method, path, body, token=None, **headers).status == 401
    assert service.ask(method, path, body, Origin="https://evil.example", **headers).status == 403
    assert service.ask(method, path, body, Sec_Fetch_Site="cross-site", **headers).status == 403
    assert service.ask(method, path, body, Host="evil.example", **headers).status == 421
    if body is not None:
        assert service.ask(method, path, body, Content_Type="text/plain", **headers).status == 415
    assert kept(service).keys() == {"office"}


def test_what_is_asked_wrongly_is_refused(serve: Serve) -> None:
    """With words, and without a change."""
    service = serve(OFFICE, stored=True)
    body: Any
    for body in (
        {},
        {"components": {}},
        {"components": []},
        {"components": {"a": {"text": "{}"}}},
        {"components": {"a": {"text": "{}", "version": True}}},
        {"components": {"a": {"version": 0}}},
        {"components": {"a": {"text": "{}", "removed": True, "version": 0}}},
        {"components": {"a": {"text": 7, "version": 0}}},
        {"components": {"a": {"text": "{}", "version": 0}}, "about": 7},
        {"components": {"a": {"text": "{}", "version": 0}}, "dry_run": 1},
        {"components": {"a": {"text": "{}", "version": 0}}, "dry": True},
    ):
        assert service.post("/api/config/changes", body).status == 400, body
    for body in ({}, {"change": "1"}, {"change": 1, "components": "a"}, {"change": True}):
        assert service.post("/api/config/rollback", body).status == 400, body
    for body in ({"change": 9}, {"change": 1, "components": ["nothing"]}):
        assert service.post("/api/config/rollback", body).status == 404, body
    for path in (f"{COMPONENTS}/nothing", "/api/config/changes/9", "/api/config/changes/x"):
        assert service.get(path).status == 404
    deep = b'{"_id": "office", "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert put(service, "office", deep).status == 422
    assert put(service, "office", b"\xff\xfe{").status == 422
    assert put(service, "other", json.dumps(OFFICE).encode(), match='"v1"').status == 412
    other = service.ask("PUT", f"{COMPONENTS}/other", json.dumps(OFFICE).encode(), If_None_Match="*")
    assert (other.status, "E210" in {one["code"] for one in other.json["diagnostics"]}) == (422, True)
    assert kept(service) == {"office": json.dumps(OFFICE).encode()}


def test_files_are_not_changed_over_http(serve: Serve) -> None:
    """Where the configuration is in files, these routes say so."""
    service = serve(OFFICE)
    for answer in (
        service.get(COMPONENTS),
        service.get("/api/config/changes"),
        put(service, "office", json.dumps(OFFICE).encode()),
        service.post("/api/config/rollback", {"change": 1}),
    ):
        assert (answer.status, "in files" in answer.json["detail"]) == (409, True)
