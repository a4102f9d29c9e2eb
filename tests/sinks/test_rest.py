"""Services to which entities are sent as requests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.entity import Datetime
from pipeline.run import StoppedError
from sinks.rest_write import Named, RestWriter
from systems.http.call import Call
from systems.http.client import Http, Settings
from systems.http.operations import OperationConfig
from tests.web import answer, body_of, serving

TOP = Path(__file__).parents[2]


class Service:
    """Keeps what it is sent; `status` says what it answers."""

    def __init__(self, status: Callable[[Any], int] = lambda _: 200) -> None:
        """It takes all."""
        self.status = status
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Take it or not."""
        content = body_of(handler)
        body = json.loads(content) if content else None
        self.asked.append((handler.command, handler.path, body))
        self.headers.append(dict(handler.headers))
        answer(handler, b"s3cr3t", self.status(body))


OPERATIONS: Mapping[str, dict[str, Any]] = {
    "put": {"url": "things/{{ _id }}", "method": "PUT"},
    "post": {"url": "things", "method": "POST", "idempotency_header": "Idempotency-Key"},
    "delete": {"url": "things/{{ properties.key }}", "method": "DELETE", "allowed_status_codes": "200-299,404"},
    "made": {
        "url": "made",
        "method": "POST",
        "payload": {"name": "{{ entity.name }}", "kind": "{{ properties.kind }}"},
    },
}


def writer(url: str, *, lists: bool = False, operation: str | None = None, **own: Any) -> RestWriter:
    """What sends to it."""
    system = Http("api", Settings(f"{url}/%s", allow_private=True), sleep=lambda _: None)

    def call(name: str) -> Call | None:
        found = OPERATIONS.get(name)
        return None if found is None else Call(OperationConfig.model_validate({**found, **own}))

    return RestWriter(system, Named(call), "p", operation=operation, lists=lists)


def test_an_entity_is_the_request_that_it_names() -> None:
    """Its operation, properties and payload stand before those of the sink; without a payload there is no content."""
    service = Service()
    with serving(service) as url:
        entities: list[dict[str, Any]] = [
            {"_id": "1", "payload": {"at": Datetime(0)}},
            {"_id": "2/ø", "payload": '{"raw": 1}'},
            {"_id": "3", "operation": "delete", "properties": {"key": "k 3"}},
            {"_id": "4", "operation": "made", "name": "Ada", "properties": {"kind": "x"}},
        ]
        assert writer(url, operation="put").write(entities) == []
    assert service.asked == [
        ("PUT", "/things/1", {"at": "1970-01-01T00:00:00Z"}),
        ("PUT", "/things/2/%C3%B8", {"raw": 1}),
        ("DELETE", "/things/k%203", None),
        ("POST", "/made", {"name": "Ada", "kind": "x"}),
    ]


def test_neighbours_of_one_operation_are_one_request() -> None:
    """A list of their payloads, in their order; what the service refuses together is sent one by one."""
    service = Service(lambda body: 422 if {"n": 2} in body else 200)
    with serving(service) as url:
        sink = writer(url, operation="post", lists=True)
        entities: list[dict[str, Any]] = [{"_id": str(at), "payload": {"n": at}} for at in (1, 2, 3)]
        (refused,) = sink.write(
            [*entities, {"_id": "4", "operation": "made", "name": "Ada", "properties": {"kind": "x"}}]
        )
    assert (refused.entity_id, refused.outcome.value) == ("2", "rejected")
    assert refused.detail.endswith("/things answers 422 Unprocessable Entity")
    sizes = [len(body) for _, _, body in service.asked]
    assert (sizes, service.asked[-1]) == ([3, 1, 1, 1, 1], ("POST", "/made", [{"name": "Ada", "kind": "x"}]))


def test_only_what_cannot_be_served_is_rejected() -> None:
    """With the reason, and nothing of what the service wrote; its neighbours are sent."""
    service = Service(lambda body: 404 if body is None else 200)
    with serving(service) as url:
        entities: list[dict[str, Any]] = [
            {"_id": "1", "operation": "none"},
            {"_id": "2", "operation": 5},
            {"_id": "3", "operation": "delete", "properties": {}},
            {"_id": "4", "operation": "delete", "properties": {"key": "../admin"}},
            {"_id": "5", "operation": "delete", "properties": {"key": "gone"}},
            {"_id": "6", "payload": {"x": object()}},
            {"_id": "7"},
            {"_id": "8", "payload": {}},
        ]
        told = {one.entity_id: one.detail for one in writer(url, operation="put").write(entities)}
    assert told.keys() == {"1", "2", "3", "4", "6", "7"}
    assert told["1"] == "the service has no operation `none`"
    assert told["2"] == "the entity names no `operation`"
    assert told["3"].startswith("`url`: ")
    assert "leads away from the system" in told["4"]
    assert "cannot be written as JSON" in told["6"]
    assert told["7"].endswith("answers 404 Not Found")
    assert "s3cr3t" not in str(told)


