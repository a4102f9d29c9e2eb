"""Systems in a browser without scripts: their windows, a login that is checked, a test mail, a pause."""

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
ANN = {"_id": "ann", "name": "Ann", "email": "ann@example.com"}


def mailing(system: str, *people: dict[str, Any]) -> dict[str, Any]:
    """A pipe that mails these."""
    sink = {
        "type": "mail",
        "system": system,
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "subject_template": "Hi",
        "body_template": "The words within",
    }
    return {"_id": "welcome", "type": "pipe", "source": {"type": "embedded", "entities": people}, "sink": sink}


def server(port: int, **more: Any) -> dict[str, Any]:
    """A mail server of this machine."""
    return {
        "_id": "office",
        "type": "system:smtp",
        "smtp_server": "127.0.0.1",
        "smtp_port": port,
        "smtp_username": "post",
        "smtp_password": "canary-of-the-login",
        "allow_plaintext_auth": True,
        **more,
    }


def test_a_system_shows_its_window(browse: Browse, catcher: Any) -> None:
    """How many of how many, a picture with words and a table, and when places come free."""
    browser = browse(server(catcher.port, max_per_hour=1), mailing("office", ANN, {**ANN, "_id": "bea"}))
    free = re.compile(r"Places come free:\s*<time")
    browser.service.until(lambda: free.search(found := browser.text("/systems/office")) and "1 discarded" in found)
    text = unescape(browser.text("/systems/office"))
    assert "1 of 1, 0 free now" in text
    assert "1 of 1 used, rising; 1 discarded in the last 6 hours" in text
    assert '<svg class="window"' in text
    assert "max_per_hour 1</text>" in text
    assert "/mail?state=discarded&q=system%3Aoffice+since%3A" in text
    assert "discarded in the last hour" in unescape(browser.text("/systems/office?span=1h"))
    assert browser.get("/systems/office?span=2h").status == 400
    assert "1 of 1, full" in browser.text("/systems")
    assert browser.get("/systems/nothing").status == 404


def test_a_secret_is_no_more_than_set(browse: Browse, catcher: Any) -> None:
    """Neither its value nor its length is on any page."""
    browser = browse(server(catcher.port), mailing("office", ANN))
    text = browser.text("/systems/office")
    assert "●●●●●●●● set" in text
    assert "canary-of-the-login" not in text + browser.text("/systems")


def test_a_login_is_checked(browse: Browse, catcher: Any) -> None:
    """As far as the login and the sender; nothing is sent."""
    browser = browse(server(catcher.port), mailing("office"))
    text = browser.post("/systems/office/check").body.decode()
    assert "The login, just now" in text
    assert "hello@example.com" in text
    assert catcher.mails() == []


def test_a_test_mail_goes_through_the_limit(browse: Browse, catcher: Any) -> None:
    """To an address that is known here, on record as every other mail; to nobody else."""
    browser = browse(server(catcher.port, max_per_hour=1), mailing("office"))
    refused = browser.post("/systems/office/test", {"to": "stranger@example.org"})
    assert refused.status == 200
    assert "one address that the configuration names" in refused.body.decode()
    first = browser.post("/systems/office/test", {"to": "hello@example.com"})
    assert first.status == 303
    browser.service.until(lambda: "state sent" in browser.text(first.headers["location"]))
    assert [mail.recipients for mail in catcher.mails()] == [("hello@example.com",)]
    second = browser.post("/systems/office/test", {"to": "Hello@Example.com"})
    assert "no place is free within the limit" in second.body.decode()
    assert len(catcher.mails()) == 1


def test_sending_is_paused_with_a_reason(browse: Browse, catcher: Any) -> None:
    """Everybody sees it; without a reason nothing is paused."""
    browser = browse(server(catcher.port), mailing("office"))
    assert "say why" in browser.post("/systems/office/pause", {"reason": "  "}).body.decode()
    assert "Resume sending" not in browser.text("/systems/office")
    done = browser.post("/systems/office/pause", {"reason": "the <b>server</b> moves"})
    assert (done.status, done.headers["location"]) == (303, "/systems/office")
    text = browser.text("/systems/office")
    assert "the &lt;b&gt;server&lt;/b&gt; moves" in text
    assert "by the token of the project" in browser.text("/systems")
    assert browser.post("/systems/office/resume").status == 303
    assert "Pause sending" in browser.text("/systems/office")


def test_a_system_that_carries_no_mail(browse: Browse) -> None:
    """It has no window and sends no test."""
    browser = browse({"_id": "web", "type": "system:url", "url_pattern": "https://example.com/%s?token=c"})
    text = browser.text("/systems/web")
    assert "<svg" not in text
    assert "https://example.com/%s" in text
    assert "token=c" not in text
    assert browser.post("/systems/web/test", {"to": "a@example.com"}).status == 409
    assert "no server to connect to" in browser.post("/systems/web/check").body.decode()


@pytest.mark.parametrize("path", ["check", "test", "pause", "resume"])
def test_who_only_views_does_nothing(browse: Browse, tmp_path: Path, digest: Callable[[str], str], path: str) -> None:
    """The page has no buttons, and the routes refuse."""
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps({"tokens": [{"name": "a", "sha256": digest("s" * 32), "roles": ["view"]}]}))
    browser = browse({"_id": "web", "type": "system:eml"}, mailing("web"), wanted=Wanted(port=0, tokens=tokens))
    browser.enter("s" * 32)
    fields = {"test": {"to": "hello@example.com"}, "pause": {"reason": "a"}}.get(path, {})
    assert browser.post(f"/systems/web/{path}", fields).status == 403
    assert "<button>" not in browser.text("/systems/web").partition("<main")[2].partition("</main")[0]
    assert "hello@example.com" not in browser.text("/systems/web")
