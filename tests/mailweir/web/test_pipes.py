"""Pipes of a real service: how they are, run now, paused, resumed; runs and windows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.web.access import digest_of
from mailweir.web.open import Wanted

Serve = Callable[..., Any]
MANUAL = {"mode": "manual"}
PEOPLE = {
    "_id": "people",
    "type": "pipe",
    "source": {"type": "embedded", "entities": [{"_id": "a"}]},
    "pump": MANUAL,
}
OFFICE = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "max_per_hour": 50}


def test_run_now(serve: Serve) -> None:
    """A pipe that only runs when it is told to runs, and its run and what came of it can be seen."""
    service = serve(PEOPLE)
    assert service.get("/api/pipes/people").json["last_run_at"] is None
    answer = service.post("/api/pipes/people/run")
    assert (answer.status, answer.json) == (202, {"pipe": "people", "asked": True})
    (run,) = service.until(lambda: service.get("/api/pipes/people/runs").json["runs"])
    assert (run["pipe"], run["report"]["written"]) == ("people", 1)
    assert service.get("/api/runs?limit=1").json["runs"] == [run]
    assert service.until(lambda: service.get("/api/pipes/people").json["last_run_at"])


def test_pause_and_resume(serve: Serve) -> None:
    """A paused pipe is not run, says who paused it and why, and runs again when it is resumed."""
    service = serve(PEOPLE)
    assert service.post("/api/pipes/people/pause", {"reason": "the moon", "seconds": 3600}).status == 200
    paused = service.get("/api/pipes/people").json["paused"]
    assert (paused["by"], paused["reason"]) == ("the token of the project", "the moon")
    assert paused["until"] is not None
    refused = service.post("/api/pipes/people/run")
    assert (refused.status, "the moon" in refused.json["detail"]) == (409, True)
    assert service.post("/api/pipes/people/resume").json["was_paused"] is True
    assert service.post("/api/pipes/people/resume").json["was_paused"] is False
    assert service.post("/api/pipes/people/run").status == 202


def test_pause_a_system(serve: Serve) -> None:
    """A system can be paused, and is among what is told of everything."""
    service = serve(PEOPLE, OFFICE)
    assert service.post("/api/systems/office/pause", {"reason": "it moves"}).status == 200
    assert [one["system"] for one in service.get("/api/status").json["paused_systems"]] == ["office"]
    assert service.post("/api/systems/office/resume").json["was_paused"] is True


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "`reason` is missing"),
        ({"reason": "  "}, "`reason` is missing: it is shown to everyone until it is resumed"),
        ({"reason": 5}, "`reason` is a text of 500 characters at most"),
        ({"reason": "x" * 501}, "`reason` is a text of 500 characters at most"),
        ({"reason": "x", "seconds": 0}, "`seconds` is a whole number from 1 to 31622400"),
        ({"reason": "x", "seconds": True}, "`seconds` is a whole number from 1 to 31622400"),
        ({"raeson": "x"}, "no property `raeson`. Did you mean `reason`?"),
        ([], "the body is an object"),
    ],
)
def test_wrong_pauses(serve: Serve, body: object, said: str) -> None:
    """A pause without a reason, or with anything that is not known, is none."""
    service = serve(PEOPLE)
    refused = service.post("/api/pipes/people/pause", body)
    assert (refused.status, refused.json["detail"]) == (400, said)
    assert service.get("/api/pipes/people").json["paused"] is None


def test_what_is_not_there(serve: Serve) -> None:
    """Names that nothing has, and kinds that are mixed up, are told."""
    service = serve(PEOPLE, OFFICE, {**PEOPLE, "_id": "off", "pump": {"mode": "off"}})
    assert service.get("/api/pipes/office").status == 404
    assert service.post("/api/systems/people/resume").status == 404
    assert service.post("/api/pipes/nobody/run").status == 404
    assert service.post("/api/pipes/off/run").status == 409
    assert service.get("/api/pipes/..%2f..%2fetc/runs").status == 404
    assert service.get("/api/runs?limit=0").status == 400
    assert service.get("/api/runs?limit=100000").status == 400


def test_windows(serve: Serve) -> None:
    """Each mail system has its window."""
    service = serve(PEOPLE, OFFICE)
    (window,) = service.get("/api/limits").json["window"]
    assert (window["system"], window["limit"], window["used"]) == ("office", 50, 0)


def test_a_token_for_one_pipe_sees_one_pipe(serve: Serve, tmp_path: Path) -> None:
    """With `pipes` a token reaches what belongs to them and nothing else, whatever its roles."""
    tokens = tmp_path / "tokens.json"
    given = {"name": "x", "sha256": digest_of("x" * 32), "roles": ["view", "act", "content"], "pipes": ["people"]}
    tokens.write_text(json.dumps({"tokens": [given]}))
    service = serve(PEOPLE, {**PEOPLE, "_id": "others"}, wanted=Wanted(port=0, tokens=tokens))
    assert service.get("/api/pipes/people", token="x" * 32).status == 200
    assert service.post("/api/pipes/people/run", token="x" * 32).status == 202
    for path in ("/api/pipes/others", "/api/status", "/api/mail", "/api/config", "/api/datasets/others/entities"):
        assert service.get(path, token="x" * 32).status == 403, path
