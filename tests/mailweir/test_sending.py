"""Sending one mail from Python."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import mailweir
from mailweir.catcher import Catcher
from mailweir.sending import connect
from systems.mail import Status


def sent_to(catcher: Catcher, **parts: Any) -> Any:
    """Send a mail to the catcher."""
    given: dict[str, Any] = {"sender": "a@example.com", "recipients": "b@example.com", "body": "Hello\n"}
    return mailweir.asend(f"smtp://127.0.0.1:{catcher.port}", **given | parts)


def test_a_mail_is_sent_in_one_call() -> None:
    """The outcome says 250 and Ok, and the mail is there."""

    async def run() -> None:
        async with Catcher() as catcher:
            sent = await sent_to(catcher, subject="Hi")
            assert (sent.ok, sent.status, sent.reason) == (True, 250, "Ok")
            (mail,) = await catcher.wait(1)
            assert mail.document()["subject"] == "Hi"

    asyncio.run(run())


def test_a_login_in_the_url_is_taken_apart() -> None:
    """User and password of a URL are a login, and stand in no talk."""
    talk: list[str] = []

    async def run() -> None:
        async with Catcher(logins={"kari": "p@ss"}) as catcher:
            url = f"smtp://kari:p%40ss@127.0.0.1:{catcher.port}"
            sent = await mailweir.asend(url, "a@example.com", "b@example.com", body="x", verbose=talk.append)
            assert sent.ok
            wrong = await sent_to(catcher, username="kari", password="no")
            assert not wrong.ok
            assert wrong.status == 535 or "535" in wrong.reason

    asyncio.run(run())
    assert any(line.startswith("> AUTH") for line in talk)
    assert not any("p@ss" in line or "kari" in line for line in talk)


def test_a_server_that_is_not_there_is_a_value() -> None:
    """Nothing is raised for what servers do."""
    sent = mailweir.send("smtp://127.0.0.1:1", "a@example.com", "b@example.com", body="x", timeout=20)
    assert not sent.ok
    assert sent.status == 0
    assert sent.recipients[0].status is Status.NOT_TRIED


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"body": None}, "either `body` or `message`"),
        ({"message": b"x"}, "either `body` or `message`"),
        ({"body": None, "message": b"x", "subject": "y"}, "`message` is a whole mail"),
        ({"use_ssl": 7}, "use_ssl"),
        ({"username": "u", "password": "p"}, "in clear"),
        ({"username": "u"}, "`username` is set but `password` is not"),
        ({"ssl_key": "k", "use_ssl": 3}, "`ssl_cert` is missing beside `ssl_key`"),
        ({"ca_file": "ca.pem"}, "ca_file is for TLS, and there is none"),
        ({"timeout": 0}, "timeout: seconds were expected"),
        ({"xverp": "maybe"}, "xverp: true, false or 'if_offered' was expected"),
        ({"body": b"x"}, "body: text was expected"),
        ({"content_type": "nonsense"}, "'nonsense' is no media type"),
        ({"headers": {"Subject": "x"}}, "headers.Subject: this header is made of `subject`"),
        ({"headers": {"Reply-To": "r@"}}, "headers.Reply-To: 'r@' is not an address"),
        ({"attachments": [b"x"]}, "attachments: a path"),
        ({"recipients": None}, "recipients: an address was expected"),
        ({"recipients": []}, "recipients: no recipient"),
        ({"url": 25}, "server: a URL"),
        ({"url": "ftp://x"}, "smtp://"),
    ],
)
def test_a_wrong_call_is_an_exception(parts: dict[str, Any], words: str) -> None:
    """What a caller did wrong is raised before anything is connected."""
    given: dict[str, Any] = {"body": "x", **parts}
    url = given.pop("url", "smtp://mail.example.com")
    recipients = given.pop("recipients", "b@example.com")
    with pytest.raises(ValueError, match=words):
        mailweir.send(url, "a@example.com", recipients, **given)


@pytest.mark.parametrize("argument", ["ca_file", "ca_path", "ssl_cert"])
def test_a_file_of_tls_that_is_not_there_is_named(argument: str, tmp_path: Path) -> None:
    """Whoever calls sees which one it is."""
    missing = str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError) as raised:
        mailweir.send("smtps://127.0.0.1:1", "a@example.com", "b@example.com", body="x", **{argument: missing})
    assert raised.value.filename == missing


def test_a_loop_that_runs_wants_the_other_call() -> None:
    """`send` starts a loop of its own, so it says what to call instead, and leaves nothing behind."""

    async def run() -> None:
        with pytest.raises(RuntimeError, match="await mailweir.asend"):
            mailweir.send("smtp://127.0.0.1:1", "a@example.com", "b@example.com", body="x")

    asyncio.run(run())


def test_answers_go_where_the_sender_says(tmp_path: Path) -> None:
    """Reply-To is a header like any other here, and one path is a list of one file."""
    (tmp_path / "a.txt").write_text("file")

    async def run() -> None:
        async with Catcher() as catcher:
            path = str(tmp_path / "a.txt")
            assert (await sent_to(catcher, headers=["Reply-To: Kari <r@example.com>"], attachments=path)).ok
            (mail,) = await catcher.wait(1)
            document: Any = mail.document()
            assert document["headers"]["Reply-To"] == ["Kari <r@example.com>"]
            assert [one["name"] for one in document["attachments"]] == ["a.txt"]

    asyncio.run(run())


def test_an_open_system_is_used_again() -> None:
    """Several mails go over one connection."""

    async def run() -> None:
        async with Catcher() as catcher, connect(f"smtp://127.0.0.1:{catcher.port}") as system:
            for _ in range(3):
                assert (await mailweir.asend(system, "a@example.com", "b@example.com", body="x")).ok
            await catcher.wait(3)
            with pytest.raises(ValueError, match="has its own timeout"):
                await mailweir.asend(system, "a@example.com", "b@example.com", body="x", timeout=1)

    asyncio.run(run())


def test_a_system_of_the_project_is_named_by_its_id(tmp_path: Path) -> None:
    """Any mail system of the project will do, and a wrong name is a wrong call."""
    eml = {"_id": "out", "type": "system:eml", "folder": "mail"}
    (tmp_path / "mailweir.json").write_text("{}")
    (tmp_path / "out.conf.json").write_text(json.dumps(eml))
    sent = mailweir.send("out", "a@example.com", "b@example.com", body="x", folder=tmp_path)
    assert sent.ok
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1
    with pytest.raises(ValueError, match="no system 'in'"):
        mailweir.send("in", "a@example.com", "b@example.com", body="x", folder=tmp_path)


def test_a_file_is_attached_by_its_path(tmp_path: Path) -> None:
    """A path gives name, content and kind."""
    (tmp_path / "a.pdf").write_bytes(b"%PDF")

    async def run() -> None:
        async with Catcher() as catcher:
            assert (await sent_to(catcher, attachments=[tmp_path / "a.pdf"])).ok
            (mail,) = await catcher.wait(1)
            document: Any = mail.document()
            assert [(one["name"], one["type"]) for one in document["attachments"]] == [("a.pdf", "application/pdf")]

    asyncio.run(run())
