"""The playground without scripts: what is typed, what comes of it, and cases that are saved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from mailweir.web.open import Wanted

Browse = Callable[..., Any]
OFFICE = {
    "_id": "office",
    "type": "system:smtp",
    "smtp_server": "mail.example.com",
    "smtp_username": "shop",
    "smtp_password": "$SECRET(office)",
    "use_tls": True,
}
WELCOME: dict[str, Any] = {
    "_id": "welcome",
    "type": "pipe",
    "pump": {"mode": "manual"},
    "source": {
        "type": "embedded",
        "entities": [
            {"_id": "c1", "name": "Kari", "email": "kari@moe.no"},
            {"_id": "c2", "name": "Ola", "email": ""},
            {"_id": "c3", "name": "Eve", "email": "eve@moe.no", "left": True},
        ],
    },
    "transform": {"type": "dtl", "rules": {"default": [["filter", ["not", ["eq", "_S.left", True]]], ["copy", "*"]]}},
    "sink": {
        "type": "mail",
        "system": "office",
        "mail_from": "shop@example.com",
        "recipients_property": "email",
        "subject_template": "Welcome, {{ name }}",
        "text_body_template": "Hello {{ name }}.{% if size is defined %} {{ 100 // size }}{% endif %}",
        "body_template": "<p onclick='x()'>Hello {{ name }}</p><script>bad()</script>",
    },
}
PEOPLE = {"_id": "people", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "p", "a": 1}]}}
KARI = '{"_id": "c1", "name": "Kari", "email": "kari@moe.no"}'
SAVED = "expected/welcome.test.json"


@pytest.fixture
def secret(tmp_path: Path) -> None:
    """What the mail system logs in with."""
    file = tmp_path / ".secrets.env"
    file.write_text("office=canary-31-of-the-playground\n")
    file.chmod(0o600)


@pytest.fixture
def page(browse: Browse, secret: None) -> Any:  # noqa: ARG001 - it is there
    """A browser at a service with a pipe that mails."""
    return browse(OFFICE, WELCOME, PEOPLE)


def shown(text: str) -> str:
    """A page as somebody reads it."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def tried(page: Any, entity: str = KARI, **more: str) -> str:
    """The page for what was typed."""
    answer = page.post("/playground", {"pipe": "welcome", "entity": entity, **more})
    assert answer.status == 200, answer.body
    assert b"canary-31" not in answer.body
    return str(answer.body.decode())


def test_the_first_look(page: Any) -> None:
    """A pipe that mails, its first test entity with the mail, and what becomes of all of them."""
    text = page.text("/playground")
    assert 'aria-current="page">Playground' in text
    assert ">\n{\n  &#34;_id&#34;: &#34;c1&#34;,\n" in text
    said = shown(text)
    assert "c1 ● sent c2 ⊘ rejected c3 · filtered" in said
    assert "Welcome, Kari" in said
    assert "To kari@moe.no" in said
    assert "canary-31" not in text
    other = shown(page.text("/playground?pipe=welcome&id=c2"))
    assert '"_id": "c2"' in other
    assert "E502" in other
    assert "p · kept" in shown(page.text("/playground?pipe=people"))
    assert page.get("/playground?pipe=no").status == 404


def test_what_is_typed_becomes_a_mail(page: Any) -> None:
    """With the clock and the rules that were typed; nothing of it is kept."""
    said = shown(tried(page, '{"_id": "x", "name": "Åse", "email": "ase@example.com", "size": 4}'))
    assert "Welcome, Åse" in said
    assert "Hello Åse. 25" in said
    text = page.text("/playground")
    config = unescape(re.search(r'<textarea id="config"[^>]*>\n(.*?)</textarea>', text, re.DOTALL)[1])  # type: ignore[index]
    edited = config.replace("Welcome, {{", "Goodbye, {{")
    assert "Goodbye, Kari" in shown(tried(page, config=edited.replace("\n", "\r\n")))
    assert "Welcome, Kari" in shown(tried(page, config=config))
    assert page.service.get("/api/mail").json["messages"] == []


@pytest.mark.parametrize(
    ("entity", "more", "told"),
    [
        ('{"_id": "x",\n "name": Kari}', {}, "entity:2:10"),
        ("", {}, "write an entity"),
        ("[1]", {}, "an entity is an object"),
        (KARI, {"now": "noon"}, "the clock shows a time in UTC"),
        ('{"_id": "x", "email": "a@example.com", "name": "A", "size": 0}', {}, "100 // size"),
        (KARI, {"config": '[{"_id": "welcome", "type": "pipe", "sorce": {}}]'}, "did you mean `source`?"),
        (KARI, {"config": "{"}, "E106"),
    ],
)
def test_faults_stand_at_their_place(page: Any, entity: str, more: dict[str, str], told: str) -> None:
    """Of the entity, the clock, a template and the copy of the configuration."""
    assert told in shown(tried(page, entity, **more))


def test_the_frame_runs_nothing(page: Any) -> None:
    """The HTML of a mail is for a frame with a policy of its own, without what acts."""
    text = tried(page)
    address = re.search(r'<iframe class="mail" sandbox="" referrerpolicy="no-referrer"[^>]* src="([^"]+)"', text)
    assert address is not None
    answer = page.get(address[1])
    assert answer.status == 200
    assert b"Hello Kari" in answer.body
    assert b"script" not in answer.body
    assert b"onclick" not in answer.body
    assert "sandbox" in answer.headers["content-security-policy"]
    assert page.get("/playground/html/" + "0" * 32).status == 404


