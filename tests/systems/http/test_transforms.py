"""Services that shape entities."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mailweir.cli.checking import check_paths
from mailweir.running import Asked, Done, Run
from pipeline.config.load import Options, load
from pipeline.errors import EndError, TransformError
from systems.http.config import UrlConfig
from systems.http.rest import RestConfig
from systems.http.transforms import HttpTransformConfig, RestTransformConfig
from tests.web import answer, body_of, serving

TOP = Path(__file__).parents[3]
PATIENCE = 60.0


class Service:
    """Says what it was asked; or the status that is asked for."""

    def __init__(self) -> None:
        """It was asked nothing."""
        self.asked: list[str] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer."""
        body = body_of(handler)
        self.asked.append(unquote(handler.path))
        word = self.asked[-1].rpartition("/")[2]
        if word == "shape":
            entities = [{**one, "shaped": True} for one in json.loads(body)]
            answer(handler, json.dumps(entities * 2).encode(), Content_Type="application/json")
        elif word == "plain":
            answer(handler, b"text", Content_Type="text/plain")
        elif word == "many":
            answer(handler, b'{"found": [{"id": 1}, {"id": 2}]}', Content_Type="application/json")
        elif word.isdecimal():
            answer(handler, b"s3cr3t", int(word))
        else:
            answer(handler, json.dumps({"word": word}).encode(), Content_Type="application/json")


def transform(service: str, acts: Any = True, kind: Any = RestTransformConfig, **properties: Any) -> Any:
    """A transform as it is declared."""
    operations = {"ask": {"url": "words/{{ word }}"}, "many": {"url": "many", "payload_property": "found"}}
    base = {"_id": "api", "url_pattern": f"{service}/%s", "allow_private": True}
    rest = RestConfig.model_validate({**base, "type": "system:rest", "operations": operations})
    plain = UrlConfig.model_validate({**base, "type": "system:url"})

    class Context:
        pipe, root = "p", "."

        def __init__(self) -> None:
            self.acts = acts

        def system(self, id: str, port: type[Any]) -> Any:
            return (rest if kind is RestTransformConfig else plain).build(context)

        def config(self, id: str, base: type[Any]) -> Any:
            return rest

    context: Any = Context()
    type_ = "rest" if kind is RestTransformConfig else "http"
    return kind.model_validate({"type": type_, "system": "api", **properties}).build(context)


def test_an_answer_goes_into_the_entity() -> None:
    """Under the property that is wanted, with its status and headers; the entity itself is not changed."""
    with serving(Service()) as url:
        entity = {"_id": "1", "word": "tea"}
        assert transform(url, operation="ask")(entity) == [{"_id": "1", "word": "tea", "response": {"word": "tea"}}]
        assert entity == {"_id": "1", "word": "tea"}
        wanted: dict[str, Any] = {
            "response_property": "said",
            "response_status_property": "code",
            "payload_property": "word",
        }
        assert transform(url, operation="ask", **wanted)(entity) == [{**entity, "said": "tea", "code": 200}]
        (plain,) = transform(url, operation="ask", response_include_content_type=True)({"_id": "1", "word": "plain"})
        assert (plain["response"], plain["content-type"]) == ("text", "text/plain")
        (many,) = transform(url)({"_id": "1", "operation": "many"})
        assert many["response"] == [{"id": 1}, {"id": 2}]


def test_the_entities_of_an_answer_take_the_place_of_one() -> None:
    """With ids that a template makes; one alone keeps that of the entity."""
    with serving(Service()) as url:
        wanted: dict[str, Any] = {
            "operation": "many",
            "replace_entity": True,
            "id_expression": "{{ source_entity._id }}-{{ id }}",
        }
        assert transform(url, **wanted)({"_id": "a"}) == [{"id": 1, "_id": "a-1"}, {"id": 2, "_id": "a-2"}]
        one = transform(url, operation="ask", replace_entity=True)({"_id": "a", "word": "tea"})
        assert one == [{"word": "tea", "_id": "a"}]
        with pytest.raises(TransformError, match="an entity without `_id`"):
            transform(url, operation="many", replace_entity=True)({"_id": "a"})


