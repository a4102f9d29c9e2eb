"""Services that give entities as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.errors import SourceError
from sources.json import JsonConfig
from systems.http.config import UrlConfig
from tests.web import answer, serving

TOP = Path(__file__).parents[2]


class Service:
    """Entities with `_updated`, and those that were asked for since."""

    def __init__(self, *updates: int | str) -> None:
        """One entity for each change."""
        self.entities: list[dict[str, Any]] = [{"_id": str(at), "_updated": one} for at, one in enumerate(updates)]
        self.asked: list[dict[str, list[str]]] = []
        self.cut = 0

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer as the protocol says."""
        query = parse_qs(urlsplit(handler.path).query)
        self.asked.append(query)
        since = query.get("since", [""])[0]
        found = [one for one in self.entities if not since or str(one["_updated"]) > since]
        found = found[: int(query.get("limit", ["1000000"])[0])]
        body = json.dumps(found).encode()
        if self.cut:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[: self.cut])
        else:
            answer(handler, body)


def read(url: str, since: str | None = None, **properties: Any) -> tuple[list[str], str | None]:
    """The `_id` of all entities, and the last position."""
    found = []
    for entities, reached in source(url, **properties).read(since):
        found += [one["_id"] for one in entities]
        since = reached if reached is not None else since
    return found, since


def source(url: str, **properties: Any) -> Any:
    """A source as it is declared."""
    system = {"_id": "api", "type": "system:url", "url_pattern": f"{url}/%s", "allow_private": True}

    class Context:
        pipe, root = "p", "."

        def system(self, id: str, port: type[Any]) -> Any:
            return UrlConfig.model_validate(system).build(context)

    context: Any = Context()
    given = {"type": "json", "system": "api", "url": "entities", **properties}
    return JsonConfig.model_validate(given).build(context)


def test_all_is_read_in_each_run() -> None:
    """Unless the service knows `since` there is no position."""
    service = Service(1, 2)
    with serving(service) as url:
        assert read(url) == (["0", "1"], None)
    assert service.asked == [{}]


def test_a_later_run_asks_for_what_has_changed() -> None:
    """From the largest change; at each batch if they come in order, else at the end."""
    service = Service(3, 1, 2)
    with serving(service) as url:
        assert [reached for _, reached in source(url, supports_since=True).read(None)] == [None, "3"]
        assert read(url, "3", supports_since=True) == ([], "3")
        service.entities.append({"_id": "new", "_updated": 4})
        assert read(url, "3", supports_since=True) == (["new"], "4")
        assert read(url, None, supports_since=True, initial_since_value=3) == (["new"], "4")
        service.entities = [{"_id": "a", "_updated": "x1"}, {"_id": "b", "_updated": "x2"}]
        ordered = {"supports_since": True, "is_chronological": True}
        assert [reached for _, reached in source(url, **ordered).read(None)] == ["x2"]


def test_pages_are_asked_for_until_there_are_no_more() -> None:
    """Each begins where the one before ended."""
    service = Service(1, 2, 3, 4, 5)
    with serving(service) as url:
        ordered: dict[str, Any] = {"supports_since": True, "is_chronological": True, "page_size": 2}
        assert read(url, **ordered) == (["0", "1", "2", "3", "4"], "5")
    assert [query.get("since") for query in service.asked] == [None, ["2"], ["4"], ["5"]]


def test_an_answer_that_breaks_off_is_told() -> None:
    """What came before stands, with its position."""
    service = Service(*range(10_000, 40_000))
    service.cut = 500_000
    with serving(service) as url:
        reading = source(url, supports_since=True, is_chronological=True).read(None)
        batch, since = next(reading)
        assert since == str(batch[-1]["_updated"])
        with pytest.raises(SourceError, match="api:1:1: E607 .*/entities breaks off before its end"):
            list(reading)


def test_what_is_no_json_has_its_place() -> None:
    """As in a file."""
    with (
        serving(lambda handler: answer(handler, b'{"_id": "1"}\n{"_id": None}\n')) as url,
        pytest.raises(SourceError, match=r"/entities:2:9: E108"),
    ):
        read(url)


