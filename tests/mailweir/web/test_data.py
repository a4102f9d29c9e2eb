"""Datasets and the configuration of a real service, and that no secret is in any answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailweir.web.data import masked
from mailweir.web.open import routes_of

Serve = Callable[..., Any]
CANARY = "kanarifugl-7f3a"


def people(*ids: str) -> dict[str, Any]:
    """A pipe into its dataset."""
    return {"_id": "people", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": one} for one in ids]}}


def test_datasets(serve: Serve) -> None:
    """They are listed and measured, and their entities come page by page, each once."""
    service = serve(people("a", "b", "c"))
    service.until(lambda: service.get("/api/datasets").json["datasets"])
    one = service.until(lambda: (got := service.get("/api/datasets/people").json)["entities"] == 3 and got)
    assert (one["versions"], one["indexes"]) == (0, [])
    first = service.get("/api/datasets/people/entities?limit=2").json
    rest = service.get(f"/api/datasets/people/entities?limit=2&since={first['next']}").json
    assert [one["_id"] for one in [*first["entities"], *rest["entities"]]] == ["a", "b", "c"]
    assert rest["next"] is None
    assert [one["_id"] for one in service.get("/api/datasets/people/entities?id=b").json["entities"]] == ["b"]
    assert service.get("/api/datasets/nothing").status == 404
    assert service.get("/api/datasets/nothing/entities").status == 404


def test_the_configuration(serve: Serve, tmp_path: Path) -> None:
    """Its files are shown with secrets masked, and each value with where it comes from."""
    (tmp_path / ".secrets.env").write_text(f"PASSWORD={CANARY}\n")
    (tmp_path / ".secrets.env").chmod(0o600)
    (tmp_path / ".env").write_text("HOST=mail.example.com\n")
    office = {
        "_id": "office",
        "type": "system:smtp",
        "smtp_server": "$ENV(HOST)",
        "smtp_username": "me",
        "smtp_password": "$SECRET(PASSWORD)",
        "use_tls": True,
    }
    url, plain = "https://crm.example.com/", {"username": "me", "password": f"{CANARY}-plain"}
    crm = {"_id": "crm", "type": "system:url", "url_pattern": url, "authentication": "basic", **plain}
    service = serve(people("a"), office, crm)
    found = service.get("/api/config").json
    assert found["components"][0] == {"kind": "pipe", "type": "pipe", "id": "people", "file": "all.conf.json"}
    places = {one["reference"]: (one["set"], one["value"], one["place"]) for one in found["values"]}
    assert places["$ENV(HOST)"][:2] == (True, "mail.example.com")
    assert places["$SECRET(PASSWORD)"][:2] == (True, None)
    assert "$SECRET(PASSWORD)" in found["files"]["all.conf.json"]
    assert CANARY not in found["files"]["all.conf.json"]
    assert found["problem"] is None


def test_no_secret_is_in_any_answer(serve: Serve, tmp_path: Path) -> None:
    """Whatever is asked for, by whoever may see everything, the secret is not in it."""
    (tmp_path / ".secrets.env").write_text(f"PASSWORD={CANARY}\n")
    (tmp_path / ".secrets.env").chmod(0o600)
    office = {"_id": "office", "type": "system:smtp", "smtp_server": "localhost", "use_tls": True}
    service = serve(people("a", CANARY), {**office, "smtp_username": "me", "smtp_password": "$SECRET(PASSWORD)"})
    service.until(lambda: service.get("/api/datasets").json["datasets"])
    site: Any = None
    # What streams has no end to wait for; what it tells is looked at by tests of its own.
    for route in (one for one in routes_of(site) if not one.streams):
        for name in ("people", "office", CANARY):
            path = route.path.replace("{pipe}", name).replace("{system}", name).replace("{dataset}", name)
            path = path.replace("{id}", name).replace("{number}", "1")
            body = None if route.body is None else {"reason": CANARY, "_id": CANARY, "wrong": CANARY}
            answer = service.ask(route.method, path, body)
            assert CANARY.encode() not in answer.body, path


def test_masks() -> None:
    """What lies in a mask is gone, however masks overlap."""
    assert masked("abcdef", [(1, 3), (2, 4)]) == "a********ef"
    assert masked("abc", []) == "abc"
    assert masked("abcdef", [(4, 6), (0, 1)]) == "********bcd********"