def test_statuses_are_allowed_ignored_or_faults() -> None:
    """A refusal is of the entity, trouble ends the run; nothing of what the service wrote is repeated."""
    with serving(Service()) as url:
        assert transform(url, operation="ask", ignored_status_codes="404")({"_id": "1", "word": "404"}) == []
        (found,) = transform(url, operation="ask", allowed_status_codes="200-299,404")({"_id": "1", "word": "404"})
        assert found["response"] == "s3cr3t"
        with pytest.raises(TransformError, match="/words/422 answers 422 Unprocessable Entity$") as raised:
            transform(url, operation="ask")({"_id": "1", "word": "422"})
        assert not isinstance(raised.value, EndError)
        with pytest.raises(EndError, match="/words/500 answers 500 Internal Server Error$"):
            transform(url, operation="ask")({"_id": "1", "word": "500"})
        for entity, words in (
            ({"operation": "none"}, "the service has no operation `none`"),
            ({}, "the entity names no `operation`"),
            ({"operation": "ask"}, "`url`: "),
            ({"operation": "ask", "word": "../admin"}, "leads away from the system"),
        ):
            with pytest.raises(TransformError, match=words) as raised:
                transform(url)({"_id": "1", **entity})
            assert not isinstance(raised.value, EndError)
    with pytest.raises(EndError, match="localhost cannot be reached: connection refused"):
        transform("http://localhost:1", operation="ask")({"_id": "1", "word": "x"})


def test_entities_are_posted_and_taken() -> None:
    """By the transform `http`; what is no list of entities is told."""
    with serving(Service()) as url:
        shape = transform(url, kind=HttpTransformConfig, url="shape")
        assert shape({"_id": "1"}) == [{"_id": "1", "shaped": True}] * 2
        for path, words in (("word", "answers with no list of entities"), ("plain", "JSON that is broken")):
            with pytest.raises(TransformError, match=words):
                transform(url, kind=HttpTransformConfig, url=path)({"_id": "1"})


def test_a_preview_does_not_ask() -> None:
    """Unless asking changes nothing, or the entity is not meant."""
    service = Service()
    with serving(service) as url:
        with pytest.raises(TransformError, match="the service is not asked"):
            transform(url, acts=False, operation="ask")({"_id": "1", "word": "x"})
        meant: dict[str, Any] = {"trigger_on": {"key": "ask", "value": "yes*"}, "operation": "ask"}
        assert transform(url, acts=False, **meant)({"_id": "1", "ask": "no"}) == [{"_id": "1", "ask": "no"}]
        assert service.asked == []
        assert transform(url, acts=False, operation="ask", side_effects=False)({"_id": "1", "word": "x"})
        assert transform(url, **meant)({"_id": "1", "word": "x", "ask": "yes!"})[0]["response"] == {"word": "x"}


def project(folder: Path, url: str, transform: dict[str, Any], entities: list[dict[str, Any]]) -> Path:
    """A project with one pipe that asks for each entity."""
    pipe = {
        "_id": "p",
        "type": "pipe",
        "source": {"type": "embedded", "entities": entities},
        "transform": {"system": "api", **transform},
        "sink": {"type": "print"},
    }
    operations = {"ask": {"url": "words/{{ word }}"}}
    api = {
        "_id": "api",
        "type": "system:rest",
        "url_pattern": f"{url}/%s",
        "allow_private": True,
        "operations": operations,
    }
    (folder / "p.conf.json").write_text(json.dumps([pipe, api]))
    return folder


def mailweir(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mailweir", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        check=False,
        timeout=300,
    )


def test_a_run_asks_once_for_each_entity(tmp_path: Path) -> None:
    """Also where one of them fails: its neighbours have their answers, and are not asked for again."""
    service = Service()
    entities = [{"_id": str(at), "word": word} for at, word in enumerate(["a", "b", "422", "c"])]
    with serving(service, keeps=True) as url:
        done = mailweir(project(tmp_path, url, {"type": "rest", "operation": "ask"}, entities), "run")
    assert [service.asked.count(f"/words/{word}") for word in ("a", "b", "422", "c")] == [1] * 4
    printed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [one["response"]["word"] for one in printed] == ["a", "b", "c"]
    assert "1 rejected" in done.stdout, done.stdout + done.stderr
    assert "/words/422 answers 422 Unprocessable Entity" in done.stdout + done.stderr