def test_a_case_is_saved(page: Any, tmp_path: Path) -> None:
    """With other addresses, behind those that are there, and as it then passes; each has a name of its own."""
    assert page.post("/playground/save", {"pipe": "welcome", "entity": KARI, "name": "gets one"}).status == 303
    file = tmp_path / SAVED
    first = json.loads(file.read_text())
    assert first["cases"] == [
        {
            "name": "gets one",
            "stage": "mail",
            "given": [{"_id": "c1", "name": "Kari", "email": "user1@example.com"}],
            "expect": {
                "mails": [
                    {"_id": "c1", "to": ["user1@example.com"], "subject": "Welcome, Kari", "text": ["Hello Kari."]}
                ]
            },
        }
    ]
    file.write_text(file.read_text().replace("{", "{ ", 1))
    again = page.post("/playground/save", {"pipe": "welcome", "entity": KARI, "name": "gets one"})
    assert again.status == 400
    assert "has a case `gets one` already" in shown(again.body.decode())
    nobody = '{"_id": "c2", "email": ""}'
    answer = page.post(
        "/playground/save", {"pipe": "welcome", "entity": nobody, "name": "none", "now": "2026-02-03T04:05:06Z"}
    )
    assert answer.headers["location"] == "/playground?pipe=welcome&saved=expected%2Fwelcome.test.json"
    assert file.read_text().startswith('{ \n  "type": "test"')
    second = json.loads(file.read_text())["cases"][1]
    assert second["expect"] == {"mails": [], "rejected": [{"_id": "c2", "code": "E502"}]}
    assert second["now"] == "2026-02-03T04:05:06Z"
    assert SAVED in shown(page.text(answer.headers["location"]))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"entity": KARI}, "give the case a name"),
        ({"entity": "[1]", "name": "n"}, "one entity"),
        ({"entity": "{", "name": "n"}, "not JSON"),
        ({"entity": KARI, "name": "n", "now": "noon"}, "a time in UTC"),
        ({"entity": KARI, "name": "n", "config": "[]"}, "the copy that you edited"),
    ],
)
def test_what_is_not_saved(page: Any, tmp_path: Path, fields: dict[str, str], told: str) -> None:
    """It is said why, and what was typed stays."""
    answer = page.post("/playground/save", {"pipe": "welcome", **fields})
    assert answer.status == 400
    assert told in shown(answer.body.decode())
    assert not (tmp_path / "expected").exists()


def test_files_that_cases_do_not_go_into(page: Any, tmp_path: Path) -> None:
    """A test that is a file of what is expected stays one; one with faults stays as it is."""
    folder = tmp_path / "expected"
    folder.mkdir()
    (folder / "welcome.test.json").write_text("{}")
    fields = {"pipe": "welcome", "entity": KARI, "name": "n"}
    assert page.post("/playground/save", fields).status == 303
    assert (folder / "welcome.test.json").read_text() == "{}"
    other = folder / "welcome-cases.test.json"
    assert json.loads(other.read_text())["pipe"] == "welcome"
    other.write_text('{"cases": [,]}')
    assert "has faults" in shown(page.post("/playground/save", fields).body.decode())
    assert other.read_text() == '{"cases": [,]}'


def test_programs_ask_too(page: Any) -> None:
    """The same as JSON, for tokens that may see contents."""
    ask = page.service
    found = ask.post("/api/v1/preview", {"pipe": "welcome", "entity": KARI}).json
    assert (found["faults"], found["mails"][0]["subject"]) == ([], "Welcome, Kari")
    assert ask.post("/api/v1/preview", {"pipe": "welcome", "entity": "{"}).json["faults"][0].startswith("error[E106]")
    assert ask.post("/api/v1/preview", {"pipe": "no", "entity": "{}"}).status == 404
    assert ask.post("/api/v1/preview", {"pipe": "welcome", "entitty": "{}"}).status == 400


@pytest.mark.usefixtures("secret")
def test_who_may_what(browse: Browse, tmp_path: Path, digest: Callable[[str], str]) -> None:
    """Contents are for their role and their pipes; a case is saved by who may act."""
    roles = {"viewer": ["view"], "reader": ["view", "content"], "actor": ["view", "act"]}
    tokens: list[dict[str, Any]] = [
        {"name": name, "sha256": digest(name * 8), "roles": some} for name, some in roles.items()
    ]
    tokens.append({"name": "one", "sha256": digest("one" * 12), "roles": ["content", "view"], "pipes": ["people"]})
    file = tmp_path / "tokens.json"
    file.write_text(json.dumps({"tokens": tokens}))
    file.chmod(0o600)
    browser = browse(OFFICE, WELCOME, PEOPLE, wanted=Wanted(port=0, tokens=file))
    fields = {"pipe": "welcome", "entity": KARI, "name": "n"}
    for token, look, save in (("viewer" * 8, 403, 403), ("reader" * 8, 200, 403), ("actor" * 8, 403, 403)):
        browser.enter(token)
        assert browser.get("/playground").status == look
        assert browser.post("/playground/save", fields).status == save
    assert not (tmp_path / "expected").exists()
    body = {"pipe": "welcome", "entity": "{}"}
    assert browser.service.post("/api/v1/preview", body, token="viewer" * 8).status == 403
    assert browser.service.post("/api/v1/preview", body, token="one" * 12).status == 403
