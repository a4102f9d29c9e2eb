"""One mail at a time over HTTP, through a real service into a folder of mails."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

from mailweir.web.access import digest_of
from mailweir.web.open import Wanted

Serve = Callable[..., Any]
FOLDER = {"_id": "folder", "type": "system:eml", "folder": "mail"}
MAIL = {"to": "Ann <ann@example.com>", "subject": "Hello", "text": "The words within"}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"to": "nobody"}, "to: 'nobody' is not an address"),
    ({"to": ["a@example.com", "nobody"]}, "to.1: 'nobody' is not an address"),
    ({"to": []}, "recipients: "),
    ({"to": ""}, "to: '' is not an address"),
    ({"to": 7}, "`to` is an address, or a list of addresses"),
    ({"to": [7]}, "`to.0` is an address, as text"),
    ({"cc": "a@b@c"}, "cc: "),
    ({"from": "a@example.com, b@example.com"}, "`from` is one address"),
    ({"from": ["a@example.com"]}, "`from` is an address"),
    ({"subject": 7}, "`subject` is a text"),
    ({"subject": "a\nBcc: b@example.com"}, "E412 subject: "),
    ({"text": None}, "`text` is a text"),
    ({"text": "\ud800"}, "`text` has half a character"),
    ({"sbject": "x"}, "no property `sbject`. Did you mean `subject`?"),
    ({"headers": {"X-A": 1}}, "`headers` is an object of texts"),
    ({"headers": {"X-A": "a\r\nBcc: b@example.com"}}, "E508 headers"),
    ({"headers": {"From": "a@example.com"}}, "E508 headers"),
    ({"attachments": "a"}, "`attachments` is a list"),
    ({"attachments": [7]}, "`attachments.0` is an object"),
    ({"attachments": [{"name": "a"}]}, "`attachments.0.content` is missing"),
    ({"attachments": [{"name": "a", "content": "%"}]}, "`attachments.0.content` is no base64"),
    ({"attachments": [{"name": "", "content": ""}]}, "`attachments.0.name` is empty"),
    ({"attachments": [{"nmae": "a", "content": ""}]}, "Did you mean `name`?"),
]


def pipe(id: str = "shop", **sink: Any) -> dict[str, Any]:
    """A pipe that mails, and reads nothing."""
    mail = {
        "type": "mail",
        "system": "folder",
        "mail_from": "Shop <shop@example.com>",
        "recipients_property": "email",
        "subject_template": "s",
        "body_template": "b",
        **sink,
    }
    return {"_id": id, "type": "pipe", "source": {"type": "embedded", "entities": []}, "sink": mail}


def sent(service: Any, many: int = 1) -> list[Message]:
    """The mails in the folder, once there are so many."""
    folder: Path = service.folder / "mail"

    def found() -> list[Path]:
        files = sorted(folder.rglob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        return files if len(files) >= many else []

    return [message_from_bytes(file.read_bytes(), policy=default) for file in service.until(found)]


def test_a_mail_goes_as_those_of_the_pipe(serve: Serve) -> None:
    """It is kept before the answer, has the sender of the pipe unless it brings one, and arrives with its files."""
    service = serve(FOLDER, pipe())
    files = [{"name": "a.txt", "content": b64encode(b"within the file").decode(), "type": "text/plain"}]
    more = {"html": "<p>The words within</p>", "cc": ["bo@example.com"], "headers": {"X-Order": "7"}}
    answer = service.post("/api/send", {**MAIL, **more, "attachments": files})
    assert answer.status == 202
    assert (answer.json["pipe"], answer.json["state"]) == ("shop", "queued")
    (mail,) = sent(service)
    assert (mail["from"], mail["to"], mail["cc"]) == (
        "Shop <shop@example.com>",
        "Ann <ann@example.com>",
        "bo@example.com",
    )
    assert (mail["subject"], mail["x-order"]) == ("Hello", "7")
    assert [part.get_filename() for part in mail.walk() if part.get_filename()] == ["a.txt"]
    shown = service.until(lambda: service.get(f"/api/mail/{answer.json['id']}").json["message"])
    assert shown["subject"] == "Hello"
    service.until(lambda: service.get(f"/api/mail/{answer.json['id']}").json["message"]["state"] == "sent")


def test_a_key_is_for_one_mail(serve: Serve) -> None:
    """What comes again with its key is not sent again and is answered alike; another mail with that key is refused."""
    service = serve(FOLDER, pipe())
    first = service.post("/api/send", MAIL, Idempotency_Key="order-7")
    service.until(lambda: service.get("/api/mail?state=sent").json["messages"])
    again = service.post("/api/send", MAIL, Idempotency_Key="order-7")
    assert (again.status, again.json["id"], again.json["state"]) == (202, first.json["id"], "sent")
    other = service.post("/api/send", {**MAIL, "text": "Others"}, Idempotency_Key="order-7")
    assert other.status == 409
    assert service.post("/api/send", MAIL).json["id"] != first.json["id"]
    assert len(sent(service, 2)) == 2


def test_a_key_at_once(serve: Serve) -> None:
    """Who sends the same again before the first one is answered gets the same answer."""
    service = serve(FOLDER, pipe())
    with ThreadPoolExecutor(8) as threads:
        posts = [threads.submit(service.post, "/api/send", MAIL, Idempotency_Key="order-8") for _ in range(32)]
        answers = [post.result() for post in posts]
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1
    service.until(lambda: service.get("/api/mail?state=sent").json["messages"])
    assert len(sent(service)) == 1


def test_the_limit_holds(serve: Serve) -> None:
    """It passes the window of its system: what is over the limit is discarded and told, as mail of the pipe is."""
    service = serve({**FOLDER, "max_per_hour": 1}, pipe())
    for number in range(3):
        assert service.post("/api/send", {**MAIL, "subject": str(number)}).status == 202
    service.until(lambda: len(service.get("/api/mail?state=discarded").json["messages"]) == 2)
    assert len(sent(service)) == 1


def test_guards_of_the_sink_hold(serve: Serve) -> None:
    """A sink that mails only to some holds what is for others, and one that redirects does so."""
    service = serve(FOLDER, pipe(only_to=["*@example.org"]), pipe("other", redirect_to="me@example.com"))
    assert service.post("/api/send?pipe=shop", MAIL).json["state"] == "held"
    assert service.post("/api/send?pipe=other", MAIL).json["state"] == "queued"
    (mail,) = sent(service)
    assert mail["to"] == "me@example.com"
    assert mail["x-original-to"] == "ann@example.com"


def test_which_pipe(serve: Serve, tmp_path: Path) -> None:
    """With several pipes one is named; a token for one pipe mails as that one and as no other."""
    tokens = tmp_path / "tokens.json"
    mine = {"name": "shop", "sha256": digest_of("s" * 32), "roles": ["send"], "pipes": ["shop"]}
    tokens.write_text(json.dumps({"tokens": [mine]}))
    service = serve(FOLDER, pipe(), pipe("other"), wanted=Wanted(port=0, tokens=tokens))
    assert service.post("/api/send", MAIL).json["detail"] == "which pipe is to mail it? Add `?pipe=…`: shop, other"
    assert "Did you mean `shop`?" in service.post("/api/send?pipe=shob", MAIL).json["detail"]
    assert service.post("/api/send?pipe=shop", MAIL, token="s" * 32).status == 202
    assert service.post("/api/send?pipe=other", MAIL, token="s" * 32).status == 403
    assert service.post("/api/send", MAIL, token="s" * 32).status == 403


def test_what_is_wrong_is_named(serve: Serve) -> None:
    """A mail that is not right is refused with the property that is to blame, and nothing of it is kept."""
    service = serve(FOLDER, pipe())
    for wrong, told in WRONG:
        answer = service.post("/api/send", {**MAIL, **wrong})
        assert (answer.status, told in answer.json["detail"]) == (400, True), (wrong, answer.json)
    assert service.get("/api/mail?state=queued").json["messages"] == []
    assert service.get("/api/mail?state=sent").json["messages"] == []


def test_what_is_missing_is_named(serve: Serve) -> None:
    """Nobody to get it, and nothing to say."""
    service = serve(FOLDER, pipe())
    assert service.post("/api/send", {"text": "a"}).json["detail"] == "`to` is missing"
    assert service.post("/api/send", {"to": "a@example.com"}).json["detail"] == "`text` or `html` is missing"
    assert service.post("/api/send", [1]).json["detail"] == "the body is an object"
    assert service.post("/api/send", b"[" * 100_000).status == 400
    assert "`Idempotency-Key`" in service.post("/api/send", MAIL, Idempotency_Key="k" * 300).json["detail"]