def test_who_ends_a_run_does_not_wait_for_the_service(tmp_path: Path) -> None:
    """Nothing of what it was asked is on record: the next run asks again."""
    asked, over = threading.Event(), threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        body_of(handler)
        asked.set()
        assert over.wait(PATIENCE)
        answer(handler, b"{}")

    with serving(silent, keeps=True) as url:
        place = project(tmp_path, url, {"type": "rest", "operation": "ask"}, [{"_id": "1", "word": "x"}])
        run = Run(load(place, Options(environ={}, here=place)), Asked())

        async def ended() -> Done:
            running = asyncio.create_task(run.go())
            assert await asyncio.to_thread(asked.wait, PATIENCE)
            run.stop()
            return await asyncio.wait_for(running, PATIENCE)

        try:
            done = asyncio.run(ended())
        finally:
            over.set()
    assert done.stopped
    assert [(report.read, report.stopped) for report in done.reports] == [(0, "")]


def test_a_service_is_not_asked_only_to_count_mails(tmp_path: Path) -> None:
    """Who is asked whether to send them hears how many entities there are."""
    service, counts = Service(), []

    def declined(count: int) -> bool:
        counts.append(count)
        return False

    with serving(service, keeps=True) as url:
        place = project(tmp_path, url, {"type": "rest", "operation": "ask"}, [{"_id": "1", "word": "x"}])
        config = json.loads((place / "p.conf.json").read_text())
        mail = {"type": "mail", "system": "office", "mail_from": "a@example.com", "recipients": "b@example.com"}
        config[0]["sink"] = {**mail, "subject_template": "x", "body_template": "x"}
        config.append({"_id": "office", "type": "system:eml", "folder": "out"})
        (place / "p.conf.json").write_text(json.dumps(config))
        done = asyncio.run(Run(load(place, Options(environ={}, here=place)), Asked()).go(counted=declined))
    assert (done.declined, counts, service.asked) == (True, [1], [])


def test_a_test_answers_for_the_service(tmp_path: Path) -> None:
    """Each request in turn; without a mock the test says which one to add, and one for nothing is told."""
    entities = [{"_id": "1", "word": "a"}, {"_id": "2", "word": "b"}, {"_id": "3", "word": "c"}]
    asking = {"type": "rest", "operation": "ask", "ignored_status_codes": "404"}
    folder = project(tmp_path, "https://api.example.com", asking, entities)
    (folder / "expected").mkdir()
    mocks: list[Any] = [{"body": {"said": 1}}, {"status": 404}, {"body": "text", "headers": {"Content-Type": "text/x"}}]
    expected = [{"_id": "1", "response": {"said": 1}}, {"_id": "3", "response": "text"}]
    case: dict[str, Any] = {"name": "x", "expect": {"entities": expected}, "mocks": {"http:api": mocks}}
    file = folder / "expected" / "p.test.json"

    def tested(**changed: Any) -> subprocess.CompletedProcess[str]:
        file.write_text(json.dumps({"pipe": "p", "mode": "contains", "cases": [{**case, **changed}]}))
        return mailweir(folder, "test")

    done = tested()
    assert done.returncode == 0, done.stdout + done.stderr
    done = tested(mocks={})
    assert (done.returncode, "a mock `http:api`" in done.stdout + done.stderr) == (1, True), done.stdout + done.stderr
    done = tested(mocks={"http:apj": []})
    assert "did you mean `http:api`?" in done.stdout + done.stderr
    done = tested(mocks={"http:api": []})
    assert "the mock `http:api` has no answer to GET https://api.example.com/words/a" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("transform", "code", "words"),
    [
        ({"type": "rest", "operation": "none"}, "E203", "there is no operation `none`"),
        ({"type": "rest", "operation": "ask", "ignored_status_codes": "4xx"}, "E203", "`ignored_status_codes`"),
        ({"type": "rest", "operation": "ask", "id_expression": "{{ a"}, "E401", ""),
        ({"type": "http", "url": "https://evil.example/"}, "E203", "is not relative"),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, transform: dict[str, Any], code: str, words: str) -> None:
    """Before anything is asked."""
    folder = project(tmp_path, "https://example.com", transform, [{"_id": "1"}])
    problems = check_paths([folder], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems if problem.level == "error"] == [code], problems
    assert words in next(problem for problem in problems if problem.level == "error").message
