"""Services to which entities are posted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.entity import Datetime
from pipeline.run import StoppedError
from sinks.json_post import Post
from systems.http.client import Http, Settings
from tests.web import answer, serving

TOP = Path(__file__).parents[2]


class Service:
    """Keeps what is posted; `status` says what it answers to a list."""

    def __init__(self, status: Callable[[list[dict[str, Any]]], int] = lambda _: 200) -> None:
        """It takes all."""
        self.status = status
        self.taken: list[list[dict[str, Any]]] = []
        self.asked = 0

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Take a list or not."""
        self.asked += 1
        assert handler.command == "POST"
        assert handler.headers["Content-Type"] == "application/json"
        given = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        status = self.status(given)
        if status == 200:
            self.taken.append(given)
        answer(handler, b"s3cr3t", status)


def post(url: str, *, skip_deleted: bool = False, **settings: Any) -> Post:
    """What posts to it."""
    system = Http("api", Settings(f"{url}/%s", allow_private=True, **settings), sleep=lambda _: None)
    return Post(system, "things", {}, skip_deleted=skip_deleted)


def test_a_batch_is_one_list() -> None:
    """Values that JSON lacks are strings with a tag; of what belongs to the engine only deletes are told."""
    service = Service()
    with serving(service) as url:
        entities: list[dict[str, Any]] = [{"_id": "1", "at": Datetime(0), "_ts": 1}, {"_id": "2", "_deleted": True}]
        assert post(url).write(entities) == []
        (skipped,) = post(url, skip_deleted=True).write(entities)
    assert service.taken == [
        [{"_id": "1", "at": "~t1970-01-01T00:00:00Z"}, {"_id": "2", "_deleted": True}],
        [{"_id": "1", "at": "~t1970-01-01T00:00:00Z"}],
    ]
    assert (skipped.entity_id, skipped.outcome.value) == ("2", "skipped")


def test_only_what_the_service_refuses_is_rejected() -> None:
    """Its neighbours are posted alone; what it wrote is not repeated; one alone is not posted twice."""
    service = Service(lambda given: 422 if any(one["_id"] == "2" for one in given) else 200)
    with serving(service) as url:
        entities: list[dict[str, Any]] = [{"_id": "1"}, {"_id": "2"}, {"_id": "3", "bad": object()}, {"_id": "4"}]
        told = {one.entity_id: one.detail for one in post(url).write(entities)}
        assert service.taken == [[{"_id": "1"}], [{"_id": "4"}]]
        before = service.asked
        assert [one.entity_id for one in post(url).write([{"_id": "2"}])] == ["2"]
        assert service.asked == before + 1
    assert set(told) == {"2", "3"}
    assert told["2"].endswith("/things answers 422 Unprocessable Entity")
    assert told["3"].startswith("it cannot be written as JSON")
    assert "s3cr3t" not in str(told)


@pytest.mark.parametrize(("status", "asked"), [(500, 1), (408, 1), (429, 3), (503, 3)])
def test_trouble_of_the_service_ends_the_run(status: int, asked: int) -> None:
    """Nobody is rejected for it; who wants requests later is asked again."""
    service = Service(lambda _: status)
    with serving(service) as url, pytest.raises(StoppedError, match=f"answers {status}"):
        post(url, retries=2).write([{"_id": "1"}])
    assert service.asked == asked


def project(folder: Path, url: str, sink: dict[str, Any]) -> Path:
    """A project with one pipe that posts."""
    (folder / "in.jsonl").write_text("".join(f'{{"_id": "{at}"}}\n' for at in range(250)))
    pipe = {
        "_id": "p",
        "type": "pipe",
        "source": {"type": "json", "path": "in.jsonl"},
        "sink": {"type": "json", **sink},
    }
    api = {"_id": "api", "type": "system:url", "url_pattern": f"{url}/%s", "allow_private": True}
    (folder / "p.conf.json").write_text(json.dumps([pipe, api]))
    return folder


@pytest.mark.parametrize(
    ("sink", "code", "words"),
    [
        ({}, "E204", "there is no `path` and no `system`"),
        ({"path": "a", "system": "api"}, "E209", "exclude each other"),
        ({"system": "api", "url": "//example.com/x"}, "E203", "`url` is not relative"),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, sink: dict[str, Any], code: str, words: str) -> None:
    """Before anything is asked, at the property."""
    folder = project(tmp_path, "https://example.com", sink)
    problems = check_paths([folder], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].message


def test_a_run_posts_each_entity_once(tmp_path: Path) -> None:
    """In batches; the second run has nothing new; what could not be posted comes with the next run."""
    service = Service()

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mailweir", "run"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
            check=False,
            timeout=300,
        )

    with serving(service) as url:
        project(tmp_path, url, {"system": "api", "url": "things", "batch_size": 100})
        service.status = lambda _: 500
        assert run().returncode == 4
        service.status = lambda _: 200
        done = run()
        assert (done.returncode, "250 read   250 written" in done.stdout) == (0, True), done.stderr
        assert "nothing new" in run().stdout
    assert [one["_id"] for batch in service.taken for one in batch] == [str(at) for at in range(250)]
    assert max(len(batch) for batch in service.taken) == 100