@pytest.mark.parametrize("status", [500, 503, 401, 429])
def test_trouble_of_the_service_ends_the_run(status: int) -> None:
    """Nothing is rejected for it."""
    with serving(Service(lambda _: status)) as url, pytest.raises(StoppedError, match=f"answers {status}"):
        writer(url, operation="put").write([{"_id": "1"}])


def test_the_same_version_has_the_same_key() -> None:
    """In whichever run; another version, another operation and another entity have others."""
    service = Service()
    with serving(service) as url:
        for entity in (
            {"_id": "1", "a": 1, "_ts": 5, "payload": {}},
            {"payload": {}, "_id": "1", "a": 1, "_ts": 6},
            {"_id": "1", "a": 2, "payload": {}},
            {"_id": "2", "a": 1, "payload": {}},
        ):
            writer(url, operation="post").write([entity])
    first, second, third, fourth = (headers["Idempotency-Key"] for headers in service.headers)
    assert (first == second, len({first, third, fourth})) == (True, 3)


def test_requests_keep_their_distance() -> None:
    """By the clock of the writer, from the beginning of one to that of the next."""
    slept: list[float] = []
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    with serving(Service()) as url:
        system = Http("api", Settings(f"{url}/%s", allow_private=True))
        call = Call(OperationConfig(url="x"))
        sink = RestWriter(system, lambda _: call, "p", apart=2.0, clock=lambda: now, sleep=sleep)
        sink.write([{"_id": "1"}, {"_id": "2"}])
        now += 5
        sink.write([{"_id": "3"}])
    assert slept == [2.0]


def project(folder: Path, url: str, sink: dict[str, Any], entities: list[dict[str, Any]], **system: Any) -> Path:
    """A project with one pipe that sends entities."""
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "embedded", "entities": entities}, "sink": sink}
    api = {"_id": "api", "type": "system:rest", "url_pattern": f"{url}/%s", "allow_private": True, **system}
    (folder / "p.conf.json").write_text(json.dumps([pipe, api]))
    return folder


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


def test_a_run_sends_entities(tmp_path: Path) -> None:
    """Each once; what is refused is told, and what was taken is not sent again."""
    service = Service(lambda body: 422 if body == {"n": 2} else 200)
    sink = {"type": "rest", "system": "api", "operation": "put", "payload": {"n": "{{ n }}sesam:markjson"}}
    with serving(service, keeps=True) as url:
        folder = project(tmp_path, url, sink, [{"_id": "1", "n": 1}, {"_id": "2", "n": 2}, {"_id": "3", "n": 3}])
        text = json.loads((folder / "p.conf.json").read_text())
        text[1]["operations"] = {"put": OPERATIONS["put"]}
        (folder / "p.conf.json").write_text(json.dumps(text))
        done = run(folder)
        assert "2 written" in done.stdout, done.stdout + done.stderr
        assert "1 rejected" in done.stdout
        assert "answers 422 Unprocessable Entity" in done.stdout + done.stderr
        assert [path for _, path, _ in service.asked] == ["/things/1", "/things/2", "/things/3"]
        run(folder)
        assert len([path for _, path, _ in service.asked if path != "/things/2"]) == 2


def test_a_webhook_gets_the_entity(tmp_path: Path) -> None:
    """At a URL whose key is shown nowhere; or what a template makes of it; refusals are rejections."""
    (tmp_path / ".secrets.env").write_text("hook=T0/s3cr3t-k3y")
    (tmp_path / ".secrets.env").chmod(0o600)
    service = Service(lambda body: 404 if body.get("name") == "Bo" else 200)
    entities = [{"_id": "1", "name": "Ada", "at": "~t2026-01-02T03:04:05Z"}, {"_id": "2", "name": "Bo"}]
    with serving(service) as url:
        sink = {"type": "webhook", "system": "api", "headers": {"X-Name": "{{ name }}"}}
        secret = {"type": "system:url", "secret_path": "$SECRET(hook)"}
        done = run(project(tmp_path, f"{url}/hooks", sink, entities, **secret))
        assert "1 written, 1 rejected" in done.stdout, done.stdout + done.stderr
    method, path, body = service.asked[0]
    assert (method, path) == ("POST", "/hooks/T0/s3cr3t-k3y")
    assert body == {"_id": "1", "name": "Ada", "at": "2026-01-02T03:04:05Z"}
    assert service.headers[0]["X-Name"] == "Ada"
    assert len(service.headers[0]["Idempotency-Key"]) == 32
    assert "s3cr3t-k3y" not in done.stdout + done.stderr