def project(folder: Path, url: str, source: dict[str, Any], **system: Any) -> Path:
    """A project with one pipe that swallows what it reads."""
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "json", **source}, "sink": {"type": "null"}}
    api = {"_id": "api", "type": "system:url", "url_pattern": url, **system}
    (folder / "p.conf.json").write_text(json.dumps([pipe, api]))
    return folder


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ({}, "E204", "there is no `path` and no `system`"),
        ({"path": "a", "system": "api"}, "E209", "exclude each other"),
        ({"system": "api", "url": "https://example.com/x"}, "E203", "`url` is not relative"),
        ({"system": "api", "page_size": 5}, "E204", "`page_size` needs a service"),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, source: dict[str, Any], code: str, words: str) -> None:
    """Before anything is asked, at the property."""
    folder = project(tmp_path, "https://example.com/%s", source)
    problems = check_paths([folder], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].message


@pytest.mark.parametrize(
    ("url", "system", "code", "words"),
    [
        ("example.com", {}, "E203", "begins neither with http:// nor with https://"),
        ("https://", {}, "E203", "names no server"),
        ("https://%s.example.com/", {}, "E203", "must name the server"),
        ("https://example.com:x/", {}, "E203", "a port or an address that is none"),
        ("https://example.com/", {"authentication": "basic", "username": "me"}, "E204", "needs `password`"),
        ("https://example.com/", {"jwt_token": "$SECRET(t)"}, "E204", "`jwt_token` without `authentication`"),
        ("http://example.com/", {"authentication": "jwt", "jwt_token": "$SECRET(t)"}, "E212", "in clear"),
    ],
)
def test_a_service_that_cannot_be_is_told_by_check(
    tmp_path: Path, url: str, system: dict[str, Any], code: str, words: str
) -> None:
    """At the property of the system."""
    (tmp_path / ".secrets.env").write_text("t=s3cr3t")
    (tmp_path / ".secrets.env").chmod(0o600)
    folder = project(tmp_path, url, {"system": "api"}, **system)
    problems = check_paths([folder], Options(environ={}, here=tmp_path)).problems
    (fault,) = [problem for problem in problems if problem.level == "error"]
    assert fault.code == code
    assert words in fault.message


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


def test_a_run_asks_a_service(tmp_path: Path) -> None:
    """What it reads is counted, and not read again; a service inside must be allowed by name."""
    service = Service(1, 2)
    with serving(service) as url:
        wanted = {"system": "api", "url": "entities", "supports_since": True}
        done = run(project(tmp_path, f"{url}/%s", wanted))
        assert done.returncode == 4
        assert "E607" in done.stderr
        assert "this machine: the system needs `allow_private` to reach it" in done.stderr
        assert not service.asked
        done = run(project(tmp_path, f"{url}/%s", wanted, allow_private=True))
        assert (done.returncode, "2 read" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize(
    ("system", "code", "words"),
    [
        ({"authentication": "digest", "username": "me"}, "E204", "`authentication` digest needs `password`"),
        ({"token": "$SECRET(t)"}, "E204", "`token` without `authentication`"),
        ({"token_scheme": "a b"}, "E203", "`token_scheme`"),
        ({"oauth2": {"client_id": "me", "client_secret": "$SECRET(t)"}}, "E204", "`token_url`"),
        (
            {"oauth2": {"client_id": "me", "client_secret": "$SECRET(t)", "token_url": "login"}},
            "E203",
            "`token_url` begins",
        ),
        (
            {"oauth2": {"client_id": "me", "client_secret": "$SECRET(t)", "token_url": "http://login.example.com/"}},
            "E212",
            "in clear",
        ),
        (
            {
                "authentication": "jwt",
                "jwt_token": "$SECRET(t)",
                "oauth2": {"client_id": "me", "client_secret": "$SECRET(t)", "token_url": "https://login.example.com/"},
            },
            "E209",
            "exclude each other",
        ),
        ({"proxies": {"https": "ftp://proxy.example.com"}}, "E203", "the proxy for https begins neither"),
        ({"proxies": {"all": "http://proxy.example.com"}}, "E203", "`all` is no kind of URL"),
    ],
)
def test_a_login_that_cannot_be_is_told_by_check(tmp_path: Path, system: dict[str, Any], code: str, words: str) -> None:
    """At the property that is wrong or lacks something."""
    (tmp_path / ".secrets.env").write_text("t=s3cr3t")
    (tmp_path / ".secrets.env").chmod(0o600)
    folder = project(tmp_path, "https://example.com/", {"system": "api"}, **system)
    problems = check_paths([folder], Options(environ={}, here=tmp_path)).problems
    (fault,) = [problem for problem in problems if problem.level == "error"]
    assert fault.code == code
    assert words in fault.message
    assert "s3cr3t" not in fault.message