class Slack:
    """Slack, as far as its documents say."""

    def __init__(self) -> None:
        """It has one channel."""
        self.messages: list[dict[str, Any]] = []
        self.later = True

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Take a message, after a first try too many."""
        message = json.loads(body_of(handler))
        if self.later:
            self.later = False
            answer(handler, b"", 429, Retry_After="0")
        elif handler.path == "/services/T/B/X":
            self.messages.append(message)
            answer(handler, b"ok", Content_Type="text/html")
        elif handler.headers["Authorization"] != "Bearer xoxb":
            answer(handler, b'{"ok": false, "error": "invalid_auth"}', Content_Type="application/json")
        elif message.get("channel") != "#orders":
            answer(handler, b'{"ok": false, "error": "channel_not_found"}', Content_Type="application/json")
        else:
            self.messages.append(message)
            answer(handler, b'{"ok": true}', Content_Type="application/json; charset=utf-8")


def test_slack_gets_messages(tmp_path: Path) -> None:
    """Through a webhook: again when it wants one later; values of entities call nobody."""
    (tmp_path / ".secrets.env").write_text("hook=T/B/X")
    (tmp_path / ".secrets.env").chmod(0o600)
    slack = Slack()
    entities: list[dict[str, Any]] = [
        {"_id": "1", "name": "<!channel> & co"},
        {"_id": "2", "name": "x", "_deleted": True},
    ]
    with serving(slack) as url:
        sink = {"type": "slack", "system": "api", "text": "<!here> *{{ name }}*", "seconds_between": 0}
        secret = {"type": "system:url", "secret_path": "$SECRET(hook)"}
        done = run(project(tmp_path, f"{url}/services", sink, entities, **secret))
        assert "1 written, 1 skipped" in done.stdout, done.stdout + done.stderr
    assert slack.messages == [{"text": "<!here> *&lt;!channel&gt; &amp; co*"}]


@pytest.mark.parametrize("token", ["xoxb", "wrong"])
def test_slack_says_no_with_200(tmp_path: Path, token: str) -> None:
    """Of a message it is a rejection, of the login it ends the run."""
    (tmp_path / ".secrets.env").write_text(f"token={token}")
    (tmp_path / ".secrets.env").chmod(0o600)
    slack = Slack()
    entities = [{"_id": "1", "to": "#orders"}, {"_id": "2", "to": "#none"}, {"_id": "3", "to": "#orders"}]
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "{{ _id }}"}}]
    with serving(slack) as url:
        sink = {"type": "slack", "system": "api", "channel": "{{ to }}", "blocks": blocks, "seconds_between": 0}
        login = {"authentication": "jwt", "jwt_token": "$SECRET(token)"}
        done = run(project(tmp_path, f"{url}/api", sink, entities, **login))
    if token == "xoxb":
        assert "2 written, 1 rejected" in done.stdout, done.stdout + done.stderr
        assert "chat.postMessage answers channel_not_found" in done.stdout + done.stderr
        assert slack.messages[0]["blocks"][0]["text"]["text"] == "1"
    else:
        assert "answers invalid_auth" in done.stdout + done.stderr
        assert slack.messages == []
    assert done.returncode != 0


@pytest.mark.parametrize(
    ("sink", "code", "words"),
    [
        ({"type": "rest", "operation": "none"}, "E203", "there is no operation `none`"),
        ({"type": "rest", "operations": {"a": {"payload": ["{{ b"]}}, "operation": "a"}, "E401", ""),
        ({"type": "rest", "payload": "{{ a | nofilter }}"}, "E402", "nofilter"),
        ({"type": "webhook", "payload": {"a": "{{ b"}}, "E401", ""),
        ({"type": "webhook", "url": "//evil.example/"}, "E203", "is not relative"),
        ({"type": "slack"}, "E204", "there is no `text` and no `blocks`"),
        ({"type": "slack", "text": "{{ a"}, "E401", ""),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, sink: dict[str, Any], code: str, words: str) -> None:
    """Before anything is sent."""
    folder = project(tmp_path, "https://example.com", {"system": "api", **sink}, [{"_id": "1"}])
    problems = check_paths([folder], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems if problem.level == "error"] == [code], problems
    assert words in next(problem for problem in problems if problem.level == "error").message
